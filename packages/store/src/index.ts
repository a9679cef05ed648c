/** A durable journal and key-value state: the contract, an embedded store on LevelDB, a store in memory. */
export type * from './contract.ts';
export type { StoreOptions } from './engine-store.ts';
export { openLevelStore, type LevelStoreOptions } from './level/level-store.ts';
export {
  MemoryDisk,
  type DiskFault,
  type DiskWrite,
  type MemoryDiskOptions,
} from './memory/memory-disk.ts';
export { openMemoryStore, type MemoryStoreOptions } from './memory/memory-store.ts';
export { APPEND_BYTES_MAX, KEY_BYTES_MAX, PIECE_BYTES_MAX, VALUE_BYTES_MAX } from './limits.ts';
