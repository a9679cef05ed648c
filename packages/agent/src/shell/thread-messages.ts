/** What crosses the border between the main thread and a worker thread. Plain data only. */
import type { Arm } from '@quic-swarm/protocol';
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

/** Main thread → worker. */
export interface ThreadTask extends HandlerTask {
  /** Tells the messages of one run from those of others. */
  readonly runId: number;
  /** URL of the module whose default export is the handler. */
  readonly module: string;
  /** See {@link CANCEL_CELL} and {@link TAKEN_CELL}. */
  readonly control: SharedArrayBuffer;
}

/** Worker → main thread, while the handler runs. */
export type ThreadMessage =
  | {
      readonly type: 'progress';
      readonly runId: number;
      readonly fraction: number;
      readonly text: string | undefined;
    }
  | { readonly type: 'chunk'; readonly runId: number; readonly payload: Uint8Array };

/** Worker → main thread, at the end. Travels on another port than the messages, so it may overtake chunks. */
export interface ThreadResult extends TaskResult {
  readonly chunkCount: number;
}

/** Index into the control cells: one of the CANCEL values. */
export const CANCEL_CELL = 0;
/** Index into the control cells: how many chunks the main thread has passed on. */
export const TAKEN_CELL = 1;
/** Bytes of the control cells. */
export const CONTROL_BYTES = 8;

/** Values of the cancel cell. */
export const NOT_CANCELLED = 0;
export const CANCELLED = 1;
/** The handler has ended: whoever still waits for a cancellation need not any more. */
export const ENDED = 2;

/** Chunks that a thread may be ahead of the network. */
export const CHUNKS_AHEAD_MAX = 32;
