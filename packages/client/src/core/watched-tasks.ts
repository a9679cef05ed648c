/**
 * The tasks that a client watches: from their submission until everything about them was heard, which is their end and
 * all parts of their result. The end and a large part may overtake each other and even the acknowledgement of the
 * submission, since large messages travel on streams of their own.
 */
import { failure, type Failure, type TaskEvent, type WatchLevel } from '@quic-swarm/protocol';
import { ChurningMap } from './churning-map.ts';
import { ChunkOrder, type ChunkBounds } from './chunk-order.ts';
import { NO_EFFECTS, type SessionEffect } from './events.ts';

/** After a connection was lost, parts that are missing at the end of a task may never come; so long they are awaited
 *  after the last one that did. */
const MISSING_CHUNKS_GRACE_MS = 10_000;

interface WatchedTask {
  readonly taskId: string;
  readonly watch: WatchLevel;
  /** The coordinator said that it has the task. */
  isAccepted: boolean;
  hasEnded: boolean;
  /** Made for the first part: most tasks have none. */
  chunks: ChunkOrder | undefined;
  areChunksOpen: boolean;
  /** A connection was lost since, or watching began late. */
  mayLackChunks: boolean;
  chunkDeadlineMs: number;
}

/** A table of tasks. Its methods answer with what the session is to do; on the way of a task without parts each list is
 *  made in one go, as it runs for every message. */
export class WatchedTasks {
  readonly #bounds: ChunkBounds;
  readonly #tasks = new ChurningMap<string, WatchedTask>();
  /** Ended tasks that wait for parts which may be lost. */
  readonly #incomplete = new Set<WatchedTask>();

  constructor(bounds: ChunkBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#tasks.size;
  }

  /** When `expire` should be called; Infinity when there is nothing to wait for. */
  get nextDeadlineMs(): number {
    let next = Infinity;
    // Asked after each event; of an empty set even the iterator would be waste.
    if (this.#incomplete.size === 0) return next;
    for (const { chunkDeadlineMs } of this.#incomplete) next = Math.min(next, chunkDeadlineMs);
    return next;
  }

  /** The task is watched, and not everything was heard of it. */
  has(taskId: string): boolean {
    return this.#tasks.has(taskId);
  }

  /** Starts to watch; harmless when the task is watched already. `isNew`: no part can have been missed yet. */
  add(taskId: string, watch: WatchLevel, isNew: boolean): void {
    if (watch === 'none' || this.#tasks.has(taskId)) return;
    this.#tasks.set(taskId, {
      taskId,
      watch,
      isAccepted: false,
      hasEnded: false,
      chunks: undefined,
      areChunksOpen: true,
      mayLackChunks: !isNew,
      chunkDeadlineMs: Infinity,
    });
  }

  /** Those that a new connection must watch again. */
  *unfinished(): Generator<{ taskId: string; watch: WatchLevel }, void, undefined> {
    for (const task of this.#tasks.values()) {
      if (task.isAccepted && !task.hasEnded) yield task;
    }
  }

  /** The coordinator has the task. */
  accept(taskId: string): readonly SessionEffect[] {
    const task = this.#tasks.get(taskId);
    if (task === undefined) return NO_EFFECTS;
    task.isAccepted = true;
    const forgotten = this.#forgetIfDone(task);
    return forgotten === undefined ? NO_EFFECTS : [forgotten];
  }

  /** The task is watched no longer. */
  remove(taskId: string): readonly SessionEffect[] {
    const task = this.#tasks.get(taskId);
    return task === undefined ? NO_EFFECTS : [this.#forget(task)];
  }

  /** The same, when only a refused request had made us watch. */
  removeUnaccepted(taskId: string): readonly SessionEffect[] {
    return this.#tasks.get(taskId)?.isAccepted === false ? this.remove(taskId) : NO_EFFECTS;
  }

  /** How the task ends will not be known. Says nothing when that is known already. */
  lose(taskId: string, why: Failure): readonly SessionEffect[] {
    const task = this.#tasks.get(taskId);
    if (task === undefined) return NO_EFFECTS;
    const effects: SessionEffect[] = [];
    if (!task.hasEnded) effects.push({ type: 'taskLost', taskId, failure: why });
    if (task.areChunksOpen) effects.push({ type: 'chunksEnded', taskId, failure: why });
    effects.push(this.#forget(task));
    return effects;
  }

  /** The same for all. */
  loseAll(why: Failure): SessionEffect[] {
    return [...this.#tasks.keys()].flatMap((taskId) => this.lose(taskId, why));
  }

  onEvent(event: TaskEvent, nowMs: number): readonly SessionEffect[] {
    const task = this.#tasks.get(event.taskId);
    if (task === undefined) return NO_EFFECTS;
    if (event.kind === 'chunk') return this.#onChunk(task, event, nowMs);
    if (task.hasEnded) return NO_EFFECTS;
    if (event.kind === 'end') return this.#onEnd(task, event, nowMs);
    return [{ type: 'taskChanged', event }];
  }

  onConnectionLost(): SessionEffect[] {
    const effects: SessionEffect[] = [];
    for (const task of this.#tasks.values()) {
      task.mayLackChunks = true;
      if (!task.hasEnded || !task.areChunksOpen) continue;
      effects.push(...this.#endIncomplete(task));
    }
    return effects;
  }

  /** Gives up parts that were awaited for too long. */
  expire(nowMs: number): SessionEffect[] {
    const effects: SessionEffect[] = [];
    for (const task of this.#incomplete) {
      if (task.chunkDeadlineMs > nowMs) continue;
      effects.push(...this.#endIncomplete(task));
    }
    return effects;
  }

  #onChunk(task: WatchedTask, event: TaskEvent, nowMs: number): readonly SessionEffect[] {
    const { taskId, sequence, payload } = event;
    if (!task.areChunksOpen || sequence === undefined || payload === undefined) return NO_EFFECTS;
    const chunks = this.#chunksOf(task);
    const payloads = chunks.accept(sequence, payload);
    const effects: SessionEffect[] = [];
    if (payloads.length > 0) effects.push({ type: 'chunksArrived', taskId, payloads });
    if (chunks.hasOverflowed) effects.push(this.#endChunks(task, overflowed()));
    else if (chunks.isComplete) effects.push(this.#endChunks(task));
    if (this.#incomplete.has(task)) task.chunkDeadlineMs = nowMs + MISSING_CHUNKS_GRACE_MS;
    const forgotten = this.#forgetIfDone(task);
    if (forgotten !== undefined) effects.push(forgotten);
    return effects;
  }

  #onEnd(task: WatchedTask, event: TaskEvent, nowMs: number): readonly SessionEffect[] {
    task.hasEnded = true;
    const changed: SessionEffect = { type: 'taskChanged', event };
    const ended = task.areChunksOpen ? this.#chunksAtEnd(task, event, nowMs) : undefined;
    const forgotten = this.#forgetIfDone(task);
    if (ended === undefined) return forgotten === undefined ? [changed] : [changed, forgotten];
    return forgotten === undefined ? [changed, ended] : [changed, ended, forgotten];
  }

  /** What the end of a task says about its parts; nothing while some are awaited. */
  #chunksAtEnd(task: WatchedTask, event: TaskEvent, nowMs: number): SessionEffect | undefined {
    // What failed will not send the rest, and a reader must not take what it has for the whole.
    if (event.state !== 'succeeded') return this.#endChunks(task, event.failure ?? unfinished());
    const { chunkCount = task.chunks?.delivered ?? 0 } = event;
    // Without parts that came or are to come there is nothing to put into order.
    if (task.chunks === undefined && chunkCount === 0) return this.#endChunks(task);
    const chunks = this.#chunksOf(task);
    chunks.finish(chunkCount);
    if (chunks.isComplete) return this.#endChunks(task);
    if (task.mayLackChunks) {
      task.chunkDeadlineMs = nowMs + MISSING_CHUNKS_GRACE_MS;
      this.#incomplete.add(task);
    }
    return undefined;
  }

  #chunksOf(task: WatchedTask): ChunkOrder {
    task.chunks ??= new ChunkOrder(this.#bounds);
    return task.chunks;
  }

  #endIncomplete(task: WatchedTask): SessionEffect[] {
    const ended = this.#endChunks(task, missing(task));
    const forgotten = this.#forgetIfDone(task);
    return forgotten === undefined ? [ended] : [ended, forgotten];
  }

  #endChunks(task: WatchedTask, failure?: Failure): SessionEffect {
    task.areChunksOpen = false;
    this.#incomplete.delete(task);
    return { type: 'chunksEnded', taskId: task.taskId, failure };
  }

  #forgetIfDone(task: WatchedTask): SessionEffect | undefined {
    if (!task.isAccepted || !task.hasEnded || task.areChunksOpen) return undefined;
    return this.#forget(task);
  }

  #forget(task: WatchedTask): SessionEffect {
    const { taskId } = task;
    this.#tasks.delete(taskId);
    this.#incomplete.delete(task);
    return { type: 'forgotten', taskId };
  }
}

function missing(task: WatchedTask): Failure {
  return failure(
    'CONNECTION_LOST',
    `Parts of the result of task ${task.taskId} from number ${task.chunks?.delivered ?? 0} on were lost with the connection.`,
    { hint: 'Use result(), which has arrived, or submit the task again.' },
  );
}

function overflowed(): Failure {
  return failure(
    'PAYLOAD_TOO_LARGE',
    'Too many parts of the result arrived before an earlier one.',
  );
}

function unfinished(): Failure {
  return failure('TASK_FAILED', 'The task ended before its result was complete.');
}
