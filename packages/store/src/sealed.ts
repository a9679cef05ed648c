/**
 * Values with a checksum over themselves and their key, so that neither changed bytes nor a value under a wrong key is
 * taken for what was stored. CRC-32 of zlib: it notices every burst of up to 32 bits and all but one of four billion other
 * damages.
 */
import { crc32 } from 'node:zlib';

const CHECKSUM_BYTES = 4;

/** Puts the checksum in front of a body. */
export function seal(key: Buffer, body: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(CHECKSUM_BYTES + body.length);
  value.set(body, CHECKSUM_BYTES);
  value.writeUInt32BE(checksumOf(key, value), 0);
  return value;
}

/** The body of a sealed value; undefined where the checksum does not fit. */
export function unseal(key: Buffer, value: Buffer): Buffer | undefined {
  if (value.length < CHECKSUM_BYTES) return undefined;
  if (value.readUInt32BE(0) !== checksumOf(key, value)) return undefined;
  return value.subarray(CHECKSUM_BYTES);
}

/** The checksum that a sealed value carries. */
export function sealOf(value: Buffer): number {
  return value.readUInt32BE(0);
}

function checksumOf(key: Buffer, value: Buffer): number {
  return crc32(value.subarray(CHECKSUM_BYTES), crc32(key));
}
