/** What a comparison of two arms found, as one sentence. */
import type { Verdict } from '@quic-swarm/protocol';
import { odds, plain, signed } from './numbers-in-words.ts';

/** How the sentence ends, where the decision says all there is to say. */
export const MEANINGS: Readonly<Record<Verdict['decision'], string>> = {
  adopt: 'enough to adopt it',
  rollback: 'enough to roll it back',
  keep: 'the two are equal in practice',
  insufficient: 'too little to tell',
  drift: 'the comparison has changed over time',
};

/** The numbers of a comparison in words; `meaning` is what follows from them, without a full stop. */
export function comparisonSentence(verdict: Omit<Verdict, 'explanation'>, meaning: string): string {
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
    `${odds(-Math.log(alpha))} decides: ${meaning}.`
  );
}
