/**
 * Where things lie in an {@link Engine}. The first byte of a key is a kind; numbers follow as eight bytes, the highest
 * first, so that the order of the keys is the order of the numbers.
 */
import type { KeyRange } from './engine.ts';

const JOURNAL = 0x6a;
const KEY_VALUE = 0x6b;
const META = 0x6d;
const SNAPSHOT = 0x73;
const PIECES_MAX = 2 ** 48;

/** The format that the folder is written in. Never moves, so that every version can read it. */
export const FORMAT_KEY: Buffer = Buffer.from([META, 0x66]);
/** What the last group of writes left behind, see state-record.ts. */
export const STATE_KEY: Buffer = Buffer.from([META, 0x73]);
/** All keys. */
export const EVERYTHING: KeyRange = { from: Buffer.from([0]), to: Buffer.from([0xff]) };
/** All values of the key-value state. */
export const ALL_KEY_VALUES: KeyRange = {
  from: Buffer.from([KEY_VALUE]),
  to: Buffer.from([KEY_VALUE + 1]),
};
/** All pieces of all snapshots. */
export const ALL_PIECES: KeyRange = {
  from: Buffer.from([SNAPSHOT]),
  to: Buffer.from([SNAPSHOT + 1]),
};

/** The key of the chunk of the journal that begins with an entry. */
export function chunkKey(firstSequence: number): Buffer {
  return numbered(JOURNAL, firstSequence);
}

/** The entry with which the chunk of a key begins. */
export function firstSequenceOf(key: Buffer): number {
  return readNumber(key, 1);
}

/** The chunks that begin with entries from `from` to before `to`. @default to: all that follow */
export function chunkRange(from: number, to?: number): KeyRange {
  return { from: chunkKey(from), to: to === undefined ? Buffer.from([JOURNAL + 1]) : chunkKey(to) };
}

/** Where the value of a key lies. */
export function valueKey(key: string): Buffer {
  return Buffer.concat([ALL_KEY_VALUES.from, Buffer.from(key, 'utf8')]);
}

/** The key whose value lies here. */
export function keyOfValueKey(key: Buffer): string {
  return key.toString('utf8', 1);
}

/** Where a piece of a snapshot lies; both numbers from 0. */
export function pieceKey(snapshotId: number, index: number): Buffer {
  const key = numbered(SNAPSHOT, snapshotId, 8);
  writeNumber(key, 9, index);
  return key;
}

/** The pieces of one snapshot. */
export function pieceRange(snapshotId: number): KeyRange {
  return { from: pieceKey(snapshotId, 0), to: pieceKey(snapshotId, PIECES_MAX) };
}

/** The snapshot that a piece belongs to. */
export function snapshotIdOf(key: Buffer): number {
  return readNumber(key, 1);
}

/** Writes an integer under 2^53 as eight bytes. */
export function writeNumber(bytes: Buffer, offset: number, value: number): void {
  bytes.writeUInt32BE(Math.floor(value / 2 ** 32), offset);
  bytes.writeUInt32BE(value % 2 ** 32, offset + 4);
}

/** Reads what {@link writeNumber} wrote; of damaged bytes it can be any number. */
export function readNumber(bytes: Buffer, offset: number): number {
  return bytes.readUInt32BE(offset) * 2 ** 32 + bytes.readUInt32BE(offset + 4);
}

function numbered(kind: number, value: number, spareBytes = 0): Buffer {
  const key = Buffer.alloc(9 + spareBytes);
  key[0] = kind;
  writeNumber(key, 1, value);
  return key;
}
