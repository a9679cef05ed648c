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
import { positionsOf, type RowsOf } from '../positions.ts';
import type { RequestMessage } from '../core/events.ts';
import { learnRequestOf, notLearning } from './learning.ts';
import type { SubmitOptions, TaskReference } from './options.ts';

/** Options that travel as they are. */
const COPIED = [
  'labels',
  'priority',
  'idempotencyKey',
  'idempotent',
  'durable',
  'fairnessKey',
  'hedge',
  'delayMs',
  'scheduleToStartMs',
  'startToCloseMs',
  'scheduleToCloseMs',
  'onClientLoss',
  'watch',
] as const satisfies readonly (keyof SubmitOptions & keyof SubmitTask)[];

/** The longest duration that travels. */
const DURATION_MAX_MS = 1e12;

/** For submissions without options, which then need not be looked for. */
export const NO_OPTIONS: SubmitOptions = {};

/** What is not an option of the user's. */
export interface SubmissionFrame {
  readonly requestId: number;
  readonly taskId: string;
  /** Longest input that the coordinator takes. */
  readonly payloadBytesMax: number;
  readonly rowsOf: RowsOf;
  /** The coordinator offers to learn. */
  readonly isLearning: boolean;
}

/** The message. @throws BAD_OPTION, BAD_INPUT, PAYLOAD_TOO_LARGE */
export function submissionOf(
  taskType: string,
  input: unknown,
  options: SubmitOptions,
  frame: SubmissionFrame,
): RequestMessage {
  const { requestId, taskId, payloadBytesMax, rowsOf } = frame;
  // An older coordinator would not know the field, and end the connection.
  if (options.learn !== undefined && !frame.isLearning) throw notLearning();
  if (!TASK_TYPE_PATTERN.test(taskType)) {
    throw new SwarmError('BAD_OPTION', `"${taskType.slice(0, 80)}" cannot name a task type.`, {
      hint: 'Use letters, digits, dots, dashes and underscores, a letter first, at most 64.',
    });
  }
  const payload = encodeDocument(input);
  if (payload.length > payloadBytesMax) throw tooLarge(payload.length, payloadBytesMax);
  const datasets = isBuiltInTaskType(taskType) ? datasetsOf(input) : [];
  const body: SubmitTask & { payload: Uint8Array } = {
    requestId,
    taskId,
    taskType,
    datasets,
    watch: 'result',
    payload,
  };
  const message = { type: 'SubmitTask', body } as const;
  const isChosen = options !== NO_OPTIONS && applyOptions(options, body);
  const { shards, positions } = options;
  if (shards !== undefined) {
    body.shards = shards;
    body.positions = positions ?? positionsOf(taskType, input, rowsOf) ?? howLong(taskType);
  }
  // The check costs about as much as the rest, and only what the user chose can be wrong.
  if (isChosen || datasets.length > 0) checkMessage(message, 'BAD_OPTION');
  return message;
}

/** Sets the fields that the user chose; answers whether there are any. */
function applyOptions(options: SubmitOptions, body: SubmitTask): boolean {
  const fields = body as Record<string, unknown>;
  let isChosen = false;
  for (const key of COPIED) {
    const value = options[key];
    if (value === undefined) continue;
    fields[key] = value;
    isChosen = true;
  }
  const { agentType, datasets, after, notBefore, retry, shards, learn } = options;
  if (agentType !== undefined) body.agentType = agentTypeOf(agentType);
  if (datasets !== undefined) body.datasets = [...new Set([...body.datasets, ...datasets])];
  if (after !== undefined) body.after = after.map(idOf);
  if (notBefore !== undefined) body.delayMs = delayUntil(notBefore, options.delayMs);
  if (retry !== undefined) {
    const entries = Object.entries(retry) as [string, unknown][];
    body.retry = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }
  if (learn !== undefined) body.learn = learnRequestOf(learn);
  const others = [agentType, datasets, after, notBefore, retry, shards, learn];
  return isChosen || others.some((value) => value !== undefined);
}

function idOf(task: TaskReference): string {
  return typeof task === 'string' ? task : task.id;
}

/** Milliseconds from now until then: clocks of two machines need not agree, so a time of day does not travel. */
function delayUntil(notBefore: Date, delayMs: number | undefined): number {
  if (delayMs !== undefined) {
    throw new SwarmError('BAD_OPTION', 'notBefore and delayMs exclude each other.', {
      hint: 'Give the time of day or how long to wait, not both.',
    });
  }
  const delayUntilMs = notBefore.getTime() - Date.now();
  if (delayUntilMs <= DURATION_MAX_MS) return Math.max(0, delayUntilMs);
  if (!Number.isNaN(delayUntilMs)) {
    throw new SwarmError('BAD_OPTION', `notBefore is ${notBefore.toISOString()}, too far ahead.`, {
      hint: 'A task can wait for thirty years.',
    });
  }
  throw new SwarmError('BAD_OPTION', 'notBefore is an invalid Date.', {
    hint: "Write for example new Date('2026-01-31T18:00:00Z').",
  });
}

function howLong(taskType: string): never {
  throw new SwarmError('BAD_OPTION', `How many positions does this ${taskType} have?`, {
    hint: "Say `positions` beside `shards`; of a PatternMatch it is the series' rows − the query's + 1.",
  });
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
