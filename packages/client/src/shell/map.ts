/**
 * Many tasks of one type with bounded memory: inputs are pulled only when there is room, results wait only so many.
 * The run works on its own between two pulls of the reader, and stops when what is finished but unread has filled its
 * bound.
 */
import { SwarmError, isSwarmError } from '@quic-swarm/protocol';
import { nextDelayMs } from '@quic-swarm/transport';

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

/** What a run needs of a handle. */
export interface MapHandle {
  readonly id: string;
  result(): Promise<unknown>;
}

/** Options of a {@link MapRun}. */
export interface MapRunOptions {
  readonly submit: (input: unknown, signal: AbortSignal) => Promise<MapHandle>;
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
  /** Cancels what is in flight when the reader leaves, a task fails, or the user's signal is raised. */
  readonly #stop = new AbortController();
  readonly #finished = new Map<number, MapItem>();
  #unfinished = 0;
  /** Tasks that were refused for want of room and wait to be submitted again; no input is pulled meanwhile. */
  #refused = 0;
  #pulled = 0;
  #yielded = 0;
  #isPulling = false;
  #isExhausted = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(inputs: Iterable<unknown> | AsyncIterable<unknown>, options: MapRunOptions) {
    this.#options = options;
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
    const [index] = this.#options.ordered ? [this.#yielded] : this.#finished.keys();
    const item = index === undefined ? undefined : this.#finished.get(index);
    if (item === undefined) return undefined;
    this.#finished.delete(item.index);
    this.#yielded += 1;
    return item;
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
    while (!this.#isPulling && !this.#isExhausted && this.#hasRoom) {
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
    void this.#compute(index, next.value).then((item) => {
      this.#unfinished -= 1;
      if ('error' in item && this.#options.onFailure === 'throw') this.#fail(item.error);
      else this.#finished.set(index, item);
      this.#changed();
    });
  }

  async #compute(index: number, input: unknown): Promise<MapItem> {
    let taskId: string | undefined;
    try {
      const handle = await this.#submit(input);
      taskId = handle.id;
      return { index, taskId, result: await handle.result() };
    } catch (thrown) {
      const error = isSwarmError(thrown)
        ? thrown
        : new SwarmError('INTERNAL', String(thrown), { cause: thrown });
      return { index, error, ...(taskId === undefined ? {} : { taskId }) };
    }
  }

  async #submit(input: unknown): Promise<MapHandle> {
    const { signal } = this.#stop;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#options.submit(input, signal);
      } catch (error) {
        const isForNow = isSwarmError(error) && error.code === 'RESOURCE_EXHAUSTED';
        if (!isForNow || !error.retryable) throw error;
        const ownMs = nextDelayMs(attempt, Math.random(), REFUSED);
        this.#refused += 1;
        await pause(Math.max(error.retryAfterMs ?? 0, ownMs), signal);
        this.#refused -= 1;
        if (signal.aborted) throw error;
      }
    }
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
