/**
 * Messages to bodies without a detour: a function that is made from the schema when it is first needed writes keys that
 * were encoded beforehand, and values, straight to where the frame lies. The fields come in the order of the schema, so
 * that the decoder at the other end can ask for them in that order; apart from it the bytes are those of the
 * general path, which writes whatever this one does not know: fields that a schema does not have or that are
 * `undefined`, texts that are not ASCII, long values.
 *
 * It does not check the schema, as little as the general path does.
 */
import { constantTextOf, writing } from './constants.ts';
import { Externals } from './generated.ts';
import type { Field, RecordShape, Shape } from './shape.ts';

/**
 * Writes a record at a position; answers the position behind it, or −1 when the general path must write it (bytes behind
 * `position` may have changed then). There must be {@link ROOM_BYTES} behind the position.
 */
export type WriteRecord = (
  value: unknown,
  position: number,
  bytes: Uint8Array,
  view: DataView,
) => number;

/** Everything with a length leaves so much room behind itself, and what has no length takes less in any record. */
export const ROOM_BYTES = 1024;

/** Makes the encoder of a record; undefined when one of them could write more than {@link ROOM_BYTES} unasked. */
export function compileWriter(record: RecordShape): WriteRecord | undefined {
  const externals = new Externals({ writeNumber, writeText, writeBytes, writeHead, ROOM_BYTES });
  if (fixedBytesOf(record) > ROOM_BYTES) return undefined;
  const lines = record.fields.map((field) => fieldSource(field, externals));
  if (lines.includes(undefined)) return undefined;
  const required = record.fields.filter(({ isOptional }) => !isOptional).length;
  return externals.evaluate(`(value, p, bytes, view) => {
    if (typeof value !== 'object' || value === null || value.constructor !== Object) return -1;
    if (p + ROOM_BYTES > bytes.length) return -1;
    let left = 0;
    for (const _ in value) left += 1;
    p = writeHead(0xa0, left, p, bytes);
    let x;
    ${lines.join('\n')}
    return left === ${required} ? p : -1;
  }`) as WriteRecord;
}

/** Longest that the record is without its texts, byte strings, lists and records, which ask for room themselves. */
function fixedBytesOf({ fields }: RecordShape): number {
  return fields.reduce((sum, { name }) => sum + name.length + 2 + 9, 3);
}

/** `left` counts the entries of the map but those of optional fields that were written. */
function fieldSource({ name, isOptional, shape }: Field, externals: Externals): string | undefined {
  const key = constantTextOf(name);
  const value = shape === undefined ? undefined : valueSource(shape, 'x', externals);
  // What cannot be written stays one entry too many.
  if (key === undefined || value === undefined) return isOptional ? '' : undefined;
  const read = `x = value[${JSON.stringify(name)}];`;
  return isOptional
    ? `${read} if (x !== undefined) { left -= 1; ${writing(key)} ${value} }`
    : `${read} ${writing(key)} ${value}`;
}

/** Statements that write the value of `variable` at `p` and move `p` behind it, or give up. */
function valueSource(shape: Shape, variable: string, externals: Externals): string | undefined {
  const orGiveUp = 'if (p < 0) return -1;';
  switch (shape.kind) {
    case 'boolean':
      return `if (typeof ${variable} !== 'boolean') return -1; bytes[p] = ${variable} ? 0xf5 : 0xf4; p += 1;`;
    case 'number':
      return `p = writeNumber(${variable}, p, bytes, view); ${orGiveUp}`;
    case 'text':
      return `p = writeText(${variable}, p, bytes, view); ${orGiveUp}`;
    case 'bytes':
      return `p = writeBytes(${variable}, p, bytes); ${orGiveUp}`;
    case 'word':
      return wordSource(shape.words, variable);
    case 'list': {
      const item = `${variable}i`;
      const write = valueSource(shape.item, item, externals);
      return write === undefined
        ? undefined
        : `if (!Array.isArray(${variable}) || ${variable}.length > 255 || ${variable}.constructor !== Array) return -1;
           p = writeHead(0x80, ${variable}.length, p, bytes);
           for (const ${item} of ${variable}) { if (p + ROOM_BYTES > bytes.length) return -1; ${write} }`;
    }
    case 'record': {
      const write = compileWriter(shape);
      return write === undefined
        ? undefined
        : `p = ${externals.add(write)}(${variable}, p, bytes, view); ${orGiveUp}`;
    }
  }
}

function wordSource(words: readonly string[], variable: string): string {
  const constants = words.map(constantTextOf).filter((word) => word !== undefined);
  const tries = constants.map(
    (word) => `if (${variable} === ${JSON.stringify(word.text)}) { ${writing(word)} }`,
  );
  return `${tries.join(' else ')} else return -1;`;
}

/** The head of a list or a map of up to 255. */
function writeHead(major: number, count: number, position: number, bytes: Uint8Array): number {
  if (count < 24) {
    bytes[position] = major + count;
    return position + 1;
  }
  bytes[position] = major + 24;
  bytes[position + 1] = count;
  return position + 2;
}

/** Integers of up to four bytes as such, everything else as a 64-bit float. */
function writeNumber(value: unknown, position: number, bytes: Uint8Array, view: DataView): number {
  if (typeof value !== 'number') return -1;
  if (value >>> 0 === value) return writeUnsigned(0, value, position, bytes, view);
  if (value < 0 && value >= -(2 ** 32) && Math.floor(value) === value) {
    return writeUnsigned(0x20, -1 - value, position, bytes, view);
  }
  bytes[position] = 0xfb;
  view.setFloat64(position + 1, value);
  return position + 9;
}

function writeUnsigned(
  major: number,
  value: number,
  position: number,
  bytes: Uint8Array,
  view: DataView,
): number {
  if (value < 0x18) {
    bytes[position] = major + value;
    return position + 1;
  }
  if (value < 0x100) {
    bytes[position] = major + 0x18;
    bytes[position + 1] = value;
    return position + 2;
  }
  if (value < 0x1_0000) {
    bytes[position] = major + 0x19;
    view.setUint16(position + 1, value);
    return position + 3;
  }
  bytes[position] = major + 0x1a;
  view.setUint32(position + 1, value);
  return position + 5;
}

// Longer texts are encoded by the engine, into an array of their own since a view of the block would cost more.
const LOOPED_LENGTH_MAX = 16;
const encoder = new TextEncoder();
const encoded = new Uint8Array(256);
const encodedView = new DataView(encoded.buffer);

/** Texts of up to 255 ASCII characters. */
function writeText(value: unknown, position: number, bytes: Uint8Array, view: DataView): number {
  if (typeof value !== 'string') return -1;
  const { length } = value;
  if (length > 0xff || position + length + ROOM_BYTES > bytes.length) return -1;
  const start = writeHead(0x60, length, position, bytes);
  if (length > LOOPED_LENGTH_MAX) {
    const { read, written } = encoder.encodeInto(value, encoded);
    // Any other text has more bytes than characters.
    if (read !== length || written !== length) return -1;
    for (let i = 0; i < length; i += 4) view.setUint32(start + i, encodedView.getUint32(i));
    return start + length;
  }
  let seen = 0;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    seen |= code;
    bytes[start + i] = code;
  }
  return seen < 0x80 ? start + length : -1;
}

const LOOPED_BYTES_MAX = 16;

function writeBytes(value: unknown, position: number, bytes: Uint8Array): number {
  if (!(value instanceof Uint8Array)) return -1;
  const { length } = value;
  if (position + length + ROOM_BYTES > bytes.length) return -1;
  let start = position;
  if (length < 0x100) {
    start = writeHead(0x40, length, position, bytes);
  } else {
    bytes[position] = 0x59;
    bytes[position + 1] = length >>> 8;
    bytes[position + 2] = length;
    start += 3;
  }
  if (length > LOOPED_BYTES_MAX) bytes.set(value, start);
  else for (let i = 0; i < length; i++) bytes[start + i] = value[i] as number;
  return start + length;
}
