/**
 * Handlers that are functions: they run on the main thread, one after the other. Meant for light work: while one
 * computes, nothing else happens, and one that does not stop by itself can only be left alone, not ended.
 */
import { performance } from 'node:perf_hooks';
import type { TaskResult } from '../core/events.ts';
import type { TaskHandler } from '../task-handler.ts';
import { HandlerContext, ownBytesOf, type Cancellation, type ContextOutlet } from './context.ts';
import { runHandler } from './run-handler.ts';
import { HELD_UP_AFTER_MS, ignoreSendFailure, type RunOrder, type TaskRun } from './task-run.ts';
import type { HandlerResult } from './thread-messages.ts';

/** So long handlers are started one behind the other before the network and timers have their turn. */
const TURN_MS = 5;

/** Runs that follow each other, each when the one before has ended. */
interface Sequence {
  readonly runs: readonly MainThreadRun[];
  /** Of `runs`, the next one. */
  next: number;
}

/** Runs functions. */
export class MainThread {
  #waiting: Sequence[] = [];
  /** Sequences that wait for a promise of a handler. */
  readonly #paused: Map<MainThreadRun, Sequence> = new Map();
  #hasTurn = false;
  #turnEndsAtMs = 0;
  /** Fires when a handler may have run for so long that those behind it should not wait for it. */
  #lookTimer: NodeJS.Timeout | undefined;

  /**
   * Starts the handlers, one after the other, in a later turn, together with all others that have come by then, so that
   * what is owed before is sent before.
   */
  run(orders: readonly RunOrder<TaskHandler>[]): readonly TaskRun[] {
    const runs = orders.map((order) => new MainThreadRun(order));
    this.#waiting.push({ runs, next: 0 });
    this.#askForTurn();
    return runs;
  }

  /** Handlers are left alone from now on. */
  close(): void {
    clearTimeout(this.#lookTimer);
    this.#paused.clear();
  }

  #askForTurn(): void {
    if (this.#hasTurn) return;
    this.#hasTurn = true;
    setImmediate(this.#takeTurn);
  }

  readonly #takeTurn = (): void => {
    this.#hasTurn = false;
    const sequences = this.#waiting;
    this.#waiting = [];
    this.#turnEndsAtMs = performance.now() + TURN_MS;
    for (const sequence of sequences) this.#proceed(sequence);
  };

  /** Starts what comes next, until the sequence is done, has to wait, or the turn is over. */
  #proceed(sequence: Sequence): void {
    const { runs } = sequence;
    for (let nowMs = performance.now(); sequence.next < runs.length; nowMs = performance.now()) {
      if (nowMs >= this.#turnEndsAtMs) {
        this.#waiting.push(sequence);
        this.#askForTurn();
        return;
      }
      const run = runs[sequence.next];
      sequence.next += 1;
      if (run === undefined) return;
      run.start(nowMs);
      if (!run.isOver && sequence.next < runs.length) {
        this.#pause(sequence, run);
        return;
      }
    }
  }

  #pause(sequence: Sequence, run: MainThreadRun): void {
    this.#paused.set(run, sequence);
    run.onOver = () => {
      // Of one that was given up meanwhile nothing is left to do.
      if (this.#paused.delete(run)) this.#proceed(sequence);
    };
    this.#lookTimer ??= setTimeout(this.#look, HELD_UP_AFTER_MS);
  }

  /** Gives up what waits behind handlers that take long. */
  readonly #look = (): void => {
    this.#lookTimer = undefined;
    const nowMs = performance.now();
    for (const [run, { runs, next }] of this.#paused) {
      const elapsedMs = nowMs - (run.startedAtMs ?? nowMs);
      if (elapsedMs < HELD_UP_AFTER_MS) continue;
      this.#paused.delete(run);
      run.turnedOutLong(elapsedMs);
      for (const behind of runs.slice(next)) behind.takenBack();
    }
    if (this.#paused.size > 0) this.#lookTimer = setTimeout(this.#look, HELD_UP_AFTER_MS);
  };
}

/** One run; also what its handler hears and speaks through, since an object for each would cost more than the run. */
class MainThreadRun implements TaskRun, Cancellation, ContextOutlet {
  readonly #order: RunOrder<TaskHandler>;
  #context: HandlerContext | undefined;
  startedAtMs: number | undefined;
  isOver = false;
  /** Called when it is over. */
  onOver: (() => void) | undefined;
  #isAborted = false;
  #raise: (() => void) | undefined;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(order: RunOrder<TaskHandler>) {
    this.#order = order;
  }

  start(nowMs: number): void {
    if (this.isOver) return;
    const { task, place, listener } = this.#order;
    this.startedAtMs = nowMs;
    this.#context = new HandlerContext(task, this, this);
    const result = runHandler(task, this.#context, place);
    if (result instanceof Promise) {
      listener.onBegun();
      void result.then((later) => this.#returned(later));
    } else this.#returned(result);
  }

  abort(graceMs: number): void {
    if (this.#isAborted || this.isOver) return;
    this.#isAborted = true;
    this.#raise?.();
    this.#graceTimer = setTimeout(() => this.#leave(), graceMs);
  }

  turnedOutLong(tookMs: number): void {
    if (!this.isOver) this.#order.listener.onTurnedOutLong(tookMs);
  }

  /** It was not begun and will not be. */
  takenBack(): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.#graceTimer);
    this.#order.listener.onTakenBack();
  }

  isRequested(): boolean {
    return this.#isAborted;
  }

  onRequested(callback: () => void): void {
    this.#raise = callback;
  }

  progress(fraction: number, text: string | undefined): void {
    if (!this.isOver) this.#order.listener.onProgress(fraction, text);
  }

  chunk(payload: Uint8Array): void {
    if (!this.isOver) void this.#order.listener.onChunk(payload)?.catch(ignoreSendFailure);
  }

  #returned(result: HandlerResult): void {
    // The result is kept until it is acknowledged, and would keep the whole buffer of the encoder with it.
    if (result.payload !== undefined) result.payload = ownBytesOf(result.payload);
    this.#end(result);
  }

  /** The handler does not stop: goes on without it. */
  #leave(): void {
    const nowMs = performance.now();
    const computeMs = nowMs - (this.startedAtMs ?? nowMs);
    this.#end({ outcome: 'cancelled', computeMs, usedArm: this.#context?.usedArm ?? false });
  }

  #end(result: TaskResult): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.#graceTimer);
    this.#order.listener.onEnded(result);
    this.onOver?.();
  }
}
