/** What a coordinator keeps on disk: the journal of its durable tasks, data sets, and what it has learnt. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SwarmError } from '@quic-swarm/protocol';
import { openLevelStore, type Store, type StoreNotice } from '@quic-swarm/store';
import { DatasetFolder } from './dataset-folder.ts';
import { ReasoningFolder } from './reasoning-folder.ts';

/** An open folder. It belongs to one process at a time. */
export interface DataFolder {
  readonly store: Store;
  /** Of this life: one more than of any before. */
  readonly epoch: number;
  readonly datasets: DatasetFolder;
  /** What was learnt. */
  readonly reasoning: ReasoningFolder;
  /** What came to light when the journal was opened. */
  readonly notices: readonly StoreNotice[];
  /** Opens the journal again after it has failed. */
  readonly reopen: () => Promise<Store>;
  /** Gives it back, where no coordinator has begun to use it. */
  readonly close: () => Promise<void>;
}

/**
 * Opens a folder, or makes a new one.
 * @throws BAD_OPTION where there can be no folder; STORE_LOCKED where another coordinator uses it; STORE_CORRUPT,
 *   STORE_TOO_NEW, STORE_FULL, STORE_FAILED
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw new SwarmError('BAD_OPTION', `There can be no folder ${path} for data.`, {
      cause: error,
      hint: 'Name a folder that may be written to.',
    });
  }
  const notices: StoreNotice[] = [];
  const onNotice = (notice: StoreNotice): void => void notices.push(notice);
  const reopen = async (): Promise<Store> =>
    openLevelStore({ folder: join(path, 'journal'), onNotice });
  const store = await reopen();
  try {
    const epoch = await store.raiseEpoch();
    const datasets = await DatasetFolder.open(join(path, 'datasets'));
    const reasoning = await ReasoningFolder.open(join(path, 'reasoning'));
    const close = async (): Promise<void> => {
      await reasoning.close();
      await store.close();
    };
    return { store, epoch, datasets, reasoning, notices, reopen, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** What tells whoever wants durable tasks without a place for them. */
export function noDataFolder(): SwarmError {
  return new SwarmError('BAD_OPTION', 'Tasks cannot be durable by default without a data folder.', {
    hint: 'Say where: data: DIR, on the command line --data DIR.',
  });
}
