/**
 * The leases that an agent holds, by where they are. Each lives in exactly one of four places:
 *
 *   waiting    accepted, not started; its data sets may still be on their way
 *   running    a handler computes it
 *   finished   its completion was sent, the coordinator has not acknowledged it
 *   abandoned  the coordinator has given it to somebody else, but its handler has not ended yet: it takes a slot and
 *              nothing else, and is never spoken of again
 *
 * The first three are what heartbeats list. Waiting and running ones use up credit; running and abandoned ones use up
 * slots. A finished lease uses up neither: the coordinator frees its credit with the completion, so its next task may
 * overtake the acknowledgement.
 */
import {
  ENVELOPE_ENTRIES_MAX,
  type AgentTask,
  type Arm,
  type Failure,
  type Lease,
  type TaskCompletion,
} from '@quic-swarm/protocol';
import { Chain, type Link } from './chain.ts';
import { LeaseIndex, type Indexed } from './lease-index.ts';

/** Chunks of one lease that are kept to be sent again after a reconnect: what a few large partial results need. */
export const KEPT_CHUNK_BYTES_MAX: number = 16 * 1024 * 1024;

/** Why a handler was told to stop, and how its task ends because of that. */
export interface Abort {
  readonly outcome: 'failed' | 'cancelled';
  readonly failure: Failure;
}

/** Where a lease is. */
export type LeasePlace = 'waiting' | 'running' | 'finished' | 'abandoned';

/** One lease and what the agent knows of it. */
export interface HeldLease extends Link<HeldLease>, Indexed<HeldLease> {
  /** The same object in every effect on this lease, so that the shell may file its own things under it. */
  readonly lease: Lease;
  /** Undefined when the lease was forgotten. */
  place: LeasePlace | undefined;
  readonly taskType: string;
  readonly datasetIds: readonly string[];
  readonly arm: Arm | undefined;
  readonly startToCloseMs: number;
  /**
   * Undefined once it was started: the input went to the handler, and kept here it would double the memory for as long
   * as the task runs.
   */
  task: AgentTask | undefined;
  readonly receivedAtMs: number;
  /** absent: a fetch failed because the connection was lost, and begins again with the next one. */
  datasets: 'absent' | 'fetching' | 'ready';
  startedAtMs: number | undefined;
  /** The coordinator was told that it runs. */
  isStartSaid: boolean;
  /** When startToCloseMs is over. */
  timeoutAtMs: number | undefined;
  abort: Abort | undefined;
  chunkCount: number;
  emittedBytes: number;
  /** Chunks that can be sent again, undefined before the first. Of more than KEPT_CHUNK_BYTES_MAX none is kept. */
  keptChunks: Uint8Array[] | undefined;
  completion: TaskCompletion | undefined;
}

/** True when chunks were emitted that cannot be sent again, since they were too many to keep. */
export function hasLostChunks({ chunkCount, keptChunks }: HeldLease): boolean {
  return chunkCount !== (keptChunks?.length ?? 0);
}

/** How many leases an agent takes at once: a tenth more than it computes, so that a slot never waits for the wire. */
export function creditOf(slots: number): number {
  return slots + Math.ceil(0.1 * slots);
}

/** All leases. Moving one between places is the only way to change where it is. */
export class LeaseTable {
  readonly slots: number;
  readonly credit: number;
  readonly waiting: Chain<HeldLease> = new Chain();
  readonly running: Chain<HeldLease> = new Chain();
  readonly finished: Chain<HeldLease> = new Chain();
  readonly abandoned: Chain<HeldLease> = new Chain();
  readonly #index = new LeaseIndex<HeldLease>();
  /** No running task is over its time before; may be too early, when the task that it was for has ended. */
  #noTimeoutBeforeMs = Infinity;

  constructor(slots: number) {
    this.slots = slots;
    this.credit = creditOf(slots);
  }

  /** True when one more task is within what the agent granted. */
  get hasCredit(): boolean {
    const live = this.waiting.size + this.running.size;
    // The second bound is that of the lists in heartbeats: an acknowledgement that never comes must not break them.
    return live < this.credit && live + this.finished.size < ENVELOPE_ENTRIES_MAX;
  }

  /** The lease, in whichever place it is. */
  find(lease: Lease): HeldLease | undefined {
    return this.#index.find(lease);
  }

  /** The lease when it is in this place. */
  findIn(place: LeasePlace, lease: Lease): HeldLease | undefined {
    const held = this.find(lease);
    return held?.place === place ? held : undefined;
  }

  /** Leases to list in heartbeats and handshakes. */
  held(): Lease[] {
    const leases: Lease[] = [];
    for (const place of [this.running, this.waiting, this.finished]) {
      for (const { lease } of place) leases.push(lease);
    }
    return leases;
  }

  /** Takes a lease in; it waits. */
  accept(task: AgentTask, nowMs: number): HeldLease {
    const { epoch, taskId, attempt, taskType, datasets, arm, startToCloseMs } = task;
    const held: HeldLease = {
      lease: { epoch, taskId, attempt },
      place: 'waiting',
      taskType,
      datasetIds: datasets,
      arm,
      startToCloseMs,
      task,
      receivedAtMs: nowMs,
      datasets: datasets.length === 0 ? 'ready' : 'fetching',
      startedAtMs: undefined,
      isStartSaid: false,
      timeoutAtMs: undefined,
      abort: undefined,
      chunkCount: 0,
      emittedBytes: 0,
      keptChunks: undefined,
      completion: undefined,
      before: undefined,
      after: undefined,
      nextInRow: undefined,
    };
    this.#index.add(held);
    this.waiting.add(held);
    return held;
  }

  /** Moves the longest waiting lease that can start to running, and answers its task; undefined when none can or no slot is free. */
  startNext(nowMs: number): { readonly held: HeldLease; readonly task: AgentTask } | undefined {
    if (this.waiting.size === 0 || this.running.size + this.abandoned.size >= this.slots) {
      return undefined;
    }
    for (let held = this.waiting.first; held !== undefined; held = held.after) {
      const { task } = held;
      if (held.datasets !== 'ready' || task === undefined) continue;
      this.#move(held, 'running');
      const timeoutAtMs = nowMs + held.startToCloseMs;
      held.startedAtMs = nowMs;
      held.timeoutAtMs = timeoutAtMs;
      held.task = undefined;
      this.#noTimeoutBeforeMs = Math.min(this.#noTimeoutBeforeMs, timeoutAtMs);
      return { held, task };
    }
    return undefined;
  }

  /** Counts a chunk and keeps it for a reconnect while there is room. */
  addChunk(held: HeldLease, payload: Uint8Array): void {
    held.chunkCount += 1;
    held.emittedBytes += payload.length;
    if (held.emittedBytes > KEPT_CHUNK_BYTES_MAX) held.keptChunks = undefined;
    else (held.keptChunks ??= []).push(payload);
  }

  /** Moves a waiting or running lease to finished. */
  finish(held: HeldLease, completion: TaskCompletion): void {
    this.#move(held, 'finished');
    held.task = undefined;
    held.timeoutAtMs = undefined;
    held.completion = completion;
  }

  /** Moves a running lease to abandoned. */
  abandon(held: HeldLease): void {
    this.#move(held, 'abandoned');
    held.timeoutAtMs = undefined;
    held.keptChunks = undefined;
  }

  /** Forgets a lease wherever it is. */
  drop(held: HeldLease): void {
    if (held.place === undefined) return;
    this[held.place].delete(held);
    held.place = undefined;
    this.#index.delete(held);
  }

  /** The running leases that are over their time. */
  *overdue(nowMs: number): Generator<HeldLease> {
    if (nowMs < this.#noTimeoutBeforeMs) return;
    let next = Infinity;
    for (const held of this.running) {
      const { timeoutAtMs = Infinity } = held;
      if (timeoutAtMs > nowMs) next = Math.min(next, timeoutAtMs);
      else yield held;
    }
    this.#noTimeoutBeforeMs = next;
  }

  /** When to look for overdue leases next. May be too early, never too late. */
  nextTimeoutMs(): number | undefined {
    return this.#noTimeoutBeforeMs === Infinity ? undefined : this.#noTimeoutBeforeMs;
  }

  #move(held: HeldLease, place: LeasePlace): void {
    if (held.place !== undefined) this[held.place].delete(held);
    held.place = place;
    this[place].add(held);
  }
}
