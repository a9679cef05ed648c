/**
 * The tasks that a client watches: from their submission until everything about them was heard, which is their end and
 * all parts of their result. The end and a large part may overtake each other and even the acknowledgement of the
 * submission, since large messages travel on streams of their own.
 */
import { failure, type Failure, type TaskEvent, type WatchLevel } from '@quic-swarm/protocol';
import { ChunkOrder, type ChunkBounds } from './chunk-order.ts';
import type { SessionEffect } from './events.ts';

/** After a connection was lost, parts that are missing at the end of a task may never come; so long they are awaited
 *  after the last one that did. */
const MISSING_CHUNKS_GRACE_MS = 10_000;

interface WatchedTask {
  readonly taskId: string;
  readonly watch: WatchLevel;
  /** The coordinator said that it has the task. */
  isAccepted: boolean;
  hasEnded: boolean;
  readonly chunks: ChunkOrder;
  areChunksOpen: boolean;
  /** A connection was lost since, or watching began late. */
  mayLackChunks: boolean;
  chunkDeadlineMs: number;
}

/** A table of tasks. Its methods answer with what the session is to do. */
export class WatchedTasks {
  readonly #bounds: ChunkBounds;
  readonly #tasks = new Map<string, WatchedTask>();
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
    for (const { chunkDeadlineMs } of this.#incomplete) next = Math.min(next, chunkDeadlineMs);
    return next;
  }

  /** Starts to watch; harmless when the task is watched already. `isNew`: no part can have been missed yet. */
  add(taskId: string, watch: WatchLevel, isNew: boolean): void {
    if (watch === 'none' || this.#tasks.has(taskId)) return;
    this.#tasks.set(taskId, {
      taskId,
      watch,
      isAccepted: false,
      hasEnded: false,
      chunks: new ChunkOrder(this.#bounds),
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
  accept(taskId: string): SessionEffect[] {
    const task = this.#tasks.get(taskId);
    if (task === undefined) return [];
    task.isAccepted = true;
    return this.#forgetIfDone(task);
  }

  /** The task is watched no longer. */
  remove(taskId: string): SessionEffect[] {
    const task = this.#tasks.get(taskId);
    if (task === undefined) return [];
    this.#tasks.delete(taskId);
    this.#incomplete.delete(task);
    return [{ type: 'forgotten', taskId }];
  }

  /** The same, when only a refused request had made us watch. */
  removeUnaccepted(taskId: string): SessionEffect[] {
    return this.#tasks.get(taskId)?.isAccepted === false ? this.remove(taskId) : [];
  }

  /** How the task ends will not be known. Says nothing when that is known already. */
  lose(taskId: string, why: Failure): SessionEffect[] {
    const task = this.#tasks.get(taskId);
    if (task === undefined) return [];
    const effects: SessionEffect[] = [];
    if (!task.hasEnded) effects.push({ type: 'taskLost', taskId, failure: why });
    if (task.areChunksOpen) effects.push({ type: 'chunksEnded', taskId, failure: why });
    return [...effects, ...this.remove(taskId)];
  }

  /** The same for all. */
  loseAll(why: Failure): SessionEffect[] {
    return [...this.#tasks.keys()].flatMap((taskId) => this.lose(taskId, why));
  }

  onEvent(event: TaskEvent, nowMs: number): SessionEffect[] {
    const task = this.#tasks.get(event.taskId);
    if (task === undefined) return [];
    if (event.kind === 'chunk') return this.#onChunk(task, event, nowMs);
    if (task.hasEnded) return [];
    if (event.kind === 'end') return this.#onEnd(task, event, nowMs);
    return [{ type: 'taskChanged', event }];
  }

  onConnectionLost(): SessionEffect[] {
    const effects: SessionEffect[] = [];
    for (const task of this.#tasks.values()) {
      task.mayLackChunks = true;
      if (!task.hasEnded || !task.areChunksOpen) continue;
      effects.push(...this.#endChunks(task, missing(task)), ...this.#forgetIfDone(task));
    }
    return effects;
  }

  /** Gives up parts that were awaited for too long. */
  expire(nowMs: number): SessionEffect[] {
    const effects: SessionEffect[] = [];
    for (const task of this.#incomplete) {
      if (task.chunkDeadlineMs > nowMs) continue;
      effects.push(...this.#endChunks(task, missing(task)), ...this.#forgetIfDone(task));
    }
    return effects;
  }

  #onChunk(task: WatchedTask, event: TaskEvent, nowMs: number): SessionEffect[] {
    const { taskId, sequence, payload } = event;
    if (!task.areChunksOpen || sequence === undefined || payload === undefined) return [];
    const payloads = task.chunks.accept(sequence, payload);
    const effects: SessionEffect[] = [];
    if (payloads.length > 0) effects.push({ type: 'chunksArrived', taskId, payloads });
    if (task.chunks.hasOverflowed) effects.push(...this.#endChunks(task, overflowed()));
    else if (task.chunks.isComplete) effects.push(...this.#endChunks(task));
    if (this.#incomplete.has(task)) task.chunkDeadlineMs = nowMs + MISSING_CHUNKS_GRACE_MS;
    return [...effects, ...this.#forgetIfDone(task)];
  }

  #onEnd(task: WatchedTask, event: TaskEvent, nowMs: number): SessionEffect[] {
    task.hasEnded = true;
    const effects: SessionEffect[] = [{ type: 'taskChanged', event }];
    if (event.state !== 'succeeded') {
      // What failed will not send the rest, and a reader must not take what it has for the whole.
      if (task.areChunksOpen) effects.push(...this.#endChunks(task, event.failure ?? unfinished()));
    } else {
      task.chunks.finish(event.chunkCount ?? task.chunks.delivered);
      if (!task.areChunksOpen) return [...effects, ...this.#forgetIfDone(task)];
      if (task.chunks.isComplete) effects.push(...this.#endChunks(task));
      else if (task.mayLackChunks) {
        task.chunkDeadlineMs = nowMs + MISSING_CHUNKS_GRACE_MS;
        this.#incomplete.add(task);
      }
    }
    return [...effects, ...this.#forgetIfDone(task)];
  }

  #endChunks(task: WatchedTask, why?: Failure): SessionEffect[] {
    task.areChunksOpen = false;
    this.#incomplete.delete(task);
    const { taskId } = task;
    return [{ type: 'chunksEnded', taskId, ...(why === undefined ? {} : { failure: why }) }];
  }

  #forgetIfDone(task: WatchedTask): SessionEffect[] {
    if (!task.isAccepted || !task.hasEnded || task.areChunksOpen) return [];
    return this.remove(task.taskId);
  }
}

function missing(task: WatchedTask): Failure {
  return failure(
    'CONNECTION_LOST',
    `Parts of the result of task ${task.taskId} from number ${task.chunks.delivered} on were lost with the connection.`,
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
