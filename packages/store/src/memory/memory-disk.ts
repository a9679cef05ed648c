/**
 * A disk in memory, which outlives the stores on it: a crash is to forget the store, call {@link MemoryDisk.crash} and open
 * a new one. What had not been synchronised is gone then. A simulation decides by `onWrite` what goes wrong, and by
 * `beforeSync` when a write is durable; nothing here has a clock or chance of its own.
 */
import { SwarmError } from '@quic-swarm/protocol';
import type { Engine, KeyRange, KeyValue, Operation } from '../engine.ts';
import { closedError, locked } from '../failures.ts';

/** One group of changes that a store wants to make durable. */
export interface DiskWrite {
  /** 1 for the first on this disk, then one more each time. */
  readonly number: number;
  readonly operationCount: number;
  readonly bytes: number;
}

/**
 * What goes wrong with a write:
 * - `full`: no room. Nothing is written, and the store is told.
 * - `failed`: it could not be synchronised. The store is told; whether a crash loses it, {@link MemoryDisk.crash} decides.
 * - `torn`: only the first half of its changes arrives, and the store is told, if it still lives.
 * - `forgotten`: the disk lies. The store is told that it is durable, but a crash before the next synchronised write
 *   loses it.
 */
export type DiskFault = 'full' | 'failed' | 'torn' | 'forgotten';

/** Optional parts of a {@link MemoryDisk}. */
export interface MemoryDiskOptions {
  /** Decides what goes wrong with a write. @default nothing */
  readonly onWrite?: (write: DiskWrite) => DiskFault | undefined;
  /** A write is synchronised when this has resolved. @default at once */
  readonly beforeSync?: (write: DiskWrite) => Promise<void>;
}

interface Unsynced {
  readonly write: DiskWrite;
  readonly operations: readonly Operation[];
}

/** See the head of this file. */
export class MemoryDisk {
  readonly #options: MemoryDiskOptions;
  /** By the bytes of the key, one character each. */
  #synced = new Map<string, Buffer>();
  #visible = new Map<string, Buffer>();
  readonly #unsynced: Unsynced[] = [];
  #writeCount = 0;
  #owner: MemoryEngine | undefined;

  constructor(options: MemoryDiskOptions = {}) {
    this.#options = options;
  }

  /** How many groups of changes were written to it so far. */
  get writeCount(): number {
    return this.#writeCount;
  }

  /** Bytes of all keys and values. */
  get usedBytes(): number {
    let bytes = 0;
    for (const [key, value] of this.#visible) bytes += key.length + value.length;
    return bytes;
  }

  /**
   * The power goes: an open store is cut off (its calls never settle), and of the writes that were not synchronised only
   * those stay that `survives` says. @default none
   */
  crash(survives: (write: DiskWrite) => boolean = () => false): void {
    this.#owner?.cutOff();
    this.#owner = undefined;
    for (const { write, operations } of this.#unsynced.splice(0)) {
      if (survives(write)) apply(this.#synced, operations);
    }
    this.#visible = new Map(this.#synced);
  }

  /** What lies here: values by the bytes of their keys, one character each. For tests of damaged disks. */
  contents(): Map<string, Buffer> {
    return new Map(this.#visible);
  }

  /** Puts other things here, as {@link MemoryDisk.contents} gives them. */
  replace(contents: ReadonlyMap<string, Buffer>): void {
    this.#unsynced.length = 0;
    this.#visible = new Map(contents);
    this.#synced = new Map(contents);
  }

  /** Opens it for one owner. @throws STORE_LOCKED */
  open(): Engine {
    if (this.#owner !== undefined) throw locked('in memory');
    const engine = new MemoryEngine({
      write: async (operations) => this.#write(operations),
      read: (range) => this.#read(range),
      release: () => {
        if (this.#owner === engine) this.#owner = undefined;
      },
    });
    this.#owner = engine;
    return engine;
  }

  async #write(operations: readonly Operation[]): Promise<void> {
    this.#writeCount += 1;
    const bytes = operations.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    const write = { number: this.#writeCount, operationCount: operations.length, bytes };
    const fault = this.#options.onWrite?.(write);
    if (fault === 'full') {
      throw new SwarmError('STORE_FULL', 'The disk of the store is full.', {
        hint: 'Make room and open the store again.',
      });
    }
    const arriving =
      fault === 'torn' ? operations.slice(0, Math.ceil(operations.length / 2)) : operations;
    apply(this.#visible, arriving);
    const unsynced = { write, operations: arriving };
    this.#unsynced.push(unsynced);
    await this.#options.beforeSync?.(write);
    // A crash came first, and decided on it.
    if (!this.#unsynced.includes(unsynced)) return;
    if (fault === 'forgotten') return;
    if (fault !== 'failed') {
      for (const earlier of this.#unsynced.splice(0)) apply(this.#synced, earlier.operations);
    }
    if (fault === undefined) return;
    throw new SwarmError('STORE_FAILED', 'The store could not write: the disk reported an error.', {
      hint: 'Look after the disk and open the store again.',
    });
  }

  #read({ from, to }: KeyRange): KeyValue[] {
    const [first, end] = [textOf(from), textOf(to)];
    return [...this.#visible]
      .filter(([key]) => key >= first && key < end)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [bytesOf(key), value]);
  }
}

interface DiskAccess {
  write(operations: readonly Operation[]): Promise<void>;
  read(range: KeyRange): KeyValue[];
  release(): void;
}

const PAGE_PAIRS = 256;

/** The disk, in the hands of one store. */
class MemoryEngine implements Engine {
  readonly #disk: DiskAccess;
  #state: 'open' | 'closed' | 'cut off' = 'open';

  constructor(disk: DiskAccess) {
    this.#disk = disk;
  }

  cutOff(): void {
    this.#state = 'cut off';
  }

  async write(operations: readonly Operation[]): Promise<void> {
    await this.#alive();
    await this.#disk.write(operations);
    await this.#alive();
  }

  async *read(range: KeyRange): AsyncGenerator<readonly KeyValue[]> {
    await this.#alive();
    const pairs = this.#disk.read(range);
    for (let index = 0; index < pairs.length; index += PAGE_PAIRS) {
      yield pairs.slice(index, index + PAGE_PAIRS);
      await this.#alive();
    }
  }

  async *readKeys(range: KeyRange): AsyncGenerator<readonly Buffer[]> {
    for await (const page of this.read(range)) yield page.map(([key]) => key);
  }

  async last(range: KeyRange): Promise<KeyValue | undefined> {
    await this.#alive();
    return this.#disk.read(range).at(-1);
  }

  async reclaim(): Promise<void> {
    await this.#alive();
  }

  async breathe(): Promise<void> {
    await this.#alive();
  }

  async close(): Promise<void> {
    if (this.#state === 'open') this.#disk.release();
    if (this.#state !== 'cut off') this.#state = 'closed';
  }

  /** A process that lost its power hears no answer; one that closed its store is told. */
  async #alive(): Promise<void> {
    if (this.#state === 'cut off') await new Promise<never>(() => undefined);
    if (this.#state === 'closed') throw closedError();
  }
}

function apply(map: Map<string, Buffer>, operations: readonly Operation[]): void {
  for (const { key, value } of operations) {
    if (value === undefined) map.delete(textOf(key));
    else map.set(textOf(key), value);
  }
}

function textOf(key: Buffer): string {
  return key.toString('latin1');
}

function bytesOf(key: string): Buffer {
  return Buffer.from(key, 'latin1');
}
