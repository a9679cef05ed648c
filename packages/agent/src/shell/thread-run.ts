/** One run of a handler in a thread, as the main thread keeps it. */
import { failure as failureOf, toFailure } from '@quic-swarm/protocol';
import type { TaskResult } from '../core/events.ts';
import type { ServiceTime, WaitingTask } from '../core/thread-batching.ts';
import type { LaneMemory } from './lane-memory.ts';
import { ignoreSendFailure, type RunListener, type TaskRun } from './task-run.ts';
import type { HandlerModule, HandlerTask } from './thread-messages.ts';

/** Where a run is that a thread was given. */
export interface LanePlace {
  readonly memory: LaneMemory;
  /** Its index in the lane's batch. */
  readonly index: number;
}

/** What a run is made of. */
export interface ThreadRunOptions {
  readonly runId: number;
  readonly task: HandlerTask;
  readonly module: HandlerModule;
  readonly serviceTime: ServiceTime;
  readonly listener: RunListener;
  readonly onAbort: (run: ThreadRun, graceMs: number) => void;
}

/** Waits for a thread, is in one, or is over. */
export class ThreadRun implements TaskRun, WaitingTask {
  readonly runId: number;
  readonly task: HandlerTask;
  /** One object for all runs of it. */
  readonly module: HandlerModule;
  readonly serviceTime: ServiceTime;
  /** Undefined while it waits. */
  place: LanePlace | undefined;
  isOver = false;
  chunksReceived = 0;
  /** How many threads died with this run before they began it or any other. */
  lostThreads = 0;
  /** Ends the grace after an abort; whoever sets it leaves it to `end` to clear it. */
  graceTimer: NodeJS.Timeout | undefined;
  readonly #listener: RunListener;
  readonly #onAbort: (run: ThreadRun, graceMs: number) => void;

  constructor({ runId, task, module, serviceTime, listener, onAbort }: ThreadRunOptions) {
    this.runId = runId;
    this.task = task;
    this.module = module;
    this.serviceTime = serviceTime;
    this.#listener = listener;
    this.#onAbort = onAbort;
  }

  get payloadBytes(): number {
    return this.task.payload?.length ?? 0;
  }

  abort(graceMs: number): void {
    if (!this.isOver) this.#onAbort(this, graceMs);
  }

  begun(): void {
    if (!this.isOver) this.#listener.onBegun();
  }

  turnedOutLong(tookMs: number): void {
    if (!this.isOver) this.#listener.onTurnedOutLong(tookMs);
  }

  /** The run was not begun and will not be. */
  takenBack(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.place = undefined;
    this.#listener.onTakenBack();
  }

  /** The run is over. Only the first end counts. */
  end(result: TaskResult): void {
    if (this.isOver) return;
    this.isOver = true;
    this.place = undefined;
    clearTimeout(this.graceTimer);
    this.#listener.onEnded(result);
  }

  /** The run was stopped without a word from its handler. */
  endCancelled(computeMs: number): void {
    this.end({ outcome: 'cancelled', computeMs, usedArm: false });
  }

  /** The thread ended under the run. */
  endCrashed(error: unknown, computeMs: number): void {
    const { message, stack } = toFailure(error);
    const failure = failureOf(
      'WORKER_CRASHED',
      `The worker thread that ran ${this.module.taskType} ended: ${message}.`,
    );
    const detailed = stack === undefined ? failure : { ...failure, stack };
    this.end({ outcome: 'failed', failure: detailed, computeMs, usedArm: false });
  }

  progressed(fraction: number, text: string | undefined): void {
    if (!this.isOver) this.#listener.onProgress(fraction, text);
  }

  /** Passes a chunk on, and lets the thread emit one more when it is sent. */
  emitted(payload: Uint8Array): void {
    if (this.isOver) return;
    this.chunksReceived += 1;
    const sent = this.#listener.onChunk(payload);
    if (sent === undefined) this.#taken();
    else void sent.catch(ignoreSendFailure).then(() => this.#taken());
  }

  #taken(): void {
    // After its end the record that counts its chunks belongs to another run.
    this.place?.memory.addTaken(this.place.index);
  }
}
