import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeTable, encodeTable } from '../src/index.ts';
import { encodeCbor } from '../src/cbor.ts';
import { refusal } from './support/refusals.ts';
import { bytesToHex } from './support/tiny-cbor.ts';

const closes = new Map([
  ['DAX', Float64Array.of(1, 2, 3)],
  ['SMI', Float64Array.of(4, Number.NaN, 6)],
]);

/** The layout by hand, from the description in docs/protocol.md. */
function layOut(header: unknown, data: Uint8Array, headerLength?: number): Uint8Array {
  const headerBytes = encodeCbor(header);
  const start = Math.ceil((4 + headerBytes.length) / 8) * 8;
  const bytes = new Uint8Array(start + data.length);
  new DataView(bytes.buffer).setUint32(0, headerLength ?? headerBytes.length, true);
  bytes.set(headerBytes, 4);
  bytes.set(data, start);
  return bytes;
}

describe('a table', () => {
  test('is the same after encoding and decoding, wherever its bytes lie', () => {
    const tables = fc
      .nat(20)
      .chain((rows) =>
        fc.array(
          fc.tuple(
            fc.string({ minLength: 1, maxLength: 40 }),
            fc.float64Array({ minLength: rows, maxLength: rows }),
          ),
          { maxLength: 6 },
        ),
      );
    fc.assert(
      fc.property(tables, fc.nat(9), (entries, offset) => {
        const columns = new Map(entries);
        const bytes = encodeTable(columns);
        const moved = new Uint8Array(bytes.length + offset).subarray(offset);
        moved.set(bytes);
        const table = decodeTable(moved);
        expect(table.columns).toStrictEqual(columns);
        expect(table.rows).toBe([...columns.values()][0]?.length ?? 0);
        expect(encodeTable(table.columns)).toStrictEqual(bytes);
      }),
    );
  });

  test('begins its columns at a multiple of 8 and views them in place', () => {
    const bytes = encodeTable(closes);
    const { columns } = decodeTable(bytes);
    for (const column of columns.values()) {
      expect(column.buffer).toBe(bytes.buffer);
      expect(column.byteOffset % 8).toBe(0);
    }
    expect(bytes).toStrictEqual(
      layOut(
        { rows: 3, columns: ['DAX', 'SMI'] },
        new Uint8Array(Float64Array.of(1, 2, 3, 4, Number.NaN, 6).buffer),
      ),
    );
  });

  test('can be read from shared memory, without a copy', () => {
    const bytes = encodeTable(closes);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    const dax = decodeTable(shared).columns.get('DAX');
    expect(dax?.buffer).toBe(shared.buffer);
    expect([...(dax ?? [])]).toStrictEqual([1, 2, 3]);
  });

  test('takes columns that are views into larger memory', () => {
    const memory = Float64Array.of(9, 1, 2, 3, 9);
    const columns = new Map([['x', memory.subarray(1, 4)]]);
    expect([...(decodeTable(encodeTable(columns)).columns.get('x') ?? [])]).toStrictEqual([
      1, 2, 3,
    ]);
  });

  test('with columns of different lengths, or with names that cannot travel, is refused', () => {
    const uneven = new Map([
      ['a', Float64Array.of(1)],
      ['b', Float64Array.of(1, 2)],
    ]);
    expect(refusal('BAD_INPUT', () => encodeTable(uneven))).toContain('b has 2 rows');
    refusal('BAD_INPUT', () => encodeTable(new Map([['', Float64Array.of(1)]])));
    refusal('BAD_INPUT', () => encodeTable(new Map([['n'.repeat(129), Float64Array.of(1)]])));
    const many = Array.from(
      { length: 4097 },
      (_, index) => [`${index}`, Float64Array.of(1)] as const,
    );
    refusal('BAD_INPUT', () => encodeTable(new Map(many)));
  });

  test.each([
    ['nothing', new Uint8Array(0), 'shorter'],
    ['three bytes', new Uint8Array(3), 'shorter'],
    [
      'a header that is longer than the bytes',
      layOut({ rows: 0, columns: [] }, new Uint8Array(0), 99),
      'header',
    ],
    ['a header of 4 GiB', Uint8Array.of(255, 255, 255, 255, 0), 'header'],
    ['a header that is no CBOR', Uint8Array.of(1, 0, 0, 0, 0xff, 0, 0, 0), 'not CBOR'],
    [
      'a header that ends inside',
      layOut({ rows: 0, columns: [] }, new Uint8Array(0), 5),
      'not CBOR',
    ],
    [
      'a header with another key',
      layOut({ rows: 0, columns: [], more: 1 }, new Uint8Array(0)),
      'more',
    ],
    ['a negative number of rows', layOut({ rows: -1, columns: [] }, new Uint8Array(0)), 'rows'],
    ['half a row', layOut({ rows: 0.5, columns: ['a'] }, new Uint8Array(4)), 'rows'],
    ['a column without a name', layOut({ rows: 0, columns: [''] }, new Uint8Array(0)), 'columns.0'],
    [
      'two columns of one name',
      layOut({ rows: 1, columns: ['a', 'a'] }, new Uint8Array(16)),
      'same name',
    ],
    ['too few numbers', layOut({ rows: 2, columns: ['a'] }, new Uint8Array(15)), 'do not fill'],
    ['too many numbers', layOut({ rows: 2, columns: ['a'] }, new Uint8Array(24)), 'do not fill'],
    [
      'more rows than memory',
      layOut({ rows: 2 ** 52, columns: ['a'] }, new Uint8Array(8)),
      'do not fill',
    ],
  ])('is not %s', (_name, bytes, why) => {
    expect(refusal('DATASET_CORRUPT', () => decodeTable(bytes))).toContain(why);
  });

  test('that is corrupt anywhere gives a table or a typed error', () => {
    const bytes = encodeTable(closes);
    for (let index = 0; index < 40; index++) {
      for (const bit of [1, 16, 128]) {
        const corrupted = new Uint8Array(bytes);
        corrupted[index] = (corrupted[index] ?? 0) ^ bit;
        try {
          decodeTable(corrupted);
        } catch (error) {
          expect(error, bytesToHex(corrupted)).toMatchObject({ type: 'DATASET_CORRUPT' });
        }
      }
    }
  });
});
