/** Turns what a user asks for into a SubmitTask message. */
import {
  SwarmError,
  TASK_TYPE_PATTERN,
  encodeDocument,
  isAgentType,
  isBuiltInTaskType,
  type AgentType,
  type SubmitTask,
  checkMessage,
} from '@quic-swarm/protocol';
import { datasetsOf } from '../dataset-references.ts';
import type { RequestMessage } from '../core/events.ts';
import type { SubmitOptions } from './options.ts';

/** Options that travel as they are. */
const COPIED = [
  'labels',
  'priority',
  'idempotencyKey',
  'idempotent',
  'durable',
  'fairnessKey',
  'delayMs',
  'scheduleToStartMs',
  'startToCloseMs',
  'scheduleToCloseMs',
  'onClientLoss',
] as const satisfies readonly (keyof SubmitOptions & keyof SubmitTask)[];

/** What is not an option of the user's. */
export interface SubmissionFrame {
  readonly requestId: number;
  readonly taskId: string;
  /** Longest input that the coordinator takes. */
  readonly payloadBytesMax: number;
}

/** The message. @throws BAD_OPTION, BAD_INPUT, PAYLOAD_TOO_LARGE */
export function submissionOf(
  taskType: string,
  input: unknown,
  options: SubmitOptions,
  frame: SubmissionFrame,
): RequestMessage {
  const { requestId, taskId, payloadBytesMax } = frame;
  if (!TASK_TYPE_PATTERN.test(taskType)) {
    throw new SwarmError('BAD_OPTION', `"${taskType.slice(0, 80)}" cannot name a task type.`, {
      hint: 'Use letters, digits, dots, dashes and underscores, a letter first, at most 64.',
    });
  }
  const payload = encodeDocument(input);
  if (payload.length > payloadBytesMax) throw tooLarge(payload.length, payloadBytesMax);
  const referred = isBuiltInTaskType(taskType) ? datasetsOf(input) : [];
  const chosen = chosenFields(options);
  const datasets = [...new Set([...referred, ...(options.datasets ?? [])])];
  const watch = options.watch ?? 'result';
  const body = { requestId, taskId, taskType, datasets, watch, ...chosen };
  const message = { type: 'SubmitTask', body: { ...body, payload } } as const;
  // The check costs about as much as the rest, and only what the user chose can be wrong.
  if (datasets.length > 0 || options.watch !== undefined || Object.keys(chosen).length > 0) {
    checkMessage(message, 'BAD_OPTION');
  }
  return message;
}

function chosenFields(options: SubmitOptions): Partial<SubmitTask> {
  const chosen: Record<string, unknown> = {};
  for (const key of COPIED) {
    if (options[key] !== undefined) chosen[key] = options[key];
  }
  if (options.agentType !== undefined) chosen['agentType'] = agentTypeOf(options.agentType);
  if (options.after !== undefined) chosen['after'] = [...options.after];
  if (options.retry !== undefined) {
    const entries = Object.entries(options.retry) as [string, unknown][];
    const given = entries.filter(([, value]) => value !== undefined);
    chosen['retry'] = Object.fromEntries(given);
  }
  return chosen;
}

function agentTypeOf(name: string): AgentType {
  if (isAgentType(name)) return name;
  throw new SwarmError('BAD_OPTION', `"${name.slice(0, 80)}" is not an agent type.`, {
    hint: 'Use pattern, strategy, feature, trainer, reasoning or compute.',
  });
}

function tooLarge(bytes: number, bytesMax: number): SwarmError {
  return new SwarmError(
    'PAYLOAD_TOO_LARGE',
    `The input has ${bytes} bytes; the coordinator takes at most ${bytesMax}.`,
    { hint: 'Upload it with putTable or putDataset and refer to it by its datasetId.' },
  );
}
