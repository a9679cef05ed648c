/**
 * LevelDB's MANIFEST: which of the files in the folder count. A crash leaves others behind, half written or out of date,
 * which say nothing about the store.
 *
 * Format: VersionEdit in https://github.com/google/leveldb/blob/main/db/version_edit.cc
 */
import { ByteCursor } from './byte-cursor.ts';
import { scanLog } from './log-scan.ts';

const COMPARATOR = 1;
const LOG_NUMBER = 2;
const COMPACT_POINTER = 5;
const DELETED_FILE = 6;
const NEW_FILE = 7;

/** What counts. */
export interface LiveFiles {
  /** Logs from this number on are read by LevelDB; 0 in a database that was never opened to the end. */
  readonly logNumber: number;
  readonly tables: ReadonlySet<number>;
}

/** Reads a MANIFEST as far as it is intact; LevelDB itself refuses one that is damaged. */
export function liveFilesOf(manifest: Buffer): LiveFiles {
  const tables = new Set<number>();
  let logNumber = 0;
  for (const record of scanLog(manifest).records) {
    const cursor = new ByteCursor(record);
    while (!cursor.isAtEnd) {
      const tag = cursor.number();
      if (tag === LOG_NUMBER) {
        logNumber = cursor.number();
      } else if (tag === DELETED_FILE) {
        cursor.number();
        tables.delete(cursor.number());
      } else if (tag === NEW_FILE) {
        cursor.number();
        tables.add(cursor.number());
        cursor.number();
        cursor.skipString();
        cursor.skipString();
      } else if (tag === COMPARATOR) {
        cursor.skipString();
      } else if (tag === COMPACT_POINTER) {
        cursor.number();
        cursor.skipString();
      } else {
        cursor.number();
      }
    }
  }
  return { logNumber, tables };
}
