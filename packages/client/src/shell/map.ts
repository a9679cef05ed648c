/**
 * Many tasks of one type with bounded memory: inputs are pulled only when there is room, results wait only so many.
 * The run works on its own between two pulls of the reader, and stops when what is finished but unread has filled its
 * bound.
 */
import { SwarmError, isSwarmError } from '@quic-swarm/protocol';
import { nextDelayMs } from '@quic-swarm/transport';
import { ChurningMap } from '../core/churning-map.ts';
import type { Submitter } from './submit-request.ts';
import type { EndListener, TaskMirror } from './task-mirror.ts';

/** The pauses before a refused submission is repeated, unless the coordinator names one. */
const REFUSED = { initialMs: 20, factor: 2, maxMs: 2000 };

/** One finished task of a `map`. */
export interface MapSuccess<Result = unknown> {
  /** The position of its input, from 0. */
  readonly index: number;
  readonly taskId: string;
  readonly result: Result;
}

/** One failed task of a `map` with `onFailure: 'yield'`. */
export interface MapFailure {
  readonly index: number;
  /** Absent when the task was not accepted. */
  readonly taskId?: string;
  readonly error: SwarmError;
}

/** Either; `'error' in item` tells them apart. */
export type MapItem<Result = unknown> = MapSuccess<Result> | MapFailure;

/** Options of a {@link MapRun}. */
export interface MapRunOptions {
  /** Submits one task and tells the submitter how that went, perhaps before this returns; may throw instead. */
  readonly submit: (input: unknown, submitter: Submitter) => void;
  /** Raised when the reader leaves, a task fails, or the user's signal is raised: cancels the tasks in flight. */
  readonly stop: AbortController;
  readonly concurrency: number;
  readonly ordered: boolean;
  readonly onFailure: 'throw' | 'yield';
  readonly signal: AbortSignal | undefined;
}

type Source = Iterator<unknown, unknown> | AsyncIterator<unknown, unknown>;

/** One call of `map`. Iterate it once. */
export class MapRun {
  readonly #options: MapRunOptions;
  readonly #source: Source;
  readonly #stop: AbortController;
  readonly #finished = new ChurningMap<number, MapItem>();
  #unfinished = 0;
  /** Tasks that were refused for want of room and wait to be submitted again; no input is pulled meanwhile. */
  #refused = 0;
  #pulled = 0;
  #yielded = 0;
  #isPulling = false;
  #isChangeDue = false;
  #isExhausted = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(inputs: Iterable<unknown> | AsyncIterable<unknown>, options: MapRunOptions) {
    this.#options = options;
    this.#stop = options.stop;
    this.#source =
      Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]();
  }

  /** The items. Leaving the loop early, or an error, cancels what is in flight and ends the inputs. */
  async *items(): AsyncGenerator<MapItem, void, undefined> {
    const { signal } = this.#options;
    const onAbort = (): void => {
      this.#fail(aborted(signal?.reason));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      for (;;) {
        this.#pull();
        if (this.#failure !== undefined) throw this.#failure.error;
        const item = this.#take();
        if (item !== undefined) {
          yield item;
        } else if (this.#isExhausted && this.#unfinished === 0) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#end();
    }
  }

  #take(): MapItem | undefined {
    const item = this.#options.ordered ? this.#finished.get(this.#yielded) : this.#anyFinished();
    if (item === undefined) return undefined;
    this.#finished.delete(item.index);
    this.#yielded += 1;
    return item;
  }

  #anyFinished(): MapItem | undefined {
    for (const item of this.#finished.values()) return item;
    return undefined;
  }

  get #hasRoom(): boolean {
    const { concurrency } = this.#options;
    return (
      this.#refused === 0 &&
      this.#unfinished < concurrency &&
      // In order, one slow task would otherwise let any number of finished ones pile up behind it.
      this.#pulled - this.#yielded < 2 * concurrency
    );
  }

  #pull(): void {
    while (!this.#isPulling && !this.#isExhausted && this.#hasRoom && this.#failure === undefined) {
      let next: ReturnType<Source['next']>;
      try {
        next = this.#source.next();
      } catch (error) {
        this.#isExhausted = true;
        this.#fail(error);
        return;
      }
      if (!(next instanceof Promise)) {
        this.#onInput(next);
        continue;
      }
      this.#isPulling = true;
      void next.then(
        (input) => {
          this.#isPulling = false;
          this.#onInput(input);
          this.#changed();
        },
        (error: unknown) => {
          this.#isPulling = false;
          this.#isExhausted = true;
          this.#fail(error);
        },
      );
    }
  }

  #onInput(next: IteratorResult<unknown, unknown>): void {
    if (this.#stop.signal.aborted) return;
    if (next.done === true) {
      this.#isExhausted = true;
      return;
    }
    const index = this.#pulled;
    this.#pulled += 1;
    this.#unfinished += 1;
    this.#submit(new MapEntry(index, next.value, this));
  }

  #submit(entry: MapEntry): void {
    try {
      this.#options.submit(entry.input, entry);
    } catch (thrown) {
      entry.taskRefused(swarmErrorOf(thrown));
    }
  }

  /** Submits the task again when there may be room, unless the run was stopped meanwhile. */
  async submitLater(entry: MapEntry, error: SwarmError, attempt: number): Promise<void> {
    const { signal } = this.#stop;
    const ownMs = nextDelayMs(attempt, Math.random(), REFUSED);
    this.#refused += 1;
    await pause(Math.max(error.retryAfterMs ?? 0, ownMs), signal);
    this.#refused -= 1;
    if (signal.aborted) this.finished({ index: entry.index, error });
    else this.#submit(entry);
  }

  /** One task is over, or was refused for good. */
  finished(item: MapItem): void {
    this.#unfinished -= 1;
    if ('error' in item && this.#options.onFailure === 'throw') this.#failure ??= item;
    else this.#finished.set(item.index, item);
    if (this.#isChangeDue) return;
    // This is called while messages are read: the user's inputs are pulled afterwards, once for all tasks that ended.
    this.#isChangeDue = true;
    queueMicrotask(() => {
      this.#isChangeDue = false;
      this.#changed();
    });
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#changed();
  }

  #changed(): void {
    // Works on while the reader is busy with an item.
    if (this.#failure === undefined && !this.#stop.signal.aborted) this.#pull();
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #end(): void {
    this.#stop.abort();
    this.#finished.clear();
    if (this.#isExhausted) return;
    this.#isExhausted = true;
    // An input that is still being waited for would hold up the loop that was just left, so this is not awaited.
    void Promise.resolve(this.#return()).catch(() => {});
  }

  async #return(): Promise<void> {
    await this.#source.return?.();
  }
}

/** One input of a run, from its submission to its end. */
class MapEntry implements Submitter, EndListener {
  readonly index: number;
  readonly input: unknown;
  readonly #run: MapRun;
  #refusals = 0;

  constructor(index: number, input: unknown, run: MapRun) {
    this.index = index;
    this.input = input;
    this.#run = run;
  }

  taskAccepted(mirror: TaskMirror): void {
    mirror.whenOver(this);
  }

  taskRefused(error: SwarmError): void {
    const isForNow = error.code === 'RESOURCE_EXHAUSTED' && error.retryable;
    if (!isForNow) {
      this.#run.finished({ index: this.index, error });
      return;
    }
    void this.#run.submitLater(this, error, this.#refusals);
    this.#refusals += 1;
  }

  taskOver(mirror: TaskMirror): void {
    const { index } = this;
    const taskId = mirror.id;
    try {
      const { state, result, error } = mirror.outcomeNow();
      if (state !== 'succeeded') throw error as SwarmError;
      this.#run.finished({ index, taskId, result });
    } catch (thrown) {
      this.#run.finished({ index, taskId, error: swarmErrorOf(thrown) });
    }
  }
}

function swarmErrorOf(thrown: unknown): SwarmError {
  return isSwarmError(thrown)
    ? thrown
    : new SwarmError('INTERNAL', String(thrown), { cause: thrown });
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, delayMs);
    if (signal.aborted) finish();
    else signal.addEventListener('abort', finish);
  });
}

function aborted(reason: unknown): SwarmError {
  return new SwarmError('TASK_CANCELLED', 'The map was aborted.', { cause: reason });
}
