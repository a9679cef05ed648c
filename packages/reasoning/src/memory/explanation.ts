/**
 * Why was this arm chosen, why is it suggested? As data for a program and as sentences for a person, from the numbers
 * that decided and the experiences that are most like the case.
 */
import type { Arm, Verdict } from '@quic-swarm/protocol';
import type { AdoptionAction } from '../adoption/adoption.ts';
import { meanUtility, type ArmStatistics } from '../experience/arm-statistics.ts';
import { armWords, recordWords } from './arm-words.ts';
import type { NearExperience } from './retrieval.ts';

/**
 * Why a learner chose an arm.
 *
 * - `best`: the largest expected utility.
 * - `curiosity`: another is expected to be better, but this one is so little known that it may be better still.
 * - `draw`: drawn at random, so that choices stay comparable.
 */
export type ChoiceReason = 'best' | 'curiosity' | 'draw';

/** What a learner says when it chooses. Arrays have one number per arm, in the order of `armIds`. */
export interface ExplainableChoice {
  readonly armIndex: number;
  readonly propensity: number;
  /** Expected utilities. */
  readonly means: ArrayLike<number>;
  /** Expected utilities and what is added because little is known. */
  readonly bounds: ArrayLike<number>;
}

/** What is known around a choice or a suggestion. */
export interface ExplanationSources {
  readonly taskType: string;
  readonly statistics: readonly ArmStatistics[];
  /** @default none */
  readonly nearest?: readonly NearExperience[];
}

/** One arm as it looked when the choice was made. */
export interface ArmView {
  readonly armId: string;
  readonly arm?: Arm;
  readonly mean: number;
  readonly bound: number;
  /** Outcomes of this arm that are known, in all contexts. */
  readonly scored: number;
  /** Over those outcomes; left out while there are none. */
  readonly meanUtility?: number;
}

/** An experience that is like the case. */
export interface NearView {
  readonly experienceId: string;
  readonly armId: string;
  readonly utility: number;
  readonly distance: number;
  readonly weight: number;
}

/** Why an arm was chosen. */
export interface ChoiceExplanation {
  readonly taskType: string;
  readonly armId: string;
  readonly reason: ChoiceReason;
  readonly propensity: number;
  /** All arms, the largest bound first. */
  readonly arms: readonly ArmView[];
  readonly nearest: readonly NearView[];
  readonly sentences: readonly string[];
}

/** Why an arm is suggested or rolled back. */
export interface SuggestionExplanation {
  readonly taskType: string;
  readonly from: string;
  readonly to: string;
  readonly verdict: Verdict;
  readonly nearest: readonly NearView[];
  readonly sentences: readonly string[];
}

/**
 * Explains a choice of a learner.
 *
 * @throws RangeError when the choice has other arms than `armIds`
 */
export function explainChoice(
  choice: ExplainableChoice,
  armIds: readonly string[],
  sources: ExplanationSources,
): ChoiceExplanation {
  const { means, bounds, armIndex, propensity } = choice;
  const armId = armIds[armIndex];
  if (armId === undefined || means.length !== armIds.length || bounds.length !== armIds.length) {
    throw new RangeError(
      `Arm ${armIndex} of ${means.length} is no choice between ${armIds.length}.`,
    );
  }
  const arms = armIds
    .map((id, index) => viewOf(id, means[index] ?? 0, bounds[index] ?? 0, sources))
    .sort((left, right) => right.bound - left.bound || right.mean - left.mean);
  const mean = means[armIndex] ?? 0;
  const bound = bounds[armIndex] ?? 0;
  const bestMean = Math.max(...arms.map((view) => view.mean));
  const isOptimistic = bound >= Math.max(...arms.map((view) => view.bound));
  let reason: ChoiceReason = 'draw';
  if (isOptimistic) reason = mean >= bestMean ? 'best' : 'curiosity';
  const others = arms.filter((view) => view.armId !== armId);
  const words = wordsOf(armId, sources);
  const sentences = [
    choiceSentence({ reason, words, mean, bound, propensity }, rivalOf(reason, others), sources),
    `${words}: ${recordWords(statisticsOf(armId, sources))}`,
    ...nearSentences(sources),
  ];
  const { taskType } = sources;
  return { taskType, armId, reason, propensity, arms, nearest: nearViews(sources), sentences };
}

/** Explains a suggestion or a rollback. */
export function explainSuggestion(
  action: AdoptionAction,
  sources: ExplanationSources,
): SuggestionExplanation {
  const { from, to, verdict } = action;
  const [fromWords, toWords] = [wordsOf(from, sources), wordsOf(to, sources)];
  const sentences = [
    action.type === 'rollback'
      ? `${sources.taskType} goes back from ${fromWords} to ${toWords}.`
      : `${sources.taskType} runs ${action.canaryPercent} % of its tasks with ${toWords} instead of ${fromWords}.`,
    verdict.explanation,
    `${toWords}: ${recordWords(statisticsOf(to, sources))}`,
    `${fromWords}: ${recordWords(statisticsOf(from, sources))}`,
    ...nearSentences(sources),
  ];
  return { taskType: sources.taskType, from, to, verdict, nearest: nearViews(sources), sentences };
}

/** The arm that a choice has to be explained against: who would have been chosen, or of whom the most is expected. */
function rivalOf(reason: ChoiceReason, others: readonly ArmView[]): ArmView | undefined {
  if (reason === 'draw') return others[0];
  return others.reduce<ArmView | undefined>(
    (best, view) => (best === undefined || view.mean > best.mean ? view : best),
    undefined,
  );
}

function choiceSentence(
  chosen: { reason: ChoiceReason; words: string; mean: number; bound: number; propensity: number },
  rival: ArmView | undefined,
  sources: ExplanationSources,
): string {
  const { reason, words, propensity } = chosen;
  const [mean, bound] = [chosen.mean.toFixed(2), chosen.bound.toFixed(2)];
  if (rival === undefined) return `${words} was chosen: there is no other arm.`;
  const rivalWords = wordsOf(rival.armId, sources);
  const rivalMean = rival.mean.toFixed(2);
  switch (reason) {
    case 'best':
      return (
        `${words} was chosen because the most is expected of it: a utility of ${mean}, and ${rivalMean} of ` +
        `${rivalWords}, the next.`
      );
    case 'curiosity':
      return (
        `${words} was chosen to learn about it: a utility of ${mean} is expected, less than ${rivalMean} of ` +
        `${rivalWords}, but so little is known that it may be as much as ${bound}, where ${rivalWords} reaches ` +
        `${rival.bound.toFixed(2)} at most.`
      );
    case 'draw':
      return (
        `${words} was drawn at random, with a probability of ${propensity.toFixed(2)}, to keep learning honest; ` +
        `otherwise it would have been ${rivalWords}.`
      );
  }
}

function nearSentences({ nearest = [] }: ExplanationSources): string[] {
  const total = nearest.reduce((sum, { weight }) => sum + weight, 0);
  // Experiences so far away that they weigh nothing explain nothing.
  if (total === 0) return [];
  const utility =
    nearest.reduce((sum, { experience, weight }) => sum + weight * (experience.utility ?? 0), 0) /
    total;
  const cases =
    nearest.length === 1
      ? 'The most similar earlier case'
      : `The ${nearest.length} most similar earlier cases`;
  return [
    `${cases} had a utility of ${utility.toFixed(2)} on average, weighted by similarity and age ` +
      `(together worth ${total.toFixed(1)} cases just like this one).`,
  ];
}

function nearViews({ nearest = [] }: ExplanationSources): NearView[] {
  return nearest.map(({ experience, distance, weight }) => ({
    experienceId: experience.experienceId,
    armId: experience.armId,
    utility: experience.utility ?? 0,
    distance,
    weight,
  }));
}

function viewOf(armId: string, mean: number, bound: number, sources: ExplanationSources): ArmView {
  const statistics = statisticsOf(armId, sources);
  const utility = statistics && meanUtility(statistics);
  return {
    armId,
    ...(statistics && { arm: statistics.arm }),
    mean,
    bound,
    scored: statistics?.scored ?? 0,
    ...(utility !== undefined && { meanUtility: utility }),
  };
}

function statisticsOf(
  armId: string,
  { statistics, taskType }: ExplanationSources,
): ArmStatistics | undefined {
  return statistics.find((each) => each.taskType === taskType && each.armId === armId);
}

function wordsOf(armId: string, sources: ExplanationSources): string {
  return armWords(armId, statisticsOf(armId, sources)?.arm);
}
