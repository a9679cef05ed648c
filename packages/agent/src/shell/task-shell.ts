/** The shell's side of tasks: data sets into memory, handlers to run, handlers to stop. */
import {
  Chain,
  type Link,
  encodingOf,
  payloadOf,
  toFailure,
  type AgentTask,
  type Lease,
  type MessageOf,
} from '@quic-swarm/protocol';
import { decoded } from '@quic-swarm/transport';
import { UNKNOWN_SERVICE_TIME } from '../core/thread-batching.ts';
import type { RunnableTask } from '../core/effects.ts';
import type { Event, TaskResult } from '../core/events.ts';
import type { TaskHandler } from '../task-handler.ts';
import { BoundWatch } from './bound-watch.ts';
import type { DatasetCache } from './dataset-cache.ts';
import { runDecoded } from './decoded-run.ts';
import { MainThread } from './main-thread.ts';
import type { WorkerPool } from './pool.ts';
import { ScratchMemories } from './scratch-memories.ts';
import type { RunListener, RunOrder, TaskRun } from './task-run.ts';
import type { SharedDataset, SplitTask } from './thread-messages.ts';

/** Where the handler of a task type is: the URL of a module for a thread, or a function for the main thread. */
export type HandlerPlace = string | TaskHandler;

/** What the tasks need. */
export interface TaskShellOptions {
  readonly pool: WorkerPool;
  readonly cache: DatasetCache;
  readonly handlers: ReadonlyMap<string, HandlerPlace>;
  /** Tells the core; returns a promise when what was said should be waited for (a chunk that fills the network). */
  readonly tell: (event: Event) => Promise<void> | undefined;
  /** Tells the core; what it says is done with all else of this turn. */
  readonly tellSoon: (event: Event) => void;
}

const NO_DATASETS: readonly SharedDataset[] = [];

/** Runs what the core's effects ask for. The core's lease is one object in all effects, so things are filed under it. */
export class TaskShell {
  readonly #options: TaskShellOptions;
  readonly #mainThread = new MainThread();
  readonly #scratch = new ScratchMemories();
  /** What has not ended. */
  readonly #reporters: Chain<RunReporter> = new Chain();
  /** Data sets that were acquired for a lease, or are being acquired. */
  readonly #pins: Map<Lease, SharedDataset[]> = new Map();
  /** Runs that have begun and of which the core does not know it. */
  #begun: RunReporter[] = [];
  /** What was taken back un-begun and of which the core does not know it. */
  #takenBack: RunReporter[] = [];

  constructor(options: TaskShellOptions) {
    this.#options = options;
  }

  /** Brings the data sets of a lease into memory. */
  fetch(lease: Lease, datasets: readonly string[]): void {
    const { cache, tell } = this.#options;
    const pins: SharedDataset[] = [];
    this.#pins.set(lease, pins);
    const acquired = datasets.map(async (datasetId) => {
      const dataset = await cache.acquire(datasetId);
      // The lease was given up meanwhile, or another data set of it failed.
      if (this.#pins.get(lease) === pins) pins.push(dataset);
      else cache.release(datasetId);
    });
    Promise.all(acquired).then(
      () => {
        if (this.#pins.get(lease) === pins) void tell({ type: 'DatasetsReady', lease });
      },
      (error: unknown) => {
        if (this.#pins.get(lease) !== pins) return;
        this.release(lease);
        void tell({ type: 'DatasetsFailed', lease, failure: toFailure(error, 'INTERNAL') });
      },
    );
  }

  /** Lets go of the data sets of a lease. */
  release(lease: Lease): void {
    const pins = this.#pins.get(lease);
    if (pins === undefined) return;
    this.#pins.delete(lease);
    for (const { datasetId } of pins) this.#options.cache.release(datasetId);
  }

  /** Starts one handler. */
  run(runnable: RunnableTask): void {
    const { task } = runnable;
    const message = { type: 'AgentTask', body: task } as const;
    if (encodingOf(message) === undefined) {
      this.runTogether([runnable]);
      return;
    }
    // It never shares a thread: nobody knows what its decoding takes, and so its task need not be kept to be taken back.
    const alone = { ...runnable, serviceTime: UNKNOWN_SERVICE_TIME };
    const reporter = this.#report({ lease: runnable.lease, task: undefined });
    const start = (payload: Uint8Array | undefined): TaskRun => {
      const [run] = this.#start([this.#orderOf(reporter, alone, payload)]);
      if (run === undefined) throw new Error('One order gives one run.');
      return run;
    };
    reporter.run = runDecoded(inputOf(message), start, reporter);
  }

  /** Starts handlers that follow each other in one place. */
  runTogether(tasks: readonly RunnableTask[]): void {
    const reporters = tasks.map((runnable) => this.#report(runnable));
    const orders = tasks.map((runnable, i) =>
      this.#orderOf(reporters[i] as RunReporter, runnable, runnable.task.payload),
    );
    for (const [i, run] of this.#start(orders).entries()) {
      const reporter = reporters[i];
      if (reporter !== undefined) reporter.run = run;
    }
  }

  #report({ lease, task }: Pick<RunReporter, 'lease' | 'task'>): RunReporter {
    const reporter = new RunReporter(lease, task, this);
    this.#reporters.push(reporter);
    return reporter;
  }

  #orderOf(
    listener: RunReporter,
    { lease, task, arm, serviceTime }: RunnableTask,
    payload: Uint8Array | undefined,
  ): RunOrder<HandlerPlace> {
    const { taskId, taskType, attempt } = task;
    const datasets = this.#pins.get(lease) ?? NO_DATASETS;
    const place = this.#options.handlers.get(taskType) ?? missingHandler(taskType);
    const split = this.#splitOf(task);
    listener.watchBound(split?.scratch);
    return {
      task: { taskId, taskType, attempt, payload, arm, datasets, split },
      place,
      serviceTime,
      listener,
    };
  }

  #splitOf({ epoch, shard }: AgentTask): SplitTask | undefined {
    return shard === undefined ? undefined : { shard, scratch: this.#scratch.of(epoch, shard.of) };
  }

  /** The core puts together only what runs in the same place; a handler may have moved since, and then runs by itself. */
  #start(orders: readonly RunOrder<HandlerPlace>[]): readonly TaskRun[] {
    if (orders.every(isForThread)) return this.#options.pool.run(orders);
    if (orders.every(isForMainThread)) return this.#mainThread.run(orders);
    return orders.flatMap((order) => this.#start([order]));
  }

  /** Tells the handler to stop. */
  abort(lease: Lease, graceMs: number): void {
    this.#reporterOf(lease)?.run?.abort(graceMs);
  }

  /** Lets the threads of a shard know what another agent has proved. */
  shareBound(lease: Lease, distance: number): void {
    this.#reporterOf(lease)?.bound?.lower(distance);
  }

  /** Few tasks are looked up, so that it costs less to go through all than to file them. */
  #reporterOf(lease: Lease): RunReporter | undefined {
    for (const reporter of this.#reporters) if (reporter.lease === lease) return reporter;
    return undefined;
  }

  /** A run has begun. The core hears of it a turn later: of most it has heard the end by then, which says enough. */
  begun(reporter: RunReporter): void {
    if (this.#begun.push(reporter) > 1) return;
    setImmediate(() => {
      const running = this.#begun.filter(({ hasEnded }) => !hasEnded);
      this.#begun = [];
      if (running.length === 0) return;
      void this.tell({ type: 'TasksBegun', leases: running.map(({ lease }) => lease) });
    });
  }

  /** A run was taken back. The core hears of all that were, in this turn. */
  takenBack(reporter: RunReporter): void {
    this.#reporters.remove(reporter);
    if (this.#takenBack.push(reporter) > 1) return;
    queueMicrotask(() => {
      const tasks = this.#takenBack.flatMap(({ lease, task }) =>
        task === undefined ? [] : [{ lease, task }],
      );
      this.#takenBack = [];
      void this.tell({ type: 'TasksTakenBack', tasks });
    });
  }

  /** A run has ended. */
  ended(reporter: RunReporter, result: TaskResult): void {
    this.#reporters.remove(reporter);
    this.#options.tellSoon({ type: 'TaskFinished', lease: reporter.lease, result });
  }

  /** Tells the core what a handler says. */
  tell(event: Event): Promise<void> | undefined {
    return this.#options.tell(event);
  }

  /** Tells every handler to stop now. */
  abortAll(): void {
    for (const { run } of this.#reporters) run?.abort(0);
    this.#mainThread.close();
  }
}

/** Passes on what one run says. */
class RunReporter implements RunListener, Link<RunReporter> {
  readonly lease: Lease;
  /** What the core gets back with it when it is taken back; undefined when it cannot be. */
  readonly task: AgentTask | undefined;
  run: TaskRun | undefined;
  next: RunReporter | undefined;
  previous: RunReporter | undefined;
  /** Of a shard. */
  bound: BoundWatch | undefined;
  readonly #shell: TaskShell;
  hasEnded = false;

  constructor(lease: Lease, task: AgentTask | undefined, shell: TaskShell) {
    this.lease = lease;
    this.task = task;
    this.#shell = shell;
  }

  watchBound(scratch: SharedArrayBuffer | undefined): void {
    if (scratch === undefined || this.hasEnded) return;
    this.bound = new BoundWatch(scratch, (distance) => {
      void this.#shell.tell({ type: 'BoundProved', lease: this.lease, distance });
    });
  }

  onBegun(): void {
    this.#shell.begun(this);
  }

  onTurnedOutLong(tookMs: number): void {
    void this.#shell.tell({ type: 'TaskTurnedOutLong', lease: this.lease, tookMs });
  }

  onTakenBack(): void {
    this.hasEnded = true;
    this.bound?.end();
    this.#shell.takenBack(this);
  }

  onProgress(fraction: number, text: string | undefined): void {
    const said = { fraction, ...(text === undefined ? {} : { text }) };
    void this.#shell.tell({ type: 'ProgressReported', lease: this.lease, ...said });
  }

  onChunk(payload: Uint8Array): Promise<void> | undefined {
    return this.#shell.tell({ type: 'ChunkEmitted', lease: this.lease, payload });
  }

  onEnded(result: TaskResult): void {
    this.hasEnded = true;
    this.bound?.end();
    this.#shell.ended(this, result);
  }
}

function isForThread(order: RunOrder<HandlerPlace>): order is RunOrder<string> {
  return typeof order.place === 'string';
}

function isForMainThread(order: RunOrder<HandlerPlace>): order is RunOrder<TaskHandler> {
  return typeof order.place === 'function';
}

async function inputOf(message: MessageOf<'AgentTask'>): Promise<Uint8Array | undefined> {
  return payloadOf(await decoded(message));
}

/** The core asks for known types only; a handler that vanished is a bug and should read as one. */
function missingHandler(taskType: string): TaskHandler {
  return () => {
    throw new Error(`The handler of ${taskType} is gone.`);
  };
}
