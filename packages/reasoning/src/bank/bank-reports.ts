/** What a bank has learnt, in words: notes about each task type, and why an arm was chosen or suggested. */
import type { MemoryItem, ReasoningExplanation } from '@quic-swarm/protocol';
import {
  explainChoice,
  explainSuggestion,
  type ChoiceExplanation,
  type NearView,
  type SuggestionExplanation,
} from '../memory/explanation.ts';
import { memoryItems } from '../memory/memory-item.ts';
import { nearestExperiences, type NearExperience } from '../memory/retrieval.ts';
import type { ReasoningBank } from './reasoning-bank.ts';
import type { TypeMemory } from './type-memory.ts';

/** Texts of the protocol may have as many characters. */
const TEXT_LENGTH_MAX = 4096;

/** The notes about a task type, or about all. */
export function notesOf(bank: ReasoningBank, taskType: string | undefined): MemoryItem[] {
  return [...bank.types.values()]
    .filter(({ tunable }) => taskType === undefined || tunable.taskType === taskType)
    .flatMap(({ tunable, adoption }) =>
      memoryItems({
        taskType: tunable.taskType,
        incumbentArmId: adoption.incumbentArmId,
        statistics: bank.experiences.armStatistics(tunable.taskType),
        verdicts: adoption.verdicts(),
      }),
    )
    .map(({ kind, taskType: about, title, description, content }) => ({
      taskType: about,
      kind,
      title: shortened(title),
      description: shortened(description),
      content: shortened(content),
    }));
}

/** Why a task was given its arm; undefined when that is forgotten. */
export function explainTask(
  bank: ReasoningBank,
  experienceId: string,
): ReasoningExplanation | undefined {
  const choice = bank.choiceOf(experienceId);
  const experience = bank.experiences.experience(experienceId);
  const type = experience && bank.types.get(experience.taskType);
  const armIndex = choice && type?.space.indexOfId(choice.armId);
  const { means, bounds, propensity } = choice ?? {};
  if (type === undefined || experience === undefined || armIndex === undefined) return undefined;
  if (means === undefined || bounds === undefined || propensity === undefined) return undefined;
  const { taskType } = experience;
  const nearest = nearestExperiences({
    experiences: bank.experiences.experiences(taskType),
    taskType,
    context: experience.context,
    contextVersion: experience.contextVersion,
    // Nothing that was not known when it was chosen.
    askedAtStep: experience.issuedAtStep,
  });
  const explained = explainChoice({ armIndex, propensity, means, bounds }, type.space.armIds, {
    taskType,
    statistics: bank.experiences.armStatistics(taskType),
    nearest,
  });
  return wireOf(explained.armId, explained);
}

/**
 * Why agents were told last what they were told about a task type. Where they were told nothing: why the last task was given
 * its arm, or at least what is used.
 */
export function explainType(bank: ReasoningBank, type: TypeMemory): ReasoningExplanation {
  const { taskType } = type.tunable;
  const statistics = bank.experiences.armStatistics(taskType);
  const nearest: readonly NearExperience[] = [];
  if (type.lastAction !== undefined) {
    const explained = explainSuggestion(type.lastAction, { taskType, statistics, nearest });
    return wireOf(explained.to, explained);
  }
  const lastId = bank.lastChosen(taskType);
  const explained = lastId === undefined ? undefined : explainTask(bank, lastId);
  if (explained !== undefined) return explained;
  const armId = type.adoption.incumbentArmId;
  const sentence = `${taskType} uses ${armId}: nothing has been suggested, and no arm chosen, since the coordinator was started.`;
  return { taskType, armId, sentences: [sentence], nearest: [] };
}

function wireOf(
  armId: string,
  { taskType, sentences, nearest }: ChoiceExplanation | SuggestionExplanation,
): ReasoningExplanation {
  return {
    taskType,
    armId,
    sentences: sentences.map(shortened),
    nearest: nearest.map((each: NearView) => ({ ...each })),
  };
}

function shortened(text: string): string {
  return text.slice(0, TEXT_LENGTH_MAX);
}
