/**
 * An average that forgets: each observation weighs half as much as one that came `halfLife` observations later.
 *
 *     m ← m + a · (x − m),   a = 1 − 2^(−1/halfLife),   average = m / (1 − (1 − a)^n)
 *
 * m begins at 0; the division takes the weight of that 0 out again, so that the first average is the first
 * observation. Two averages cannot be merged: which observation came last is not known any more.
 */

/** A {@link MovingAverage} as plain data. */
export interface MovingAverageSnapshot {
  readonly halfLife: number;
  readonly count: number;
  readonly weighted: number;
}

/** An exponentially weighted average with its bias corrected. */
export class MovingAverage {
  readonly #halfLife: number;
  #count = 0;
  #weighted = 0;

  /** @throws RangeError when the half-life, in observations, is not above 0 */
  constructor(halfLife: number) {
    if (!(halfLife > 0)) throw new RangeError(`A half-life must be above 0, not ${halfLife}.`);
    this.#halfLife = halfLife;
  }

  static restore(snapshot: MovingAverageSnapshot): MovingAverage {
    const restored = new MovingAverage(snapshot.halfLife);
    restored.#count = snapshot.count;
    restored.#weighted = snapshot.weighted;
    return restored;
  }

  /** Undefined before the first observation. */
  get value(): number | undefined {
    if (this.#count === 0) return undefined;
    return this.#weighted / (1 - 2 ** (-this.#count / this.#halfLife));
  }

  add(observation: number): void {
    const share = 1 - 2 ** (-1 / this.#halfLife);
    this.#weighted += share * (observation - this.#weighted);
    this.#count += 1;
  }

  snapshot(): MovingAverageSnapshot {
    return { halfLife: this.#halfLife, count: this.#count, weighted: this.#weighted };
  }
}
