/** Experiences with everything filled in that a test does not care about. */
import type { ReasoningExperience } from '@quic-swarm/protocol';

export function experienceOf(
  experienceId: string,
  fields: Partial<ReasoningExperience> = {},
): ReasoningExperience {
  return {
    experienceId,
    taskId: '01890a5d-ac96-774b-bcce-b302099a8057',
    agentId: 'agent-1',
    agentType: 'pattern',
    taskType: 'PatternMatch',
    context: new Float64Array([1, 2]),
    contextVersion: 1,
    arm: { band: 5 },
    armId: 'incumbent',
    propensity: 1,
    latencyMs: 10,
    computeMs: 8,
    issuedAtStep: 0,
    ...fields,
  };
}

/** A resolved answer of one arm to step `step` of a series. */
export function answerOf(
  armId: string,
  step: number,
  utility: number,
  fields: Partial<ReasoningExperience> = {},
): ReasoningExperience {
  return experienceOf(`${armId}-${step}`, {
    armId,
    seriesId: 'spx',
    issuedAtStep: step,
    resolvedAtStep: step + 1,
    actual: 0,
    utility,
    ...fields,
  });
}
