/** What the coordinator knows of one task. */
import {
  DEFAULT_PRIORITY,
  AGENT_TYPE_OF_TASK,
  isBuiltInTaskType,
  type AgentType,
  decodedBytesOf,
  type Failure,
  type PayloadEncoding,
  type RetryPolicy,
  type Shard,
  type SubmitTask,
  type TaskState,
  type WatchLevel,
} from '@quic-swarm/protocol';
import type { CoreOptions } from './options.ts';
import type { Scheduled } from './timers.ts';

/** A client that wants to hear of the task. */
export interface Watcher {
  readonly connectionId: string;
  readonly level: WatchLevel;
}

/** A part of the result that the running attempt has sent. */
export interface Chunk {
  readonly sequence: number;
  readonly payload: Uint8Array;
  readonly payloadEncoding: PayloadEncoding | undefined;
}

/** A task's place in the queue; empty once the task has left it. */
export interface LaneEntry {
  task: Task | undefined;
}

/** A part of a task, as its record knows it. */
export interface ShardRole {
  /** The task that was split. */
  readonly parent: Task;
  readonly index: number;
  readonly count: number;
  readonly start: number;
  readonly end: number;
}

/** What one part answered. */
export interface ShardResult {
  readonly payload: Uint8Array | undefined;
  readonly payloadEncoding: PayloadEncoding | undefined;
}

/** What a task has that is computed in parts (see shards.ts). */
export interface Split {
  readonly wanted: 'auto' | number;
  readonly positions: number;
  /** Empty until it is split, and again when it has ended. */
  shards: readonly Task[];
  /** Results by index. */
  results: ShardResult[];
  resultBytes: number;
  resultType: string | undefined;
  /** Shards that have ended. */
  readonly ended: Set<Task>;
  isMerging: boolean;
  /** Of its progress, when it was last told. */
  toldPercent: number;
  /** Kept for status when the shards are gone. */
  count: number;
  succeeded: number;
  attempts: number;
}

/**
 * One task.
 *
 * Invariants (checked by `validate.ts`):
 * 1. In the states dispatched and running `agentId` is set and that agent holds a lease with `attempt`. In a final
 *    state it names the agent of the last attempt, if any.
 * 2. `laneEntry` is set exactly when the task can be given to an agent now: queued and not in back-off.
 * 3. A final task has no timers, no input and no lease that is not fenced.
 * 4. A task with `split` is given to nobody: it has no agent, no lease and no place in the queue; its shards do. They are
 *    known as long as it has not ended, and no longer.
 */
export interface Task {
  readonly taskId: string;
  readonly taskType: string;
  readonly agentType: AgentType | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly datasets: SubmitTask['datasets'];
  readonly priority: number;
  readonly idempotencyKey: string | undefined;
  readonly idempotent: boolean;
  readonly retry: RetryPolicy;
  readonly startToCloseMs: number;
  readonly onClientLoss: 'keep' | 'cancel';
  readonly submittedBy: string | undefined;
  readonly submitterConnectionId: string;
  readonly acceptedAtMs: number;
  /** When it must have ended; undefined without scheduleToCloseMs. */
  readonly deadlineMs: number | undefined;
  /** Order of acceptance; ties of priority go to the earlier one. */
  readonly order: number;
  /** Length of the input when it is decoded. */
  readonly inputBytes: number;
  /** Of the input, for tasks with an idempotency key. */
  inputHash: number;

  /** Of a task that is computed in parts. */
  split: Split | undefined;
  /** Of such a part. */
  readonly shard: ShardRole | undefined;

  state: TaskState;
  /** The input, until the task is final. */
  input: Uint8Array | undefined;
  /** How the input is encoded; undefined when it is plain. */
  readonly inputEncoding: PayloadEncoding | undefined;
  /** Which of several tasks with equal needs it waits among (see queue.ts). */
  bucketKey: string;
  /** Its place in the queue while it can be given to an agent. */
  laneEntry: LaneEntry | undefined;
  inBackoff: boolean;
  queuedAtMs: number;
  firstStartedAtMs: number | undefined;
  /** Number of the last dispatch, 0 before the first. */
  attempt: number;
  /** Attempts that ended with an error, and attempts that ended with the loss of an agent or a worker. */
  errors: number;
  losses: number;
  agentId: string | undefined;
  cancelRequested: string | undefined;
  fraction: number | undefined;
  watchers: readonly Watcher[];
  /** The chunks that the running attempt has sent; see {@link addChunk}. */
  chunks: readonly Chunk[];
  /** Their sequences; undefined while there are none, as for most tasks. */
  chunkSequences: Set<number> | undefined;
  chunkBytes: number;

  failure: Failure | undefined;
  deadLettered: boolean;
  result: Uint8Array | undefined;
  resultEncoding: PayloadEncoding | undefined;
  resultType: string | undefined;
  endedAtMs: number | undefined;
  computeMs: number;

  releaseTimer: Scheduled | undefined;
  scheduleToStartTimer: Scheduled | undefined;
  scheduleToCloseTimer: Scheduled | undefined;
  startToCloseTimer: Scheduled | undefined;
}

/** Of a task that nobody watches. One for all tasks: there may be a million. */
export const NO_WATCHERS: readonly Watcher[] = [];
const NO_CHUNKS: readonly Chunk[] = [];

/** Keeps a chunk whose sequence has not come yet; it counts for `decodedBytes`. */
export function addChunk(task: Task, chunk: Chunk, decodedBytes: number): void {
  if (task.chunkSequences === undefined) {
    task.chunkSequences = new Set();
    task.chunks = [];
  }
  task.chunkSequences.add(chunk.sequence);
  (task.chunks as Chunk[]).push(chunk);
  task.chunkBytes += decodedBytes;
}

/** Another attempt begins: what the one before has sent counts no more. */
export function dropChunks(task: Task): void {
  task.chunks = NO_CHUNKS;
  task.chunkSequences = undefined;
  task.chunkBytes = 0;
}

/** Makes the record of an accepted submission, in state `waiting`; whoever accepts it moves it on. */
export function createTask(
  submission: SubmitTask,
  client: { readonly connectionId: string; readonly clientName: string },
  order: number,
  options: CoreOptions,
  nowMs: number,
): Task {
  const { taskType, payload } = submission;
  const agentType =
    submission.agentType ??
    (isBuiltInTaskType(taskType) ? AGENT_TYPE_OF_TASK[taskType] : undefined);
  return {
    taskId: submission.taskId,
    taskType,
    agentType,
    labels: submission.labels,
    datasets: submission.datasets,
    priority: submission.priority ?? DEFAULT_PRIORITY,
    idempotencyKey: submission.idempotencyKey,
    idempotent: submission.idempotent ?? true,
    // Copied only where it differs: a million tasks may wait.
    retry:
      submission.retry === undefined ? options.retry : { ...options.retry, ...submission.retry },
    startToCloseMs: submission.startToCloseMs ?? options.startToCloseMs,
    onClientLoss: submission.onClientLoss ?? 'keep',
    submittedBy: client.clientName,
    submitterConnectionId: client.connectionId,
    acceptedAtMs: nowMs,
    deadlineMs:
      submission.scheduleToCloseMs === undefined ? undefined : nowMs + submission.scheduleToCloseMs,
    order,
    inputBytes: decodedBytesOf(submission),
    inputHash: 0,
    split: splitOf(submission),
    shard: undefined,
    state: 'waiting',
    input: payload,
    inputEncoding: submission.payloadEncoding,
    bucketKey: '',
    laneEntry: undefined,
    inBackoff: false,
    queuedAtMs: nowMs,
    firstStartedAtMs: undefined,
    attempt: 0,
    errors: 0,
    losses: 0,
    agentId: undefined,
    cancelRequested: undefined,
    fraction: undefined,
    watchers: NO_WATCHERS,
    chunks: NO_CHUNKS,
    chunkSequences: undefined,
    chunkBytes: 0,
    failure: undefined,
    deadLettered: false,
    result: undefined,
    resultEncoding: undefined,
    resultType: undefined,
    endedAtMs: undefined,
    computeMs: 0,
    releaseTimer: undefined,
    scheduleToStartTimer: undefined,
    scheduleToCloseTimer: undefined,
    startToCloseTimer: undefined,
  };
}

function splitOf({ shards, positions = 0 }: SubmitTask): Split | undefined {
  if (shards === undefined) return undefined;
  return {
    wanted: shards,
    positions,
    shards: [],
    results: [],
    resultBytes: 0,
    resultType: undefined,
    ended: new Set(),
    isMerging: false,
    toldPercent: 0,
    count: 0,
    succeeded: 0,
    attempts: 0,
  };
}

/** Makes the record of a part: a task of its own that asks for what its parent asks for, and that nobody watches. */
export function createShard(
  parent: Task,
  role: Omit<ShardRole, 'parent'>,
  taskId: string,
  order: number,
  nowMs: number,
): Task {
  return {
    ...parent,
    taskId,
    order,
    // They are the parent's, and counted there.
    inputBytes: 0,
    idempotencyKey: undefined,
    onClientLoss: 'keep',
    acceptedAtMs: nowMs,
    queuedAtMs: nowMs,
    split: undefined,
    shard: { parent, ...role },
    state: 'waiting',
    watchers: NO_WATCHERS,
    releaseTimer: undefined,
    scheduleToStartTimer: undefined,
    scheduleToCloseTimer: undefined,
    startToCloseTimer: undefined,
  };
}

/** A part as it travels. */
export function wireShardOf({ parent, index, count, start, end }: ShardRole): Shard {
  return { of: parent.taskId, index, count, start, end };
}

/** Length of the result when it is decoded; 0 without one. */
export function resultBytesOf({ result, resultEncoding }: Task): number {
  return resultEncoding?.decodedBytes ?? result?.length ?? 0;
}
