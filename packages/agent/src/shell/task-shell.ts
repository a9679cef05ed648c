/** The shell's side of tasks: data sets into memory, handlers to run, handlers to stop. */
import {
  encodingOf,
  payloadOf,
  toFailure,
  type AgentTask,
  type Lease,
  type MessageOf,
} from '@quic-swarm/protocol';
import { decoded } from '@quic-swarm/transport';
import { Chain, type Link } from '../core/chain.ts';
import type { Event, TaskResult } from '../core/events.ts';
import type { TaskHandler } from '../task-handler.ts';
import type { DatasetCache } from './dataset-cache.ts';
import { runDecoded } from './decoded-run.ts';
import { MainThread } from './main-thread.ts';
import type { WorkerPool } from './pool.ts';
import { ScratchMemories } from './scratch-memories.ts';
import type { RunListener, TaskRun } from './task-run.ts';
import type { HandlerTask, SharedDataset } from './thread-messages.ts';

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

  /** Starts the handler. */
  run(lease: Lease, task: AgentTask): void {
    const reporter = new RunReporter(lease, this);
    this.#reporters.add(reporter);
    const message = { type: 'AgentTask', body: task } as const;
    reporter.run =
      encodingOf(message) === undefined
        ? this.#start(reporter, task, task.payload)
        : runDecoded(inputOf(message), (payload) => this.#start(reporter, task, payload), reporter);
  }

  #start(reporter: RunReporter, task: AgentTask, payload: Uint8Array | undefined): TaskRun {
    const { pool, handlers } = this.#options;
    const { taskId, taskType, attempt, arm, shard } = task;
    const datasets = this.#pins.get(reporter.lease) ?? NO_DATASETS;
    const split =
      shard === undefined ? undefined : { shard, scratch: this.#scratch.of(task.epoch, shard.of) };
    const handlerTask: HandlerTask = { taskId, taskType, attempt, payload, arm, datasets, split };
    const place = handlers.get(taskType) ?? missingHandler(taskType);
    if (typeof place === 'function') return this.#mainThread.run(handlerTask, place, reporter);
    const run = pool.run(handlerTask, place, reporter);
    this.begun(reporter);
    return run;
  }

  /** Tells the handler to stop. */
  abort(lease: Lease, graceMs: number): void {
    // Few tasks are stopped, so that it costs less to look for those than to file all.
    for (const reporter of this.#reporters) {
      if (reporter.lease === lease) {
        reporter.run?.abort(graceMs);
        return;
      }
    }
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

  /** A run has ended. */
  ended(reporter: RunReporter, result: TaskResult): void {
    this.#reporters.delete(reporter);
    this.#options.tellSoon({ type: 'TaskFinished', lease: reporter.lease, result });
  }

  /** Tells the core what a handler says. */
  tell(event: Event): Promise<void> | undefined {
    return this.#options.tell(event);
  }

  /** Tells every handler to stop now. */
  abortAll(): void {
    for (const { run } of this.#reporters) run?.abort(0);
  }
}

/** Passes on what one run says. */
class RunReporter implements RunListener, Link<RunReporter> {
  readonly lease: Lease;
  run: TaskRun | undefined;
  before: RunReporter | undefined;
  after: RunReporter | undefined;
  readonly #shell: TaskShell;
  hasEnded = false;

  constructor(lease: Lease, shell: TaskShell) {
    this.lease = lease;
    this.#shell = shell;
  }

  onBegun(): void {
    this.#shell.begun(this);
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
    this.#shell.ended(this, result);
  }
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
