/**
 * Writes single CBOR items at a position: each function answers the position behind its item, or −1 for a value that is
 * not what its name says or that the general path must write. The bytes are those that cbor-x would write.
 */

/** What has a length is written only where so much room is left behind it; what has none takes less in any record. */
export const ROOM_BYTES = 1024;

/** The head of a list or a map of up to 255. */
export function writeHead(
  major: number,
  count: number,
  position: number,
  bytes: Uint8Array,
): number {
  if (count < 24) {
    bytes[position] = major + count;
    return position + 1;
  }
  bytes[position] = major + 24;
  bytes[position + 1] = count;
  return position + 2;
}

/** Integers of up to four bytes as such, everything else as a 64-bit float. */
export function writeNumber(
  value: unknown,
  position: number,
  bytes: Uint8Array,
  view: DataView,
): number {
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
export function writeText(
  value: unknown,
  position: number,
  bytes: Uint8Array,
  view: DataView,
): number {
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

/** A byte string as long as there is room for. */
export function writeBytes(value: unknown, position: number, bytes: Uint8Array): number {
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
