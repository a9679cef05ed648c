/** What the coordinator is told of the end of a task. */
import {
  TASK_DOCUMENTS,
  TEXT_LENGTH_MAX,
  failure as failureOf,
  isBuiltInTaskType,
  type Failure,
  type TaskCompletion,
} from '@quic-swarm/protocol';
import type { TaskResult } from './events.ts';
import type { HeldLease } from './leases.ts';

/** How a task ended: by its handler, or without one. */
export type Ended = Pick<TaskResult, 'outcome' | 'failure' | 'payload'> &
  Partial<Pick<TaskResult, 'computeMs' | 'usedArm' | 'findings'>>;

/** What a completion says that its lease does not know. */
export interface EndingOptions {
  readonly ending: Ended;
  readonly computeMs: number;
  /** Longest result that the coordinator takes. */
  readonly payloadBytesMax: number;
  readonly nowMs: number;
}

/** Optional fields are added one by one: a literal made of spreads takes several times the memory. */
export function completionOf(
  { lease, kind, receivedAtMs, startedAtMs, chunkCount }: HeldLease,
  { ending, computeMs, payloadBytesMax, nowMs }: EndingOptions,
): TaskCompletion {
  const { epoch, taskId, attempt } = lease;
  const { taskType } = kind;
  // A handler of which nothing was heard before its end took no longer than it says.
  const waitMs = Math.max(0, (startedAtMs ?? nowMs - computeMs) - receivedAtMs);
  const { outcome, payload } = ending;
  const completion: TaskCompletion = {
    epoch,
    taskId,
    attempt,
    outcome,
    chunkCount,
    computeMs,
    waitMs,
  };
  if (outcome !== 'succeeded') {
    completion.failure = bounded(
      ending.failure ?? failureOf('TASK_CANCELLED', 'The handler stopped by itself.'),
    );
  } else if (payload !== undefined && payload.length > payloadBytesMax) {
    completion.outcome = 'failed';
    completion.failure = failureOf(
      'PAYLOAD_TOO_LARGE',
      `The result has ${payload.length} bytes; the coordinator takes ${payloadBytesMax}.`,
      { hint: 'Return less, split the task, or raise the bound of the coordinator.' },
    );
  } else {
    if (isBuiltInTaskType(taskType)) completion.resultType = TASK_DOCUMENTS[taskType].resultType;
    if (payload !== undefined) completion.payload = payload;
  }
  return completion;
}

/** Adds what is to be learnt from: the arm that the handler computed with, and its forecasts if they stand. */
export function addFindings(
  completion: TaskCompletion,
  { arm: given }: HeldLease,
  { usedArm, findings }: Ended,
): void {
  const arm = findings?.ranWith ?? (usedArm === true ? given : undefined);
  if (arm !== undefined) completion.arm = arm;
  if (findings === undefined || completion.outcome !== 'succeeded') return;
  const { predicted, alternatives } = findings;
  if (predicted !== undefined) completion.predicted = predicted;
  if (alternatives !== undefined) completion.alternatives = alternatives;
}

/** The same end as a failure, without what only a success has. */
export function failedCompletionOf(completion: TaskCompletion, failure: Failure): TaskCompletion {
  const {
    payload: _payload,
    resultType: _resultType,
    predicted: _predicted,
    alternatives: _alternatives,
    ...rest
  } = completion;
  return { ...rest, outcome: 'failed', failure };
}

/** Reasons of others are quoted in messages, which have a bound of their own. */
function bounded(failure: Failure): Failure {
  const { message, hint } = failure;
  return {
    ...failure,
    message: message.slice(0, TEXT_LENGTH_MAX),
    ...(hint === undefined ? {} : { hint: hint.slice(0, TEXT_LENGTH_MAX) }),
  };
}
