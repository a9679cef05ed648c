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
 * `drift` is not decided here; it needs a change detector.
 */
import type { Verdict } from '@quic-swarm/protocol';
import { Evidence } from './evidence.ts';
import { pairExperiences, type PairingQuestion, type UnpairedCounts } from './pairing.ts';

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
  const numbers = {
    taskType,
    candidateArmId,
    incumbentArmId,
    decision: decisionOf(evidence, alpha),
    pairs: evidence.count,
    meanDifference: evidence.mean,
    ...evidence.interval(alpha),
    logEvidence: evidence.logEvidence,
    logEvidenceAgainst: evidence.logEvidenceAgainst,
    alpha,
    unpaired: Object.values(unpaired).reduce((sum: number, count: number) => sum + count, 0),
  };
  return { ...numbers, explanation: [comparison(numbers), ...leftOver(unpaired)].join(' ') };
}

function decisionOf(evidence: Evidence, alpha: number): Verdict['decision'] {
  // ln(1/α) is above 0, so that no data never suffice.
  const threshold = -Math.log(alpha);
  if (evidence.logEvidence >= threshold) return 'adopt';
  if (evidence.logEvidenceAgainst >= threshold) return 'rollback';
  const { lower, upper } = evidence.interval(alpha);
  return lower >= -EQUIVALENCE_MARGIN && upper <= EQUIVALENCE_MARGIN ? 'keep' : 'insufficient';
}

const MEANINGS: Readonly<Record<Verdict['decision'], string>> = {
  adopt: 'enough to adopt it',
  rollback: 'enough to roll it back',
  keep: 'the two are equal in practice',
  insufficient: 'too little to tell',
  drift: 'the comparison has changed over time',
};

/** The first sentence: what was found. */
function comparison(verdict: Omit<Verdict, 'explanation'>): string {
  const { candidateArmId, incumbentArmId, pairs, meanDifference, lower, upper, alpha } = verdict;
  if (candidateArmId === incumbentArmId) return `${candidateArmId} cannot be compared with itself.`;
  if (pairs === 0) {
    return `No case of ${verdict.taskType} has been answered and resolved by both ${candidateArmId} and ${incumbentArmId}.`;
  }
  const level = `${plain(100 * (1 - alpha))} %`;
  const [claim, logOdds] =
    verdict.logEvidence >= verdict.logEvidenceAgainst
      ? ['better', verdict.logEvidence]
      : ['worse', verdict.logEvidenceAgainst];
  return (
    `Over ${pairs} paired ${pairs === 1 ? 'case' : 'cases'} the utility of ${candidateArmId} differed from that ` +
    `of ${incumbentArmId} by ${signed(meanDifference)} on average (${level} confidence sequence ` +
    `${signed(lower)} to ${signed(upper)}); evidence that it is ${claim} ${odds(logOdds)}, where ` +
    `${odds(-Math.log(alpha))} decides: ${MEANINGS[verdict.decision]}.`
  );
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

/** `+0.103`, and never `-0.000`. */
function signed(value: number): string {
  const text = Math.abs(value).toFixed(3);
  if (Number(text) === 0) return text;
  return (value < 0 ? '−' : '+') + text;
}

/** A purse of e^logOdds coins: `23.4`, or a power of ten where the number says nothing any more. */
function odds(logOdds: number): string {
  const exponent = logOdds / Math.LN10;
  return exponent < 6 ? plain(Math.exp(logOdds)) : `10^${Math.floor(exponent)}`;
}

/** At most three significant digits: `95`, `99.9`, `0.05`, `23.4`. */
function plain(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
