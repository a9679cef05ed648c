/**
 * The check that stands before the CBOR decoder. It walks the structure of one item without decoding it and refuses
 * what a decoder should never see: deep nesting, huge counts, lengths that the bytes do not have, indefinite lengths,
 * big numbers, regular expressions and every other tag but RFC 8746 typed arrays. Without it a 256 KiB frame can hold
 * cbor-x for 51 seconds (a bignum), and a 1 MiB frame can grow to 192 MB (empty maps).
 *
 * Iterative, one pass, no allocation but a small stack. Costs about a third of the decoding itself.
 */
import { CBOR_DEPTH_MAX } from './limits.ts';
import { SwarmError } from './errors.ts';

// Major types of RFC 8949 §3.1.
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const SIMPLE = 7;

// RFC 8746 §2.1: tags 64 to 87 are typed arrays (76 is reserved, 83 and 87 are 128-bit floats that no platform has).
const TYPED_ARRAY_TAG_MIN = 64;
const TYPED_ARRAY_TAG_MAX = 86;
const UNUSABLE_TAGS: ReadonlySet<number> = new Set([76, 83]);

/** Bytes per element of a typed array by tag, RFC 8746 §2.1: float bit f, and length bits ll. */
function elementBytesOf(tag: number): number {
  const isFloat = (tag & 0b10000) !== 0;
  const lengthBits = tag & 0b11;
  return isFloat ? 2 << lengthBits : 1 << lengthBits;
}

/**
 * Throws BAD_MESSAGE unless `bytes` are exactly one well-formed CBOR item within the limits.
 * @param itemsMax how many items in all; map keys and values count singly, a typed array counts as one
 */
export function scanCbor(bytes: Uint8Array, itemsMax: number): void {
  const length = bytes.length;
  const remaining: number[] = [1];
  let position = 0;
  let items = 0;
  while (remaining.length > 0) {
    const depth = remaining.length - 1;
    const left = remaining[depth] as number;
    if (left === 0) {
      remaining.pop();
      continue;
    }
    remaining[depth] = left - 1;
    items += 1;
    if (items > itemsMax) throw bad(`more than ${itemsMax} items`);
    if (position >= length) throw bad('it ends early');
    const head = bytes[position] as number;
    const major = head >> 5;
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
      if (remaining.length > CBOR_DEPTH_MAX) throw bad(`nested deeper than ${CBOR_DEPTH_MAX}`);
      remaining.push(children);
    } else if (major === TAG) {
      position = scanTypedArray(bytes, position, argument);
    } else if (major === SIMPLE && argumentBytes < 2) {
      // false, true, null and undefined; all other simple values mean nothing here.
      if (argumentBytes === 1 || argument < 20 || argument > 23)
        throw bad('an unknown simple value');
    }
  }
  if (position !== length) throw bad(`${length - position} bytes follow its end`);
}

/** Checks that a byte string with whole elements follows; returns the position behind it. */
function scanTypedArray(bytes: Uint8Array, start: number, tag: number): number {
  if (tag < TYPED_ARRAY_TAG_MIN || tag > TYPED_ARRAY_TAG_MAX || UNUSABLE_TAGS.has(tag)) {
    throw bad(`tag ${tag} is not allowed, only typed arrays (tags 64 to 86) are`);
  }
  if (start >= bytes.length) throw bad('it ends early');
  const head = bytes[start] as number;
  if (head >> 5 !== BYTES) throw bad('a typed array is not a byte string');
  const argumentBytes = argumentBytesOf(head & 31, BYTES);
  if (start + 1 + argumentBytes > bytes.length) throw bad('it ends early');
  const byteLength =
    argumentBytes === 0 ? head & 31 : readUnsigned(bytes, start + 1, argumentBytes);
  const position = start + 1 + argumentBytes;
  if (byteLength > bytes.length - position) {
    throw bad('a typed array claims more bytes than there are');
  }
  if (byteLength % elementBytesOf(tag) !== 0) throw bad('a typed array ends inside an element');
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

function bad(what: string): SwarmError {
  return new SwarmError(
    'BAD_MESSAGE',
    `The bytes are not a CBOR item that this protocol allows: ${what}.`,
  );
}
