import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lcsLength, lcssLength, RandomSource, symbolise, type KernelError } from '../src/index.ts';
import { boundedLcss } from '../src/typescript/lcss-table.ts';
import { normalBreakpoints } from '../src/symbolise.ts';
import { at, finiteSeries, referenceLcss } from './reference.ts';

/** The table of the textbook. */
function tableLcs(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const table = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const row = table[i] ?? new Uint32Array(0);
      const above = table[i - 1] ?? new Uint32Array(0);
      row[j] =
        at(a, i - 1) === at(b, j - 1)
          ? at(above, j - 1) + 1
          : Math.max(at(above, j), at(row, j - 1));
    }
  }
  return table.at(-1)?.at(-1) ?? NaN;
}

const symbols = (maxLength: number): fc.Arbitrary<Int32Array> =>
  fc
    .oneof(
      fc.array(fc.integer({ min: 0, max: 1 }), { maxLength, size: 'max' }),
      fc.array(fc.integer({ min: -4, max: 4 }), { maxLength, size: 'max' }),
      fc.array(fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0, -1), { maxLength, size: 'max' }),
      fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength, size: 'max' }),
    )
    .map((list) => Int32Array.from(list));

function typeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as KernelError).type;
  }
  return 'none';
}

describe('the longest common subsequence of symbols', () => {
  it('is that of the full table, for alphabets of every size and lengths across word borders', () => {
    let long = 0;
    fc.assert(
      fc.property(symbols(100), symbols(100), (a, b) => {
        expect(lcsLength(a, b)).toBe(tableLcs(a, b));
        expect(lcsLength(a, a)).toBe(a.length);
        if (a.length > 32 && b.length > 32) long += 1;
      }),
      { numRuns: 2500 },
    );
    expect(long).toBeGreaterThan(500);
  });

  it('carries through words that are all ones, at every length around a border', () => {
    for (const length of [1, 31, 32, 33, 63, 64, 65, 96, 97, 128, 129]) {
      const same = new Int32Array(length).fill(7);
      expect(lcsLength(same, same)).toBe(length);
      expect(lcsLength(same, Int32Array.of(7))).toBe(1);
      const random = new RandomSource(length);
      const other = Int32Array.from({ length: 3 * length }, () => random.nextUint32() % 3);
      expect(lcsLength(other.subarray(0, length), other)).toBe(length);
      expect(lcsLength(other, other.slice().reverse())).toBe(
        tableLcs(other, other.slice().reverse()),
      );
    }
    expect(lcsLength(new Int32Array(0), Int32Array.of(1))).toBe(0);
  });

  it('refuses an alphabet whose masks would not fit', () => {
    const distinct = Int32Array.from({ length: 13_000 }, (_, i) => i);
    expect(typeOf(() => lcsLength(distinct, distinct))).toBe('TOO_LARGE');
    // Symbols of one side only cost nothing.
    expect(lcsLength(distinct, Int32Array.of(12_999, 5, 6, -1))).toBe(2);
  });
});

describe('the bit-parallel LCSS of numbers', () => {
  it('is that of the full table for every band, and keeps its promise about what is needed', () => {
    const cases = fc.record({
      a: finiteSeries({ minLength: 1, maxLength: 75 }),
      b: finiteSeries({ minLength: 1, maxLength: 75 }),
      epsilon: fc.constantFrom(0, 0.1, 0.5, 2),
      delta: fc.oneof(fc.integer({ min: 6, max: 40 }), fc.constantFrom(31, 32, 33, 74)),
      needed: fc.nat({ max: 75 }),
    });
    let wide = 0;
    fc.assert(
      fc.property(cases, ({ a, b, epsilon, delta: wanted, needed }) => {
        const delta = Math.min(wanted, Math.max(a.length, b.length) - 1);
        const expected = referenceLcss(a, b, epsilon, delta);
        const [x, y] = [Float64Array.from(a), Float64Array.from(b)];
        expect(lcssLength(x, y, { epsilon, delta })).toBe(expected);
        const row = new Int32Array(y.length + 1);
        const bounded = boundedLcss(x, x.length, y, y.length, epsilon, delta, needed, row);
        expect(bounded).toBe(expected >= needed ? expected : -1);
        if (delta >= 6 && b.length > 32) wide += 1;
      }),
      { numRuns: 2500 },
    );
    expect(wide).toBeGreaterThan(800);
  });
});

describe('symbols of numbers', () => {
  it('of SAX are the published breakpoints, mirrored exactly', () => {
    // Lin, Keogh, Lonardi & Chiu 2003, table 3, for alphabets of 3 to 6.
    expect([...normalBreakpoints(3)].map((x) => x.toFixed(2))).toEqual(['-0.43', '0.43']);
    expect([...normalBreakpoints(4)].map((x) => x.toFixed(2))).toEqual(['-0.67', '0.00', '0.67']);
    expect([...normalBreakpoints(5)].map((x) => x.toFixed(2))).toEqual([
      '-0.84',
      '-0.25',
      '0.25',
      '0.84',
    ]);
    expect([...normalBreakpoints(6)].map((x) => x.toFixed(2))).toEqual([
      '-0.97',
      '-0.43',
      '0.00',
      '0.43',
      '0.97',
    ]);
    // The quartile of the normal distribution to more digits than any table of SAX has.
    expect(at(normalBreakpoints(4), 2)).toBeCloseTo(0.674_489_750_196_081_7, 14);
    for (let alphabet = 2; alphabet <= 64; alphabet += 1) {
      const points = [...normalBreakpoints(alphabet)];
      expect(
        points
          .slice()
          .reverse()
          .map((x) => 0 - x),
      ).toEqual(points.map((x) => x + 0));
      expect(points).toEqual(points.slice().sort((a, b) => a - b));
    }
  });

  it('of SAX are about equally frequent for normal values, and level and size do not matter', () => {
    const random = new RandomSource(11);
    const values = Float64Array.from({ length: 40_000 }, () => random.nextNormal());
    const found = symbolise(values, { method: 'sax', alphabet: 5 });
    for (let symbol = 0; symbol < 5; symbol += 1) {
      const share = found.filter((item) => item === symbol).length / values.length;
      expect(Math.abs(share - 0.2)).toBeLessThan(0.01);
    }
    const moved = values.map((value) => 1000 + 8 * value);
    const same = symbolise(moved, { method: 'sax', alphabet: 5 }).filter(
      (item, i) => item === found[i],
    );
    expect(same.length).toBeGreaterThan(39_990);
  });

  it('of SAX average their segments, a shorter last one included', () => {
    const values = Float64Array.of(-3, -3, 3, 3, 3, -3, 9);
    // Mean 9/7: z of the segments is low, high, level, very high.
    expect([...symbolise(values, { method: 'sax', alphabet: 4, segment: 2 })]).toEqual([
      0, 2, 1, 3,
    ]);
    expect([...symbolise(new Float64Array(3).fill(5), { method: 'sax', alphabet: 4 })]).toEqual([
      2, 2, 2,
    ]);
  });

  it('of rounding are half away from 0, and refuse what is no 32-bit integer', () => {
    const values = Float64Array.of(0.004, 0.005, -0.005, -0.016, 0);
    expect([...symbolise(values, { method: 'round', step: 0.01 })].map((x) => x + 0)).toEqual([
      0, 1, -1, -2, 0,
    ]);
    const one = Float64Array.of(1);
    expect(typeOf(() => symbolise(one, { method: 'round', step: 1e-10 }))).toBe('TOO_LARGE');
    expect(typeOf(() => symbolise(one, { method: 'round', step: 0 }))).toBe('BAD_PARAMETER');
    expect(typeOf(() => symbolise(one, { method: 'sax', alphabet: 1 }))).toBe('BAD_PARAMETER');
    expect(typeOf(() => symbolise(Float64Array.of(NaN), { method: 'sax' }))).toBe(
      'VALUE_NOT_FINITE',
    );
  });
});
