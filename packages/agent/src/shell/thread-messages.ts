/** What crosses the border between the main thread and a worker thread. Plain data only. */
import type { MessagePort } from 'node:worker_threads';
import type { Arm, Failure, Shard } from '@quic-swarm/protocol';
import type { Findings, TaskResult } from '../core/events.ts';

/** A data set on its way to a thread: the memory itself is shared, not copied. */
export interface SharedDataset {
  readonly datasetId: string;
  readonly mediaType: string;
  readonly buffer: SharedArrayBuffer;
}

/** What only tasks have that are computed in parts. */
export interface SplitTask {
  /** The part that the coordinator asks for. */
  readonly shard?: Shard;
  /** Zeros at first; all shards of one task on this agent share it, and a host with its helpers. */
  readonly scratch?: SharedArrayBuffer;
  /** This run helps another one of the same task, see team.ts. */
  readonly help?: HelpSetup;
}

/** What a helper is started with. */
export interface HelpSetup {
  /** See team-memory.ts. */
  readonly memory: SharedArrayBuffer;
  /** Tells it from other helpers of the team; from 1. */
  readonly helper: number;
}

/** Other threads may help with a run. */
export interface Invitation {
  /** See team-memory.ts. */
  readonly memory: SharedArrayBuffer;
  /** Becomes the scratch memory of every helper. */
  readonly scratch: SharedArrayBuffer;
  /** Here the host hears of its helpers. */
  readonly port: MessagePort;
}

/** What the main thread tells the thread that invited helpers. */
export type TeamMessage =
  /** A helper has done some parts. */
  | { readonly type: 'part'; readonly payload: Uint8Array }
  /** A helper will do no more, and has said what it did. */
  | { readonly type: 'left'; readonly helper: number };

/** What a handler is started with, wherever it runs. */
export interface HandlerTask {
  readonly taskId: string;
  readonly taskType: string;
  readonly attempt: number;
  readonly payload: Uint8Array | undefined;
  readonly arm: Arm | undefined;
  readonly datasets: readonly SharedDataset[];
  readonly split?: SplitTask | undefined;
}

/** How a handler ended, as its thread knows it. Belongs to whoever gets it. */
export interface HandlerResult extends TaskResult {
  payload?: Uint8Array;
  failure?: Failure;
  findings?: Findings;
  readonly chunkCount: number;
  /** What the task took of its thread: decoding, handler, encoding; without loading the handler's module. */
  readonly serviceMs: number;
}

/** Main thread → worker, once: what a thread works with for all its life. */
export interface LaneSetup {
  readonly port: MessagePort;
  /** See lane-memory.ts. */
  readonly memory: SharedArrayBuffer;
  /** Threads of the agent. */
  readonly threads: number;
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
  split: SplitTask | undefined,
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
  /** Other threads that have nothing else to do may help with the run. */
  | { readonly type: 'invitation'; readonly runId: number; readonly invitation: Invitation }
  /** A result that does not go into the lane's memory. */
  | { readonly type: 'result'; readonly runId: number; readonly result: HandlerResult };

/** Chunks that a thread may be ahead of the network. */
export const CHUNKS_AHEAD_MAX = 32;
