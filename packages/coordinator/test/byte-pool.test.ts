/** Byte strings that lie beside each other are as they were, whatever comes after them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BytePool } from '../src/shell/byte-pool.ts';

describe('a pool of bytes', () => {
  it('gives each its own place, long or short', () => {
    const length = fc.oneof(fc.nat(200), fc.constantFrom(0, 1023, 1024, 1025, 8192));
    fc.assert(
      fc.property(fc.array(length, { maxLength: 100 }), (lengths) => {
        const pool = new BytePool();
        const copies = lengths.map((bytes, index) => {
          const original = Buffer.alloc(bytes, index + 1);
          const copy = pool.copy(original);
          original.fill(0);
          return copy;
        });
        for (const [index, copy] of copies.entries()) {
          // Element by element, as `toEqual` does it, takes a hundred times as long.
          expect(Buffer.alloc(lengths[index] ?? 0, index + 1).equals(copy)).toBe(true);
        }
      }),
    );
  });

  it('keeps small ones together, and never with the memory that they came from', () => {
    const pool = new BytePool();
    const source = new Uint8Array(100);
    const copies = Array.from({ length: 81 }, () => pool.copy(source));
    expect(new Set(copies.map(({ buffer }) => buffer)).size).toBe(1);
    const next = pool.copy(source);
    expect(next.buffer).not.toBe(copies[0]?.buffer);
    expect(next.buffer).not.toBe(source.buffer);
    // What is long enough would hold on to the short ones for nothing, and they to it.
    expect(pool.copy(new Uint8Array(5000)).buffer.byteLength).toBe(5000);
  });
});
