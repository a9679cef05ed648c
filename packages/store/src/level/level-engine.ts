/** LevelDB as an {@link Engine}: one folder, one owner, every write synchronised. */
import { setImmediate } from 'node:timers/promises';
import type { ClassicLevel } from 'classic-level';
import type { Engine, KeyRange, KeyValue, Operation } from '../engine.ts';
import { fromLevelError } from './level-errors.ts';

/** A database whose keys and values are bytes. */
export type LevelDatabase = ClassicLevel<Buffer, Buffer>;

const PAGE_PAIRS = 1024;
const PAGE_BYTES = 1024 * 1024;

/** An iterator of LevelDB. */
interface PageReader<T> {
  nextv(count: number): Promise<T[]>;
  close(): Promise<void>;
}

/** See the head of this file. */
export class LevelEngine implements Engine {
  readonly #database: LevelDatabase;
  readonly #isSynchronised: boolean;

  constructor(database: LevelDatabase, isSynchronised: boolean) {
    this.#database = database;
    this.#isSynchronised = isSynchronised;
  }

  async write(operations: readonly Operation[]): Promise<void> {
    const batch = operations.map(({ key, value }) =>
      value === undefined
        ? ({ type: 'del', key } as const)
        : ({ type: 'put', key, value } as const),
    );
    await this.#guarded(async () => this.#database.batch(batch, { sync: this.#isSynchronised }));
  }

  read({ from, to }: KeyRange): AsyncIterable<readonly KeyValue[]> {
    const range = { gte: from, lt: to, highWaterMarkBytes: PAGE_BYTES };
    return this.#pages(() => this.#database.iterator(range));
  }

  readKeys({ from, to }: KeyRange): AsyncIterable<readonly Buffer[]> {
    const range = { gte: from, lt: to, highWaterMarkBytes: PAGE_BYTES };
    return this.#pages(() => this.#database.keys(range));
  }

  async *#pages<T>(begin: () => PageReader<T>): AsyncGenerator<readonly T[]> {
    try {
      const reader = begin();
      try {
        let coming = reader.nextv(PAGE_PAIRS);
        for (;;) {
          const page = await coming;
          if (page.length === 0) return;
          // LevelDB reads the next one in a thread of its own while this one is looked at.
          coming = reader.nextv(PAGE_PAIRS);
          // Nobody hears how it ends when no more is asked for.
          coming.catch(() => undefined);
          yield page;
        }
      } finally {
        await reader.close();
      }
    } catch (error) {
      throw fromLevelError(error, this.#database.location);
    }
  }

  async last({ from, to }: KeyRange): Promise<KeyValue | undefined> {
    return this.#guarded(async () => {
      const [pair] = await this.#database
        .iterator({ gte: from, lt: to, reverse: true, limit: 1 })
        .all();
      return pair;
    });
  }

  async reclaim({ from, to }: KeyRange): Promise<void> {
    await this.#guarded(async () => this.#database.compactRange(from, to));
  }

  async breathe(): Promise<void> {
    await setImmediate();
  }

  async close(): Promise<void> {
    // An error of closing has nobody who could do anything about it: what is durable is durable.
    await this.#database.close().catch(() => undefined);
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw fromLevelError(error, this.#database.location);
    }
  }
}
