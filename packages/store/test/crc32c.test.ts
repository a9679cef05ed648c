/** The checksum of LevelDB's files: a faster way to it must come to the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c, maskedCrc32c } from '../src/level/crc32c.ts';

/** Bit by bit, as the polynomial says it. */
function plainCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const upTo32 = Uint8Array.from({ length: 32 }, (_, index) => index);

describe('CRC-32C', () => {
  it.each([
    ['nothing', new Uint8Array(0), 0],
    ['the digits 1 to 9', Buffer.from('123456789'), 0xe3069283],
    // RFC 3720 §B.4, whose bytes are those of the checksum from the lowest on.
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['32 that rise', upTo32, 0x46dd794e],
    ['32 that fall', upTo32.toReversed(), 0x113fdb5c],
    [
      'an iSCSI read command',
      Buffer.from(
        '01c00000000000000000000000000000140000000000040000000014000000182800000000000000' +
          '0200000000000000',
        'hex',
      ),
      0xd9963a56,
    ],
  ])('of %s is as published', (_, bytes, expected) => {
    expect(crc32c(bytes, 0, bytes.length)).toBe(expected);
  });

  it('of any part of any bytes is what the polynomial says', () => {
    const part = fc
      .uint8Array({ minLength: 0, maxLength: 300 })
      .chain((bytes) => fc.tuple(fc.constant(bytes), fc.nat(bytes.length), fc.nat(bytes.length)));
    fc.assert(
      fc.property(part, ([bytes, a, b]) => {
        const [start, end] = a < b ? [a, b] : [b, a];
        expect(crc32c(bytes, start, end)).toBe(plainCrc32c(bytes.subarray(start, end)));
      }),
    );
  });

  it('is masked as LevelDB does it', () => {
    const bytes = Buffer.from('foo');
    // The way back, as its own readers go it.
    const rotated = (maskedCrc32c(bytes, 0, 3) + 2 ** 32 - 0xa282ead8) % 2 ** 32;
    expect(((rotated >>> 17) | (rotated << 15)) >>> 0).toBe(crc32c(bytes, 0, 3));
  });
});
