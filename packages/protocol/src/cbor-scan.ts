/**
 * The check that stands before the CBOR decoder. It walks the structure of one item without decoding it and refuses
 * what a decoder should never see: deep nesting, huge counts, lengths that the bytes do not have, indefinite lengths,
 * big numbers, regular expressions and every other tag but RFC 8746 typed arrays. Without it a 256 KiB frame can hold
 * cbor-x for 51 seconds (a bignum), and a 1 MiB frame can grow to 192 MB (empty maps).
 *
 * Iterative, one pass, no allocation but its answer. Costs about a third of the decoding itself.
 */
import { CBOR_DEPTH_MAX } from './limits.ts';
import { SwarmError } from './errors.ts';

// Major types of RFC 8949 §3.1.
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const SIMPLE = 7;

/**
 * Bytes per element by tag, RFC 8746 §2.1; 0 where a tag is not allowed. Of tags 64 to 87 there are missing: 76
 * (reserved) and the floats of 16 and 128 bits (80, 84, 83, 87), for which JavaScript has no typed array.
 */
const ELEMENT_BYTES: Uint8Array = elementBytesByTag();

/** What the scan saw of an item that it let pass. */
export interface ScannedCbor {
  /** Entries of all maps together. */
  readonly mapEntries: number;
  /** Integers of eight bytes, which the decoder turns into BigInt. */
  readonly hasLongIntegers: boolean;
}

// Items still to come in each array or map around the current position, innermost last, and which of them are maps.
// Kept between calls, since a scan never waits.
const remaining = new Float64Array(CBOR_DEPTH_MAX + 1);
const isMap = new Uint8Array(CBOR_DEPTH_MAX + 1);

/**
 * Throws BAD_MESSAGE unless the first `length` of `bytes` are exactly one well-formed CBOR item within the limits.
 * @param itemsMax how many items in all; map keys and values count singly, a typed array counts as one
 */
export function scanCbor(
  bytes: Uint8Array,
  itemsMax: number,
  length: number = bytes.length,
): ScannedCbor {
  let depth = 0;
  remaining[0] = 1;
  isMap[0] = 0;
  let position = 0;
  let items = 0;
  let mapEntries = 0;
  let hasLongIntegers = false;
  while (depth >= 0) {
    const left = remaining[depth] as number;
    if (left === 0) {
      depth -= 1;
      continue;
    }
    remaining[depth] = left - 1;
    items += 1;
    if (items > itemsMax) throw bad(`more than ${itemsMax} items`);
    if (position >= length) throw bad('it ends early');
    const head = bytes[position] as number;
    const major = head >> 5;
    // A map has an even number of items left before each key.
    if (isMap[depth] === 1 && left % 2 === 0 && major !== TEXT) throw bad('a key is not text');
    const argumentBytes = argumentBytesOf(head & 31, major);
    if (position + 1 + argumentBytes > length) throw bad('it ends early');
    const argument =
      argumentBytes === 0 ? head & 31 : readUnsigned(bytes, position + 1, argumentBytes);
    position += 1 + argumentBytes;
    if (major === BYTES || major === TEXT) {
      if (argument > length - position) throw bad('a string claims more bytes than there are');
      position += argument;
    } else if (major === ARRAY || major === MAP) {
      const children = major === MAP ? argument * 2 : argument;
      if (children > length - position) throw bad('a list claims more items than there are bytes');
      if (depth === CBOR_DEPTH_MAX) throw bad(`nested deeper than ${CBOR_DEPTH_MAX}`);
      depth += 1;
      remaining[depth] = children;
      isMap[depth] = major === MAP ? 1 : 0;
      if (major === MAP) mapEntries += argument;
    } else if (major === TAG) {
      position = scanTypedArray(bytes, length, position, argument);
    } else if (major === SIMPLE) {
      // false, true, null and undefined; all other simple values mean nothing here. Longer ones are floats.
      if (argumentBytes === 1 || (argumentBytes === 0 && (argument < 20 || argument > 23))) {
        throw bad('an unknown simple value');
      }
    } else if (argumentBytes === 8) {
      // −1 − argument is the value of a negative integer.
      const bound = major === NEGATIVE ? Number.MAX_SAFE_INTEGER - 1 : Number.MAX_SAFE_INTEGER;
      if (argument > bound) throw bad('an integer beyond ±(2^53 − 1)');
      hasLongIntegers = true;
    }
  }
  if (position !== length) throw bad(`${length - position} bytes follow its end`);
  return { mapEntries, hasLongIntegers };
}

/** Checks that a byte string with whole elements follows; returns the position behind it. */
function scanTypedArray(bytes: Uint8Array, length: number, start: number, tag: number): number {
  const elementBytes = ELEMENT_BYTES[tag] ?? 0;
  if (elementBytes === 0) {
    throw bad(`tag ${tag} is not allowed, only those of typed arrays of up to 64 bits are`);
  }
  if (start >= length) throw bad('it ends early');
  const head = bytes[start] as number;
  if (head >> 5 !== BYTES) throw bad('a typed array is not a byte string');
  const argumentBytes = argumentBytesOf(head & 31, BYTES);
  if (start + 1 + argumentBytes > length) throw bad('it ends early');
  const byteLength =
    argumentBytes === 0 ? head & 31 : readUnsigned(bytes, start + 1, argumentBytes);
  const position = start + 1 + argumentBytes;
  if (byteLength > length - position) throw bad('a typed array claims more bytes than there are');
  if (byteLength % elementBytes !== 0) throw bad('a typed array ends inside an element');
  return position + byteLength;
}

/** How many bytes follow the head byte: 0, 1, 2, 4 or 8. Indefinite lengths and reserved values are refused. */
function argumentBytesOf(information: number, major: number): number {
  if (information < 24) return 0;
  if (information === 24) return 1;
  if (information === 25) return 2;
  if (information === 26) return 4;
  if (information === 27) {
    // An 8-byte length can only be a lie; 8-byte numbers are fine.
    if (major >= BYTES && major <= TAG) throw bad('a length of eight bytes');
    return 8;
  }
  throw bad('an indefinite length or a reserved value');
}

function readUnsigned(bytes: Uint8Array, position: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value = value * 256 + (bytes[position + i] as number);
  return value;
}

function elementBytesByTag(): Uint8Array {
  const sizes = new Uint8Array(88);
  for (const [bytes, ...tags] of [
    [1, 64, 68, 72],
    [2, 65, 69, 73, 77],
    [4, 66, 70, 74, 78, 81, 85],
    [8, 67, 71, 75, 79, 82, 86],
  ] as const) {
    for (const tag of tags) sizes[tag] = bytes;
  }
  return sizes;
}

function bad(what: string): SwarmError {
  return new SwarmError(
    'BAD_MESSAGE',
    `The bytes are not a CBOR item that this protocol allows: ${what}.`,
  );
}
