/** The bytes of data sets, in memory. Which ones are kept is the core's decision. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { SwarmError, type PayloadEncoding } from '@quic-swarm/protocol';
import { Inflation } from '@quic-swarm/transport';

/** A data set as it came, or as it was encoded for somebody since. */
export interface StoredDataset {
  readonly datasetId: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** How the bytes are encoded; undefined when they are plain. */
  readonly encoding: PayloadEncoding | undefined;
}

/** So much is hashed before other work gets a turn: about 2 ms. */
const HASH_SLICE_BYTES = 4 * 1024 * 1024;

/** Content-addressed data sets. */
export class DatasetStore {
  readonly #datasets = new Map<string, StoredDataset>();

  has(datasetId: string): boolean {
    return this.#datasets.has(datasetId);
  }

  get(datasetId: string): StoredDataset | undefined {
    return this.#datasets.get(datasetId);
  }

  /** Keeps a data set after checking that its plain bytes have the hash that names it; rejects with DATASET_CORRUPT,
   *  or BAD_ENCODING. */
  async put(dataset: StoredDataset): Promise<void> {
    const found = await datasetIdOf(dataset);
    if (found !== dataset.datasetId) {
      throw new SwarmError(
        'DATASET_CORRUPT',
        `The bytes sent as ${dataset.datasetId} have the hash ${found}.`,
        {
          hint: 'Upload the data set again; the id is "sha256:" and the SHA-256 of exactly the bytes sent.',
        },
      );
    }
    this.#datasets.set(dataset.datasetId, dataset);
  }

  /** Keeps the data set in this form from now on, if it is still here. The bytes must be the same when decoded. */
  replace(dataset: StoredDataset): void {
    if (this.#datasets.has(dataset.datasetId)) this.#datasets.set(dataset.datasetId, dataset);
  }

  drop(datasetId: string): void {
    this.#datasets.delete(datasetId);
  }
}

/** The name of a data set: what the hash of its plain bytes says. */
export async function datasetIdOf({
  bytes,
  encoding,
}: Pick<StoredDataset, 'bytes' | 'encoding'>): Promise<string> {
  const hash = createHash('sha256');
  if (encoding !== undefined) {
    // Hashed as it is decoded, on another thread and in pieces: the plain bytes are never held as a whole.
    const inflation = new Inflation(encoding.decodedBytes, (piece) => hash.update(piece));
    inflation.push(bytes);
    await inflation.end();
    return `sha256:${hash.digest('hex')}`;
  }
  for (let offset = 0; offset < bytes.length; offset += HASH_SLICE_BYTES) {
    if (offset > 0) await setImmediate();
    hash.update(bytes.subarray(offset, offset + HASH_SLICE_BYTES));
  }
  return `sha256:${hash.digest('hex')}`;
}

/** The bytes themselves. */
export async function plainBytesOf({ bytes, encoding }: StoredDataset): Promise<Uint8Array> {
  if (encoding === undefined) return bytes;
  const plain = new Uint8Array(encoding.decodedBytes);
  let offset = 0;
  const inflation = new Inflation(encoding.decodedBytes, (piece) => {
    plain.set(piece, offset);
    offset += piece.length;
  });
  inflation.push(bytes);
  await inflation.end();
  return plain;
}
