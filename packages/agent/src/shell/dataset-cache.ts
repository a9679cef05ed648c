/**
 * The data sets in memory, by their hash. However many tasks wait for one, it is downloaded once; while a task uses it,
 * it stays; beyond that the least recently used ones make room. The memory is shared with all threads.
 */
import { SwarmError } from '@quic-swarm/protocol';
import { downloadDataset, type DatasetStream, type Reserve } from './dataset-download.ts';
import type { SharedDataset } from './thread-messages.ts';

/** Default bound of all data sets together. */
export const DATASET_CACHE_BYTES_MAX: number = 1024 * 1024 * 1024;

interface Entry {
  /** Bytes set aside; 0 until the length is known. */
  byteLength: number;
  pins: number;
  readonly ready: Promise<SharedDataset>;
}

/** A bounded cache with pins. */
export class DatasetCache {
  readonly #bytesMax: number;
  readonly #openStream: () => Promise<DatasetStream>;
  /** In the order of last use, the oldest first. */
  readonly #entries: Map<string, Entry> = new Map();
  #bytes = 0;

  /**
   * @param bytesMax bound of all data sets together
   * @param openStream opens a stream to the coordinator; rejects when there is no connection
   */
  constructor(bytesMax: number, openStream: () => Promise<DatasetStream>) {
    this.#bytesMax = bytesMax;
    this.#openStream = openStream;
  }

  /** Bytes in memory or on their way. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Resolves with the data set in memory, and keeps it there until `release` was called as often as `acquire`.
   * Nothing is to be released when it rejects.
   * @throws PAYLOAD_TOO_LARGE, DATASETS_FULL, DATASET_CORRUPT, and what the coordinator answers
   */
  acquire(datasetId: string): Promise<SharedDataset> {
    const entry = this.#entries.get(datasetId) ?? this.#fetch(datasetId);
    entry.pins += 1;
    // Moves it to the end of the order of use.
    this.#entries.delete(datasetId);
    this.#entries.set(datasetId, entry);
    return entry.ready;
  }

  /** Gives back one `acquire`. */
  release(datasetId: string): void {
    const entry = this.#entries.get(datasetId);
    if (entry !== undefined && entry.pins > 0) entry.pins -= 1;
  }

  #fetch(datasetId: string): Entry {
    const reserve: Reserve = (byteLength) => {
      this.#makeRoom(datasetId, byteLength);
      entry.byteLength = byteLength;
      this.#bytes += byteLength;
    };
    const ready = this.#openStream().then((stream) => downloadDataset(stream, datasetId, reserve));
    const entry: Entry = { byteLength: 0, pins: 0, ready };
    ready.catch(() => {
      // Whoever asks next tries again; those who wait now hear the error.
      if (this.#entries.get(datasetId) === entry) this.#entries.delete(datasetId);
      this.#bytes -= entry.byteLength;
      entry.byteLength = 0;
    });
    return entry;
  }

  #makeRoom(datasetId: string, byteLength: number): void {
    if (byteLength > this.#bytesMax) {
      throw new SwarmError(
        'PAYLOAD_TOO_LARGE',
        `The data set ${datasetId} has ${byteLength} bytes, this agent keeps ${this.#bytesMax} in all.`,
        { hint: 'Start the agent with a larger datasetBytesMax, or split the data set.' },
      );
    }
    for (const [id, entry] of this.#entries) {
      if (this.#bytes + byteLength <= this.#bytesMax) return;
      if (entry.pins > 0) continue;
      this.#entries.delete(id);
      this.#bytes -= entry.byteLength;
    }
    if (this.#bytes + byteLength <= this.#bytesMax) return;
    throw new SwarmError(
      'DATASETS_FULL',
      `There is no room for the ${byteLength} bytes of the data set ${datasetId}: others are in use.`,
      { retryAfterMs: 1000, hint: 'Start the agent with a larger datasetBytesMax.' },
    );
  }
}
