/**
 * What the bank has learnt, as notes that a researcher can read: what works, what to avoid, what makes no difference,
 * what is undecided. Made by template from statistics and verdicts: nothing is in a note that is not in the numbers.
 */
import type { Verdict } from '@quic-swarm/protocol';
import type { ArmStatistics } from '../experience/arm-statistics.ts';
import { plain, signed } from '../evidence/numbers-in-words.ts';
import { armWords, recordWords } from './arm-words.ts';

/** What a note is about. */
export type MemoryItemKind = 'works' | 'better' | 'avoid' | 'equal' | 'undecided';

/** One note. */
export interface MemoryItem {
  readonly kind: MemoryItemKind;
  readonly taskType: string;
  /** The arms that the note is about. */
  readonly armIds: readonly string[];
  /** A headline, e.g. `PatternMatch: avoid window=5`. */
  readonly title: string;
  /** One sentence: what to do. */
  readonly description: string;
  /** The numbers behind it, in sentences. */
  readonly content: string;
}

/** From what notes are made. */
export interface MemoryItemSources {
  readonly taskType: string;
  readonly incumbentArmId: string;
  readonly statistics: readonly ArmStatistics[];
  /** At most one for each candidate against the incumbent; others are ignored. */
  readonly verdicts: readonly Verdict[];
}

/** Undecided arms that are named in the note; the others are counted. */
const UNDECIDED_NAMED_MAX = 5;

/**
 * The notes of one task type: the incumbent first, then arms in the order of their verdicts, by kind. An arm is to be
 * avoided when the evidence against it decides or its confidence sequence lies below 0.
 */
export function memoryItems(sources: MemoryItemSources): MemoryItem[] {
  const verdicts = sources.verdicts.filter(
    ({ taskType, incumbentArmId }) =>
      taskType === sources.taskType && incumbentArmId === sources.incumbentArmId,
  );
  const byKind = (kind: MemoryItemKind) => verdicts.filter((verdict) => kindOf(verdict) === kind);
  return [
    incumbentItem(sources, verdicts.length),
    ...byKind('better').map((verdict) => candidateItem(sources, verdict, 'better')),
    ...byKind('avoid').map((verdict) => candidateItem(sources, verdict, 'avoid')),
    ...byKind('equal').map((verdict) => candidateItem(sources, verdict, 'equal')),
    ...undecidedItem(sources, byKind('undecided')),
  ];
}

function kindOf({ decision, upper, pairs }: Verdict): MemoryItemKind {
  if (decision === 'adopt') return 'better';
  if (decision === 'rollback' || (pairs > 0 && upper < 0)) return 'avoid';
  return decision === 'keep' ? 'equal' : 'undecided';
}

function incumbentItem(sources: MemoryItemSources, candidates: number): MemoryItem {
  const { taskType, incumbentArmId } = sources;
  const words = wordsOf(sources, incumbentArmId);
  const rivals =
    candidates === 0
      ? 'Nothing has been compared with it yet.'
      : `It is compared with ${candidates} ${candidates === 1 ? 'other' : 'others'}.`;
  return {
    kind: 'works',
    taskType,
    armIds: [incumbentArmId],
    title: `${taskType}: ${words} is in use`,
    description: `Run ${taskType} with ${words}, unless there is a reason not to.`,
    content: `${recordWords(statisticsOf(sources, incumbentArmId))} ${rivals}`,
  };
}

const HEADLINES: Readonly<Record<'better' | 'avoid' | 'equal', (words: string) => string>> = {
  better: (words) => `${words} does better`,
  avoid: (words) => `avoid ${words}`,
  equal: (words) => `${words} makes no difference`,
};

function candidateItem(
  sources: MemoryItemSources,
  verdict: Verdict,
  kind: 'better' | 'avoid' | 'equal',
): MemoryItem {
  const { taskType, incumbentArmId } = sources;
  const words = wordsOf(sources, verdict.candidateArmId);
  const incumbentWords = wordsOf(sources, incumbentArmId);
  const advice = {
    better: `Prefer ${words} to ${incumbentWords}.`,
    avoid: `Do not run ${taskType} with ${words}: ${incumbentWords} does better in the same cases.`,
    equal: `Choose between ${words} and ${incumbentWords} by cost: the results are equally good in practice.`,
  };
  const record = recordWords(statisticsOf(sources, verdict.candidateArmId));
  return {
    kind,
    taskType,
    armIds: [verdict.candidateArmId],
    title: `${taskType}: ${HEADLINES[kind](words)}`,
    description: advice[kind],
    content: `${differenceWords(verdict)} ${record}`,
  };
}

function undecidedItem(sources: MemoryItemSources, verdicts: readonly Verdict[]): MemoryItem[] {
  if (verdicts.length === 0) return [];
  const { taskType } = sources;
  const arms = verdicts.length === 1 ? '1 arm is' : `${verdicts.length} arms are`;
  // Those that are nearest to a decision say most.
  const sorted = [...verdicts].sort((left, right) => strength(right) - strength(left));
  const named = sorted.slice(0, UNDECIDED_NAMED_MAX).map((verdict) => {
    const words = wordsOf(sources, verdict.candidateArmId);
    if (verdict.pairs === 0) return `${words} (not compared yet)`;
    return `${words} (${signed(verdict.meanDifference)} over ${pairWords(verdict.pairs)})`;
  });
  const more = verdicts.length - named.length;
  return [
    {
      kind: 'undecided',
      taskType,
      armIds: verdicts.map(({ candidateArmId }) => candidateArmId),
      title: `${taskType}: ${arms} undecided`,
      description: 'Do not conclude anything about them yet: the differences may be chance.',
      content: `Difference of utility so far: ${named.join('; ')}${more === 0 ? '' : `; and ${more} more`}.`,
    },
  ];
}

function strength({ logEvidence, logEvidenceAgainst }: Verdict): number {
  return Math.max(logEvidence, logEvidenceAgainst);
}

/** `Its utility was 0.100 higher …`, with the interval. */
function differenceWords(verdict: Verdict): string {
  const { meanDifference, lower, upper, pairs, alpha } = verdict;
  const size = Math.abs(meanDifference).toFixed(2);
  const direction = meanDifference < 0 ? 'lower' : 'higher';
  const level = plain(100 * (1 - alpha));
  return (
    `Over ${pairWords(pairs)} its utility was ${size} ${direction} on average than that of the arm in use ` +
    `(${level} % sure: ${signed(lower)} to ${signed(upper)}).`
  );
}

function pairWords(pairs: number): string {
  return pairs === 1 ? '1 case that both answered' : `${pairs} cases that both answered`;
}

function statisticsOf(
  { statistics, taskType }: MemoryItemSources,
  armId: string,
): ArmStatistics | undefined {
  return statistics.find((each) => each.taskType === taskType && each.armId === armId);
}

function wordsOf(sources: MemoryItemSources, armId: string): string {
  return armWords(armId, statisticsOf(sources, armId)?.arm);
}
