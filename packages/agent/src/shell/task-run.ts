/** A handler that runs, seen from the main thread: in a thread of the pool, or on the main thread itself. */
import type { TaskResult } from '../core/events.ts';
import type { TaskHandler } from '../task-handler.ts';
import { HandlerContext, ownBytesOf, type Cancellation } from './context.ts';
import { runHandler } from './run-handler.ts';
import type { HandlerTask } from './thread-messages.ts';

/** One run. */
export interface TaskRun {
  /** Settles once; never rejects. */
  readonly ended: Promise<TaskResult>;
  /** Tells the handler to stop; after `graceMs` the run ends in any case. Later calls change nothing. */
  abort(graceMs: number): void;
}

/** Hears what a handler says while it runs. */
export interface RunListener {
  onProgress(fraction: number, text: string | undefined): void;
  /** Returns a promise when the next chunk should wait until this one is sent. */
  onChunk(payload: Uint8Array): Promise<void> | undefined;
}

/**
 * Runs a function on the main thread. Meant for light work: while it computes, nothing else happens, and a function
 * that does not stop by itself can only be left alone, not ended.
 */
export function runOnMainThread(
  task: HandlerTask,
  handler: TaskHandler,
  listener: RunListener,
): TaskRun {
  const stop = new AbortController();
  const cancellation: Cancellation = {
    isRequested: () => stop.signal.aborted,
    onRequested: (callback) => stop.signal.addEventListener('abort', callback, { once: true }),
  };
  const context = new HandlerContext(task, cancellation, {
    progress: (fraction, text) => listener.onProgress(fraction, text),
    chunk: (payload) => void listener.onChunk(payload)?.catch(ignoreSendFailure),
  });
  const startedMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let leave: (result: TaskResult) => void = () => {};
  const ended = new Promise<TaskResult>((resolve) => {
    leave = resolve;
    // The handler starts in a later turn, so that what is owed before its start is sent before it.
    setImmediate(() => {
      void runHandler(task, context, () => handler).then((result) => {
        const { payload } = result;
        // The result is kept until it is acknowledged, and would keep the whole buffer of the encoder with it.
        resolve(payload === undefined ? result : { ...result, payload: ownBytesOf(payload) });
      });
    });
  }).finally(() => clearTimeout(timer));
  return {
    ended,
    abort: (graceMs) => {
      if (stop.signal.aborted) return;
      stop.abort();
      timer = setTimeout(() => {
        const computeMs = performance.now() - startedMs;
        leave({ outcome: 'cancelled', computeMs, usedArm: context.usedArm });
      }, graceMs);
    },
  };
}

/** A chunk that could not be sent is kept by the core and sent again after the reconnect. */
export function ignoreSendFailure(): void {}
