/** What crosses the border between the main thread and a worker thread. Plain data only. */
import type { MessagePort } from 'node:worker_threads';
import type { Arm, Failure } from '@quic-swarm/protocol';
import type { TaskResult } from '../core/events.ts';

/** A data set on its way to a thread: the memory itself is shared, not copied. */
export interface SharedDataset {
  readonly datasetId: string;
  readonly mediaType: string;
  readonly buffer: SharedArrayBuffer;
}

/** What a handler is started with, wherever it runs. */
export interface HandlerTask {
  readonly taskId: string;
  readonly taskType: string;
  readonly attempt: number;
  readonly payload: Uint8Array | undefined;
  readonly arm: Arm | undefined;
  readonly datasets: readonly SharedDataset[];
}

/** How a handler ended, as its thread knows it. Belongs to whoever gets it. */
export interface HandlerResult extends TaskResult {
  payload?: Uint8Array;
  failure?: Failure;
  readonly chunkCount: number;
  /** What the task took of its thread: decoding, handler, encoding; without loading the handler's module. */
  readonly serviceMs: number;
}

/** Main thread → worker, once: what a thread works with for all its life. */
export interface LaneSetup {
  readonly port: MessagePort;
  /** See lane-memory.ts. */
  readonly memory: SharedArrayBuffer;
}

/** A task type and the URL of the module whose default export is its handler. */
export interface HandlerModule {
  readonly taskType: string;
  readonly module: string;
}

/**
 * A task in a batch. A tuple, since the names of an object's fields would be sent with every task and cost more than
 * their values.
 */
export type BatchedTask = readonly [
  /** Tells the messages of one run from those of others. */
  runId: number,
  taskId: string,
  attempt: number,
  /** Index into the batch's modules. */
  module: number,
  /** Where its input begins in the batch's payloads; -1 without an input. */
  payloadStart: number,
  payloadEnd: number,
  arm: Arm | undefined,
  datasets: readonly SharedDataset[] | undefined,
];

/** Main thread → worker: tasks to do in this order. The index of a task is that of its record in the lane's memory. */
export interface ThreadBatch {
  readonly modules: readonly HandlerModule[];
  readonly payloads: Uint8Array | undefined;
  readonly tasks: readonly BatchedTask[];
}

/** Worker → main thread. */
export type ThreadMessage =
  /** The thread has started and waits for its first batch. */
  | 'ready'
  /** Every task of the batch has ended or was taken back; small results are in the lane's memory. */
  | 'batchEnded'
  | {
      readonly type: 'progress';
      readonly runId: number;
      readonly fraction: number;
      readonly text: string | undefined;
    }
  | { readonly type: 'chunk'; readonly runId: number; readonly payload: Uint8Array }
  /** A result that does not go into the lane's memory. */
  | { readonly type: 'result'; readonly runId: number; readonly result: HandlerResult };

/** Chunks that a thread may be ahead of the network. */
export const CHUNKS_AHEAD_MAX = 32;
