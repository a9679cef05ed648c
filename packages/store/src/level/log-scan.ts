/**
 * Reads a log of LevelDB (its write-ahead logs and its MANIFEST) as LevelDB does, but tells what it found. LevelDB itself
 * drops a damaged record together with the rest of its block (32 KiB), without a word, and then deletes the log:
 * acknowledged writes behind the damage would be gone and nobody could know.
 *
 * Format: https://github.com/google/leveldb/blob/main/doc/log_format.md
 */
import { maskedCrc32c } from './crc32c.ts';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const LAST = 4;

/** What a log holds. */
export interface LogScan {
  /** The intact records before the first damage. */
  readonly records: readonly Buffer[];
  /** Where the first record begins that is damaged or not complete; undefined where there is none. */
  readonly damagedAtByte: number | undefined;
  /** Whether an intact record begins behind it. */
  readonly hasMore: boolean;
}

interface Fragment {
  readonly type: number;
  readonly end: number;
}

/** Scans the bytes of a log. */
export function scanLog(log: Buffer): LogScan {
  const records: Buffer[] = [];
  let offset = 0;
  /** Where the record begins whose fragments are being read, and those that were. */
  let begunAt: number | undefined;
  let parts: Buffer[] = [];
  while (offset < log.length) {
    if (BLOCK_BYTES - (offset % BLOCK_BYTES) < HEADER_BYTES) {
      // No header fits in what is left of the block, so it is filled up.
      offset += BLOCK_BYTES - (offset % BLOCK_BYTES);
      continue;
    }
    const fragment = fragmentAt(log, offset);
    const begins = fragment?.type === FULL || fragment?.type === FIRST;
    if (fragment === undefined || begins === (begunAt !== undefined)) {
      const damagedAtByte = begunAt ?? offset;
      return { records, damagedAtByte, hasMore: hasRecordFrom(log, damagedAtByte + 1) };
    }
    begunAt ??= offset;
    parts.push(log.subarray(offset + HEADER_BYTES, fragment.end));
    if (fragment.type === FULL || fragment.type === LAST) {
      records.push(Buffer.concat(parts));
      parts = [];
      begunAt = undefined;
    }
    offset = fragment.end;
  }
  return { records, damagedAtByte: begunAt, hasMore: false };
}

/** The fragment at an offset; undefined where none is intact. */
function fragmentAt(log: Buffer, offset: number): Fragment | undefined {
  const blockEnd = Math.min(offset - (offset % BLOCK_BYTES) + BLOCK_BYTES, log.length);
  if (offset + HEADER_BYTES > blockEnd) return undefined;
  const type = log[offset + 6] ?? 0;
  const end = offset + HEADER_BYTES + log.readUInt16LE(offset + 4);
  if (type < FULL || type > LAST || end > blockEnd) return undefined;
  return log.readUInt32LE(offset) === maskedCrc32c(log, offset + 6, end)
    ? { type, end }
    : undefined;
}

/** After a damage a length cannot be trusted, so a record may begin at any byte. Later fragments of the damaged one do not
 *  count: a crash can lose its beginning and keep its end. */
function hasRecordFrom(log: Buffer, start: number): boolean {
  for (let offset = start; offset + HEADER_BYTES <= log.length; offset += 1) {
    const type = log[offset + 6];
    if ((type === FULL || type === FIRST) && fragmentAt(log, offset) !== undefined) return true;
  }
  return false;
}
