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
import { ROOM_BYTES, writeBytes, writeHead, writeNumber, writeText } from './primitives.ts';
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

/** Makes the encoder of a record; undefined when one of them could write more than {@link ROOM_BYTES} unasked. */
export function compileWriter(record: RecordShape): WriteRecord | undefined {
  const externals = new Externals({ writeNumber, writeText, writeBytes, writeHead, ROOM_BYTES });
  if (fixedBytesOf(record) > ROOM_BYTES) return undefined;
  const lines = record.fields.map((field) => fieldSource(field, externals));
  if (lines.includes(undefined)) return undefined;
  const required = record.fields.filter(({ isOptional }) => !isOptional).length;
  return externals.evaluate(`(value, p, bytes, view) => {
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return -1;
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
