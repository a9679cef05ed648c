/**
 * Ridge regression that keeps sums only. With points x, utilities u, weights w and a prior mean θ₀ of the coefficients:
 *
 *     A = λI + Σ w x xᵀ,   b = Σ w u x,   θ = A⁻¹ (λθ₀ + b),   mean(x) = θᵀx,   width(x) = √(xᵀ A⁻¹ x)
 *
 * θ is the posterior mean of a linear model with noise of variance 1/w and coefficients around θ₀ with variance 1/λ,
 * and the width the posterior deviation (Bishop, "Pattern Recognition and Machine Learning", 2006, § 3.3). The inverse
 * follows each point by the formula of Sherman and Morrison (1950),
 *
 *     (A + w x xᵀ)⁻¹ = A⁻¹ − w (A⁻¹x)(A⁻¹x)ᵀ / (1 + w xᵀA⁻¹x),
 *
 * and is computed anew from A every 4,096 points, so that rounding errors do not build up. The sums of two regressions
 * with the same prior add up to those of one that has seen the points of both, in whatever order.
 */
import {
  invertPositiveDefinite,
  quadraticForm,
  timesVector,
  trianglePlaces,
} from './symmetric-matrix.ts';

const POINTS_BETWEEN_INVERSIONS = 4096;

/** A regression as plain data, for CBOR or a structured clone. */
export interface RidgeSnapshot {
  /** Points learnt, as far as they are not forgotten. */
  readonly points: number;
  /** Σ w x xᵀ: the lower triangle, row by row. */
  readonly gram: Float64Array;
  /** Σ w u x. */
  readonly moments: Float64Array;
  /** A⁻¹ with its rounding errors, in the same order: who continues from here computes the same to the last bit. */
  readonly inverse: Float64Array;
  readonly pointsSinceInversion: number;
}

/** What a regression believes before its first point. */
export interface RidgePrior {
  /** λ > 0. */
  readonly lambda: number;
  /** θ₀, of as many numbers as the points. */
  readonly mean: Float64Array;
}

/** See the head of the file. A point costs O(d²), so does a question. */
export class Ridge {
  readonly #dimension: number;
  readonly #lambda: number;
  readonly #priorMean: Float64Array;
  #points = 0;
  readonly #gram: Float64Array;
  readonly #moments: Float64Array;
  readonly #inverse: Float64Array;
  #pointsSinceInversion = 0;
  readonly #coefficients: Float64Array;
  #areCoefficientsOld = true;
  readonly #product: Float64Array;

  /** @throws RangeError when λ is not a number over 0 */
  constructor({ lambda, mean }: RidgePrior) {
    if (!(lambda > 0 && Number.isFinite(lambda))) {
      throw new RangeError(`λ must be a number over 0, not ${lambda}.`);
    }
    this.#dimension = mean.length;
    this.#lambda = lambda;
    this.#priorMean = mean.slice();
    const places = trianglePlaces(mean.length);
    this.#gram = new Float64Array(places);
    this.#moments = new Float64Array(mean.length);
    this.#inverse = new Float64Array(places);
    this.#coefficients = new Float64Array(mean.length);
    this.#product = new Float64Array(mean.length);
    this.#invert();
  }

  /** Points learnt, as far as they are not forgotten. */
  get points(): number {
    return this.#points;
  }

  /** Learns one point. A weight of 0 changes nothing but the count. */
  learn(point: Float64Array, utility: number, weight: number = 1): void {
    const d = this.#dimension;
    const gram = this.#gram;
    const inverse = this.#inverse;
    const product = this.#product;
    timesVector(inverse, point, product);
    let spread = 0;
    for (let row = 0; row < d; row += 1)
      spread += (point[row] as number) * (product[row] as number);
    const shrink = weight / (1 + weight * spread);
    let place = 0;
    for (let row = 0; row < d; row += 1) {
      const weighted = weight * (point[row] as number);
      const shrunk = shrink * (product[row] as number);
      this.#moments[row] = (this.#moments[row] as number) + weighted * utility;
      for (let column = 0; column <= row; column += 1) {
        gram[place] = (gram[place] as number) + weighted * (point[column] as number);
        inverse[place] = (inverse[place] as number) - shrunk * (product[column] as number);
        place += 1;
      }
    }
    this.#points += 1;
    this.#areCoefficientsOld = true;
    this.#pointsSinceInversion += 1;
    if (this.#pointsSinceInversion >= POINTS_BETWEEN_INVERSIONS) this.#invert();
  }

  /** θᵀx. */
  mean(point: Float64Array): number {
    const coefficients = this.coefficients();
    let sum = 0;
    for (let index = 0; index < point.length; index += 1) {
      sum += (coefficients[index] as number) * (point[index] as number);
    }
    return sum;
  }

  /** √(xᵀ A⁻¹ x): 1/√λ of the length of x before the first point. */
  width(point: Float64Array): number {
    return Math.sqrt(this.spread(point));
  }

  /** xᵀ A⁻¹ x: the square of the width. */
  spread(point: Float64Array): number {
    // Rounding may leave a hair under 0 where it is nearly 0.
    return Math.max(0, quadraticForm(this.#inverse, point));
  }

  /** A⁻¹ x, with which xᵀ A⁻¹ y costs O(d) for each y; written into `result`, which is not x itself. */
  solve(point: Float64Array, result: Float64Array): void {
    timesVector(this.#inverse, point, result);
  }

  /** θ. Not to be changed, and valid until the next point. */
  coefficients(): Float64Array {
    if (this.#areCoefficientsOld) {
      for (let row = 0; row < this.#dimension; row += 1) {
        this.#product[row] =
          this.#lambda * (this.#priorMean[row] as number) + (this.#moments[row] as number);
      }
      timesVector(this.#inverse, this.#product, this.#coefficients);
      this.#areCoefficientsOld = false;
    }
    return this.#coefficients;
  }

  /**
   * Forgets a part of what was learnt: all sums are multiplied by `keep`, so that 1 keeps everything and 0 nothing but
   * the prior.
   *
   * @throws RangeError when `keep` is not in [0, 1]
   */
  forget(keep: number): void {
    if (!(keep >= 0 && keep <= 1)) throw new RangeError(`keep must lie in [0, 1], not ${keep}.`);
    this.#points *= keep;
    for (const sums of [this.#gram, this.#moments]) {
      for (let place = 0; place < sums.length; place += 1)
        sums[place] = (sums[place] as number) * keep;
    }
    this.#invert();
  }

  snapshot(): RidgeSnapshot {
    return {
      points: this.#points,
      gram: this.#gram.slice(),
      moments: this.#moments.slice(),
      inverse: this.#inverse.slice(),
      pointsSinceInversion: this.#pointsSinceInversion,
    };
  }

  /**
   * Goes on where the other was when it was written down, forgetting what this one knew.
   *
   * @throws RangeError when it is of another dimension
   */
  restore(snapshot: RidgeSnapshot): void {
    this.#requireDimension(snapshot);
    this.#points = snapshot.points;
    this.#gram.set(snapshot.gram);
    this.#moments.set(snapshot.moments);
    this.#inverse.set(snapshot.inverse);
    this.#pointsSinceInversion = snapshot.pointsSinceInversion;
    this.#areCoefficientsOld = true;
  }

  /**
   * Adds what another one with the same prior has learnt.
   *
   * @throws RangeError when it is of another dimension
   */
  merge(snapshot: RidgeSnapshot): void {
    this.#requireDimension(snapshot);
    this.#points += snapshot.points;
    addTo(this.#gram, snapshot.gram);
    addTo(this.#moments, snapshot.moments);
    this.#invert();
  }

  #requireDimension({ gram, moments, inverse }: RidgeSnapshot): void {
    const isOurs =
      moments.length === this.#dimension &&
      gram.length === this.#gram.length &&
      inverse.length === this.#inverse.length;
    if (isOurs) return;
    throw new RangeError(`A snapshot of ${moments.length} features is none of ${this.#dimension}.`);
  }

  #invert(): void {
    invertPositiveDefinite(this.#gram, this.#lambda, this.#dimension, this.#inverse);
    this.#pointsSinceInversion = 0;
    this.#areCoefficientsOld = true;
  }
}

function addTo(sums: Float64Array, others: Float64Array): void {
  for (let place = 0; place < sums.length; place += 1) {
    sums[place] = (sums[place] as number) + (others[place] as number);
  }
}
