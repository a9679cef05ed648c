/**
 * What happened in cases like this one? The experiences whose contexts are nearest, for a first guess before anything
 * is learnt and for showing a person what a suggestion rests on.
 *
 *     distance d = √(mean over dimensions of ((x − y) / deviation)²)
 *     weight     = exp(−d² / 2h²) · 2^(−age / halfLife),   h = 0.5
 *
 * A dimension's deviation is that of the experiences that may be used; one that never varies says nothing and is left
 * out. Brute force: all of 10,000 contexts of 16 numbers are looked at.
 *
 * **Nothing from the future.** An experience is used only when it was resolved at or before the step at which it is
 * asked, and so is its context for the deviations: what is resolved later changes no number. Steps must count the same
 * thing in all experiences for that, e.g. trading days, or the caller asks with those of one series.
 */
import type { ReasoningExperience } from '@quic-swarm/protocol';
import { isUtility } from '../experience/utility.ts';

/** h: contexts half a deviation apart, in each dimension, weigh e^(−1/2) as much as equal ones. */
const BANDWIDTH = 0.5;

/** What is looked for, and where. */
export interface RetrievalQuestion {
  readonly experiences: readonly ReasoningExperience[];
  readonly taskType: string;
  /** Only experiences with contexts of this version and this length are compared. */
  readonly context: ArrayLike<number>;
  readonly contextVersion: number;
  /** The step that it is now: later outcomes are not known yet. */
  readonly askedAtStep: number;
  /** How many experiences at most. @default 8 */
  readonly count?: number;
  /** Age, in steps since the resolution, at which an experience weighs half as much. @default 1,000 */
  readonly recencyHalfLifeSteps?: number;
}

/** An experience that is like the case asked about. */
export interface NearExperience {
  readonly experience: ReasoningExperience;
  /** In standard deviations of the contexts, per dimension; 0 for an equal context. */
  readonly distance: number;
  /** From 0 to 1: 1 for an equal context that was resolved just now. */
  readonly weight: number;
}

/** What the nearest experiences say about an arm. */
export interface ArmPrior {
  readonly armId: string;
  /** The weighted mean of the utilities. */
  readonly meanUtility: number;
  /** The sum of the weights: worth as many cases just like this one, just now. */
  readonly weight: number;
}

interface Scored extends NearExperience {
  readonly logWeight: number;
}

/**
 * The experiences with the largest weights, largest first; of equal ones the one resolved last.
 *
 * @throws RangeError when count is not an integer of 1 or more, the half-life is not above 0 or the context not finite
 */
export function nearestExperiences(question: RetrievalQuestion): NearExperience[] {
  const { context, askedAtStep, count = 8, recencyHalfLifeSteps = 1000 } = question;
  if (!(Number.isSafeInteger(count) && count >= 1 && recencyHalfLifeSteps > 0)) {
    throw new RangeError(
      `Retrieval needs a count of 1 or more and a half-life above 0, not ${count} and ${recencyHalfLifeSteps}.`,
    );
  }
  for (let dimension = 0; dimension < context.length; dimension += 1) {
    if (Number.isFinite(context[dimension])) continue;
    throw new RangeError(`Number ${dimension} of the context is ${context[dimension]}.`);
  }
  const known = question.experiences.filter((experience) => isUsable(experience, question));
  const precisions = precisionsOf(known, context.length);
  const best: Scored[] = [];
  for (const experience of known) {
    const distance = distanceOf(experience.context, context, precisions);
    const age = askedAtStep - (experience.resolvedAtStep ?? askedAtStep);
    // The logarithm ranks experiences that are so far away that their weight is 0.
    const logWeight =
      -(distance ** 2) / (2 * BANDWIDTH ** 2) - (Math.LN2 * age) / recencyHalfLifeSteps;
    insert(best, { experience, distance, weight: Math.exp(logWeight), logWeight }, count);
  }
  return best.map(({ experience, distance, weight }) => ({ experience, distance, weight }));
}

/** What the nearest experiences say about each arm that is among them, the best arm first. */
export function armPriors(nearest: readonly NearExperience[]): ArmPrior[] {
  const sums = new Map<string, { weight: number; utility: number }>();
  for (const { experience, weight } of nearest) {
    const sum = sums.get(experience.armId) ?? { weight: 0, utility: 0 };
    sum.weight += weight;
    sum.utility += weight * (experience.utility ?? 0);
    sums.set(experience.armId, sum);
  }
  return [...sums]
    .filter(([, { weight }]) => weight > 0)
    .map(([armId, { weight, utility }]) => ({ armId, meanUtility: utility / weight, weight }))
    .sort(
      (left, right) => right.meanUtility - left.meanUtility || (left.armId < right.armId ? -1 : 1),
    );
}

function isUsable(experience: ReasoningExperience, question: RetrievalQuestion): boolean {
  const { utility, resolvedAtStep, context } = experience;
  return (
    experience.taskType === question.taskType &&
    experience.contextVersion === question.contextVersion &&
    context.length === question.context.length &&
    resolvedAtStep !== undefined &&
    resolvedAtStep <= question.askedAtStep &&
    utility !== undefined &&
    isUtility(utility) &&
    context.every((value) => Number.isFinite(value))
  );
}

/** 1 / variance of each dimension; 0 where nothing varies. Two passes, so that large numbers lose no digits. */
function precisionsOf(known: readonly ReasoningExperience[], dimensions: number): Float64Array {
  const means = new Float64Array(dimensions);
  const precisions = new Float64Array(dimensions);
  for (let dimension = 0; dimension < dimensions; dimension += 1) {
    let sum = 0;
    for (const { context } of known) sum += context[dimension] ?? 0;
    means[dimension] = sum / known.length;
    let squares = 0;
    for (const { context } of known)
      squares += ((context[dimension] ?? 0) - (means[dimension] ?? 0)) ** 2;
    const precision = known.length / squares;
    // Neither what never varies nor what varies beyond the range of a double can be compared.
    precisions[dimension] = Number.isFinite(precision) ? precision : 0;
  }
  return precisions;
}

function distanceOf(
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  precisions: Float64Array,
): number {
  let sum = 0;
  let dimensions = 0;
  for (const [dimension, precision] of precisions.entries()) {
    if (precision === 0) continue;
    dimensions += 1;
    sum += precision * ((left[dimension] ?? 0) - (right[dimension] ?? 0)) ** 2;
  }
  return dimensions === 0 ? 0 : Math.sqrt(sum / dimensions);
}

/** Keeps the list sorted and at most `count` long. */
function insert(best: Scored[], scored: Scored, count: number): void {
  let index = best.length;
  while (index > 0 && isBefore(scored, best[index - 1])) index -= 1;
  if (index >= count) return;
  best.splice(index, 0, scored);
  if (best.length > count) best.pop();
}

function isBefore(left: Scored, right: Scored | undefined): boolean {
  if (right === undefined) return false;
  if (left.logWeight !== right.logWeight) return left.logWeight > right.logWeight;
  const [leftStep = 0, rightStep = 0] = [left, right].map(
    ({ experience }) => experience.resolvedAtStep,
  );
  if (leftStep !== rightStep) return leftStep > rightStep;
  return left.experience.experienceId < right.experience.experienceId;
}
