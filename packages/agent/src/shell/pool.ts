/**
 * The worker threads. One task per thread at a time; a thread that dies takes its own task with it and is replaced; a
 * task that does not stop when it is told to loses its thread. Small tasks are given to a thread together, and what a
 * thread has not begun can be taken back from it, so that no task waits for another that turns out long.
 */
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SwarmError } from '@quic-swarm/protocol';
import { Piscina } from 'piscina';
import { UNKNOWN_SERVICE_TIME, batchLengthOf, withTask } from '../core/thread-batching.ts';
import { LaneState } from './lane-memory.ts';
import { Lane } from './lane.ts';
import { ignoreSendFailure, type RunListener, type TaskRun } from './task-run.ts';
import type { HandlerResult, HandlerTask, LaneSetup, ThreadMessage } from './thread-messages.ts';
import { Teams } from './teams.ts';
import { ThreadRun, type TaskKind } from './thread-run.ts';

/** From sources the files next to this one are TypeScript, from `dist` they are JavaScript. */
export const MODULE_SUFFIX: '.ts' | '.js' = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** A shared batch that takes this long is held up by one of its tasks: twice the work that it was given. */
const BATCH_OVERDUE_MS = 2;

/**
 * A run is given up when so many threads died with it although none of them ran a task: what kills them is then most
 * likely the way to the run itself, and would go on for ever.
 */
const LOST_THREADS_MAX = 2;

/** Threads that run handlers from modules. */
export class WorkerPool {
  readonly #threads: number;
  readonly #runs: Map<number, ThreadRun> = new Map();
  readonly #kinds: Map<string, TaskKind> = new Map();
  readonly #lanes: Set<Lane> = new Set();
  /** Runs that wait for a thread, in the order in which they start. */
  readonly #waiting: ThreadRun[] = [];
  #piscina: Piscina | undefined;
  #isClosed = false;
  #lastRunId = 0;
  /** Fires when a shared batch may be overdue. */
  #lookTimer: NodeJS.Timeout | undefined;
  readonly #teams: Teams = new Teams(({ task, kind, listener }) => {
    const run = this.#newRun(task, kind, listener);
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

  /** Runs the module's handler in a thread. */
  run(task: HandlerTask, module: string, listener: RunListener): TaskRun {
    const run = this.#newRun(task, this.#kindOf(task.taskType, module), listener);
    if (this.#isClosed) {
      run.endCrashed(new SwarmError('CLOSED', 'the pool was closed'), 0);
      return run;
    }
    this.#runs.set(run.runId, run);
    this.#waiting.push(run);
    this.start();
    this.#dispatch();
    return run;
  }

  #newRun(task: HandlerTask, kind: TaskKind, listener: RunListener): ThreadRun {
    const runId = (this.#lastRunId += 1);
    return new ThreadRun({ runId, task, kind, listener, onAbort: this.#onAbort });
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

  #kindOf(taskType: string, module: string): TaskKind {
    const known = this.#kinds.get(taskType);
    if (known?.module === module) return known;
    const kind: TaskKind = { taskType, module, serviceTime: UNKNOWN_SERVICE_TIME };
    this.#kinds.set(taskType, kind);
    return kind;
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
      filename: fileURLToPath(new URL(`./worker${MODULE_SUFFIX}`, import.meta.url)),
      minThreads: this.#threads,
      maxThreads: this.#threads,
      ...(MODULE_SUFFIX === '.ts' ? { execArgv: sourceArguments() } : {}),
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
      const length = batchLengthOf({
        waiting: this.#waiting,
        waitingCount: this.#waiting.length,
        threads: this.#threadsForSmall(),
      });
      lane.post(this.#waiting.splice(0, length), performance.now());
      if (length > 1) this.#lookTimer ??= setTimeout(() => this.#look(), BATCH_OVERDUE_MS);
    }
    if (this.#waiting.length > 0) this.#teams.makeRoom(this.#waiting.length);
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

  #finished(run: ThreadRun, { serviceMs, chunkCount: _counted, ...result }: HandlerResult): void {
    this.#over(run);
    run.kind.serviceTime = withTask(run.kind.serviceTime, serviceMs);
    run.end(result);
  }

  /** Looks after shared batches that take long: what is finished is delivered, what was not begun is taken back. */
  #look(): void {
    this.#lookTimer = undefined;
    const nowMs = performance.now();
    let mayBecomeOverdue = false;
    for (const lane of this.#lanes) {
      if (!lane.isShared || lane.isLong) continue;
      const elapsedMs = nowMs - lane.postedAtMs;
      if (elapsedMs < BATCH_OVERDUE_MS) {
        mayBecomeOverdue = true;
        continue;
      }
      lane.isLong = true;
      const running = lane.running();
      if (running !== undefined) {
        running.kind.serviceTime = withTask(running.kind.serviceTime, elapsedMs);
      }
      this.#waiting.unshift(...lane.recall());
      this.#collect(lane);
    }
    if (mayBecomeOverdue) this.#lookTimer = setTimeout(() => this.#look(), BATCH_OVERDUE_MS);
    this.#dispatch();
  }

  #abort(run: ThreadRun, graceMs: number): void {
    const { place } = run;
    const lane = this.#laneOf(run);
    if (place === undefined || lane === undefined) {
      const at = this.#waiting.indexOf(run);
      if (at >= 0) this.#waiting.splice(at, 1);
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

  #laneOf({ place }: ThreadRun): Lane | undefined {
    for (const lane of this.#lanes) if (lane.memory === place?.memory) return lane;
    return undefined;
  }

  /** The grace is over: ends the thread under the run. */
  #terminate(run: ThreadRun): void {
    const lane = this.#laneOf(run);
    if (lane === undefined) return;
    // First, so that the thread can begin nothing else while it is being terminated.
    this.#waiting.unshift(...lane.recall());
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
    this.#waiting.unshift(...handedBack.filter((run) => !isGivenUp(run)));
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
    for (const run of this.#waiting.splice(0)) this.#crash(run, error, 0);
  }

  #crash(run: ThreadRun, error: unknown, computeMs: number): void {
    this.#over(run);
    run.endCrashed(error, computeMs);
  }
}

/** What a thread needs to run TypeScript and to find the sources of its siblings. */
function sourceArguments(): string[] {
  // tsx registers itself in the main thread only; its programming interface does it anywhere.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')).href;
  const preload = `import { register } from ${JSON.stringify(tsx.replace(/\.cjs$/, '.mjs'))}; register();`;
  return ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, '--conditions=source'];
}
