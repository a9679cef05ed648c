/**
 * What makes two experiences answers to the same case: one is a replay of the other (`shadowOf`), both are replays
 * of a third, or both were decided at the same step of the same series.
 */
import type { ReasoningExperience } from '@quic-swarm/protocol';

/** Experiences of one task type that share a key answer the same case. One or two keys, the replay's first. */
export function caseKeysOf(experience: ReasoningExperience): [string, ...string[]] {
  const { taskType, experienceId, shadowOf, seriesId, issuedAtStep } = experience;
  const replayKey = JSON.stringify([taskType, shadowOf ?? experienceId]);
  if (seriesId === undefined) return [replayKey];
  return [replayKey, JSON.stringify([taskType, seriesId, issuedAtStep])];
}
