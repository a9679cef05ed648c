import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { averageRanks, correlate, RandomSource, zNormalise, windowMoments } from '../src/index.ts';
import { at, repeat, gappySeries, referenceZ } from './reference.ts';

function referenceRanks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });
}

function referencePair(
  a: readonly number[],
  b: readonly number[],
  method: string,
): { coefficient: number; overlap: number } {
  const rows = a.flatMap((x, i) => {
    const y = at(b, i);
    return Number.isFinite(x) && Number.isFinite(y) ? [[x, y] as const] : [];
  });
  let [x, y] = [rows.map(([value]) => value), rows.map(([, value]) => value)];
  if (method === 'spearman') [x, y] = [referenceRanks(x), referenceRanks(y)];
  const centre = (values: number[]): number[] => {
    const [first = 0] = values;
    const mean = values.reduce((sum, value) => sum + (value - first), 0) / values.length;
    return values.map((value) => value - first - mean);
  };
  const constant = (values: number[]): boolean => values.every((value) => value === values[0]);
  if (rows.length < 2 || constant(x) || constant(y)) {
    return { coefficient: NaN, overlap: rows.length };
  }
  const [dx, dy] = [centre(x), centre(y)];
  const dot = (p: number[], q: number[]): number => p.reduce((sum, v, i) => sum + v * at(q, i), 0);
  const coefficient = dot(dx, dy) / Math.sqrt(dot(dx, dx)) / Math.sqrt(dot(dy, dy));
  return { coefficient, overlap: rows.length };
}

const tables = fc
  .tuple(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 0, max: 6 }))
  .chain(([rows, count]) =>
    fc
      .array(
        gappySeries({ minLength: Math.max(rows, 1), maxLength: Math.max(rows, 1) }).map((values) =>
          // The oracle's squares must not overflow or underflow.
          values
            .map((value) => (value === 1e200 ? NaN : Math.abs(value) < 1e-100 ? 0 : value))
            .concat(repeat(0, 14)),
        ),
        { minLength: count, maxLength: count },
      )
      .map((columns) => columns.map((column) => column.slice(0, rows))),
  );

describe('correlate', () => {
  it('equals each pair computed on its own overlap', () => {
    const cases = fc.tuple(tables, fc.constantFrom('pearson' as const, 'spearman' as const));
    fc.assert(
      fc.property(cases, ([columns, method]) => {
        const arrays = columns.map((column) => Float64Array.from(column));
        const { matrix, overlap } = correlate({ columns: arrays, method });
        expect(matrix.length).toBe(columns.length ** 2);
        columns.forEach((a, i) => {
          columns.forEach((b, j) => {
            const expected = referencePair(a, b, method);
            const cell = i * columns.length + j;
            const value = at(matrix, cell);
            expect(overlap[cell]).toBe(expected.overlap);
            expect(Number.isNaN(value)).toBe(Number.isNaN(expected.coefficient));
            expect(Object.is(value, at(matrix, j * columns.length + i))).toBe(true);
            if (Number.isNaN(value)) return;
            expect(Math.abs(value)).toBeLessThanOrEqual(1);
            if (i === j) expect(value).toBe(1);
            else expect(Math.abs(value - expected.coefficient)).toBeLessThan(1e-9);
          });
        });
      }),
      { numRuns: 2000 },
    );
  });

  it('agrees with itself across panels and on complete tables of odd width', () => {
    const random = new RandomSource(5);
    const columns = [0, 1, 2, 3, 4].map(() =>
      Float64Array.from({ length: 3000 }, () => random.nextNormal()),
    );
    const { matrix } = correlate({ columns });
    columns.forEach((a, i) => {
      columns.forEach((b, j) => {
        const expected = referencePair([...a], [...b], 'pearson').coefficient;
        expect(at(matrix, i * 5 + j)).toBeCloseTo(expected, 12);
      });
    });
  });

  it('knows exact values', () => {
    const up = Float64Array.of(1, 2, 3, 4);
    const columns = [up, up.map((value) => -value), up.map((value) => value ** 3)];
    const pearson = correlate({ columns }).matrix;
    expect(pearson[1]).toBeCloseTo(-1, 15);
    expect(pearson[2]).toBeCloseTo(0.951_369_9, 6);
    expect(correlate({ columns, method: 'spearman' }).matrix[2]).toBeCloseTo(1, 15);
    const tiny = Float64Array.of(0, 0, 1e-300, 0);
    const huge = Float64Array.of(0, 0, 1e200, 0);
    expect(correlate({ columns: [tiny, huge] }).matrix[1]).toBeCloseTo(1, 15);
    expect([...averageRanks(Float64Array.of(10, 5, 10, 1))]).toEqual([3.5, 2, 3.5, 1]);
    // A constant column whose mean is not exact must still count as constant.
    const flat = new Float64Array(10).fill(0.1);
    const other = Float64Array.from({ length: 10 }, (_, i) => i);
    expect([...correlate({ columns: [flat, other] }).matrix]).toEqual([NaN, NaN, NaN, 1]);
  });

  it('is the same whatever the unit, from the tiniest to the hugest', () => {
    const random = new RandomSource(6);
    const x = Float64Array.from({ length: 51 }, () => random.nextNormal());
    const y = x.map((value) => value + random.nextNormal());
    const expected = at(correlate({ columns: [x, y] }).matrix, 1);
    for (const exponent of [-1000, -600, -530, -340, -330, 330, 340, 510, 600, 1000]) {
      const scaled = x.map((value) => value * 2 ** exponent);
      const { matrix } = correlate({ columns: [scaled, y, scaled.map((value) => -value)] });
      expect(at(matrix, 1)).toBeCloseTo(expected, 14);
      expect(at(matrix, 2)).toBeCloseTo(-1, 14);
    }
  });

  it('raises typed problems', () => {
    const columns = [new Float64Array(3), new Float64Array(2)];
    const type = (name: string): unknown => expect.objectContaining({ type: name });
    expect(() => correlate({ columns })).toThrow(type('LENGTH_MISMATCH'));
    expect(() => correlate({ columns: [], method: 'kendall' as 'pearson' })).toThrow(
      type('BAD_PARAMETER'),
    );
  });
});

describe('zNormalise', () => {
  it('keeps the digits of small movements at a high level and zeroes flat windows', () => {
    const movement = [0, 1, -1, 2, 0.5];
    const high = Float64Array.from(movement, (value) => 2 ** 33 + value / 4);
    const z = [...zNormalise(high)];
    referenceZ(movement).forEach((value, i) => expect(z[i]).toBeCloseTo(value, 9));
    const flat = Float64Array.from([1, 1, 1], (value, i) => value + i * 1e-14);
    expect([...zNormalise(flat)]).toEqual([0, 0, 0]);
    expect(windowMoments(flat).flat).toBe(true);
    expect(windowMoments(Float64Array.of(9, 1, 3, 9), 1, 2)).toEqual({
      mean: 2,
      standardDeviation: 1,
      flat: false,
    });
  });

  it('raises typed problems', () => {
    const type = (name: string): unknown => expect.objectContaining({ type: name });
    const values = new Float64Array(3);
    expect(() => zNormalise(new Float64Array(0))).toThrow(type('EMPTY_SERIES'));
    expect(() => zNormalise(values, 3)).toThrow(type('BAD_PARAMETER'));
    expect(() => windowMoments(values, 1, 3)).toThrow(type('BAD_PARAMETER'));
    expect(() => zNormalise(values, 0, 3, new Float64Array(2))).toThrow(type('LENGTH_MISMATCH'));
  });
});
