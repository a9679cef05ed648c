/**
 * CRC-32C (Castagnoli, RFC 3720 §B.4), the checksum of LevelDB's files; zlib has only the other polynomial.
 *
 * Eight bytes at a time: each looks up, in a table of its own, what it contributes when as many others follow it, and the
 * eight lookups do not wait for each other as they do byte by byte (Kounavis and Berry, "A Systematic Approach to Building
 * High Performance Software-Based CRC Generators", ISCC 2005). All files of a folder go through here when it is opened.
 */

const POLYNOMIAL = 0x82f63b78;
/** Eight tables of 256 behind each other; in the one of number n are bytes that n others follow. Signed, since numbers of
 *  32 bits with a sign are those that engines compute with. */
const TABLES: Int32Array = makeTables();

/** The checksum of `bytes` from `start` to before `end`, both within them. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    // The state before belongs to the first four bytes.
    crc ^=
      byteAt(bytes, at) |
      (byteAt(bytes, at + 1) << 8) |
      (byteAt(bytes, at + 2) << 16) |
      (byteAt(bytes, at + 3) << 24);
    crc =
      entry(7 * 256 + (crc & 0xff)) ^
      entry(6 * 256 + ((crc >>> 8) & 0xff)) ^
      entry(5 * 256 + ((crc >>> 16) & 0xff)) ^
      entry(4 * 256 + (crc >>> 24)) ^
      entry(3 * 256 + byteAt(bytes, at + 4)) ^
      entry(2 * 256 + byteAt(bytes, at + 5)) ^
      entry(256 + byteAt(bytes, at + 6)) ^
      entry(byteAt(bytes, at + 7));
  }
  for (; at < end; at += 1) crc = entry((crc ^ byteAt(bytes, at)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** As LevelDB writes it: a checksum of bytes that contain checksums would be weak, so they are stored changed. */
export function maskedCrc32c(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc32c(bytes, start, end);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function entry(place: number): number {
  return TABLES[place] as number;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let place = 256; place < tables.length; place += 1) {
    const before = tables[place - 256] as number;
    tables[place] = (tables[before & 0xff] as number) ^ (before >>> 8);
  }
  return tables;
}
