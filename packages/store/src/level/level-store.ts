/** The embedded store: LevelDB in a folder of this machine. */
import { mkdir } from 'node:fs/promises';
import type { Store } from '../contract.ts';
import { openStore, type StoreOptions } from '../engine-store.ts';
import { checkFolder } from './folder-check.ts';
import { LevelEngine, type LevelDatabase } from './level-engine.ts';
import { fromLevelError } from './level-errors.ts';

/** How to open a store in a folder. */
export interface LevelStoreOptions extends StoreOptions {
  /** Where it lies; made where it does not exist. Nothing else may be in it, and it must be on a local file system. */
  readonly folder: string;
  /** True: writes are acknowledged before they are on the disk, so that a power cut loses them. Exists only to prove that
   *  the power-cut test notices such a loss. @default false */
  readonly unsafeNoSync?: boolean;
}

/**
 * Opens the store in a folder, and checks all of it.
 *
 * @throws STORE_LOCKED where another process (or this one) has it open; STORE_CORRUPT, STORE_TOO_NEW, STORE_FULL or
 *   STORE_FAILED
 */
export async function openLevelStore(options: LevelStoreOptions): Promise<Store> {
  const { folder, onNotice, unsafeNoSync = false } = options;
  const { database, damage } = await openDatabase(folder);
  const engine = new LevelEngine(database, !unsafeNoSync);
  const store = await openStore(engine, onNotice === undefined ? {} : { onNotice });
  if (damage !== undefined) {
    onNotice?.({
      type: 'TAIL_CUT',
      message: `The last write was unreadable and was cut off (${damage}). It may have been acknowledged only if its bytes were damaged afterwards.`,
      lastSequence: store.lastSequence,
    });
  }
  return store;
}

async function openDatabase(
  folder: string,
): Promise<{ database: LevelDatabase; damage: string | undefined }> {
  try {
    await mkdir(folder, { recursive: true });
    const damage = await checkFolder(folder);
    // Native code: loaded when a folder is opened, not by every process that knows of stores.
    const { ClassicLevel } = await import('classic-level');
    const database = new ClassicLevel<Buffer, Buffer>(folder, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      // Snapshots keep the journal short, and tables whose blocks are not compressed can be checked (table-check.ts).
      compression: false,
      // Tables that are open are mapped, and count as memory of the process when they were read. This is the least that
      // LevelDB takes, some 64 tables of 2 MiB; a snapshot and its journal are read from their beginning to their end.
      maxOpenFiles: 74,
    });
    await database.open();
    return { database, damage };
  } catch (error) {
    throw fromLevelError(error, folder);
  }
}
