/**
 * Looks at a folder before LevelDB opens it, for what LevelDB would pass over in silence (damaged or missing logs), would
 * begin an empty database over (a missing CURRENT), or would die of (damaged tables).
 */
import { open, readdir, readFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { corrupt } from '../failures.ts';
import { scanLog } from './log-scan.ts';
import { liveFilesOf } from './manifest.ts';
import { isTableIntact } from './table-check.ts';

/** Tables are about 2 MiB long, each a little longer or shorter than the one before. */
const ROOM_STEP = 1024 * 1024;

/**
 * Resolves with what will be cut off the end, for a person to read; undefined where nothing will.
 *
 * @throws STORE_CORRUPT
 */
export async function checkFolder(folder: string): Promise<string | undefined> {
  const names = (await readdir(folder)).sort(byNumber);
  if (!names.includes('CURRENT')) {
    const content = names.find((name) => /^MANIFEST-|\.(?:ldb|sst|log)$/.test(name));
    // A crash during the very first opening leaves MANIFEST-000001 alone.
    if (content === undefined || content === 'MANIFEST-000001') return undefined;
    throw corrupt(`its folder ${folder} has ${content} but no CURRENT`);
  }
  const current = (await readFile(join(folder, 'CURRENT'), 'latin1')).trim();
  const manifest = /^MANIFEST-\d+$/.test(current) ? await contentOf(folder, current) : undefined;
  if (manifest === undefined) throw corrupt(`CURRENT in ${folder} does not name a MANIFEST`);
  const { logNumber, tables } = liveFilesOf(manifest);
  const tableNames = names.filter(
    (name) => /\.(?:ldb|sst)$/.test(name) && tables.has(Number.parseInt(name, 10)),
  );
  await checkTables(folder, tableNames);
  const logs = names.filter((name) => /^\d+\.log$/.test(name));
  const liveLogs = logs.filter((name) => Number.parseInt(name, 10) >= logNumber);
  if (logNumber > 0 && liveLogs.length === 0) {
    throw corrupt(`its folder ${folder} has no log ${logNumber}`);
  }
  return checkLogs(folder, liveLogs);
}

async function checkTables(folder: string, names: readonly string[]): Promise<void> {
  // One array for all: the system clears the memory of each new one, which takes as long as the check.
  let room = Buffer.alloc(0);
  for (const name of names) {
    const file = await openIfThere(join(folder, name));
    if (file === undefined) continue;
    try {
      const { size } = await file.stat();
      if (size > room.length)
        room = Buffer.allocUnsafeSlow(Math.ceil(size / ROOM_STEP) * ROOM_STEP);
      if (!isTableIntact(await readInto(room, file, size))) {
        throw corrupt(`${join(folder, name)} is not as written`);
      }
    } finally {
      await file.close();
    }
  }
}

/** What a file of so many bytes holds, at the beginning of the room. */
async function readInto(room: Buffer, file: FileHandle, bytes: number): Promise<Buffer> {
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.read(room, filled, bytes - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return room.subarray(0, filled);
}

async function checkLogs(folder: string, logs: readonly string[]): Promise<string | undefined> {
  let damage: string | undefined;
  for (const name of logs) {
    const log = await contentOf(folder, name);
    if (log === undefined) continue;
    const { records, damagedAtByte, hasMore } = scanLog(log);
    if (damage !== undefined && records.length > 0) {
      throw corrupt(`${damage}, and ${name} goes on after it`);
    }
    if (damagedAtByte === undefined) continue;
    damage ??= `${join(folder, name)} cannot be read from byte ${damagedAtByte} of ${log.length} on`;
    if (hasMore) throw corrupt(`${damage}, but intact writes follow`);
  }
  return damage;
}

function byNumber(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10);
}

async function contentOf(folder: string, name: string): Promise<Buffer | undefined> {
  const file = await openIfThere(join(folder, name));
  try {
    return await file?.readFile();
  } finally {
    await file?.close();
  }
}

/** Undefined where the file is gone: the owner of a locked store may just have removed it. Opening fails then anyway. */
async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
