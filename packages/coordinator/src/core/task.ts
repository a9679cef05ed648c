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

/**
 * One task.
 *
 * Invariants (checked by `validate.ts`):
 * 1. In the states dispatched and running `agentId` is set and that agent holds a lease with `attempt`. In a final
 *    state it names the agent of the last attempt, if any.
 * 2. `laneEntry` is set exactly when the task can be given to an agent now: queued and not in back-off.
 * 3. A final task has no timers, no input and no lease that is not fenced.
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

/** Inputs up to here may lie at an agent by the hundreds: some hundred of them are about a megabyte. */
const AHEAD_INPUT_BYTES_MAX = 4096;

/**
 * May an agent be given the task long before it can begin it? Not when it brings much with it; and not when it may be
 * started only once, since an agent that is lost would take it along although it had not begun it.
 */
export function mayGoAhead({ idempotent, datasets, inputBytes }: Task): boolean {
  return idempotent && datasets.length === 0 && inputBytes <= AHEAD_INPUT_BYTES_MAX;
}

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

/** Length of the result when it is decoded; 0 without one. */
export function resultBytesOf({ result, resultEncoding }: Task): number {
  return resultEncoding?.decodedBytes ?? result?.length ?? 0;
}
