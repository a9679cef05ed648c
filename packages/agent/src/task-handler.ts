/** What a handler is and what it is given. The types that a user of the package writes code against. */
import type { Alternative, Arm, Loss, Prediction, Shard, Table } from '@quic-swarm/protocol';

/**
 * Computes a task: takes the decoded input, returns (or resolves with) the result, throws to fail. What it returns must
 * be a document: plain objects, arrays, strings, numbers, booleans, null, byte strings, typed arrays; or nothing.
 *
 * A thrown error fails the attempt, which is tried again unless the error has `retryable: false`.
 */
export type TaskHandler<I = unknown, O = unknown> = (
  input: I,
  context: TaskContext,
) => O | Promise<O>;

/** What a handler knows of its task, and how it speaks while it runs. */
export interface TaskContext {
  readonly taskId: string;
  readonly taskType: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /**
   * Raised when the task should stop; needs the event loop of the thread, so it suits asynchronous handlers. It may be
   * raised already when the handler starts.
   */
  readonly signal: AbortSignal;
  /**
   * True when the task should stop; works in synchronous loops and costs a few nanoseconds. A handler that has seen
   * `true` here (or `signal` raised) counts as stopped, whatever it returns after that.
   */
  readonly isCancelled: () => boolean;
  /** Tells how far the handler is, from 0 to 1. At most ten a second travel; the rest is dropped. */
  readonly progress: (fraction: number, text?: string) => void;
  /**
   * Sends a part of the result ahead. Parts arrive in order. In a worker thread it blocks while too many parts wait to
   * be sent, so that a fast handler cannot fill the memory.
   */
  readonly emit: (value: unknown) => void;
  /** The data sets that the task names, by id. */
  readonly datasets: ReadonlyMap<string, DatasetView>;
  /** What the tasks returned that this one was submitted `after`, in that order; decoded when looked at. */
  readonly results: readonly unknown[];
  /** The part that this task is, when it was submitted with `shards`; undefined when it is the whole. */
  readonly shard: Shard | undefined;
  /**
   * The parameters to compute with: what the coordinator chose for this attempt, or what it has suggested for all tasks of
   * the type; undefined when there is neither. Looking at them says that they were used.
   */
  readonly arm: Arm | undefined;
  /** Says which parameters it computed with, where they are not those of `arm`, perhaps because the input fixes some. */
  readonly ranWith: (arm: Readonly<Arm>) => void;
  /**
   * Says what it forecasts, so that it can be learnt from when the outcome is known; and what it would have forecast with
   * other arms, at most 64, where the computation has yielded that anyway. Of several calls the last one counts, and of a
   * handler that fails none. Throws TASK_FAILED, not to be tried again, when a number is not finite.
   */
  readonly predict: (
    prediction: Readonly<Prediction>,
    alternatives?: readonly Readonly<Alternative>[],
  ) => void;
}

/** What may be tuned in a handler. */
export interface TunableParameters {
  /** The arms to choose from: 2 to 64 different ones with the same names. The first is what the handler does when it is
   *  told nothing. */
  readonly arms: readonly Readonly<Arm>[];
  /** Parameters whose other values come free: computing an arm yields the forecasts of all that differ from it in these
   *  alone, and the handler tells them as alternatives. @default none */
  readonly freeParameters?: readonly string[];
  /** How a forecast and what came of it make a loss: (mean − actual)², |mean − actual|, or (probability − actual)².
   *  @default 'squared' */
  readonly loss?: Loss;
}

/** What else there is to say of a handler. */
export interface HandleOptions {
  /** @default nothing */
  readonly tunable?: TunableParameters | undefined;
}

/** A data set in memory that all threads of the agent share. Treat it as read-only. */
export interface DatasetView {
  /** `sha256:` and the hash of the bytes. */
  readonly datasetId: string;
  readonly mediaType: string;
  /** Lie in a SharedArrayBuffer. */
  readonly bytes: Uint8Array;
  /** The bytes as columns, in place; throws DATASET_CORRUPT when they are no table. */
  table(): Table;
}
