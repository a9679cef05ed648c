/** The {@link Store} over any {@link Engine}: decides on each call at once and in order, and answers when it is durable. */
import { isSwarmError, SwarmError } from '@quic-swarm/protocol';
import type { JournalEntry, KeyChange, Store, StoredSnapshot, StoreNotice } from './contract.ts';
import type { Engine } from './engine.ts';
import { badOption, closedError, tooLarge } from './failures.ts';
import { GroupWriter, type Change } from './group-writer.ts';
import { EPOCH_MAX } from './journal/chunk.ts';
import { readJournal } from './journal/reader.ts';
import { checkPair, EPOCH_KEY, type KeyValues } from './key-values.ts';
import { APPEND_BYTES_MAX } from './limits.ts';
import { recover, type Recovered } from './recovery.ts';
import { Snapshots } from './snapshots.ts';

/** What every store of this package can be opened with. */
export interface StoreOptions {
  /** Called while the store is opened, with what was found and did not keep it from opening. @default not called */
  readonly onNotice?: (notice: StoreNotice) => void;
}

/**
 * Checks what an engine holds and opens it. Closes the engine where that fails.
 *
 * @throws STORE_CORRUPT, STORE_TOO_NEW, STORE_FULL or STORE_FAILED
 */
export async function openStore(engine: Engine, options: StoreOptions): Promise<Store> {
  try {
    const recovered = await recover(engine);
    if (recovered.notice !== undefined) options.onNotice?.(recovered.notice);
    return new EngineStore(engine, recovered);
  } catch (error) {
    await engine.close();
    throw asFailure(error);
  }
}

class EngineStore implements Store {
  readonly closed: Promise<SwarmError | undefined>;
  readonly #engine: Engine;
  readonly #keyValues: KeyValues;
  readonly #writer: GroupWriter;
  readonly #snapshots: Snapshots;
  /** The last entry when everything that was called is durable. */
  #calledSequence: number;
  #settleClosed: (error: SwarmError | undefined) => void = () => undefined;
  /** What later calls reject with: set by the first error, or by `close`. */
  #ending: SwarmError | undefined;
  #isFinishing = false;

  constructor(engine: Engine, { keyValues, lastSequence }: Recovered) {
    this.#engine = engine;
    this.#keyValues = keyValues;
    this.#calledSequence = lastSequence;
    this.#writer = new GroupWriter(engine, lastSequence, (error) => this.#fail(error));
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.#snapshots = new Snapshots({
      engine,
      keyValues,
      lastSequenceNow: () => this.lastSequence,
      write: async (operations) => this.#write({ operations }),
      set: async (key, value) => this.#set(key, value),
    });
  }

  get lastSequence(): number {
    return this.#writer.lastSequence;
  }

  async append(epoch: number, payloads: readonly Uint8Array[]): Promise<number> {
    this.#check();
    this.#checkEpoch(epoch);
    let bytes = 0;
    for (const { length } of payloads) bytes += length;
    if (bytes > APPEND_BYTES_MAX) throw tooLarge('An append', bytes, APPEND_BYTES_MAX);
    this.#calledSequence += payloads.length;
    const sequence = this.#calledSequence;
    await this.#write({ run: { epoch, payloads }, bytes });
    return sequence;
  }

  async raiseEpoch(): Promise<number> {
    for (;;) {
      this.#check();
      const before = this.#keyValues.called(EPOCH_KEY);
      const epoch = Number(before?.toString() ?? 0) + 1;
      if (await this.#compareAndSet(EPOCH_KEY, before, Buffer.from(String(epoch)))) return epoch;
    }
  }

  tail(fromSequence: number): AsyncIterable<JournalEntry> {
    this.#check();
    if (!Number.isSafeInteger(fromSequence) || fromSequence < 1) {
      throw badOption(`The journal cannot be read from entry ${fromSequence}: the first is 1.`);
    }
    this.#checkNotForgotten(fromSequence);
    const to = this.lastSequence;
    return { [Symbol.asyncIterator]: () => this.#tail(fromSequence, to) };
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#check();
    checkPair(key, undefined);
    return this.#keyValues.durable(key);
  }

  async put(key: string, value: Uint8Array | undefined): Promise<void> {
    this.#check();
    checkPair(key, value);
    await this.#set(key, value);
  }

  async compareAndSet(
    key: string,
    expected: Uint8Array | undefined,
    value: Uint8Array | undefined,
  ): Promise<boolean> {
    this.#check();
    checkPair(key, value);
    return this.#compareAndSet(key, expected, value);
  }

  watch(prefix: string, listener: (change: KeyChange) => void): () => void {
    this.#check();
    return this.#keyValues.watch(prefix, listener);
  }

  async snapshot(
    sequence: number,
    pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    this.#check();
    await this.#guarded(async () => this.#snapshots.save(sequence, pieces));
  }

  async latestSnapshot(): Promise<StoredSnapshot | undefined> {
    this.#check();
    const snapshot = this.#snapshots.latest();
    if (snapshot === undefined) return undefined;
    const { sequence, pieces } = snapshot;
    return { sequence, pieces: { [Symbol.asyncIterator]: () => this.#guardedSteps(pieces) } };
  }

  async close(): Promise<void> {
    if (this.#ending === undefined) {
      this.#ending = closedError();
      void this.#finish();
    }
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#tail(from: number, to: number): AsyncGenerator<JournalEntry> {
    this.#check();
    try {
      for await (const entries of readJournal(this.#engine, from, to)) yield* entries;
    } catch (error) {
      this.#checkNotForgotten(from);
      throw this.#readingFailed(error);
    }
  }

  async #compareAndSet(
    key: string,
    expected: Uint8Array | undefined,
    value: Uint8Array | undefined,
  ): Promise<boolean> {
    const current = this.#keyValues.called(key);
    const isExpected =
      current === undefined || expected === undefined
        ? current === expected
        : current.equals(expected);
    if (isExpected) {
      await this.#set(key, value);
      return true;
    }
    // The answer rests on a change that may not be durable yet: it must not be known before.
    await this.#write({});
    return false;
  }

  async #set(key: string, value: Uint8Array | undefined): Promise<void> {
    const operation = this.#keyValues.change(key, value);
    await this.#write({
      operations: [operation],
      onDurable: () => {
        this.#keyValues.show(key, operation.value);
      },
    });
  }

  /** Everything that is written goes through here, with the state that holds once it is. */
  async #write(change: Partial<Omit<Change, 'state'>>): Promise<void> {
    this.#check();
    const { keyCount, checksumSum } = this.#keyValues;
    const operations = change.operations ?? [];
    const bytes = operations.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    await this.#writer.write({
      bytes,
      ...change,
      state: { lastSequence: this.#calledSequence, keyCount, checksumSum },
    });
  }

  #check(): void {
    if (this.#ending !== undefined) throw this.#ending;
  }

  #checkEpoch(epoch: number): void {
    const highest = Number(this.#keyValues.called(EPOCH_KEY)?.toString() ?? 0);
    if (epoch === highest && epoch > 0) return;
    if (Number.isInteger(epoch) && epoch > 0 && epoch < highest) {
      throw new SwarmError(
        'STORE_FENCED',
        `Epoch ${epoch} is over: epoch ${highest} has begun, so another writer has taken over.`,
        { hint: 'Stop this one, or raise the epoch and read the journal again.' },
      );
    }
    throw badOption(
      `Epoch ${epoch} has not begun; the highest one is ${highest}, at most ${EPOCH_MAX}.`,
      'Append with the number that raiseEpoch returned.',
    );
  }

  #checkNotForgotten(fromSequence: number): void {
    const snapshotSequence = this.#snapshots.current?.sequence ?? 0;
    if (fromSequence > snapshotSequence) return;
    throw badOption(
      `Entry ${fromSequence} is in the snapshot after entry ${snapshotSequence} and no longer in the journal.`,
      `Read the latest snapshot, then the journal from entry ${snapshotSequence + 1}.`,
    );
  }

  /** Ends everything because of an error; returns what others get to see of it. */
  #fail(error: unknown): SwarmError {
    const failure = asFailure(error);
    if (this.#ending === undefined || this.#ending.type === 'CLOSED') {
      this.#ending = failure;
      this.#writer.abandon(failure);
      void this.#finish();
    }
    return failure;
  }

  /** Releases the engine, once the last write has settled. */
  async #finish(): Promise<void> {
    if (this.#isFinishing) return;
    this.#isFinishing = true;
    await this.#writer.drained();
    this.#keyValues.dismiss();
    await this.#engine.close();
    this.#settleClosed(this.#ending?.type === 'CLOSED' ? undefined : this.#ending);
  }

  /** An error of the engine while reading ends the store as one while writing does. */
  #readingFailed(error: unknown): unknown {
    if (this.#ending !== undefined) return this.#ending;
    return isSwarmError(error) && STORE_ENDS_WITH.has(error.type) ? this.#fail(error) : error;
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw this.#readingFailed(error);
    }
  }

  async *#guardedSteps<T>(steps: AsyncIterable<T>): AsyncGenerator<T> {
    this.#check();
    try {
      yield* steps;
    } catch (error) {
      throw this.#readingFailed(error);
    }
  }
}

const STORE_ENDS_WITH: ReadonlySet<string> = new Set([
  'STORE_FULL',
  'STORE_FAILED',
  'STORE_CORRUPT',
]);

function asFailure(error: unknown): SwarmError {
  if (isSwarmError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SwarmError('STORE_FAILED', `The store failed: ${message}`, { cause: error });
}
