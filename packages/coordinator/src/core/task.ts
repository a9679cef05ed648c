/**
 * What the coordinator knows of one task. There may be a million of them, all but a few in the queue: what many tasks
 * have in common is one record for all of them, and what few have is made when it is needed.
 */
import {
  type AgentType,
  type Failure,
  type Link,
  type PayloadEncoding,
  type RetryPolicy,
  type Shard,
  type SubmitTask,
  type TaskCompletion,
  type TaskState,
  type WatchLevel,
} from '@quic-swarm/protocol';
import type { ArmChoice } from '@quic-swarm/reasoning';
import type { Scheduled } from './timers.ts';

/** What a task needs of an agent. Tasks with equal needs wait together and share the record (see queue.ts). */
export interface TaskNeeds {
  readonly taskType: string;
  readonly agentType: AgentType | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  /**
   * May an agent be given the task long before it can begin it? Not when it brings much with it; and not when it may be
   * started only once, since an agent that is lost would take it along although it had not begun it.
   */
  readonly mayGoAhead: boolean;
}

/** How a task is to be treated. Shared by tasks that were submitted with nothing special. */
export interface TaskTerms {
  readonly priority: number;
  readonly idempotent: boolean;
  readonly retry: RetryPolicy;
  readonly startToCloseMs: number;
  readonly onClientLoss: 'keep' | 'cancel';
  /** Tasks with different keys take turns; undefined is a key like any other. */
  readonly fairnessKey: string | undefined;
  /** A second agent may be given it when it takes much longer than is usual. */
  readonly hedge: boolean;
}

/** A dead letter that was submitted again, with the input that it does not keep. */
export interface ReplayedDeadLetter {
  readonly dead: Task;
  readonly input: Uint8Array | undefined;
  /** The journal's record of the new task. */
  readonly position: number;
}

/** Who submitted a task; one record for all tasks of a connection. */
export interface Submitter {
  readonly connectionId: string;
  readonly clientName: string;
}

/** By what a task is found again that was submitted with an idempotency key. */
export interface Idempotency {
  readonly key: string;
  /** Of the input, which is gone when the task has ended. */
  readonly inputBytes: number;
  readonly inputHash: number;
}

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

/** What an attempt has said before its end. */
export interface AttemptOutput {
  fraction: number | undefined;
  /** See {@link addChunk}. */
  chunks: Chunk[];
  readonly chunkSequences: Set<number>;
  chunkBytes: number;
}

/** What went wrong with a task so far. */
export interface TaskTrouble {
  /** Attempts that ended with an error, and attempts that ended with the loss of an agent or a worker. */
  errors: number;
  losses: number;
  failure: Failure | undefined;
  deadLettered: boolean;
}

/** Timers that most tasks do not have. */
export interface TaskTimers {
  release: Scheduled | undefined;
  scheduleToStart: Scheduled | undefined;
  scheduleToClose: Scheduled | undefined;
}

/**
 * A lease as the coordinator counts it. It takes a slot of its agent until the agent says that it is over, and its links
 * are those of the agent's leases.
 */
export interface AgentLease extends Link<AgentLease> {
  /** The life of the coordinator that gave it: an earlier one, when its agent came back with it after a restart. */
  readonly epoch: number;
  /** Kept here, so that nobody needs to look it up among a million. */
  readonly task: Task;
  readonly attempt: number;
  readonly dispatchSequence: number;
  readonly dispatchedAtMs: number;
  started: boolean;
  /** Its agent was asked to give it back, should it not have started it. */
  isRecalled: boolean;
  /** Of a shard: its agent wants to hear of the bounds of others. */
  hearsBounds: boolean;
  /** The result, while chunks that were sent before it are still on their way on streams of their own. */
  completion: TaskCompletion | undefined;
  /** The task has moved on (timed out, or was ended): whatever comes under this lease is stale. */
  fenced: boolean;
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

/** What a task waits for. */
export interface Dependencies {
  /** Each once. */
  readonly taskIds: readonly string[];
  /** How many of them have not ended. */
  unfinished: number;
}

/** A lease as it is written down. */
export interface KeptLease {
  readonly epoch: number;
  readonly attempt: number;
  readonly agentId: string;
}

/** What a durable task has beside others. */
export interface Durability {
  /** Of the record that says that it was accepted. */
  readonly acceptedAt: number;
  /** Of the last record about it. */
  position: number;
  /** Of a final one: somebody has heard of its end. */
  isAcknowledged: boolean;
  /** The lease under which an agent may come back with it, after the coordinator was restarted. */
  returning: KeptLease | undefined;
  /** Of one that ended in an earlier life: the parts that were sent, of which none is here. */
  chunkCount: number | undefined;
}

/** What a task and its second copy know of each other (see hedging.ts). */
export interface Hedging {
  /** When the running attempt will be looked at. */
  timer: Scheduled | undefined;
  /** Of the task that was submitted. */
  readonly copy: Task | undefined;
  /** Of the copy. */
  readonly original: Task | undefined;
}

/** What a task has that is learnt from (see learning.ts). */
export interface Learning {
  /** What was known when it was submitted. */
  readonly context: Float64Array;
  readonly seriesId: string | undefined;
  /** Its place in the series, or in the order of acceptance. */
  readonly step: number;
  /** Another arm may be tried on it. */
  readonly wantsShadow: boolean;
  /** The arm with which it is computed; undefined before it was given away. */
  choice: ArmChoice | undefined;
  /** Of a replay with another arm: the task that it repeats. */
  readonly shadowOf: Task | undefined;
}

/** An attempt that has succeeded and said with which arm, with what the task will not have any more. */
export interface FinishedAttempt {
  readonly task: Task;
  readonly agentId: string;
  readonly agentType: AgentType;
  readonly completion: TaskCompletion;
  readonly input: Uint8Array | undefined;
  readonly inputEncoding: PayloadEncoding | undefined;
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
  /** The lowest distance above which some shard has proved that no window matters to any. */
  bound: number;
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
 * 1. In the states dispatched and running, and in no other, `lease` is set, is not fenced, and the agent `agentId` counts
 *    it. In a final state `agentId` names the agent of the last attempt, if any.
 * 2. `isRunnable` is true exactly when the task is in the queue: it can be given to an agent now. A task in state queued
 *    that is neither runnable nor split is in back-off.
 * 3. A final task has no timers, no input and no lease.
 * 4. A task with `split` is given to nobody: it has no agent, no lease and no place in the queue; its shards do. They are
 *    known as long as it has not ended, and no longer.
 */
export interface Task extends Link<Task> {
  readonly taskId: string;
  /** Of its id; the index of tasks sets and uses it. */
  idHash: number;
  /** Shared with all tasks of the same needs; the queue may replace it by its equal. */
  needs: TaskNeeds;
  readonly terms: TaskTerms;
  state: TaskState;
  isRunnable: boolean;
  /** Order of acceptance; ties of priority go to the earlier one. */
  readonly order: number;
  readonly acceptedAtMs: number;
  /** When it was last put into the queue; undefined while that was when it was accepted. */
  requeuedAtMs: number | undefined;
  /** Its neighbours in the queue. */
  next: Task | undefined;
  previous: Task | undefined;
  /** Number of the last dispatch, 0 before the first. */
  attempt: number;
  agentId: string | undefined;
  /** What its agent holds for it. */
  lease: AgentLease | undefined;
  datasets: SubmitTask['datasets'];
  /** The input, until the task is final. */
  input: Uint8Array | undefined;
  /** How the input is encoded; undefined when it is plain. */
  readonly inputEncoding: PayloadEncoding | undefined;
  watchers: readonly Watcher[];
  /** Of a task that is computed in parts. */
  split: Split | undefined;
  /** Of such a part. */
  readonly shard: ShardRole | undefined;
  /** Of a task that may be given to two agents. */
  hedging: Hedging | undefined;
  /** Of a task that is learnt from. */
  readonly learning: Learning | undefined;
  readonly submitter: Submitter;
  /** Of a durable task. */
  durability: Durability | undefined;
  /** Of a task that waits for others, or did. */
  readonly after: Dependencies | undefined;
  /** Tasks that are not final and need its result. */
  dependents: number;
  idempotency: Idempotency | undefined;
  /** The dead letter that it was made of. */
  replayOf: string | undefined;
  cancelRequested: string | undefined;
  /** Of the running attempt, or of the last one until the next begins; undefined while it has said nothing. */
  output: AttemptOutput | undefined;
  trouble: TaskTrouble | undefined;
  timers: TaskTimers | undefined;
  startToCloseTimer: Scheduled | undefined;
  firstStartedAtMs: number | undefined;
  endedAtMs: number | undefined;
  computeMs: number | undefined;
  result: Uint8Array | undefined;
  resultEncoding: PayloadEncoding | undefined;
  resultType: string | undefined;
}

/** Of a task that nobody watches. One for all tasks: there may be a million. */
export const NO_WATCHERS: readonly Watcher[] = [];

const NO_CHUNKS: readonly Chunk[] = [];

/** The task that its submitter knows: of a part its whole, of a second copy the first one, of a replay what it repeats. */
export function submittedOf(task: Task): Task {
  return task.shard?.parent ?? task.hedging?.original ?? task.learning?.shadowOf ?? task;
}

/** A part as it travels. */
export function wireShardOf({ parent, index, count, start, end }: ShardRole): Shard {
  return { of: parent.taskId, index, count, start, end };
}

/** Length of the input when it is decoded; 0 without one. That of a shard or a copy is another's, and counted there. */
export function inputBytesOf(task: Task): number {
  const { input, inputEncoding } = task;
  if (submittedOf(task) !== task) return 0;
  return inputEncoding?.decodedBytes ?? input?.length ?? 0;
}

/** Length of the result and of what came before it when they are decoded. */
export function resultBytesOf({ result, resultEncoding, output }: Task): number {
  const resultBytes = resultEncoding?.decodedBytes ?? result?.length ?? 0;
  return output === undefined ? resultBytes : resultBytes + output.chunkBytes;
}

/** When it must have ended, a shard with its parent; undefined without scheduleToCloseMs. */
export function deadlineMsOf({ timers, shard }: Task): number | undefined {
  const { scheduleToClose } = (shard === undefined ? timers : shard.parent.timers) ?? {};
  return scheduleToClose?.atMs;
}

/** It may not be queued yet: its delay is not over, or what it comes after has not ended. */
export function isHeldBack({ timers, after }: Task): boolean {
  return (timers?.release?.index ?? -1) >= 0 || (after?.unfinished ?? 0) > 0;
}

/** It failed, and the pause before it is tried again is not over. */
export function isInBackoff({ state, isRunnable, split }: Task): boolean {
  return state === 'queued' && !isRunnable && split === undefined;
}

/** What the running attempt has said; made when it says something for the first time. */
export function outputOf(task: Task): AttemptOutput {
  task.output ??= { fraction: undefined, chunks: [], chunkSequences: new Set(), chunkBytes: 0 };
  return task.output;
}

/** The chunks that the running attempt has sent. */
export function chunksOf({ output }: Task): readonly Chunk[] {
  return output === undefined ? NO_CHUNKS : output.chunks;
}

/** How many there were, those included that an earlier life of the coordinator was sent. */
export function chunkCountOf(task: Task): number {
  return task.durability?.chunkCount ?? chunksOf(task).length;
}

/** Keeps a chunk whose sequence has not come yet; it counts for `decodedBytes`. */
export function addChunk(task: Task, chunk: Chunk, decodedBytes: number): void {
  const output = outputOf(task);
  output.chunkSequences.add(chunk.sequence);
  output.chunks.push(chunk);
  output.chunkBytes += decodedBytes;
}

/** How often it was tried: not counted is what an agent gave back before it began. */
export function triesOf({ state, trouble, lease }: Task): number {
  const goesWell = state === 'succeeded' || lease !== undefined;
  return (trouble?.errors ?? 0) + (trouble?.losses ?? 0) + (goesWell ? 1 : 0);
}

/** What went wrong so far; made when something does for the first time. */
export function troubleOf(task: Task): TaskTrouble {
  task.trouble ??= { errors: 0, losses: 0, failure: undefined, deadLettered: false };
  return task.trouble;
}

/** The timers that most tasks do not have; made for the first of them. */
export function timersOf(task: Task): TaskTimers {
  task.timers ??= { release: undefined, scheduleToStart: undefined, scheduleToClose: undefined };
  return task.timers;
}
