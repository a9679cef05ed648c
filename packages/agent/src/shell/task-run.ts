/** A handler that runs, seen from the main thread: in a thread of the pool, or on the main thread itself. */
import type { TaskResult } from '../core/events.ts';
import { BATCH_WORK_MS, type ServiceTime } from '../core/thread-batching.ts';
import type { HandlerTask } from './thread-messages.ts';

/** One run. */
export interface TaskRun {
  /** Tells the handler to stop; after `graceMs` the run ends in any case. Later calls change nothing. */
  abort(graceMs: number): void;
}

/** Hears what a handler says while it runs, and how it ends. */
export interface RunListener {
  /** The handler has begun, or does so now. May be left out when it ends at once; may come twice. */
  onBegun(): void;
  /** It has begun and runs for so long that what stood behind it is taken back. */
  onTurnedOutLong(tookMs: number): void;
  /** It was not begun and stood behind a handler that takes long. It will not be begun; nothing follows. */
  onTakenBack(): void;
  onProgress(fraction: number, text: string | undefined): void;
  /** Returns a promise when the next chunk should wait until this one is sent. */
  onChunk(payload: Uint8Array): Promise<void> | undefined;
  /** Once, last, unless it was taken back; of a run that cannot begin, before whoever asked for it has it in the hand. */
  onEnded(result: TaskResult): void;
}

/** A run that is asked for. */
export interface RunOrder<Place> {
  readonly task: HandlerTask;
  /** Where its handler is. */
  readonly place: Place;
  /** What is known of its type. */
  readonly serviceTime: ServiceTime;
  readonly listener: RunListener;
}

/** A shared thread, or sequence of functions, that takes this long is held up: twice the work that it was given. */
export const HELD_UP_AFTER_MS: number = 2 * BATCH_WORK_MS;

/** A chunk that could not be sent is kept by the core and sent again after the reconnect. */
export function ignoreSendFailure(): void {}
