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
  type Failure,
  type Lease,
  type TaskCompletion,
} from '@quic-swarm/protocol';

/** Chunks of one lease that are kept to be sent again after a reconnect: what a few large partial results need. */
export const KEPT_CHUNK_BYTES_MAX: number = 16 * 1024 * 1024;

/** Why a handler was told to stop, and how its task ends because of that. */
export interface Abort {
  readonly outcome: 'failed' | 'cancelled';
  readonly failure: Failure;
}

/** One lease and what the agent knows of it. */
export interface HeldLease {
  readonly key: string;
  readonly lease: Lease;
  /** Without its input once it was started. */
  task: AgentTask;
  readonly receivedAtMs: number;
  /** absent: a fetch failed because the connection was lost, and begins again with the next one. */
  datasets: 'absent' | 'fetching' | 'ready';
  startedAtMs: number | undefined;
  /** When startToCloseMs is over. */
  timeoutAtMs: number | undefined;
  abort: Abort | undefined;
  chunkCount: number;
  emittedBytes: number;
  /** Chunks that can be sent again; undefined once they were too many. */
  keptChunks: Uint8Array[] | undefined;
  completion: TaskCompletion | undefined;
}

/** The name of a lease in maps. */
export function leaseKeyOf({ epoch, taskId, attempt }: Lease): string {
  return `${epoch}/${taskId}/${attempt}`;
}

/** How many leases an agent takes at once: a tenth more than it computes, so that a slot never waits for the wire. */
export function creditOf(slots: number): number {
  return slots + Math.ceil(0.1 * slots);
}

/** All leases. Moving one between places is the only way to change where it is. */
export class LeaseTable {
  readonly slots: number;
  readonly credit: number;
  readonly waiting: Map<string, HeldLease> = new Map();
  readonly running: Map<string, HeldLease> = new Map();
  readonly finished: Map<string, HeldLease> = new Map();
  readonly abandoned: Map<string, HeldLease> = new Map();

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

  /** The lease where it is waiting, running or finished. */
  find(key: string): HeldLease | undefined {
    return this.waiting.get(key) ?? this.running.get(key) ?? this.finished.get(key);
  }

  /** Leases to list in heartbeats and handshakes. */
  held(): Lease[] {
    const leases: Lease[] = [];
    for (const place of [this.running, this.waiting, this.finished]) {
      for (const { lease } of place.values()) leases.push(lease);
    }
    return leases;
  }

  /** Takes a lease in; it waits. */
  accept(task: AgentTask, nowMs: number): HeldLease {
    const lease: Lease = { epoch: task.epoch, taskId: task.taskId, attempt: task.attempt };
    const held: HeldLease = {
      key: leaseKeyOf(lease),
      lease,
      task,
      receivedAtMs: nowMs,
      datasets: task.datasets.length === 0 ? 'ready' : 'fetching',
      startedAtMs: undefined,
      timeoutAtMs: undefined,
      abort: undefined,
      chunkCount: 0,
      emittedBytes: 0,
      keptChunks: [],
      completion: undefined,
    };
    this.waiting.set(held.key, held);
    return held;
  }

  /** Moves the longest waiting lease that can start to running; undefined when none can or no slot is free. */
  startNext(nowMs: number): { held: HeldLease; task: AgentTask } | undefined {
    if (this.running.size + this.abandoned.size >= this.slots) return undefined;
    for (const held of this.waiting.values()) {
      if (held.datasets !== 'ready') continue;
      this.waiting.delete(held.key);
      held.startedAtMs = nowMs;
      held.timeoutAtMs = nowMs + held.task.startToCloseMs;
      this.running.set(held.key, held);
      const { task } = held;
      // The input goes to the thread; kept here it would double the memory for as long as the task runs.
      const { payload: _moved, ...rest } = task;
      held.task = rest;
      return { held, task };
    }
    return undefined;
  }

  /** Counts a chunk and keeps it for a reconnect while there is room. */
  addChunk(held: HeldLease, payload: Uint8Array): void {
    held.chunkCount += 1;
    held.emittedBytes += payload.length;
    if (held.emittedBytes > KEPT_CHUNK_BYTES_MAX) held.keptChunks = undefined;
    else held.keptChunks?.push(payload);
  }

  /** Moves a waiting or running lease to finished. */
  finish(held: HeldLease, completion: TaskCompletion): void {
    this.drop(held);
    held.timeoutAtMs = undefined;
    held.completion = completion;
    this.finished.set(held.key, held);
  }

  /** Moves a running lease to abandoned. */
  abandon(held: HeldLease): void {
    this.running.delete(held.key);
    held.timeoutAtMs = undefined;
    held.keptChunks = undefined;
    this.abandoned.set(held.key, held);
  }

  /** Forgets a lease wherever it is. */
  drop({ key }: HeldLease): void {
    this.waiting.delete(key);
    this.running.delete(key);
    this.finished.delete(key);
    this.abandoned.delete(key);
  }

  /** When the first running task is over its time. */
  nextTimeoutMs(): number | undefined {
    let next: number | undefined;
    for (const { timeoutAtMs } of this.running.values()) {
      if (timeoutAtMs !== undefined && (next === undefined || timeoutAtMs < next)) {
        next = timeoutAtMs;
      }
    }
    return next;
  }
}
