/**
 * The leases that an agent holds, by where they are. Each lives in exactly one of four places:
 *
 *   waiting    accepted, not started; its data sets may still be on their way
 *   running    a slot was given it: a handler computes it, or will when those before it in its slot are done
 *   finished   its completion was sent, the coordinator has not acknowledged it
 *   abandoned  the coordinator has given it to somebody else, but its handler has not ended yet: it takes a slot and
 *              nothing else, and is never spoken of again
 *
 * The first three are what heartbeats list. Waiting and running ones use up credit; running and abandoned ones use up
 * slots. A slot is given one task, or several small ones that it runs one after the other, since a hop to a thread
 * costs more than such a task. A finished lease uses up neither: the coordinator frees its credit with the completion, so its next task may
 * overtake the acknowledgement.
 */
import {
  Chain,
  type Link,
  ENVELOPE_ENTRIES_MAX,
  resultIdOf,
  type AgentTask,
  type Arm,
  type Failure,
  type Lease,
  type TaskCompletion,
} from '@quic-swarm/protocol';
import { LeaseIndex, type Indexed } from './lease-index.ts';
import type { TaskKind } from './task-kinds.ts';
import {
  UNKNOWN_SERVICE_TIME,
  batchLengthOf,
  isSmall,
  type WaitingTask,
} from './thread-batching.ts';

/** Leases in a handshake: 500 of 80 bytes stay well under its 64 KiB. */
export const HELD_LEASES_MAX = 500;

/** Chunks of one lease that are kept to be sent again after a reconnect: what a few large partial results need. */
export const KEPT_CHUNK_BYTES_MAX: number = 16 * 1024 * 1024;

/** Why a handler was told to stop, and how its task ends because of that. */
export interface Abort {
  readonly outcome: 'failed' | 'cancelled';
  readonly failure: Failure;
}

/** A slot in use: what it was given at once. */
export interface SlotUse {
  /** Leases of it that are not over. */
  left: number;
  /** It may take long, so that no small task should count on it. */
  isLong: boolean;
}

/** Where a lease is. */
export type LeasePlace = 'waiting' | 'running' | 'finished' | 'abandoned';

/** One lease and what the agent knows of it. */
export interface HeldLease extends Link<HeldLease>, Indexed<HeldLease> {
  /** The same object in every effect on this lease, so that the shell may file its own things under it. */
  readonly lease: Lease;
  /** Undefined when the lease was forgotten. */
  place: LeasePlace | undefined;
  readonly kind: TaskKind;
  readonly inputBytes: number;
  /** It may run in one slot with others. */
  readonly mayShare: boolean;
  /** Data sets and results that it needs. */
  readonly datasetIds: readonly string[];
  /** What its handler was told to compute with; undefined before a slot has it. */
  arm: Arm | undefined;
  readonly startToCloseMs: number;
  /**
   * Undefined while a slot has it: the input went to the handler, and kept here it would double the memory for as long
   * as the task runs.
   */
  task: AgentTask | undefined;
  readonly receivedAtMs: number;
  /** The slot that it was given to. */
  slot: SlotUse | undefined;
  /** absent: a fetch failed because the connection was lost, and begins again with the next one. */
  datasets: 'absent' | 'fetching' | 'ready';
  /** When its handler began; undefined where that is not known, since most handlers end as soon as they begin. */
  startedAtMs: number | undefined;
  /** Observers were told that it was started. */
  isStartNoted: boolean;
  /** The coordinator was told that it runs. */
  isStartSaid: boolean;
  /** When startToCloseMs is over. */
  timeoutAtMs: number | undefined;
  abort: Abort | undefined;
  /** Of a shard of a search: the lowest bound that was told or heard, Infinity before. Undefined where nobody wants one. */
  bound: number | undefined;
  chunkCount: number;
  emittedBytes: number;
  /** Chunks that can be sent again, undefined before the first. Of more than KEPT_CHUNK_BYTES_MAX none is kept. */
  keptChunks: Uint8Array[] | undefined;
  completion: TaskCompletion | undefined;
}

/** What must be in memory before the task starts: its data sets, and the results of those that it comes after. */
function contentIdsOf({ datasets, after }: AgentTask): readonly string[] {
  return after === undefined ? datasets : [...datasets, ...after.map(resultIdOf)];
}

/** True when chunks were emitted that cannot be sent again, since they were too many to keep. */
export function hasLostChunks({ chunkCount, keptChunks }: HeldLease): boolean {
  return chunkCount !== (keptChunks?.length ?? 0);
}

/** A lease that a slot was given, with its task, which is not kept here. */
export interface StartedLease {
  readonly held: HeldLease;
  readonly task: AgentTask;
}

/** All leases. Moving one between places is the only way to change where it is. */
export class LeaseTable {
  readonly slots: number;
  readonly waiting: Chain<HeldLease> = new Chain();
  readonly running: Chain<HeldLease> = new Chain();
  readonly finished: Chain<HeldLease> = new Chain();
  readonly abandoned: Chain<HeldLease> = new Chain();
  readonly #index = new LeaseIndex<HeldLease>();
  /** No running task is over its time before; may be too early, when the task that it was for has ended. */
  #noTimeoutBeforeMs = Infinity;
  #slotsInUse = 0;
  /** Of these, how many may take long. */
  #longSlots = 0;

  constructor(slots: number) {
    this.slots = slots;
  }

  /** Leases that use up credit. */
  get live(): number {
    return this.waiting.size + this.running.size;
  }

  /** False when one more would break the lists in heartbeats, since acknowledgements do not come. */
  get canBeListed(): boolean {
    return this.live + this.finished.size < ENVELOPE_ENTRIES_MAX;
  }

  get slotsInUse(): number {
    return this.#slotsInUse;
  }

  get hasFreeSlot(): boolean {
    return this.#slotsInUse < this.slots;
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
  accept(task: AgentTask, kind: TaskKind, nowMs: number): HeldLease {
    const { epoch, taskId, attempt, startToCloseMs } = task;
    const datasetIds = contentIdsOf(task);
    const held: HeldLease = {
      lease: { epoch, taskId, attempt },
      place: 'waiting',
      kind,
      inputBytes: task.payload?.length ?? 0,
      // What has to be decoded first begins later than what stands behind it.
      mayShare: task.payloadEncoding === undefined,
      datasetIds,
      arm: undefined,
      startToCloseMs,
      task,
      receivedAtMs: nowMs,
      slot: undefined,
      datasets: datasetIds.length === 0 ? 'ready' : 'fetching',
      startedAtMs: undefined,
      isStartNoted: false,
      isStartSaid: false,
      timeoutAtMs: undefined,
      abort: undefined,
      bound: task.shard !== undefined && task.taskType === 'PatternMatch' ? Infinity : undefined,
      chunkCount: 0,
      emittedBytes: 0,
      keptChunks: undefined,
      completion: undefined,
      next: undefined,
      previous: undefined,
      nextInRow: undefined,
    };
    this.#index.add(held);
    this.waiting.push(held);
    return held;
  }

  /**
   * Moves what a free slot should take from waiting to running: the first lease that can start, and small ones behind
   * it that go with it. Nothing when no slot is free or no lease can start.
   */
  startNext(): readonly StartedLease[] {
    if (this.waiting.size === 0 || !this.hasFreeSlot) return [];
    const [first] = this.#startable();
    if (first === undefined) return [];
    const slot: SlotUse = { left: 0, isLong: !first.mayShare || !isSmall(first.kind.serviceTime) };
    const length = slot.isLong ? 1 : this.#batchLength(first.kind);
    const started: StartedLease[] = [];
    for (const held of this.#startable()) {
      if (started.length === length) break;
      const { task } = held;
      if (task === undefined) continue;
      this.#move(held, 'running');
      held.slot = slot;
      held.task = undefined;
      slot.left += 1;
      started.push({ held, task });
    }
    this.#slotsInUse += 1;
    if (slot.isLong) this.#longSlots += 1;
    return started;
  }

  /** The handler of a running lease has begun: its time counts from here. */
  begin(held: HeldLease, nowMs: number): void {
    if (held.startedAtMs !== undefined) return;
    held.startedAtMs = nowMs;
    if (held.abort !== undefined) return;
    held.timeoutAtMs = nowMs + held.startToCloseMs;
    this.#noTimeoutBeforeMs = Math.min(this.#noTimeoutBeforeMs, held.timeoutAtMs);
  }

  /** Moves a running lease that was not begun to waiting, in front of all others; whoever said that it was begun erred. */
  putBack(held: HeldLease, task: AgentTask): void {
    this.running.remove(held);
    this.#leaveSlot(held);
    held.place = 'waiting';
    held.task = task;
    held.startedAtMs = undefined;
    held.timeoutAtMs = undefined;
    this.waiting.unshift(held);
  }

  /** What the lease's slot was given may take long. */
  markLong({ slot }: HeldLease): void {
    if (slot === undefined || slot.isLong) return;
    slot.isLong = true;
    this.#longSlots += 1;
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
    this[held.place].remove(held);
    held.place = undefined;
    this.#leaveSlot(held);
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
    if (held.place !== undefined) this[held.place].remove(held);
    held.place = place;
    this[place].push(held);
    if (place === 'finished') this.#leaveSlot(held);
  }

  #leaveSlot(held: HeldLease): void {
    const { slot } = held;
    if (slot === undefined) return;
    held.slot = undefined;
    slot.left -= 1;
    if (slot.left > 0) return;
    this.#slotsInUse -= 1;
    if (slot.isLong) this.#longSlots -= 1;
  }

  *#startable(): Generator<HeldLease, void, undefined> {
    for (const held of this.waiting) if (held.datasets === 'ready') yield held;
  }

  #batchLength({ isOnMainThread }: TaskKind): number {
    return batchLengthOf({
      waiting: this.#waitingTasks(isOnMainThread),
      waitingCount: this.waiting.size,
      threads: this.slots - this.#longSlots,
    });
  }

  /** A slot computes in one place: a thread or the main thread. */
  *#waitingTasks(isOnMainThread: boolean): Generator<WaitingTask, void, undefined> {
    for (const { kind, mayShare, inputBytes } of this.#startable()) {
      const fits = mayShare && kind.isOnMainThread === isOnMainThread;
      yield {
        serviceTime: fits ? kind.serviceTime : UNKNOWN_SERVICE_TIME,
        payloadBytes: inputBytes,
      };
    }
  }
}
