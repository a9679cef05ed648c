/** The bytes of data sets, in memory. Which ones are kept is the core's decision. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { SwarmError } from '@quic-swarm/protocol';

/** A data set as it came. */
export interface StoredDataset {
  readonly datasetId: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
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

  /** Keeps a data set after checking that its bytes have the hash that names it; rejects with DATASET_CORRUPT. */
  async put(dataset: StoredDataset): Promise<void> {
    const found = await datasetIdOf(dataset.bytes);
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

  drop(datasetId: string): void {
    this.#datasets.delete(datasetId);
  }
}

async function datasetIdOf(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let offset = 0; offset < bytes.length; offset += HASH_SLICE_BYTES) {
    if (offset > 0) await setImmediate();
    hash.update(bytes.subarray(offset, offset + HASH_SLICE_BYTES));
  }
  return `sha256:${hash.digest('hex')}`;
}
