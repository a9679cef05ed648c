/**
 * Is one arm better than another? The verdict is about exactly the two arms that were asked for, and its numbers come
 * from their paired experiences alone. Latency, confidence and forecasts play no part unless the task type put them
 * into the utility.
 *
 * The decision, in this order:
 * - `adopt`: the e-process for "the candidate is better" is ≥ 1/α;
 * - `rollback`: the e-process for "the candidate is worse" is ≥ 1/α;
 * - `keep`: the confidence sequence lies within ±0.02, so that a change is not worth its trouble;
 * - `insufficient`: none of these yet.
 *
 * `adopt` and `rollback` cannot meet: ln(1 + λD) ≤ λD, so that W > 1 needs ΣD > 0 and its reverse ΣD < 0.
 * `drift` is not decided here: adoption/adoption.ts says it when a change detector has raised an alarm.
 */
import type { Verdict } from '@quic-swarm/protocol';
import { Evidence } from './evidence.ts';
import { pairExperiences, type PairingQuestion, type UnpairedCounts } from './pairing.ts';
import { comparisonSentence, MEANINGS } from './verdict-sentence.ts';

/** Mean differences of utility within ± this much count as equal in practice. */
export const EQUIVALENCE_MARGIN = 0.02;

/**
 * What {@link judge} is asked. To keep the guarantee over many looks, ask with all experiences since the comparison
 * began, in any order.
 */
export interface JudgeQuestion extends PairingQuestion {
  /** Probability of a false adoption, at any time; above 0 and below 1. @default 0.05 */
  readonly alpha?: number;
}

/**
 * Compares two arms by their answers to the same cases. See {@link pairExperiences} for what a pair is and
 * {@link Evidence} for the numbers.
 *
 * @throws RangeError when alpha is not above 0 and below 1
 */
export function judge(question: JudgeQuestion): Verdict {
  const { taskType, candidateArmId, incumbentArmId, alpha = 0.05 } = question;
  if (!(alpha > 0 && alpha < 1)) {
    throw new RangeError(`alpha must lie above 0 and below 1, not be ${alpha}.`);
  }
  const { pairs, unpaired } = pairExperiences(question);
  const evidence = new Evidence();
  for (const { difference } of pairs) evidence.add(difference);
  const decision = decisionOf(evidence, alpha);
  const numbers = {
    taskType,
    candidateArmId,
    incumbentArmId,
    decision,
    ...numbersOf(evidence, alpha),
    unpaired: Object.values(unpaired).reduce((sum: number, count: number) => sum + count, 0),
  };
  const sentences = [comparisonSentence(numbers, MEANINGS[decision]), ...leftOver(unpaired)];
  return { ...numbers, explanation: sentences.join(' ') };
}

/** The numbers of a verdict that come from the evidence alone. */
export function numbersOf(
  evidence: Evidence,
  alpha: number,
): Pick<
  Verdict,
  'pairs' | 'meanDifference' | 'lower' | 'upper' | 'logEvidence' | 'logEvidenceAgainst' | 'alpha'
> {
  return {
    pairs: evidence.count,
    meanDifference: evidence.mean,
    ...evidence.interval(alpha),
    logEvidence: evidence.logEvidence,
    logEvidenceAgainst: evidence.logEvidenceAgainst,
    alpha,
  };
}

/** The decision rule of this file, for a comparison in which nothing has been changed yet. */
export function decisionOf(
  evidence: Evidence,
  alpha: number,
): 'adopt' | 'rollback' | 'keep' | 'insufficient' {
  // ln(1/α) is above 0, so that no data never suffice.
  const threshold = -Math.log(alpha);
  if (evidence.logEvidence >= threshold) return 'adopt';
  if (evidence.logEvidenceAgainst >= threshold) return 'rollback';
  const { lower, upper } = evidence.interval(alpha);
  return lower >= -EQUIVALENCE_MARGIN && upper <= EQUIVALENCE_MARGIN ? 'keep' : 'insufficient';
}

const REASONS: Readonly<Record<keyof UnpairedCounts, string>> = {
  unresolved: 'not resolved yet',
  withoutUtility: 'without a utility',
  resolvedBeforeIssued: 'resolved before they were issued',
  repeated: 'further answers to the same case',
  overlapping: 'overlapping in time with those compared',
  withoutPartner: 'without an answer of the other arm',
};

/** The second sentence, if anything was left over: how many experiences are in no pair, and why. */
function leftOver(unpaired: Readonly<UnpairedCounts>): string[] {
  const reasons = Object.entries(REASONS)
    .map(([reason, words]) => ({ count: unpaired[reason as keyof UnpairedCounts], words }))
    .filter(({ count }) => count > 0)
    .map(({ count, words }) => `${count} ${words}`);
  return reasons.length === 0 ? [] : [`Not compared: ${reasons.join(', ')}.`];
}
