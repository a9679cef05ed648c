/**
 * Data sets in a folder: a file each, named by its hash, so that durable tasks find their data in the next life of the
 * coordinator. A file begins with a line of JSON about the bytes behind it.
 */
import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SwarmError, type PayloadEncoding } from '@quic-swarm/protocol';
import type { StoredDataset } from './dataset-store.ts';

/** The line before the bytes. */
interface Header {
  readonly mediaType: string;
  readonly encoding?: PayloadEncoding;
}

/** Longest header line, beyond which a file is none of ours. */
const HEADER_BYTES_MAX = 4096;

/** See the head of this file. */
export class DatasetFolder {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder where there is none. */
  static async open(folder: string): Promise<DatasetFolder> {
    await mkdir(folder, { recursive: true });
    return new DatasetFolder(folder);
  }

  /** Writes a data set; it is on disk when this resolves. Rejects with STORE_FULL or STORE_FAILED. */
  async put({ datasetId, mediaType, bytes, encoding }: StoredDataset): Promise<void> {
    const header: Header = { mediaType, ...(encoding === undefined ? {} : { encoding }) };
    const path = this.#pathOf(datasetId);
    const unfinished = `${path}.unfinished`;
    try {
      const file = await open(unfinished, 'w', 0o600);
      try {
        await file.writeFile(`${JSON.stringify(header)}\n`);
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, path);
      await this.#syncFolder();
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw notWritten(this.#folder, error);
    }
  }

  async drop(datasetId: string): Promise<void> {
    await rm(this.#pathOf(datasetId), { force: true });
  }

  /** Those that are there. What a crash left unfinished is removed. */
  async ids(): Promise<readonly string[]> {
    const names = await readdir(this.#folder);
    for (const name of names) {
      if (name.endsWith('.unfinished')) await rm(join(this.#folder, name), { force: true });
    }
    return names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map((name) => `sha256:${name}`);
  }

  /** Reads one of {@link ids}; its hash is not checked. Rejects with DATASET_CORRUPT where the file is none of ours. */
  async read(datasetId: string): Promise<StoredDataset> {
    const content = await readFile(this.#pathOf(datasetId));
    const headerEnd = content.subarray(0, HEADER_BYTES_MAX).indexOf('\n');
    try {
      const header = JSON.parse(content.toString('utf8', 0, headerEnd)) as Header;
      const bytes = new Uint8Array(content.buffer, content.byteOffset, content.length).subarray(
        headerEnd + 1,
      );
      return { datasetId, mediaType: header.mediaType, bytes, encoding: header.encoding };
    } catch (error) {
      throw new SwarmError('DATASET_CORRUPT', `${this.#pathOf(datasetId)} is no data set.`, {
        cause: error,
        hint: 'Remove the file; tasks that need it will fail and say so.',
      });
    }
  }

  #pathOf(datasetId: string): string {
    return join(this.#folder, datasetId.slice('sha256:'.length));
  }

  /** A new name is on disk only when its folder is. */
  async #syncFolder(): Promise<void> {
    // Windows cannot open folders, and needs no such thing.
    if (process.platform === 'win32') return;
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

function notWritten(folder: string, error: unknown): SwarmError {
  const isFull = ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
  return new SwarmError(
    isFull ? 'STORE_FULL' : 'STORE_FAILED',
    `The data set could not be written to ${folder}.`,
    { cause: error, hint: `Make room on the disk of ${folder}, or look at what is wrong with it.` },
  );
}
