/** Where the stores of this package are tested. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryDisk, openLevelStore, openMemoryStore, type Store } from '@quic-swarm/store';
import type { StoreNotice } from '@quic-swarm/store';
import type { StoreWorkbench } from '@quic-swarm/testkit';
import { ClassicLevel } from 'classic-level';

/** A disk in memory. */
export class MemoryWorkbench implements StoreWorkbench {
  readonly disk: MemoryDisk;

  constructor(disk: MemoryDisk = new MemoryDisk()) {
    this.disk = disk;
  }

  async open(onNotice: (notice: StoreNotice) => void = () => undefined): Promise<Store> {
    return openMemoryStore({ disk: this.disk, onNotice });
  }

  async crash(): Promise<void> {
    this.disk.crash();
  }

  async contents(): Promise<Map<string, Buffer>> {
    return this.disk.contents();
  }

  async replace(contents: ReadonlyMap<string, Buffer>): Promise<void> {
    this.disk.replace(contents);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disk.crash();
  }
}

/** A folder of LevelDB. */
export class LevelWorkbench implements StoreWorkbench {
  readonly #root: string;
  #lives = 0;
  #stores: Store[] = [];

  private constructor(root: string) {
    this.#root = root;
  }

  static async create(): Promise<LevelWorkbench> {
    return new LevelWorkbench(await mkdtemp(join(tmpdir(), 'quic-swarm-store-')));
  }

  /** Where the store lies; another place after each crash. */
  get folder(): string {
    return join(this.#root, String(this.#lives));
  }

  async open(onNotice: (notice: StoreNotice) => void = () => undefined): Promise<Store> {
    const store = await openLevelStore({ folder: this.folder, onNotice });
    this.#stores.push(store);
    return store;
  }

  /** What the files hold at this moment is what a killed process leaves behind. */
  async crash(): Promise<void> {
    const before = this.folder;
    this.#lives += 1;
    await cp(before, this.folder, { recursive: true });
    await this.#closeAll();
  }

  async contents(): Promise<Map<string, Buffer>> {
    const contents = new Map<string, Buffer>();
    await this.#withDatabase(async (database) => {
      for await (const [key, value] of database.iterator()) {
        contents.set(key.toString('latin1'), value);
      }
    });
    return contents;
  }

  async replace(contents: ReadonlyMap<string, Buffer>): Promise<void> {
    await this.#withDatabase(async (database) => {
      await database.clear();
      await database.batch(
        [...contents].map(([name, value]) => ({
          type: 'put' as const,
          key: Buffer.from(name, 'latin1'),
          value,
        })),
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeAll();
    await rm(this.#root, { recursive: true, force: true });
  }

  async #closeAll(): Promise<void> {
    const stores = this.#stores;
    this.#stores = [];
    for (const store of stores) await store.close();
  }

  async #withDatabase(
    work: (database: ClassicLevel<Buffer, Buffer>) => Promise<void>,
  ): Promise<void> {
    const database = new ClassicLevel<Buffer, Buffer>(this.folder, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      compression: false,
    });
    await database.open();
    try {
      await work(database);
    } finally {
      await database.close();
    }
  }
}
