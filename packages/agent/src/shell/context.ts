/** The context that a handler is given, in a worker thread and on the main thread alike. */
import {
  SwarmError,
  decodeDocument,
  decodeTable,
  encodeDocument,
  taskIdOfResult,
  type Arm,
  type Shard,
  type Table,
} from '@quic-swarm/protocol';
import type { Findings } from '../core/events.ts';
import type { DatasetView } from '../task-handler.ts';
import { requireAlternatives, requireArm, requirePrediction } from './findings.ts';
import { HelperParts, type HelperContext, type Team } from './team.ts';
import type { HandlerTask, SharedDataset, SplitTask } from './thread-messages.ts';

/** Progress closer together than this is dropped where it arises: about ten a second are as many as a person sees. */
const PROGRESS_INTERVAL_MS = 100;
const TEXT_LENGTH_MAX = 4096;

/** How a context learns that its task should stop. */
export interface Cancellation {
  isRequested(): boolean;
  /** Calls once, when it is requested; needs the event loop. */
  onRequested(callback: () => void): void;
}

/** Where a context's words go. */
export interface ContextOutlet {
  progress(fraction: number, text: string | undefined): void;
  /** Takes ownership of the bytes. May block the thread. */
  chunk(payload: Uint8Array): void;
}

/** The context of one run, and what the run's end needs to know of it. */
export class HandlerContext implements HelperContext {
  readonly taskId: string;
  readonly taskType: string;
  readonly attempt: number;
  readonly #sharedDatasets: readonly SharedDataset[];
  readonly #arm: Arm | undefined;
  readonly #split: SplitTask | undefined;
  readonly #makeTeam: () => Team | undefined;
  readonly #cancellation: Cancellation;
  readonly #outlet: ContextOutlet;
  // Most handlers ask for little of this, and each costs more than a short handler: it is made when it is asked for.
  #datasets: ReadonlyMap<string, DatasetView> | undefined;
  #results: readonly unknown[] | undefined;
  #controller: AbortController | undefined;
  #isCancelled: (() => boolean) | undefined;
  #progress: ((fraction: number, text?: string) => void) | undefined;
  #emit: ((value: unknown) => void) | undefined;
  #predict: HelperContext['predict'] | undefined;
  #ranWith: HelperContext['ranWith'] | undefined;
  #lastProgressMs = -Infinity;
  /** The handler has noticed that it should stop. */
  sawCancellation = false;
  /** The handler has looked at the arm. */
  usedArm = false;
  /** What the handler has said for the learner. */
  findings: Findings | undefined;
  chunkCount = 0;

  /** @param makeTeam makes the threads that may help; without it there are none */
  constructor(
    task: HandlerTask,
    cancellation: Cancellation,
    outlet: ContextOutlet,
    makeTeam: () => Team | undefined = () => undefined,
  ) {
    this.taskId = task.taskId;
    this.taskType = task.taskType;
    this.attempt = task.attempt;
    this.#sharedDatasets = task.datasets;
    this.#arm = task.arm;
    this.#split = task.split;
    this.#makeTeam = makeTeam;
    this.#cancellation = cancellation;
    this.#outlet = outlet;
  }

  get arm(): Arm | undefined {
    this.usedArm = true;
    return this.#arm;
  }

  get shard(): Shard | undefined {
    return this.#split?.shard;
  }

  get scratch(): SharedArrayBuffer | undefined {
    return this.#split?.scratch;
  }

  get team(): Team | undefined {
    return this.#makeTeam();
  }

  get parts(): HelperParts {
    const help = this.#split?.help;
    if (help === undefined) throw new Error('This run helps nobody.');
    return new HelperParts(help);
  }

  get datasets(): ReadonlyMap<string, DatasetView> {
    this.#datasets ??= new Map(
      this.#sharedDatasets
        .filter(({ datasetId }) => taskIdOfResult(datasetId) === undefined)
        .map((shared) => [shared.datasetId, viewOf(shared)]),
    );
    return this.#datasets;
  }

  get results(): readonly unknown[] {
    this.#results ??= this.#sharedDatasets
      .filter(({ datasetId }) => taskIdOfResult(datasetId) !== undefined)
      // What is decoded refers to its bytes, and nobody may change what other threads read.
      .map(({ buffer }) => decodeDocument(new Uint8Array(buffer).slice()));
    return this.#results;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      if (this.#cancellation.isRequested()) this.#raise(controller);
      else this.#cancellation.onRequested(() => this.#raise(controller));
    }
    return this.#controller.signal;
  }

  // The functions are bound, so that a handler may take the context apart: `(input, { emit, progress }) => …`.
  get isCancelled(): () => boolean {
    return (this.#isCancelled ??= () => {
      if (!this.#cancellation.isRequested()) return false;
      this.sawCancellation = true;
      return true;
    });
  }

  get progress(): (fraction: number, text?: string) => void {
    return (this.#progress ??= (fraction, text) => this.#reportProgress(fraction, text));
  }

  get emit(): (value: unknown) => void {
    return (this.#emit ??= (value) => {
      const payload = ownBytesOf(encodeDocument(value));
      this.chunkCount += 1;
      this.#outlet.chunk(payload);
    });
  }

  get predict(): HelperContext['predict'] {
    return (this.#predict ??= (prediction, alternatives) => {
      // Both are checked before either counts.
      const predicted = requirePrediction(prediction);
      const others =
        alternatives === undefined ? {} : { alternatives: requireAlternatives(alternatives) };
      const { ranWith } = this.findings ?? {};
      this.findings = { ...(ranWith === undefined ? {} : { ranWith }), predicted, ...others };
    });
  }

  get ranWith(): HelperContext['ranWith'] {
    return (this.#ranWith ??= (arm) => {
      this.findings = { ...this.findings, ranWith: requireArm(arm) };
    });
  }

  #reportProgress(fraction: number, text: string | undefined): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastProgressMs < PROGRESS_INTERVAL_MS && fraction < 1) return;
    this.#lastProgressMs = nowMs;
    // A handler that divides by zero rows should not fail for it.
    const bounded = Number.isNaN(fraction) ? 0 : Math.min(1, Math.max(0, fraction));
    this.#outlet.progress(bounded, text?.slice(0, TEXT_LENGTH_MAX));
  }

  #raise(controller: AbortController): void {
    this.sawCancellation = true;
    controller.abort(new SwarmError('TASK_CANCELLED', 'The task should stop.'));
  }
}

/** Bytes in a buffer of their own, which can be transferred: the encoder hands out parts of a larger one. */
export function ownBytesOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

function viewOf({ datasetId, mediaType, buffer }: SharedDataset): DatasetView {
  const bytes = new Uint8Array(buffer);
  let table: Table | undefined;
  return {
    datasetId,
    mediaType,
    bytes,
    table: () => (table ??= decodeTable(bytes)),
  };
}
