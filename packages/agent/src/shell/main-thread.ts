/**
 * Handlers that are functions: they run on the main thread, one after the other. Meant for light work: while one
 * computes, nothing else happens, and one that does not stop by itself can only be left alone, not ended.
 */
import { performance } from 'node:perf_hooks';
import type { TaskResult } from '../core/events.ts';
import type { TaskHandler } from '../task-handler.ts';
import { HandlerContext, ownBytesOf, type Cancellation, type ContextOutlet } from './context.ts';
import { runHandler } from './run-handler.ts';
import { ignoreSendFailure, type RunListener, type TaskRun } from './task-run.ts';
import type { HandlerResult, HandlerTask } from './thread-messages.ts';

/** So long handlers are started one behind the other before the network and timers have their turn. */
const TURN_MS = 5;

/** Runs functions. */
export class MainThread {
  #waiting: MainThreadRun[] = [];
  #hasTurn = false;

  /**
   * Starts the handler in a later turn, together with all others that have come by then, so that what is owed before
   * is sent before. `onBegun` is called when it has not ended at once.
   */
  run(
    task: HandlerTask,
    handler: TaskHandler,
    listener: RunListener & { onBegun(): void },
  ): TaskRun {
    const run = new MainThreadRun(task, handler, listener);
    this.#waiting.push(run);
    this.#askForTurn();
    return run;
  }

  #askForTurn(): void {
    if (this.#hasTurn) return;
    this.#hasTurn = true;
    setImmediate(this.#takeTurn);
  }

  readonly #takeTurn = (): void => {
    this.#hasTurn = false;
    const runs = this.#waiting;
    this.#waiting = [];
    let nowMs = performance.now();
    const untilMs = nowMs + TURN_MS;
    let started = 0;
    for (const run of runs) {
      if (nowMs >= untilMs) break;
      run.start(nowMs);
      started += 1;
      nowMs = performance.now();
    }
    if (started < runs.length) this.#waiting = [...runs.slice(started), ...this.#waiting];
    if (this.#waiting.length > 0) this.#askForTurn();
  };
}

/** One run; also what its handler hears and speaks through, since an object for each would cost more than the run. */
class MainThreadRun implements TaskRun, Cancellation, ContextOutlet {
  readonly #task: HandlerTask;
  readonly #handler: TaskHandler;
  readonly #listener: RunListener & { onBegun(): void };
  #context: HandlerContext | undefined;
  #startedAtMs: number | undefined;
  #isAborted = false;
  #hasEnded = false;
  #raise: (() => void) | undefined;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(
    task: HandlerTask,
    handler: TaskHandler,
    listener: RunListener & { onBegun(): void },
  ) {
    this.#task = task;
    this.#handler = handler;
    this.#listener = listener;
  }

  start(nowMs: number): void {
    if (this.#hasEnded) return;
    this.#startedAtMs = nowMs;
    this.#context = new HandlerContext(this.#task, this, this);
    const result = runHandler(this.#task, this.#context, this.#handler);
    if (result instanceof Promise) {
      this.#listener.onBegun();
      void result.then((later) => this.#returned(later));
    } else this.#returned(result);
  }

  abort(graceMs: number): void {
    if (this.#isAborted || this.#hasEnded) return;
    this.#isAborted = true;
    this.#raise?.();
    this.#graceTimer = setTimeout(() => this.#leave(), graceMs);
  }

  isRequested(): boolean {
    return this.#isAborted;
  }

  onRequested(callback: () => void): void {
    this.#raise = callback;
  }

  progress(fraction: number, text: string | undefined): void {
    if (!this.#hasEnded) this.#listener.onProgress(fraction, text);
  }

  chunk(payload: Uint8Array): void {
    if (!this.#hasEnded) void this.#listener.onChunk(payload)?.catch(ignoreSendFailure);
  }

  #returned(result: HandlerResult): void {
    // The result is kept until it is acknowledged, and would keep the whole buffer of the encoder with it.
    if (result.payload !== undefined) result.payload = ownBytesOf(result.payload);
    this.#end(result);
  }

  /** The handler does not stop: goes on without it. */
  #leave(): void {
    const nowMs = performance.now();
    const computeMs = nowMs - (this.#startedAtMs ?? nowMs);
    this.#end({ outcome: 'cancelled', computeMs, usedArm: this.#context?.usedArm ?? false });
  }

  #end(result: TaskResult): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#graceTimer);
    this.#listener.onEnded(result);
  }
}
