/**
 * A model of its own for each arm (disjoint LinUCB; Li et al. 2010, algorithm 1): a ridge regression over a constant and
 * the context. It assumes nothing about arms being alike, and therefore needs to try each of them: the baseline that
 * `SharedPolicy` is measured against, and the choice where arms have nothing in common.
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

/** See the head of the file. */
export class PerArmPolicy implements Policy {
  readonly kind = 'perArm';
  readonly #space: ArmSpace;
  readonly #options: ResolvedPolicyOptions;
  readonly #ridges: readonly Ridge[];
  readonly #point: Float64Array;

  /** @throws RangeError when an option is out of its range */
  constructor(space: ArmSpace, options: PolicyOptions = {}) {
    this.#space = space;
    this.#options = resolvePolicyOptions(options);
    const mean = new Float64Array(1 + space.contextLength);
    mean[0] = this.#options.priorUtility;
    const { lambda } = this.#options;
    this.#ridges = space.arms.map(() => new Ridge({ lambda, mean }));
    this.#point = new Float64Array(mean.length);
  }

  get observations(): number {
    return this.#ridges.reduce((sum, { points }) => sum + points, 0);
  }

  choose(context: ArrayLike<number>, random: () => number, freeWith?: FreeWith): Choice {
    const { alpha, shadowAlpha, epsilon } = this.#options;
    const point = this.#pointOf(context);
    const means = Float64Array.from(this.#ridges, (ridge) => ridge.mean(point));
    const widths = Float64Array.from(this.#ridges, (ridge) => ridge.width(point));
    const bounds = means.map((mean, index) => mean + alpha * (widths[index] as number));
    // What two independent models do not know about their difference.
    const challenges = (chosen: number): Float64Array =>
      means.map(
        (mean, index) =>
          mean + shadowAlpha * Math.hypot(widths[index] as number, widths[chosen] as number),
      );
    return decide({ means, bounds, challenges, epsilon, random, freeWith });
  }

  learn(context: ArrayLike<number>, observations: readonly Observation[]): void {
    requireObservations(observations, this.#ridges.length);
    const point = this.#pointOf(context);
    for (const { armIndex, utility } of observations) this.#ridges[armIndex]?.learn(point, utility);
  }

  predict(context: ArrayLike<number>, armIndex: number): Expectation {
    const ridge = this.#ridges[armIndex];
    if (ridge === undefined) throw new RangeError(`There is no arm ${armIndex}.`);
    const point = this.#pointOf(context);
    return { mean: ridge.mean(point), width: ridge.width(point) };
  }

  forget(keep: number): void {
    for (const ridge of this.#ridges) ridge.forget(keep);
  }

  snapshot(): PolicySnapshot {
    return { kind: this.kind, ridges: this.#ridges.map((ridge) => ridge.snapshot()) };
  }

  restore(snapshot: PolicySnapshot): void {
    for (const [ridge, own] of this.#pairs(snapshot)) ridge.restore(own);
  }

  merge(snapshot: PolicySnapshot): void {
    for (const [ridge, other] of this.#pairs(snapshot)) ridge.merge(other);
  }

  #pointOf(context: ArrayLike<number>): Float64Array {
    this.#space.features.writeContext(context, this.#point);
    return this.#point;
  }

  #pairs({ kind, ridges }: PolicySnapshot): [Ridge, RidgeSnapshot][] {
    if (kind !== this.kind || ridges.length !== this.#ridges.length) {
      throw new RangeError(
        `A snapshot of a policy of kind ${kind} with ${ridges.length} models is none of kind ${this.kind} with ${this.#ridges.length}.`,
      );
    }
    return this.#ridges.flatMap((ridge, index): [Ridge, RidgeSnapshot][] => {
      const own = ridges[index];
      return own === undefined ? [] : [[ridge, own]];
    });
  }
}
