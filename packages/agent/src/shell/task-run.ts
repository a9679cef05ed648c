/** A handler that runs, seen from the main thread: in a thread of the pool, or on the main thread itself. */
import type { TaskResult } from '../core/events.ts';

/** One run. */
export interface TaskRun {
  /** Tells the handler to stop; after `graceMs` the run ends in any case. Later calls change nothing. */
  abort(graceMs: number): void;
}

/** Hears what a handler says while it runs, and how it ends. */
export interface RunListener {
  onProgress(fraction: number, text: string | undefined): void;
  /** Returns a promise when the next chunk should wait until this one is sent. */
  onChunk(payload: Uint8Array): Promise<void> | undefined;
  /** Exactly once, last; of a run that cannot begin, before whoever asked for it has it in the hand. */
  onEnded(result: TaskResult): void;
}

/** A chunk that could not be sent is kept by the core and sent again after the reconnect. */
export function ignoreSendFailure(): void {}
