/**
 * How an arm is chosen: what every policy can do, and the rule that all of them share. The rule is optimism: the arm
 * with the largest mean + α · width, that is, the best one or one about which little is known (LinUCB; Li, Chu,
 * Langford, Schapire, "A contextual-bandit approach to personalized news article recommendation", WWW 2010).
 */
import type { RidgeSnapshot } from './ridge.ts';

/** What is decided for one task. */
export interface Choice {
  readonly armIndex: number;
  /** The probability with which this arm was chosen: ε/K, and 1 − ε more for the arm with the largest bound. */
  readonly propensity: number;
  /**
   * The arm that is most worth replaying as a shadow, of those that this task will not answer anyway: the one that may
   * be most better than the chosen one. Undefined when there is none.
   */
  readonly runnerUpIndex: number | undefined;
  /** Expected utility of each arm. */
  readonly means: Float64Array;
  /** mean + α · width of each arm. */
  readonly bounds: Float64Array;
}

/** How good an arm was for a task. */
export interface Observation {
  readonly armIndex: number;
  /** In [0, 1]. */
  readonly utility: number;
}

/** What is expected of an arm. */
export interface Expectation {
  readonly mean: number;
  /** How little is known: about the deviation of the mean, in units of the noise. */
  readonly width: number;
}

/** The other arms whose results are known when this one has been computed. */
export type FreeWith = (armIndex: number) => readonly number[];

/** A policy as plain data, for CBOR or a structured clone. */
export interface PolicySnapshot {
  readonly kind: PolicyKind;
  /** One for all arms, or one per arm. */
  readonly ridges: readonly RidgeSnapshot[];
}

export type PolicyKind = 'shared' | 'perArm';

/** How eager a policy is. */
export interface PolicyOptions {
  /** α ≥ 0: how much an arm gains by being little known. @default 0.1 */
  readonly alpha?: number;
  /**
   * How much an arm gains, as a shadow, by its difference from the chosen one being little known. A bad shadow costs
   * nothing but the compute of whoever is idle, so that it may explore where the choice itself should not.
   *
   * @default 2
   */
  readonly shadowAlpha?: number;
  /** ε in [0, 1]: the share of tasks whose arm is drawn at random, which off-policy evaluation needs. @default 0 */
  readonly epsilon?: number;
  /** λ > 0: how many observations the prior is worth. @default 3 */
  readonly lambda?: number;
  /** The utility that is expected of an arm about which nothing is known, in [0, 1]. @default 0.75 */
  readonly priorUtility?: number;
}

/** Learns which arm to choose; see `SharedPolicy` and `PerArmPolicy`. */
export interface Policy {
  readonly kind: PolicyKind;
  /** Observations learnt, as far as they are not forgotten. */
  readonly observations: number;
  /**
   * @param random a number in [0, 1) at each call; not called when ε is 0
   * @throws RangeError when the context has another length or a number that is not finite
   */
  choose(context: ArrayLike<number>, random: () => number, freeWith?: FreeWith): Choice;
  /**
   * Learns how arms did for *one* task: all that is known about it at once, since arms that met the same task are
   * compared best.
   *
   * @throws RangeError when there is no such arm or a utility is not in [0, 1]; then nothing is learnt
   */
  learn(context: ArrayLike<number>, observations: readonly Observation[]): void;
  predict(context: ArrayLike<number>, armIndex: number): Expectation;
  /** Keeps a share in [0, 1] of what was learnt, as after a change: 0 leaves the prior. */
  forget(keep: number): void;
  snapshot(): PolicySnapshot;
  /** Goes on where another one was when it was written down. */
  restore(snapshot: PolicySnapshot): void;
  /** Adds what another one has learnt. */
  merge(snapshot: PolicySnapshot): void;
}

/** The options of a policy, complete and checked. */
export interface ResolvedPolicyOptions {
  readonly alpha: number;
  readonly shadowAlpha: number;
  readonly epsilon: number;
  readonly lambda: number;
  readonly priorUtility: number;
}

/** @throws RangeError when an option is out of its range */
export function resolvePolicyOptions(options: PolicyOptions): ResolvedPolicyOptions {
  const { alpha = 0.1, shadowAlpha = 2, epsilon = 0, lambda = 3, priorUtility = 0.75 } = options;
  requireWithin('alpha', alpha, Number.MAX_VALUE);
  requireWithin('shadowAlpha', shadowAlpha, Number.MAX_VALUE);
  requireWithin('epsilon', epsilon, 1);
  requireWithin('priorUtility', priorUtility, 1);
  return { alpha, shadowAlpha, epsilon, lambda, priorUtility };
}

function requireWithin(name: string, value: number, maximum: number): void {
  if (value >= 0 && value <= maximum) return;
  throw new RangeError(`${name} must lie in [0, ${maximum}], not ${value}.`);
}

/** @throws RangeError when there is no such arm or a utility is not in [0, 1] */
export function requireObservations(observations: readonly Observation[], arms: number): void {
  for (const { armIndex, utility } of observations) {
    if (!(Number.isInteger(armIndex) && armIndex >= 0 && armIndex < arms)) {
      throw new RangeError(`There is no arm ${armIndex}.`);
    }
    if (utility >= 0 && utility <= 1) continue;
    throw new RangeError(`A utility must lie in [0, 1], not ${utility}.`);
  }
}

/** What the policy thinks of the arms, and what it needs to decide. */
export interface Ballot {
  readonly means: Float64Array;
  readonly bounds: Float64Array;
  /** How good each arm may be beside the chosen one: the shadow is the one with the largest. */
  readonly challenges: (chosen: number) => Float64Array;
  readonly epsilon: number;
  readonly random: () => number;
  readonly freeWith: FreeWith | undefined;
}

/** The arm with the largest bound, or with probability ε any. Ties go to the lowest index. */
export function decide(ballot: Ballot): Choice {
  const { means, bounds, epsilon, random, freeWith } = ballot;
  const arms = bounds.length;
  const best = largest(bounds, []) ?? 0;
  const isExploring = epsilon > 0 && random() < epsilon;
  const armIndex = isExploring ? Math.min(arms - 1, Math.floor(random() * arms)) : best;
  const propensity = epsilon / arms + (armIndex === best ? 1 - epsilon : 0);
  const answered = [armIndex, ...(freeWith?.(armIndex) ?? [])];
  const runnerUpIndex =
    answered.length < arms ? largest(ballot.challenges(armIndex), answered) : undefined;
  return { armIndex, propensity, runnerUpIndex, means, bounds };
}

function largest(bounds: Float64Array, without: readonly number[]): number | undefined {
  let best: number | undefined;
  for (let index = 0; index < bounds.length; index += 1) {
    if (without.includes(index)) continue;
    if (best === undefined || (bounds[index] as number) > (bounds[best] as number)) best = index;
  }
  return best;
}
