/**
 * Looks at a folder before LevelDB opens it, for what LevelDB would pass over in silence: damaged or missing logs, and a
 * missing CURRENT, which would make it begin an empty database over the old one.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { corrupt } from '../failures.ts';
import { scanLog } from './log-scan.ts';

/**
 * Resolves with what will be cut off the end, for a person to read; undefined where nothing will.
 *
 * @throws STORE_CORRUPT
 */
export async function checkFolder(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(emptyIfMissing);
  if (!names.includes('CURRENT')) {
    const content = names.find((name) => /^MANIFEST-|\.(?:ldb|sst|log)$/.test(name));
    // A crash during the very first opening leaves MANIFEST-000001 alone.
    if (content === undefined || content === 'MANIFEST-000001') return undefined;
    throw corrupt(`its folder ${folder} has ${content} but no CURRENT`);
  }
  const logs = names.filter((name) => /^\d+\.log$/.test(name)).sort(byNumber);
  const current = await readFile(join(folder, 'CURRENT'), 'utf8').catch(() => '');
  if (logs.length === 0 && current.trim() !== 'MANIFEST-000001') {
    throw corrupt(`its folder ${folder} has no log (*.log)`);
  }
  return checkLogs(folder, logs);
}

async function checkLogs(folder: string, logs: readonly string[]): Promise<string | undefined> {
  let damage: string | undefined;
  for (const name of logs) {
    // The owner of a locked store may just have removed it; then opening fails anyway.
    const log = await readFile(join(folder, name)).catch(emptyLogIfMissing);
    const { writeCount, damagedAtByte, hasMore } = scanLog(log);
    if (damage !== undefined && writeCount > 0) {
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

function emptyIfMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

function emptyLogIfMissing(error: NodeJS.ErrnoException): Buffer {
  if (error.code === 'ENOENT') return Buffer.alloc(0);
  throw error;
}
