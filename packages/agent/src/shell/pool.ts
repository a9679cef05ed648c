/**
 * The worker threads. One task per thread at a time; a thread that dies takes its own task with it and is replaced; a
 * task that does not stop when it is told to loses its thread. Small tasks are given to a thread together, and what a
 * thread has not begun is taken back from it and from this pool, so that no task waits for another that turns out long.
 */
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { SwarmError } from '@quic-swarm/protocol';
import { Piscina } from 'piscina';
import { batchLengthOf } from '../core/thread-batching.ts';
import { LaneState } from './lane-memory.ts';
import { Lane } from './lane.ts';
import { HELD_UP_AFTER_MS, ignoreSendFailure, type RunOrder, type TaskRun } from './task-run.ts';
import type { HandlerModule, HandlerResult, LaneSetup, ThreadMessage } from './thread-messages.ts';
import { Teams } from './teams.ts';
import { threadModule } from './thread-modules.ts';
import { ThreadRun, type ThreadRunOptions } from './thread-run.ts';

/**
 * A run is given up when so many threads died with it although none of them ran a task: what kills them is then most
 * likely the way to the run itself, and would go on for ever.
 */
const LOST_THREADS_MAX = 2;

/** Threads that run handlers from modules. */
export class WorkerPool {
  readonly #threads: number;
  readonly #runs: Map<number, ThreadRun> = new Map();
  readonly #modules: Map<string, HandlerModule> = new Map();
  readonly #lanes: Set<Lane> = new Set();
  /** Runs that wait for a thread, in the order in which they start; those in one list follow each other in one thread. */
  readonly #waiting: (readonly ThreadRun[])[] = [];
  #piscina: Piscina | undefined;
  #isClosed = false;
  #lastRunId = 0;
  /** Fires when a shared batch may be overdue. */
  #lookTimer: NodeJS.Timeout | undefined;
  readonly #teams: Teams = new Teams((options) => {
    const run = this.#newRun(options);
    this.#runs.set(run.runId, run);
    return run;
  });
  readonly #onAbort = (run: ThreadRun, graceMs: number): void => this.#abort(run, graceMs);

  /** @param threads how many; none is started before `start` or the first run */
  constructor(threads: number) {
    this.#threads = threads;
  }

  /** Starts the threads, so that the first task need not wait for them. After `close` it does nothing. */
  start(): void {
    if (this.#isClosed) return;
    while (this.#lanes.size < this.#threads) this.#openLane();
  }

  /** Runs handlers of modules in one thread, one after the other in this order. */
  run(orders: readonly RunOrder<string>[]): readonly TaskRun[] {
    const runs = orders.map((order) => this.#runOf(order));
    if (this.#isClosed) {
      for (const run of runs) run.endCrashed(new SwarmError('CLOSED', 'the pool was closed'), 0);
      return runs;
    }
    for (const run of runs) this.#runs.set(run.runId, run);
    this.#waiting.push(runs);
    this.start();
    this.#dispatch();
    return runs;
  }

  /** Terminates all threads, whatever they do. Runs that have not ended fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#lookTimer);
    this.#lookTimer = undefined;
    const piscina = this.#piscina;
    this.#piscina = undefined;
    await piscina?.destroy();
    this.#failWaiting(new SwarmError('CLOSED', 'the pool was closed'));
  }

  #runOf({ task, place, serviceTime, listener }: RunOrder<string>): ThreadRun {
    const module = this.#moduleOf(task.taskType, place);
    return this.#newRun({ task, module, serviceTime, listener });
  }

  #newRun(options: Omit<ThreadRunOptions, 'runId' | 'onAbort'>): ThreadRun {
    const runId = (this.#lastRunId += 1);
    return new ThreadRun({ ...options, runId, onAbort: this.#onAbort });
  }

  #moduleOf(taskType: string, module: string): HandlerModule {
    const known = this.#modules.get(taskType);
    if (known?.module === module) return known;
    const created = { taskType, module };
    this.#modules.set(taskType, created);
    return created;
  }

  #openLane(): void {
    const lane = new Lane({ onMessage: (from, message) => this.#receive(from, message) });
    this.#lanes.add(lane);
    const setup: LaneSetup = {
      port: lane.threadPort,
      memory: lane.memory.buffer,
      threads: this.#threads,
    };
    const { signal } = lane;
    // A lane never returns: it ends with its thread, and then this rejects.
    const life = this.#started().run(setup, { transferList: [lane.threadPort], signal });
    void life.catch((error: unknown) => this.#died(lane, error));
  }

  #started(): Piscina {
    if (this.#piscina !== undefined) return this.#piscina;
    const piscina = new Piscina({
      filename: fileURLToPath(threadModule('shell/worker')),
      minThreads: this.#threads,
      maxThreads: this.#threads,
    });
    // A thread that dies without a lane is replaced; there is nobody to tell.
    piscina.on('error', ignoreSendFailure);
    this.#piscina = piscina;
    return piscina;
  }

  /** Gives work to the threads that have none. */
  #dispatch(): void {
    for (const lane of this.#lanes) {
      if (!lane.isIdle) continue;
      if (this.#waiting.length === 0) {
        const helper = this.#teams.nextHelper();
        if (helper === undefined) return;
        lane.post([helper], performance.now());
        continue;
      }
      const batch = this.#nextBatch();
      lane.post(batch, performance.now());
      batch[0]?.begun();
      if (batch.length > 1) this.#lookTimer ??= setTimeout(() => this.#look(), HELD_UP_AFTER_MS);
    }
    if (this.#waiting.length > 0) this.#teams.makeRoom(this.#waiting.length);
  }

  /** The first runs that go together, and as many small ones behind them as go with them. */
  #nextBatch(): readonly ThreadRun[] {
    const lengthMax = batchLengthOf({
      waiting: this.#waitingRuns(),
      waitingCount: this.#waiting.reduce((sum, { length }) => sum + length, 0),
      threads: this.#threadsForSmall(),
    });
    let batch = this.#waiting.shift() ?? [];
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || batch.length + next.length > lengthMax) return batch;
      this.#waiting.shift();
      batch = [...batch, ...next];
    }
  }

  *#waitingRuns(): Generator<ThreadRun, void, undefined> {
    for (const runs of this.#waiting) yield* runs;
  }

  #threadsForSmall(): number {
    let threads = 0;
    for (const { isFreeSoon } of this.#lanes) if (isFreeSoon) threads += 1;
    return threads;
  }

  #receive(lane: Lane, message: ThreadMessage): void {
    if (message === 'batchEnded') {
      this.#collect(lane);
      for (const run of lane.clear()) this.#crash(run, new Error('its result was lost'), 0);
      this.#dispatch();
      return;
    }
    if (message === 'ready') {
      lane.hasStarted = true;
      this.#dispatch();
      return;
    }
    const run = this.#runs.get(message.runId);
    // The last words of a thread that was terminated.
    if (run === undefined) {
      if (message.type === 'invitation') message.invitation.port.close();
      return;
    }
    if (message.type === 'progress') run.progressed(message.fraction, message.text);
    else if (message.type === 'chunk') run.emitted(message.payload);
    else if (message.type === 'invitation') {
      this.#teams.open(run, message.invitation);
      this.#dispatch();
    } else {
      lane.forget(run);
      this.#finished(run, message.result);
    }
  }

  #collect(lane: Lane): void {
    lane.collect((run, result) => this.#finished(run, result));
  }

  #finished(run: ThreadRun, { chunkCount: _counted, ...result }: HandlerResult): void {
    this.#over(run);
    run.end(result);
  }

  /** Looks after shared batches that take long: what is finished is delivered, what was not begun is given up. */
  #look(): void {
    this.#lookTimer = undefined;
    const nowMs = performance.now();
    let mayBecomeOverdue = false;
    for (const lane of this.#lanes) {
      if (!lane.isShared || lane.isLong) continue;
      const elapsedMs = nowMs - lane.postedAtMs;
      if (elapsedMs < HELD_UP_AFTER_MS) {
        mayBecomeOverdue = true;
        continue;
      }
      lane.isLong = true;
      const taken = lane.recall();
      // Asked after that: until then the thread may end one and begin the next.
      lane.running()?.turnedOutLong(elapsedMs);
      for (const run of taken) {
        this.#runs.delete(run.runId);
        run.takenBack();
      }
      this.#collect(lane);
    }
    if (mayBecomeOverdue) this.#lookTimer = setTimeout(() => this.#look(), HELD_UP_AFTER_MS);
    this.#dispatch();
  }

  #abort(run: ThreadRun, graceMs: number): void {
    const { place } = run;
    const lane = this.#laneOf(run);
    if (place === undefined || lane === undefined) {
      this.#dropWaiting(run);
      this.#runs.delete(run.runId);
      run.endCancelled(0);
      return;
    }
    const { index } = place;
    if (lane.recallOne(index)) {
      this.#runs.delete(run.runId);
      run.endCancelled(0);
      return;
    }
    // A later abort changes nothing, and a task that has ended cannot be stopped.
    if (!lane.memory.move(index, LaneState.running, LaneState.cancelled)) return;
    lane.memory.wake(index);
    run.graceTimer = setTimeout(() => this.#terminate(run), graceMs);
  }

  #dropWaiting(run: ThreadRun): void {
    const at = this.#waiting.findIndex((runs) => runs.includes(run));
    const left = this.#waiting[at]?.filter((other) => other !== run);
    if (left !== undefined) this.#waiting.splice(at, 1, ...(left.length === 0 ? [] : [left]));
  }

  /** Runs that their thread did not begin come first; one thread had them, and one will. */
  #waitAgain(runs: readonly ThreadRun[]): void {
    if (runs.length > 0) this.#waiting.unshift(runs);
  }

  #laneOf({ place }: ThreadRun): Lane | undefined {
    for (const lane of this.#lanes) if (lane.memory === place?.memory) return lane;
    return undefined;
  }

  /** The grace is over: ends the thread under the run. */
  #terminate(run: ThreadRun): void {
    const lane = this.#laneOf(run);
    if (lane === undefined) return;
    // First, so that the thread can begin nothing else while it is being terminated.
    this.#waitAgain(lane.recall());
    // It may have ended just now; then its result is on its way and the thread is free.
    if (lane.running() === run) {
      lane.forget(run);
      this.#over(run);
      run.endCancelled(performance.now() - lane.postedAtMs);
      lane.terminate();
    }
    this.#dispatch();
  }

  /** A thread has ended: one of its tasks has ended with it, at most. */
  #died(lane: Lane, error: unknown): void {
    const elapsedMs = performance.now() - lane.postedAtMs;
    this.#lanes.delete(lane);
    lane.close();
    this.#collect(lane);
    const handedBack = lane.recall();
    const begun = lane.clear();
    for (const run of begun) this.#crash(run, error, elapsedMs);
    if (begun.length === 0 && !lane.isEnding) for (const run of handedBack) run.lostThreads += 1;
    const isGivenUp = ({ lostThreads }: ThreadRun): boolean => lostThreads > LOST_THREADS_MAX;
    this.#waitAgain(handedBack.filter((run) => !isGivenUp(run)));
    for (const run of handedBack.filter(isGivenUp)) this.#crash(run, error, 0);
    if (this.#isClosed || (!lane.hasStarted && this.#lanes.size === 0)) this.#failWaiting(error);
    else if (lane.hasStarted) this.start();
    this.#dispatch();
  }

  #over(run: ThreadRun): void {
    this.#runs.delete(run.runId);
    this.#teams.close(run);
  }

  #failWaiting(error: unknown): void {
    for (const run of this.#waiting.splice(0).flat()) this.#crash(run, error, 0);
  }

  #crash(run: ThreadRun, error: unknown, computeMs: number): void {
    this.#over(run);
    run.endCrashed(error, computeMs);
  }
}
