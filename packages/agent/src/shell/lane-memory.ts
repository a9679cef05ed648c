/**
 * The memory that the main thread and one worker thread share: a record for each task of the thread's batch, and an
 * outbox for small results. A thread takes a task by changing its record, so that the main thread can take back what
 * was not begun; and what a thread has finished is here for the main thread to read, whatever the thread does next,
 * even if it loops for ever or dies.
 */
import { BATCH_TASKS_MAX } from '../core/thread-batching.ts';
import type { HandlerResult } from './thread-messages.ts';
import { atomics } from './wait-async.ts';

/** States of a task in its lane. */
export const LaneState = {
  /** The thread has not begun it. */
  waiting: 0,
  running: 1,
  /** It runs and should stop. */
  cancelled: 2,
  /** Taken back before it was begun: the thread leaves it out. */
  recalled: 3,
  /** The result is in the record and the outbox. */
  ended: 4,
  /** The result was posted. */
  posted: 5,
} as const;
/** One of the states. */
export type LaneState = (typeof LaneState)[keyof typeof LaneState];

/** Cells of 4 bytes before the first record: the number of batches posted, and one to keep the records aligned. */
const HEADER_CELLS = 2;
const POSTED_CELL = 0;

/** Cells of a record. The last four are two numbers of 8 bytes. */
const RECORD_CELLS = 10;
const STATE = 0;
/** How many chunks the main thread has passed on. */
const TAKEN = 1;
const FLAGS = 2;
const CHUNKS = 3;
const OFFSET = 4;
/** Bytes of the payload; -1 without one. */
const LENGTH = 5;
const COMPUTE_MS = 6;
const SERVICE_MS = 8;

const CANCELLED_FLAG = 1;
const USED_ARM_FLAG = 2;

const OUTBOX_AT = (HEADER_CELLS + BATCH_TASKS_MAX * RECORD_CELLS) * 4;
/** A thousand bytes for each task of the longest batch; what does not fit is posted. */
const OUTBOX_BYTES = 64 * 1024;

/** One lane's memory, the same on both sides. `index` is that of a task in the batch. */
export class LaneMemory {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #times: Float64Array;
  readonly #outbox: Uint8Array;

  /** @param buffer what the other side has; without it, new memory */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(OUTBOX_AT + OUTBOX_BYTES)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer, 0, OUTBOX_AT / 4);
    this.#times = new Float64Array(buffer, 0, OUTBOX_AT / 8);
    this.#outbox = new Uint8Array(buffer, OUTBOX_AT, OUTBOX_BYTES);
  }

  /** Makes the records of a batch that is posted next. */
  prepare(length: number): void {
    for (let index = 0; index < length; index += 1) {
      const cell = cellOf(index);
      Atomics.store(this.#cells, cell + TAKEN, 0);
      Atomics.store(this.#cells, cell + STATE, LaneState.waiting);
    }
  }

  /** Wakes the thread for a batch that was posted. */
  announce(): void {
    Atomics.add(this.#cells, POSTED_CELL, 1);
    Atomics.notify(this.#cells, POSTED_CELL);
  }

  /** Blocks the thread until more batches than `seen` were announced; returns how many. */
  waitForBatch(seen: number): number {
    Atomics.wait(this.#cells, POSTED_CELL, seen);
    return Atomics.load(this.#cells, POSTED_CELL);
  }

  state(index: number): LaneState {
    return Atomics.load(this.#cells, cellOf(index) + STATE) as LaneState;
  }

  /** Changes the state if it is `from`; false when it was another. */
  move(index: number, from: LaneState, to: LaneState): boolean {
    return Atomics.compareExchange(this.#cells, cellOf(index) + STATE, from, to) === from;
  }

  /** Wakes the thread if it waits for a cancellation or blocks at a chunk. */
  wake(index: number): void {
    Atomics.notify(this.#cells, cellOf(index) + STATE);
    Atomics.notify(this.#cells, cellOf(index) + TAKEN);
  }

  /** Calls when a running task changes its state; needs the event loop of the thread. */
  onStateChange(index: number, react: () => void): void {
    const waiting = atomics.waitAsync(this.#cells, cellOf(index) + STATE, LaneState.running);
    void Promise.resolve(waiting.value).then(react);
  }

  /** Lets the thread emit one more chunk. */
  addTaken(index: number): void {
    Atomics.add(this.#cells, cellOf(index) + TAKEN, 1);
    Atomics.notify(this.#cells, cellOf(index) + TAKEN);
  }

  taken(index: number): number {
    return Atomics.load(this.#cells, cellOf(index) + TAKEN);
  }

  /** Blocks the thread until another number of chunks is taken, or for `timeoutMs`. */
  waitForTaken(index: number, taken: number, timeoutMs: number): void {
    Atomics.wait(this.#cells, cellOf(index) + TAKEN, taken, timeoutMs);
  }

  /** True when the result can be written behind the first `used` bytes of the outbox. */
  fits({ outcome, findings, payload }: HandlerResult, used: number): boolean {
    if (outcome === 'failed' || findings !== undefined) return false;
    return used + (payload?.length ?? 0) <= OUTBOX_BYTES;
  }

  /** Writes a result that fits and ends the task; returns how many bytes of the outbox are used now. */
  write(index: number, result: HandlerResult, used: number): number {
    const { outcome, payload, computeMs, serviceMs, usedArm, chunkCount } = result;
    const cell = cellOf(index);
    const cells = this.#cells;
    cells[cell + FLAGS] =
      (outcome === 'cancelled' ? CANCELLED_FLAG : 0) | (usedArm ? USED_ARM_FLAG : 0);
    cells[cell + CHUNKS] = chunkCount;
    cells[cell + OFFSET] = used;
    cells[cell + LENGTH] = payload?.length ?? -1;
    this.#times[(cell + COMPUTE_MS) / 2] = computeMs;
    this.#times[(cell + SERVICE_MS) / 2] = serviceMs;
    if (payload !== undefined) this.#outbox.set(payload, used);
    // What was written before this is what the main thread reads after it has seen this.
    Atomics.store(cells, cell + STATE, LaneState.ended);
    return used + (payload?.length ?? 0);
  }

  /** Ends a task whose result was posted. */
  endPosted(index: number): void {
    Atomics.store(this.#cells, cellOf(index) + STATE, LaneState.posted);
  }

  /** Reads the result of a task that has ended. */
  read(index: number): HandlerResult {
    const cell = cellOf(index);
    const flags = this.#cell(cell + FLAGS);
    const length = this.#cell(cell + LENGTH);
    const offset = this.#cell(cell + OFFSET);
    return {
      outcome: (flags & CANCELLED_FLAG) === 0 ? 'succeeded' : 'cancelled',
      computeMs: this.#times[(cell + COMPUTE_MS) / 2] ?? 0,
      serviceMs: this.#times[(cell + SERVICE_MS) / 2] ?? 0,
      usedArm: (flags & USED_ARM_FLAG) !== 0,
      chunkCount: this.#cell(cell + CHUNKS),
      ...(length < 0
        ? {}
        : { payload: new Uint8Array(this.#outbox.subarray(offset, offset + length)) }),
    };
  }

  #cell(index: number): number {
    return this.#cells[index] ?? 0;
  }
}

function cellOf(index: number): number {
  return HEADER_CELLS + index * RECORD_CELLS;
}
