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
import type { Event } from '../core/events.ts';
import { leaseKeyOf } from '../core/leases.ts';
import type { TaskHandler } from '../task-handler.ts';
import type { DatasetCache } from './dataset-cache.ts';
import { runDecoded } from './decoded-run.ts';
import type { WorkerPool } from './pool.ts';
import { runOnMainThread, type RunListener, type TaskRun } from './task-run.ts';
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
}

/** Runs what the core's effects ask for. */
export class TaskShell {
  readonly #options: TaskShellOptions;
  readonly #runs: Map<string, TaskRun> = new Map();
  /** Data sets that were acquired for a lease, or are being acquired. */
  readonly #pins: Map<string, SharedDataset[]> = new Map();

  constructor(options: TaskShellOptions) {
    this.#options = options;
  }

  /** Brings the data sets of a lease into memory. */
  fetch(lease: Lease, datasets: readonly string[]): void {
    const { cache, tell } = this.#options;
    const key = leaseKeyOf(lease);
    const pins: SharedDataset[] = [];
    this.#pins.set(key, pins);
    const acquired = datasets.map(async (datasetId) => {
      const dataset = await cache.acquire(datasetId);
      // The lease was given up meanwhile, or another data set of it failed.
      if (this.#pins.get(key) === pins) pins.push(dataset);
      else cache.release(datasetId);
    });
    Promise.all(acquired).then(
      () => {
        if (this.#pins.get(key) === pins) void tell({ type: 'DatasetsReady', lease });
      },
      (error: unknown) => {
        if (this.#pins.get(key) !== pins) return;
        this.release(lease);
        void tell({ type: 'DatasetsFailed', lease, failure: toFailure(error, 'INTERNAL') });
      },
    );
  }

  /** Lets go of the data sets of a lease. */
  release(lease: Lease): void {
    const key = leaseKeyOf(lease);
    const pins = this.#pins.get(key) ?? [];
    this.#pins.delete(key);
    for (const { datasetId } of pins) this.#options.cache.release(datasetId);
  }

  /** Starts the handler. */
  run(task: AgentTask): void {
    const { pool, handlers, tell } = this.#options;
    const { epoch, taskId, attempt, taskType, payload, arm } = task;
    const lease: Lease = { epoch, taskId, attempt };
    const key = leaseKeyOf(lease);
    const datasets = this.#pins.get(key) ?? [];
    const listener: RunListener = {
      onProgress: (fraction, text) => {
        const said = { fraction, ...(text === undefined ? {} : { text }) };
        void tell({ type: 'ProgressReported', lease, ...said });
      },
      onChunk: (bytes) => tell({ type: 'ChunkEmitted', lease, payload: bytes }),
    };
    const place = handlers.get(taskType) ?? missingHandler(taskType);
    const start = (input: Uint8Array | undefined): TaskRun => {
      const handlerTask: HandlerTask = { taskId, taskType, attempt, payload: input, arm, datasets };
      return typeof place === 'string'
        ? pool.run(handlerTask, place, listener)
        : runOnMainThread(handlerTask, place, listener);
    };
    const message = { type: 'AgentTask', body: task } as const;
    const run =
      encodingOf(message) === undefined ? start(payload) : runDecoded(inputOf(message), start);
    this.#runs.set(key, run);
    void run.ended.then((result) => {
      this.#runs.delete(key);
      void tell({ type: 'TaskFinished', lease, result });
    });
  }

  /** Tells the handler to stop. */
  abort(lease: Lease, graceMs: number): void {
    this.#runs.get(leaseKeyOf(lease))?.abort(graceMs);
  }

  /** Tells every handler to stop now. */
  abortAll(): void {
    for (const run of this.#runs.values()) run.abort(0);
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
