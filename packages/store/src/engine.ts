/**
 * What a store of this package stands on: an ordered map of bytes in which several changes are made durable as one. It
 * knows nothing of entries or snapshots. LevelDB is one, {@link MemoryDisk} another; everything else is shared, so that a
 * simulation with a faulty disk in memory exercises the very code that runs on a real one.
 *
 * Errors are SwarmErrors of type STORE_FULL, STORE_FAILED or STORE_CORRUPT.
 */

/** Sets the value of a key; undefined removes it. */
export interface Operation {
  readonly key: Buffer;
  readonly value: Buffer | undefined;
}

/** A key and its value. */
export type KeyValue = readonly [key: Buffer, value: Buffer];

/** Keys from `from` (included) to `to` (excluded), by their bytes. */
export interface KeyRange {
  readonly from: Buffer;
  readonly to: Buffer;
}

/** An ordered map of bytes, open for one owner. */
export interface Engine {
  /** Makes all operations durable, or none of them. The owner calls it again only when it has settled. */
  write(operations: readonly Operation[]): Promise<void>;
  /** The pairs of a range in the order of the keys, many at once, as they are when the first are asked for. */
  read(range: KeyRange): AsyncIterable<readonly KeyValue[]>;
  /** The keys alone: values that nobody looks at would be read from the disk and copied. */
  readKeys(range: KeyRange): AsyncIterable<readonly Buffer[]>;
  /** The last pair of a range. */
  last(range: KeyRange): Promise<KeyValue | undefined>;
  /** Gives the space of removed keys back. */
  reclaim(range: KeyRange): Promise<void>;
  /** Resolves when those could go on who were told of the last write, so that what they ask for next travels together. */
  breathe(): Promise<void>;
  /** Releases everything. Idempotent. */
  close(): Promise<void>;
}
