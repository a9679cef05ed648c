/**
 * Documents of plain values, as most tasks have them: written without a check, an encoder and a scan that walk through
 * them one after the other, and short ones read likewise. Gives up, as the fast decoder of messages does, on everything that
 * is long, deep, rare or wrong; the general path (documents.ts) reads and writes that, and finds the errors.
 *
 * Why hostile bytes do no harm: at most DOCUMENT_BYTES_MAX of them are read, DEPTH_MAX levels deep; a document is
 * accepted when it ends exactly at its end; a key that comes twice or is `__proto__` is left to the general path.
 */
import { ROOM_BYTES, writeBytes, writeHead, writeNumber, writeText } from './primitives.ts';
import { TextCache } from './text-cache.ts';
import {
  NUMBER_BYTES,
  closeWindow,
  cursor,
  positionInWindow,
  readAscii,
  readBytes,
  readNumber,
  textLengthAt,
  windowBytes,
} from './window.ts';

/** Longest that is read here. */
const DOCUMENT_BYTES_MAX = 1024;
/** Longest that is written here: what is written together, as an entry of a journal is, may be longer than what one task has. */
const WRITTEN_BYTES_MAX = 64 * 1024;
const DEPTH_MAX = 8;
const LIST_LENGTH_MAX = 0xffff;

const bytes = new Uint8Array(WRITTEN_BYTES_MAX + ROOM_BYTES);
const view = new DataView(bytes.buffer);

/** The document in memory of its own; undefined when the general path must write it. */
export function encodeShortDocument(value: unknown): Uint8Array | undefined {
  const end = writeValue(value, 0, 0);
  return end < 0 ? undefined : bytes.slice(0, end);
}

function writeValue(value: unknown, position: number, depth: number): number {
  if (position > WRITTEN_BYTES_MAX) return -1;
  switch (typeof value) {
    case 'number':
      return writeNumber(value, position, bytes, view);
    case 'string':
      return writeText(value, position, bytes, view);
    case 'boolean':
      return writeByte(value ? 0xf5 : 0xf4, position);
    case 'undefined':
      return writeByte(0xf7, position);
    case 'object':
      return value === null ? writeByte(0xf6, position) : writeObject(value, position, depth);
    default:
      return -1;
  }
}

function writeByte(byte: number, position: number): number {
  bytes[position] = byte;
  return position + 1;
}

function writeListHead(length: number, position: number): number {
  if (length <= 0xff) return writeHead(0x80, length, position, bytes);
  bytes[position] = 0x99;
  view.setUint16(position + 1, length);
  return position + 3;
}

function writeObject(value: object, start: number, depth: number): number {
  let position = start;
  if (Array.isArray(value)) {
    if (depth === DEPTH_MAX || value.length > LIST_LENGTH_MAX || value.constructor !== Array) {
      return -1;
    }
    const list = value as readonly unknown[];
    position = writeListHead(list.length, position);
    for (let i = 0; i < list.length && position >= 0; i++) {
      position = writeValue(list[i], position, depth + 1);
    }
    return position;
  }
  const { constructor } = value;
  if (constructor === Uint8Array) return writeBytes(value, position, bytes);
  const isPlain = constructor === Object && Object.getPrototypeOf(value) === Object.prototype;
  const names = Object.keys(value);
  if (!isPlain || depth === DEPTH_MAX || names.length > 0xff) return -1;
  position = writeHead(0xa0, names.length, position, bytes);
  for (const name of names) {
    // Room for a key is checked by the value in front of it.
    position = name === '__proto__' ? -1 : writeText(name, position, bytes, view);
    if (position < 0) return -1;
    position = writeValue((value as Record<string, unknown>)[name], position, depth + 1);
    if (position < 0) return -1;
  }
  return position;
}

/** What {@link decodeShortDocument} answers when the general path must read the document. */
export const UNREAD: unique symbol = Symbol('unread');

/** The value of a document, which shares no memory with it; {@link UNREAD} when the general path must read it. */
export function decodeShortDocument(document: Uint8Array): unknown {
  const { length } = document;
  if (length > DOCUMENT_BYTES_MAX) return UNREAD;
  closeWindow();
  const start = positionInWindow(document, 0, length);
  const value = readValue(start, start + length, 0);
  return cursor.position === start + length ? value : UNREAD;
}

/** Leaves the position behind the value in {@link cursor}. */
function readValue(position: number, end: number, depth: number): unknown {
  if (position >= end) return UNREAD;
  const head = windowBytes[position] as number;
  cursor.position = position + 1;
  switch (head >> 5) {
    case 2:
      return readBytes(position, end) ?? UNREAD;
    case 3:
      return readText(position, end) ?? UNREAD;
    case 4:
      return readList(position, end, depth);
    case 5:
      return readMap(position, end, depth);
    default:
      break;
  }
  if (head === 0xf4) return false;
  if (head === 0xf5) return true;
  if (head === 0xf6) return null;
  if (head === 0xf7) return undefined;
  cursor.position = position + (NUMBER_BYTES[head & 31] as number);
  const value = readNumber(position);
  // Tags are no numbers; NaN is what they and the rare forms of numbers read as.
  return Number.isNaN(value) ? UNREAD : value;
}

const keys = new TextCache(readAscii, 8, 32);

function readText(position: number, end: number): string | undefined {
  const length = textLengthAt(position, end);
  if (length < 0) return undefined;
  const start = position + (length < 0x18 ? 1 : 2);
  cursor.position = start + length;
  return readAscii(start, length);
}

/** Entries of a list or a map of up to 255; −1 for others. Leaves the position behind the head in {@link cursor}. */
function readCount(position: number): number {
  const information = (windowBytes[position] as number) & 31;
  cursor.position = position + (information === 0x18 ? 2 : 1);
  if (information > 0x18) return -1;
  return information === 0x18 ? (windowBytes[position + 1] as number) : information;
}

function readList(position: number, end: number, depth: number): unknown {
  const count = readCount(position);
  if (count < 0 || depth === DEPTH_MAX) return UNREAD;
  const list: unknown[] = [];
  for (let i = 0; i < count; i++) {
    const item = readValue(cursor.position, end, depth + 1);
    if (item === UNREAD) return UNREAD;
    list.push(item);
  }
  return list;
}

function readMap(position: number, end: number, depth: number): unknown {
  const count = readCount(position);
  if (count < 0 || depth === DEPTH_MAX) return UNREAD;
  const map: Record<string, unknown> = {};
  for (let i = 0; i < count; i++) {
    const start = cursor.position;
    const key = start < end ? keys.read(start, end) : undefined;
    if (key === undefined || key === '__proto__') return UNREAD;
    const item = readValue(start + key.length + (key.length < 0x18 ? 1 : 2), end, depth + 1);
    if (item === UNREAD) return UNREAD;
    map[key] = item;
  }
  let entries = 0;
  for (const _ in map) entries += 1;
  return entries === count ? map : UNREAD;
}
