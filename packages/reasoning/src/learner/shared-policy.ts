/**
 * One model for all arms: a ridge regression over the features of arms and context, so that each observation says
 * something about every arm.
 *
 * Most of the noise in a utility belongs to the task, not to the arm: a calm week is easy for every forecast. Where n
 * arms met the same task, that noise is common to all of them and says nothing about their differences. With ρ the
 * share of the variance that the task has, the exact remedy (generalised least squares of a model with a random effect
 * per task; Fuller and Battese 1973, Wooldridge, "Econometric analysis of cross section and panel data", § 10.4) is to
 * subtract from each point and each utility the share θ of their mean over the n arms, and to go on as usual:
 *
 *     θ = 1 − √((1 − ρ) / (1 − ρ + nρ))
 *
 * A single observation counts 1 − ρ of a full one. Sums stay sums, so that merging stays addition.
 */
import type { ArmSpace } from './arm-space.ts';
import {
  decide,
  requireObservations,
  resolvePolicyOptions,
  type Choice,
  type Expectation,
  type FreeWith,
  type Observation,
  type Policy,
  type PolicyOptions,
  type PolicySnapshot,
  type ResolvedPolicyOptions,
} from './policy.ts';
import { Ridge, type RidgeSnapshot } from './ridge.ts';

const TASK_SHARE = 0.8;

/** Options of {@link SharedPolicy}. */
export interface SharedPolicyOptions extends PolicyOptions {
  /** ρ in [0, 1): the share of the variance of utilities that tasks have in common for all arms. */
  readonly taskShare?: number;
}

/** See the head of the file. */
export class SharedPolicy implements Policy {
  readonly kind = 'shared';
  readonly #space: ArmSpace;
  readonly #options: ResolvedPolicyOptions;
  readonly #taskShare: number;
  readonly #ridge: Ridge;
  readonly #points: readonly Float64Array[];
  readonly #centre: Float64Array;
  // Arrays of this length lie outside of the heap, and each new one costs as much as the arithmetic in it.
  readonly #spreads: Float64Array;
  readonly #between: Float64Array;

  /** @throws RangeError when an option is out of its range */
  constructor(space: ArmSpace, options: SharedPolicyOptions = {}) {
    const { taskShare = TASK_SHARE } = options;
    if (!(taskShare >= 0 && taskShare < 1)) {
      throw new RangeError(`taskShare must lie in [0, 1), not ${taskShare}.`);
    }
    this.#space = space;
    this.#options = resolvePolicyOptions(options);
    this.#taskShare = taskShare;
    const { dimension } = space.features;
    const mean = new Float64Array(dimension);
    // The constant is the first feature.
    mean[0] = this.#options.priorUtility;
    this.#ridge = new Ridge({ lambda: this.#options.lambda, mean });
    this.#points = space.arms.map(() => new Float64Array(dimension));
    this.#centre = new Float64Array(dimension);
    this.#spreads = new Float64Array(space.arms.length);
    this.#between = new Float64Array(space.arms.length);
  }

  get observations(): number {
    return this.#ridge.points;
  }

  choose(context: ArrayLike<number>, random: () => number, freeWith?: FreeWith): Choice {
    const { alpha, shadowAlpha, epsilon } = this.#options;
    const arms = this.#points.length;
    const means = new Float64Array(arms);
    const bounds = new Float64Array(arms);
    for (const [index, point] of this.#points.entries()) {
      this.#space.features.write(index, context, point);
      means[index] = this.#ridge.mean(point);
    }
    this.#moveToCentre();
    for (const [index, point] of this.#points.entries()) {
      const spread = this.#ridge.spread(point);
      this.#spreads[index] = spread;
      bounds[index] = (means[index] as number) + alpha * Math.sqrt(spread);
    }
    const challenges = (chosen: number): Float64Array => {
      const between = this.#spreadsFrom(chosen);
      for (let index = 0; index < arms; index += 1) {
        const width = Math.sqrt(between[index] as number);
        between[index] = (means[index] as number) + shadowAlpha * width;
      }
      return between;
    };
    return decide({ means, bounds, challenges, epsilon, random, freeWith });
  }

  learn(context: ArrayLike<number>, observations: readonly Observation[]): void {
    requireObservations(observations, this.#points.length);
    const n = observations.length;
    if (n === 0) return;
    // Nobody looks at the points of the last choice any more.
    const points =
      n <= this.#points.length
        ? this.#points.slice(0, n)
        : observations.map(() => new Float64Array(this.#centre.length));
    for (const [index, { armIndex }] of observations.entries()) {
      this.#space.features.write(armIndex, context, points[index] as Float64Array);
    }
    const centre = centreOf(points, this.#centre);
    const meanUtility = observations.reduce((sum, { utility }) => sum + utility, 0) / n;
    const own = 1 - this.#taskShare;
    const share = 1 - Math.sqrt(own / (own + n * this.#taskShare));
    for (const [index, { utility }] of observations.entries()) {
      const point = points[index] as Float64Array;
      subtract(point, centre, share);
      this.#ridge.learn(point, utility - share * meanUtility);
    }
  }

  predict(context: ArrayLike<number>, armIndex: number): Expectation {
    const point = this.#centre;
    this.#space.features.write(armIndex, context, point);
    return { mean: this.#ridge.mean(point), width: this.#ridge.width(point) };
  }

  forget(keep: number): void {
    this.#ridge.forget(keep);
  }

  snapshot(): PolicySnapshot {
    return { kind: this.kind, ridges: [this.#ridge.snapshot()] };
  }

  restore(snapshot: PolicySnapshot): void {
    this.#ridge.restore(ridgeOf(snapshot));
  }

  merge(snapshot: PolicySnapshot): void {
    this.#ridge.merge(ridgeOf(snapshot));
  }

  /**
   * Measures all points from their mean. What decides is how little is known about an arm *beside the others*; what is
   * unknown about the task itself, which all arms share, would only blur it.
   */
  #moveToCentre(): void {
    const centre = centreOf(this.#points, this.#centre);
    for (const point of this.#points) subtract(point, centre, 1);
  }

  /** How little is known about the difference of each arm from the chosen one: (x − c)ᵀ A⁻¹ (x − c), multiplied out. */
  #spreadsFrom(chosen: number): Float64Array {
    const solved = this.#centre;
    const between = this.#between;
    this.#ridge.solve(this.#points[chosen] as Float64Array, solved);
    const own = this.#spreads[chosen] as number;
    for (const [index, point] of this.#points.entries()) {
      const both = dotProduct(point, solved);
      between[index] = Math.max(0, (this.#spreads[index] as number) + own - 2 * both);
    }
    return between;
  }
}

/** The mean of points, written into `centre`. */
function centreOf(points: readonly Float64Array[], centre: Float64Array): Float64Array {
  centre.fill(0);
  for (const point of points) subtract(centre, point, -1 / points.length);
  return centre;
}

function dotProduct(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < left.length; index += 1) {
    sum += (left[index] as number) * (right[index] as number);
  }
  return sum;
}

/** point −= share · other. */
function subtract(point: Float64Array, other: Float64Array, share: number): void {
  for (let index = 0; index < point.length; index += 1) {
    point[index] = (point[index] as number) - share * (other[index] as number);
  }
}

function ridgeOf({ kind, ridges }: PolicySnapshot): RidgeSnapshot {
  const [ridge] = ridges;
  if (kind === 'shared' && ridge !== undefined && ridges.length === 1) return ridge;
  throw new RangeError(`A snapshot of a policy of kind ${kind} is none of kind shared.`);
}
