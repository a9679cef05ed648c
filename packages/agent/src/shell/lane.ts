/**
 * The main thread's end of one worker thread: gives it batches, reads what it has finished, takes back what it has not
 * begun. One batch at a time, and in it one task after the other.
 */
import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { isSmall } from '../core/thread-batching.ts';
import { LaneMemory, LaneState } from './lane-memory.ts';
import type {
  BatchedTask,
  HandlerModule,
  HandlerResult,
  ThreadBatch,
  ThreadMessage,
} from './thread-messages.ts';
import type { ThreadRun } from './thread-run.ts';

/** A payload that fills less of its buffer than this is copied out, since a buffer crosses a thread as a whole. */
const SMALL_SHARE = 0.5;

/** What a lane is made of. */
export interface LaneOptions {
  readonly onMessage: (lane: Lane, message: ThreadMessage) => void;
}

/** One thread. */
export class Lane {
  readonly memory: LaneMemory = new LaneMemory();
  /** The thread's end, to be sent to it. */
  readonly threadPort: MessagePort;
  readonly #termination = new AbortController();
  /** The thread has started. */
  hasStarted = false;
  /** The thread is being terminated. */
  isEnding = false;
  /** What it runs may take long, so that no small task should count on it. */
  isLong = false;
  postedAtMs = 0;
  /** The runs of the batch by their index; undefined where a run is over or was taken back. */
  #batch: (ThreadRun | undefined)[] = [];
  readonly #port: MessagePort;
  readonly #onMessage: (message: ThreadMessage) => void;

  constructor({ onMessage }: LaneOptions) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.threadPort = port2;
    this.#onMessage = (message) => onMessage(this, message);
    port1.on('message', this.#onMessage);
  }

  /** Raised when the thread should be terminated. */
  get signal(): AbortSignal {
    return this.#termination.signal;
  }

  /** True when it waits for a batch. */
  get isIdle(): boolean {
    return this.hasStarted && !this.isEnding && this.#batch.length === 0;
  }

  /** True when it waits for a batch, or will soon. */
  get isFreeSoon(): boolean {
    return this.hasStarted && !this.isEnding && (this.#batch.length === 0 || !this.isLong);
  }

  /** True when the batch that it was given is of more than one task. */
  get isShared(): boolean {
    return this.#batch.length > 1;
  }

  /** Gives the thread a batch; only when it is idle. */
  post(runs: readonly ThreadRun[], nowMs: number): void {
    this.#batch = [...runs];
    this.isLong = !runs.every(({ serviceTime }) => isSmall(serviceTime));
    this.postedAtMs = nowMs;
    for (const [index, run] of runs.entries()) run.place = { memory: this.memory, index };
    this.memory.prepare(runs.length);
    this.#port.postMessage(batchOf(runs));
    this.memory.announce();
  }

  /** Ends the runs whose results are in the memory. Those with chunks that have not arrived wait for them. */
  collect(onResult: (run: ThreadRun, result: HandlerResult) => void): void {
    for (const [index, run] of this.#batch.entries()) {
      if (run === undefined || this.memory.state(index) !== LaneState.ended) continue;
      const result = this.memory.read(index);
      if (run.chunksReceived < result.chunkCount) continue;
      this.#batch[index] = undefined;
      onResult(run, result);
    }
  }

  /** Takes back every task that the thread has not begun, in their order. */
  recall(): ThreadRun[] {
    const recalled: ThreadRun[] = [];
    for (const [index, run] of this.#batch.entries()) {
      if (run === undefined) continue;
      if (this.memory.move(index, LaneState.waiting, LaneState.recalled)) {
        this.#batch[index] = undefined;
        run.place = undefined;
        recalled.push(run);
      }
    }
    return recalled;
  }

  /** Takes back one task; false when it was begun. */
  recallOne(index: number): boolean {
    if (!this.memory.move(index, LaneState.waiting, LaneState.recalled)) return false;
    this.#batch[index] = undefined;
    return true;
  }

  /** The run that the thread is at, if it is at one. */
  running(): ThreadRun | undefined {
    return this.#batch.find((run, index) => {
      if (run === undefined) return false;
      const state = this.memory.state(index);
      return state === LaneState.running || state === LaneState.cancelled;
    });
  }

  /** Forgets one run, which is over for another reason than its result. */
  forget(run: ThreadRun): void {
    const index = this.#batch.indexOf(run);
    if (index >= 0) this.#batch[index] = undefined;
  }

  /** The batch is over: returns the runs that have not ended with it. */
  clear(): ThreadRun[] {
    const left = this.#batch.filter((run) => run !== undefined);
    this.#batch = [];
    return left;
  }

  /** Ends the thread, whatever it does. */
  terminate(): void {
    this.isEnding = true;
    this.#termination.abort();
  }

  /** Reads what a thread that is gone has said before. */
  close(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) break;
      this.#onMessage(received.message as ThreadMessage);
    }
    this.#port.close();
  }
}

/** The runs as they are posted: what several have in common once, all inputs in one buffer. */
function batchOf(runs: readonly ThreadRun[]): ThreadBatch {
  const modules: HandlerModule[] = [];
  const tasks: BatchedTask[] = [];
  let payloadBytes = 0;
  for (const { runId, task, module } of runs) {
    const { taskId, attempt, payload, arm, datasets, split } = task;
    let place = modules.indexOf(module);
    if (place < 0) place = modules.push(module) - 1;
    const start = payload === undefined ? -1 : payloadBytes;
    payloadBytes += payload?.length ?? 0;
    const named = datasets.length === 0 ? undefined : datasets;
    tasks.push([runId, taskId, attempt, place, start, payloadBytes, arm, named, split]);
  }
  return { modules, payloads: payloadsOf(runs, payloadBytes), tasks };
}

function payloadsOf(runs: readonly ThreadRun[], payloadBytes: number): Uint8Array | undefined {
  const [first] = runs;
  if (runs.length === 1 && first !== undefined) {
    const { payload } = first.task;
    if (payload === undefined) return undefined;
    if (payload.byteLength >= payload.buffer.byteLength * SMALL_SHARE) return payload;
  }
  const payloads = new Uint8Array(payloadBytes);
  let at = 0;
  for (const { task } of runs) {
    if (task.payload === undefined) continue;
    payloads.set(task.payload, at);
    at += task.payload.length;
  }
  return payloads;
}
