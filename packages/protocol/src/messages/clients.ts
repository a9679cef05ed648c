/** What a client asks and hears. A requestId is chosen by the client, unique on its connection. */
import { Type, type Static } from 'typebox';
import {
  AgentIdText,
  AgentTypeText,
  ContentIdText,
  Count,
  DatasetIdText,
  DurationMs,
  FailureSchema,
  Fraction,
  Labels,
  Name,
  TaskIdText,
  TaskTypeText,
  Text,
  listOf,
  oneOf,
  payloadFields,
  record,
} from '../schema.ts';
import { SHARDS_MAX, STATUS_ROWS_MAX } from '../limits.ts';
import { LearnRequest } from './learning.ts';
import { AgentRow, StatusSummary, TaskRow } from './status.ts';
import { PENDING_REASONS, TASK_STATES } from './task-states.ts';

/** When a failed attempt is tried again. Names and rules are Temporal's. */
export const RetryPolicy = record({
  initialIntervalMs: DurationMs,
  backoffCoefficient: Type.Number({ minimum: 1, maximum: 100 }),
  maximumIntervalMs: DurationMs,
  /** Attempts that end with an error, the first included; 1 = no retry. */
  maximumAttempts: Type.Integer({ minimum: 1, maximum: 1000 }),
  /** Attempts that end with the loss of the agent or its worker, counted apart. */
  maximumDeliveries: Type.Integer({ minimum: 1, maximum: 1000 }),
  nonRetryableErrorTypes: listOf(Name, 64),
});
export type RetryPolicy = Static<typeof RetryPolicy>;

/** How much a client wants to hear: nothing, the end (with progress and chunks), or every change of state too. */
export const WATCH_LEVELS = ['none', 'result', 'all'] as const;
export type WatchLevel = (typeof WATCH_LEVELS)[number];

/** Client → coordinator; answered by SubmitAck or ErrorReport. Sending it again with the same taskId is harmless. */
export const SubmitTask = record({
  requestId: Count,
  taskId: TaskIdText,
  taskType: TaskTypeText,
  /** Only agents of this type. Built-in task types imply theirs. */
  agentType: Type.Optional(AgentTypeText),
  /** Only agents that carry all of these labels. */
  labels: Type.Optional(Labels),
  datasets: listOf(DatasetIdText, 256),
  /** 1 (first) to 5. @default 3 */
  priority: Type.Optional(Type.Integer({ minimum: 1, maximum: 5 })),
  /** A second submission with the same key and type is answered with the first one's task. */
  idempotencyKey: Type.Optional(Name),
  /** False: start it at most once, whatever happens. @default true */
  idempotent: Type.Optional(Type.Boolean()),
  /** Acknowledge only what is on disk. Needs the feature `durable`. */
  durable: Type.Optional(Type.Boolean()),
  /** Tasks that must have succeeded before. Needs the feature `dependencies`. */
  after: Type.Optional(listOf(TaskIdText, 256)),
  /** Do not start before so much time has passed. */
  delayMs: Type.Optional(DurationMs),
  /** Tasks with different keys take turns. Needs the feature `fairness`. */
  fairnessKey: Type.Optional(Name),
  /** Give it to a second agent when it takes much longer than others of its type; the first answer counts. Needs the
   *  feature `hedging`. */
  hedge: Type.Optional(Type.Boolean()),
  scheduleToStartMs: Type.Optional(DurationMs),
  startToCloseMs: Type.Optional(DurationMs),
  scheduleToCloseMs: Type.Optional(DurationMs),
  retry: Type.Optional(Type.Partial(RetryPolicy, { additionalProperties: false })),
  /** What happens to the task when the connection of its submitter ends. @default 'keep' */
  onClientLoss: Type.Optional(oneOf(['keep', 'cancel'])),
  watch: oneOf(WATCH_LEVELS),
  /** Split it into so many parts, or into as many as suit the agents there are. Needs the feature `shards` and
   *  `positions`. */
  shards: Type.Optional(
    Type.Union([oneOf(['auto']), Type.Integer({ minimum: 1, maximum: SHARDS_MAX })]),
  ),
  /** Learn from it which parameters are good. Needs the feature `learning`. */
  learn: Type.Optional(LearnRequest),
  /** What is split: 0 … positions − 1. Of a PatternMatch, the windows of the series: its length − the query's + 1. */
  positions: Type.Optional(Count),
  /** The input: one CBOR item. */
  ...payloadFields,
});
export type SubmitTask = Static<typeof SubmitTask>;

/** Coordinator → client: the task is accepted (or was before). */
export const SubmitAck = record({
  requestId: Count,
  /** Differs from the submitted one when an idempotency key led to an earlier task. */
  taskId: TaskIdText,
  state: oneOf(TASK_STATES),
  existing: Type.Boolean(),
});
export type SubmitAck = Static<typeof SubmitAck>;

/** Client → coordinator: tell me about a task that exists; answered by SubmitAck, then TaskEvents. */
export const WatchTask = record({
  requestId: Count,
  taskId: TaskIdText,
  watch: oneOf(WATCH_LEVELS),
});
export type WatchTask = Static<typeof WatchTask>;

export const TASK_EVENT_KINDS = ['state', 'progress', 'chunk', 'end'] as const;

/** Coordinator → client: something happened to a task that it watches. `end` comes exactly once and last. */
export const TaskEvent = record({
  taskId: TaskIdText,
  kind: oneOf(TASK_EVENT_KINDS),
  state: oneOf(TASK_STATES),
  attempt: Count,
  agentId: Type.Optional(AgentIdText),
  pendingReason: Type.Optional(oneOf(PENDING_REASONS)),
  /** kind progress */
  fraction: Type.Optional(Fraction),
  text: Type.Optional(Text),
  /** kind chunk */
  sequence: Type.Optional(Count),
  /** kind end */
  failure: Type.Optional(FailureSchema),
  resultType: Type.Optional(Name),
  chunkCount: Type.Optional(Count),
  deadLettered: Type.Optional(Type.Boolean()),
  /** kind end: the task was durable. Its result is kept until somebody who heard of it says so in a MessageAck with its
   *  taskId, or until it expires. */
  durable: Type.Optional(Type.Boolean()),
  /** kind end: from acceptance to the first start, time in the handler, from acceptance to the end. */
  queueMs: Type.Optional(DurationMs),
  computeMs: Type.Optional(DurationMs),
  totalMs: Type.Optional(DurationMs),
  /** The result or the chunk: one CBOR item. */
  ...payloadFields,
});
export type TaskEvent = Static<typeof TaskEvent>;

export const STATUS_VIEWS = ['summary', 'agents', 'tasks', 'task', 'deadLetters'] as const;

/** Client → coordinator; answered by StatusReport. */
export const QueryStatus = record({
  requestId: Count,
  view: oneOf(STATUS_VIEWS),
  /** For view `task`. */
  taskId: Type.Optional(TaskIdText),
  /** For view `tasks`: only these states; for it and `deadLetters`, at most so many rows, newest first. */
  states: Type.Optional(listOf(oneOf(TASK_STATES), 16)),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: STATUS_ROWS_MAX })),
});
export type QueryStatus = Static<typeof QueryStatus>;

/** Coordinator → client: the view that was asked for. */
export const StatusReport = record({
  requestId: Count,
  view: oneOf(STATUS_VIEWS),
  summary: Type.Optional(StatusSummary),
  agents: Type.Optional(listOf(AgentRow, STATUS_ROWS_MAX)),
  tasks: Type.Optional(listOf(TaskRow, STATUS_ROWS_MAX)),
  /** Rows that exist, which may be more than were sent. */
  rowsInAll: Type.Optional(Count),
});
export type StatusReport = Static<typeof StatusReport>;

export const DEAD_LETTER_ACTIONS = ['replay', 'drop'] as const;

/**
 * Client → coordinator: what becomes of a task that failed after all its tries. `replay` submits it again, with the same
 * input and a new id, and drops it; answered by SubmitAck. `drop` forgets it; answered by MessageAck. Either may be
 * answered by ErrorReport.
 */
export const ControlDeadLetter = record({
  requestId: Count,
  taskId: TaskIdText,
  action: oneOf(DEAD_LETTER_ACTIONS),
  /** The id of the new task, for `replay`. Asking again with the same one is harmless. */
  replayId: Type.Optional(TaskIdText),
  /** How much to hear of the new task. @default 'none' */
  watch: Type.Optional(oneOf(WATCH_LEVELS)),
});
export type ControlDeadLetter = Static<typeof ControlDeadLetter>;

/** Client → coordinator: do you have it? Answered by DatasetAck. */
export const QueryDataset = record({ requestId: Count, datasetId: DatasetIdText });
export type QueryDataset = Static<typeof QueryDataset>;

/** Client → coordinator, on a data set stream: here it is. Answered on the same stream by DatasetAck or ErrorReport. */
export const PutDataset = record({
  requestId: Count,
  datasetId: DatasetIdText,
  /** How the bytes are to be read; `TABLE_MEDIA_TYPE` or one of the user's own. */
  mediaType: Name,
  name: Type.Optional(Name),
  ...payloadFields,
});
export type PutDataset = Static<typeof PutDataset>;

/** Coordinator → client. */
export const DatasetAck = record({
  requestId: Count,
  datasetId: DatasetIdText,
  present: Type.Boolean(),
});
export type DatasetAck = Static<typeof DatasetAck>;

/** Agent or client → coordinator, on a data set stream; answered on it by Dataset or ErrorReport. */
export const GetDataset = record({
  requestId: Count,
  /** A data set, or the result of a task. */
  datasetId: ContentIdText,
});
export type GetDataset = Static<typeof GetDataset>;

/** Coordinator → agent or client: the bytes. The receiver checks the hash of a data set. A result is one CBOR item. */
export const Dataset = record({
  requestId: Count,
  datasetId: ContentIdText,
  mediaType: Name,
  ...payloadFields,
});
export type Dataset = Static<typeof Dataset>;

/** A retry policy with every field: what applies where a submission names none. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  initialIntervalMs: 100,
  backoffCoefficient: 2,
  maximumIntervalMs: 30_000,
  maximumAttempts: 3,
  maximumDeliveries: 3,
  nonRetryableErrorTypes: [],
};

/** Priority where a submission names none; 1 is served first, 5 last. */
export const DEFAULT_PRIORITY: number = 3;

/** One attempt may take so long where a submission names nothing. */
export const DEFAULT_START_TO_CLOSE_MS: number = 300_000;
