/**
 * Bodies to messages in one pass: reads, checks and builds at once, with a function that is made from the schema when
 * it is first needed. It reads what our own encoder writes and gives up on everything else: other orders of keys,
 * texts that are not ASCII, 16-bit and 32-bit floats, `undefined`, tags, and whatever breaks the schema. The general path
 * (cbor.ts, validation.ts) reads those, and it alone decides what is wrong with them and how to say it.
 *
 * Why hostile bytes do no harm:
 * - A decoder asks for the keys of its schema in their order, so no key can come twice, none can be unknown, and no name
 *   out of the bytes ever becomes a key: `__proto__` is no field.
 * - It calls only the decoders of records in its schema, so its depth is that of the schema.
 * - Positions only rise, and a body is accepted when they end exactly at its end: what was read beyond it, in the slack of
 *   the window, is never part of a message. Lengths of texts and byte strings are compared with the end before they are
 *   read; items of lists take a byte each.
 * - The source of a decoder is made of names and numbers of our own schemas and of nothing that a peer says.
 *
 * Why generated code: the same decoder put together from closures takes 3 to 4.6 times as long on the messages of a task,
 * since an engine does not see through calls out of a table, and a literal with known keys is built faster than a map
 * with keys out of one. TypeBox makes its checks in the same way. Where `new Function` is forbidden, every message takes
 * the general path.
 */
import { constantTextOf, matching, type ConstantText } from './constants.ts';
import { Externals } from './generated.ts';
import type { Field, RecordShape, Shape } from './shape.ts';
import { cacheOf } from './texts.ts';
import {
  NUMBER_BYTES,
  cursor,
  readAscii,
  readBytes,
  readNumber,
  textLengthAt,
  windowBytes,
  windowView,
} from './window.ts';

/** Reads the record between two positions of the window; undefined when the general path must. */
export type ReadRecord = (start: number, end: number) => object | undefined;

/** Makes the decoder of a record; it leaves the position behind the record in {@link cursor}. */
export function compileReader(record: RecordShape): ReadRecord {
  const externals = new Externals({
    bytes: windowBytes,
    view: windowView,
    cursor,
    NUMBER_BYTES,
    readNumber,
    readBytes,
    readText,
  });
  return externals.evaluate(recordSource(record, externals)) as ReadRecord;
}

const GIVE_UP = 'return undefined;';

function recordSource({ fields }: RecordShape, externals: Externals): string {
  let requiredLeft = fields.filter(({ isOptional }) => !isOptional).length;
  const lines = fields.map((field, index) => {
    const source = fieldSource(field, `v${index}`, requiredLeft, externals);
    if (!field.isOptional) requiredLeft -= 1;
    return source;
  });
  return `(p, end) => {
    let left = bytes[p] - 0xa0;
    p += 1;
    if (left === 24) { left = bytes[p]; p += 1; }
    else if (left < 0 || left > 23) ${GIVE_UP}
    ${lines.join('\n')}
    if (left !== 0) ${GIVE_UP}
    cursor.position = p;
    ${objectSource(fields)}
  }`;
}

/** `left` counts the entries of the map that are still to come; those of required fields among them are known. */
function fieldSource(
  { name, isOptional, shape }: Field,
  variable: string,
  requiredLeft: number,
  externals: Externals,
): string {
  const key = constantTextOf(name);
  // What cannot be read is not looked for: its entry is then one too many.
  if (shape === undefined || key === undefined) return `let ${variable};`;
  const value = valueSource(shape, variable, externals);
  const isHere = `p < end && ${matching(key)}`;
  const step = `p += ${key.bytes.length}; left -= 1;`;
  return isOptional
    ? `let ${variable}; if (left > ${requiredLeft} && ${isHere}) { ${step} ${value} }`
    : `let ${variable}; if (!(${isHere})) ${GIVE_UP} ${step} ${value}`;
}

/** The object in the order of the fields. Those in front of the first optional one are set at once. */
function objectSource(fields: readonly Field[]): string {
  const property = (name: string, index: number): string => `${JSON.stringify(name)}: v${index}`;
  const names = fields.map(({ name }) => name);
  const firstOptional = fields.findIndex(({ isOptional }) => isOptional);
  const count = firstOptional === -1 ? fields.length : firstOptional;
  const literal = `{ ${names.slice(0, count).map(property).join(', ')} }`;
  if (count === fields.length) return `return ${literal};`;
  const rest = fields.slice(count).map(({ name, isOptional }, index) => {
    const variable = `v${count + index}`;
    const assignment = `value[${JSON.stringify(name)}] = ${variable};`;
    return isOptional ? `if (${variable} !== undefined) ${assignment}` : assignment;
  });
  return `const value = ${literal}; ${rest.join('\n')} return value;`;
}

/** Statements that read a value at `p` into `variable` and move `p` behind it, or give up. */
function valueSource(shape: Shape, variable: string, externals: Externals): string {
  const orGiveUp = `if (${variable} === undefined) ${GIVE_UP}`;
  switch (shape.kind) {
    case 'boolean':
      return `${variable} = bytes[p] === 0xf5; if (!${variable} && bytes[p] !== 0xf4) ${GIVE_UP} p += 1;`;
    case 'number':
      return numberSource(shape, variable);
    case 'bytes':
      return `${variable} = readBytes(p, end); ${orGiveUp} p = cursor.position;`;
    case 'word':
      return wordSource(shape.words, variable);
    case 'text': {
      const cache = cacheOf(shape);
      const read = cache === undefined ? 'readText' : `${externals.add(cache)}.read`;
      return `${variable} = ${read}(p, end); ${orGiveUp} p += ${variable}.length + (${variable}.length < 24 ? 1 : 2);
        ${cache === undefined ? `if (${variable}.length < ${shape.lengthMin} || ${variable}.length > ${shape.lengthMax}) ${GIVE_UP}` : ''}`;
    }
    case 'list':
      return listSource(shape, variable, externals);
    case 'record':
      return `${variable} = ${externals.add(compileReader(shape))}(p, end); ${orGiveUp} p = cursor.position;`;
  }
}

function numberSource(
  { isInteger, minimum, maximum }: Shape & { kind: 'number' },
  variable: string,
): string {
  const fraction = isInteger ? `if (${variable} % 1 !== 0) ${GIVE_UP}` : '';
  // NaN is not within any bounds.
  return `${variable} = bytes[p];
    if (${variable} < 24) { p += 1; }
    else { const size = NUMBER_BYTES[${variable} & 31]; ${variable} = readNumber(p); p += size; ${fraction} }
    if (!(${variable} >= ${minimum} && ${variable} <= ${maximum})) ${GIVE_UP}`;
}

function wordSource(words: readonly string[], variable: string): string {
  const constants = words.map(constantTextOf).filter((word) => word !== undefined);
  const tries = constants.map((word: ConstantText) => {
    const assignment = `${variable} = ${JSON.stringify(word.text)}; p += ${word.bytes.length};`;
    return `if (${matching(word)}) { ${assignment} }`;
  });
  return `${tries.join(' else ')} else ${GIVE_UP}`;
}

function listSource(
  { item, itemsMax }: Shape & { kind: 'list' },
  variable: string,
  externals: Externals,
): string {
  const [count, value] = [`${variable}n`, `${variable}i`];
  return `let ${count} = bytes[p] - 0x80;
    p += 1;
    if (${count} === 24) { ${count} = bytes[p]; p += 1; }
    else if (${count} < 0 || ${count} > 23) ${GIVE_UP}
    if (${count} > ${itemsMax}) ${GIVE_UP}
    ${variable} = [];
    for (; ${count} > 0; ${count} -= 1) {
      if (p >= end) ${GIVE_UP}
      let ${value};
      ${valueSource(item, value, externals)}
      ${variable}.push(${value});
    }`;
}

/** A free text of up to 255 ASCII characters. */
function readText(position: number, end: number): string | undefined {
  const length = textLengthAt(position, end);
  if (length < 0) return undefined;
  return readAscii(position + (length < 0x18 ? 1 : 2), length);
}
