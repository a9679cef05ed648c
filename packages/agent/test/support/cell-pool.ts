/** A pool of threads and the shared cells through which a test sees and steers what runs in them. */
import { decodeDocument, encodeDocument } from '@quic-swarm/protocol';
import type { TaskResult } from '../../src/core/events.ts';
import {
  UNKNOWN_SERVICE_TIME,
  withTask,
  type ServiceTime,
} from '../../src/core/thread-batching.ts';
import { WorkerPool } from '../../src/shell/pool.ts';
import type { RunListener, RunOrder, TaskRun } from '../../src/shell/task-run.ts';
import type { CellOrder } from '../workers/cells.ts';
import { DATASET_ID } from './context.ts';
import { workerUrl } from './fixture.ts';

/** More tasks than any of the tests has, and gates behind them. */
const CELLS = 16_384;
const FIRST_GATE = 8192;

/** A run and what it said. */
export interface CellRun extends TaskRun {
  readonly ended: Promise<TaskResult>;
  readonly index: number;
  readonly chunks: unknown[];
  readonly texts: (string | undefined)[];
  /** Undefined until it has ended. */
  readonly result: () => TaskResult | undefined;
  /** How often it was taken back from behind another. */
  readonly takenBack: () => number;
  /** How often its handler was started. */
  readonly starts: () => number;
  /** Resolves when its handler has started. */
  readonly started: () => Promise<void>;
}

/** What a test says of a task. */
export interface CellTask extends Partial<CellOrder> {
  /** Tasks of one type are learned together. @default 'test.cells' */
  readonly taskType?: string;
  /** Answers a chunk. @default takes it at once */
  readonly onChunk?: (payload: Uint8Array) => Promise<void> | undefined;
}

interface Made {
  readonly run: CellRun;
  readonly order: () => RunOrder<string>;
  /** The order was given to the pool. */
  readonly submitted: (run: TaskRun) => void;
}

export class CellPool {
  readonly pool: WorkerPool;
  readonly #times = new Map<string, ServiceTime>();
  readonly cells: Int32Array = new Int32Array(new SharedArrayBuffer(CELLS * 4));
  #lastIndex = 0;
  #lastGate: number = FIRST_GATE;

  constructor(threads: number) {
    this.pool = new WorkerPool(threads);
  }

  run(task: CellTask = {}): CellRun {
    return this.runTogether([task])[0] as CellRun;
  }

  /** Has tasks run one after the other in one thread. */
  runTogether(tasks: readonly CellTask[]): CellRun[] {
    const made = tasks.map((task) => this.#make(task));
    const runs = this.pool.run(made.map(({ order }) => order()));
    for (const [i, run] of runs.entries()) made[i]?.submitted(run);
    return made.map(({ run }) => run);
  }

  #make({ taskType = 'test.cells', onChunk, ...said }: CellTask): Made {
    const index = (this.#lastIndex += 1);
    const order: CellOrder = { do: 'return', ...said, index };
    const chunks: unknown[] = [];
    const texts: (string | undefined)[] = [];
    const buffer = this.cells.buffer as SharedArrayBuffer;
    const task = {
      taskId: `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`,
      taskType,
      attempt: 1,
      payload: encodeDocument(order),
      arm: undefined,
      datasets: [{ datasetId: DATASET_ID, mediaType: 'cells', buffer }],
    };
    let result: TaskResult | undefined;
    let run: TaskRun | undefined;
    let takenBack = 0;
    let settle: (result: TaskResult) => void = () => {};
    const ended = new Promise<TaskResult>((resolve) => {
      settle = resolve;
    });
    const learn = (tookMs: number | undefined): void => {
      if (tookMs === undefined) return;
      this.#times.set(taskType, withTask(this.#timeOf(taskType), tookMs));
    };
    const listener: RunListener = {
      onBegun: () => {},
      onTurnedOutLong: learn,
      onTakenBack: () => {
        takenBack += 1;
        // What the core does with it when a slot is free.
        queueMicrotask(submit);
      },
      onProgress: (_fraction, text) => texts.push(text),
      onChunk: (payload) => {
        if (result !== undefined) throw new Error(`task ${index} emitted after its end`);
        chunks.push(decodeDocument(payload));
        return onChunk?.(payload);
      },
      onEnded: (value) => {
        if (result !== undefined) throw new Error(`task ${index} ended twice`);
        result = value;
        learn(value.serviceMs);
        settle(value);
      },
    };
    let isAborted = false;
    const place = workerUrl('cells').href;
    const newOrder = (): RunOrder<string> => {
      return { task, place, serviceTime: this.#timeOf(taskType), listener };
    };
    const submit = (): void => {
      if (isAborted) listener.onEnded({ outcome: 'cancelled', computeMs: 0, usedArm: false });
      else [run] = this.pool.run([newOrder()]);
    };
    const cellRun: CellRun = {
      index,
      chunks,
      texts,
      ended,
      abort: (graceMs) => {
        isAborted = true;
        run?.abort(graceMs);
      },
      takenBack: () => takenBack,
      result: () => result,
      starts: () => Atomics.load(this.cells, index),
      started: async () => {
        // The cells are not events; between two looks everything else goes on.
        while (Atomics.load(this.cells, index) === 0) await new Promise(setImmediate);
      },
    };
    return { run: cellRun, order: newOrder, submitted: (submitted) => (run = submitted) };
  }

  #timeOf(taskType: string): ServiceTime {
    return this.#times.get(taskType) ?? UNKNOWN_SERVICE_TIME;
  }

  newGate(): number {
    return (this.#lastGate += 1);
  }

  open(gate: number): void {
    Atomics.store(this.cells, gate, 1);
    Atomics.notify(this.cells, gate);
  }

  /** Lets it be learned that tasks of the type are small. */
  async teach(taskType = 'test.cells'): Promise<void> {
    for (let task = 0; task < 40; task += 1) await this.run({ taskType }).ended;
  }

  /**
   * Makes every thread busy, lets `submit` queue tasks, and frees one thread, which takes as many of them as it may.
   * Resolves with what `submit` returned and the gates of the threads that are still busy.
   */
  async together<T>(threads: number, submit: () => T): Promise<{ runs: T; gates: number[] }> {
    const gates = Array.from({ length: threads }, () => this.newGate());
    const blockers = gates.map((gate) => this.run({ do: 'hold', gate, taskType: 'test.blocker' }));
    for (const blocker of blockers) await blocker.started();
    const runs = submit();
    const [first = 0, ...others] = gates;
    this.open(first);
    await blockers[0]?.ended;
    return { runs, gates: others };
  }
}

/** The value that a run returned. */
export function valueOf(result: TaskResult | undefined): unknown {
  return result?.payload === undefined ? undefined : decodeDocument(result.payload);
}
