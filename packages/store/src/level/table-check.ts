/**
 * Checks every block of a table of LevelDB against its checksum. LevelDB, as its binding opens it, does not: damaged blocks
 * reach code that asserts, and the process is gone.
 *
 * Format: https://github.com/google/leveldb/blob/main/doc/table_format.md; blocks are not compressed here.
 */
import { ByteCursor } from './byte-cursor.ts';
import { maskedCrc32c } from './crc32c.ts';

const FOOTER_BYTES = 48;
const MAGIC = Buffer.from('57fb808b247547db', 'hex');
/** Behind each block: one byte that says how it is compressed, four of checksum. */
const TRAILER_BYTES = 5;

interface BlockHandle {
  readonly offset: number;
  readonly bytes: number;
}

/** Whether all blocks of a table are intact. */
export function isTableIntact(table: Buffer): boolean {
  const footer = table.subarray(-FOOTER_BYTES);
  if (table.length < FOOTER_BYTES || !footer.subarray(-MAGIC.length).equals(MAGIC)) return false;
  const cursor = new ByteCursor(footer);
  const metaIndex = handleAt(cursor);
  const index = handleAt(cursor);
  if (!isBlockIntact(table, metaIndex) || !isBlockIntact(table, index)) return false;
  return handlesOf(table.subarray(index.offset, index.offset + index.bytes)).every((handle) =>
    isBlockIntact(table, handle),
  );
}

function isBlockIntact(table: Buffer, { offset, bytes }: BlockHandle): boolean {
  const end = offset + bytes;
  if (end + TRAILER_BYTES > table.length || table[end] !== 0) return false;
  return table.readUInt32LE(end + 1) === maskedCrc32c(table, offset, end + 1);
}

/** The values of an index block: where the data blocks lie. */
function handlesOf(index: Buffer): BlockHandle[] {
  const restartCount = index.readUInt32LE(index.length - 4);
  const entries = index.subarray(0, index.length - 4 - 4 * restartCount);
  const cursor = new ByteCursor(entries);
  const handles: BlockHandle[] = [];
  while (!cursor.isAtEnd) {
    cursor.number();
    const keyBytes = cursor.number();
    const valueBytes = cursor.number();
    cursor.skip(keyBytes);
    const end = cursor.offset + valueBytes;
    handles.push(handleAt(cursor));
    cursor.offset = end;
  }
  return handles;
}

function handleAt(cursor: ByteCursor): BlockHandle {
  return { offset: cursor.number(), bytes: cursor.number() };
}
