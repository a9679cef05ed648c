/** The store in memory: as durable as its {@link MemoryDisk} says, which is lost with the process. */
import type { Store } from '../contract.ts';
import { openStore, type StoreOptions } from '../engine-store.ts';
import { MemoryDisk } from './memory-disk.ts';

/** How to open a store in memory. */
export interface MemoryStoreOptions extends StoreOptions {
  /** The disk to open; it outlives the store. @default a new one */
  readonly disk?: MemoryDisk;
}

/**
 * Opens a store in memory.
 *
 * @throws STORE_LOCKED where a store on the same disk is open; STORE_CORRUPT, STORE_TOO_NEW, STORE_FULL or STORE_FAILED
 */
export async function openMemoryStore(options: MemoryStoreOptions = {}): Promise<Store> {
  return openStore((options.disk ?? new MemoryDisk()).open(), options);
}
