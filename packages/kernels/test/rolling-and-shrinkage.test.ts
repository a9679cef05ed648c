import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { correlate, RandomSource, rollingCorrelation, type KernelError } from '../src/index.ts';
import { at, finiteSeries, gappySeries } from './reference.ts';

/** Pearson by definition over the rows that have both, shifted so that a high level costs no digits. */
function pearsonOf(pairs: readonly (readonly [number, number])[]): number {
  const [first] = pairs;
  if (first === undefined) return NaN;
  const shifted = pairs.map(([x, y]) => [x - first[0], y - first[1]] as const);
  const mean = (index: 0 | 1): number =>
    shifted.reduce((sum, pair) => sum + pair[index], 0) / shifted.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  let [xx, yy, xy] = [0, 0, 0];
  for (const [x, y] of shifted) {
    xx += (x - meanX) ** 2;
    yy += (y - meanY) ** 2;
    xy += (x - meanX) * (y - meanY);
  }
  const isConstant = ([0, 1] as const).some((side) =>
    pairs.every((pair) => pair[side] === first[side]),
  );
  return isConstant ? NaN : xy / Math.sqrt(xx) / Math.sqrt(yy);
}

/** Squares of what is smaller would be 0, where the ways to compute may differ. */
function plain(value: number): number {
  return Math.abs(value) < 1e-100 ? 0 : value;
}

/** Not constant, but moving by less than a billionth of its level. */
function isNearlyFlat(pairs: readonly (readonly [number, number])[], side: 0 | 1): boolean {
  const values = pairs.map((pair) => pair[side]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return high > low && high - low < 1e-9 * Math.max(Math.abs(low), Math.abs(high));
}

function typeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as KernelError).type;
  }
  return 'none';
}

describe('rolling correlation', () => {
  it('is the coefficient of each window by itself, with gaps and at the beginning', () => {
    const cases = fc.record({
      x: gappySeries({ minLength: 1, maxLength: 60 }),
      y: gappySeries({ minLength: 1, maxLength: 60 }),
      window: fc.integer({ min: 2, max: 25 }),
      least: fc.nat(),
    });
    let defined = 0;
    fc.assert(
      fc.property(cases, ({ x, y, window, least }) => {
        const rows = Math.min(x.length, y.length);
        // Deviations near the rounding of their level have no digits that two ways could agree on.
        const [a, b] = [x, y].map((values) =>
          Float64Array.from(values.slice(0, rows), (value) =>
            Math.abs(value) > 1e10 ? NaN : plain(value),
          ),
        );
        const minimumOverlap = 2 + (least % (window - 1));
        const rolling = rollingCorrelation(a ?? new Float64Array(0), b ?? new Float64Array(0), {
          window,
          minimumOverlap,
        });
        expect(rolling).toHaveLength(rows);
        for (let row = 0; row < rows; row += 1) {
          const pairs: [number, number][] = [];
          for (let k = Math.max(0, row - window + 1); k <= row; k += 1) {
            const pair: [number, number] = [a?.[k] ?? NaN, b?.[k] ?? NaN];
            if (pair.every(Number.isFinite)) pairs.push(pair);
          }
          const expected = pairs.length < minimumOverlap ? NaN : pearsonOf(pairs);
          const found = at(rolling, row);
          // Two ways to compute agree only where the window moves by more than the rounding of its level.
          if (pairs.length >= 2 && [0, 1].some((side) => isNearlyFlat(pairs, side as 0 | 1)))
            continue;
          const isSame =
            Number.isNaN(expected) === Number.isNaN(found) && !(Math.abs(found - expected) > 1e-5);
          if (!isSame) expect.fail(`row ${row}: ${found}, not ${expected}`);
          if (!Number.isNaN(found)) defined += 1;
        }
      }),
      { numRuns: 2000 },
    );
    expect(defined).toBeGreaterThan(10_000);
  });

  it('forgets a huge value as soon as it has left the window', () => {
    const random = new RandomSource(3);
    const x = Float64Array.from({ length: 3000 }, () => random.nextNormal());
    const y = x.map((value) => value + random.nextNormal());
    const clean = rollingCorrelation(x, y, { window: 50 });
    x[100] = 1e14;
    const spiked = rollingCorrelation(x, y, { window: 50 });
    for (let row = 150; row < 3000; row += 1) {
      expect(at(spiked, row)).toBeCloseTo(at(clean, row), 13);
    }
    expect(Math.abs(at(spiked, 120) - at(clean, 120))).toBeGreaterThan(0.01);
  });

  it('refuses windows and columns that make no sense', () => {
    const x = new Float64Array(5);
    expect(typeOf(() => rollingCorrelation(x, x, { window: 1 }))).toBe('BAD_PARAMETER');
    expect(typeOf(() => rollingCorrelation(x, x, { window: 3, minimumOverlap: 4 }))).toBe(
      'BAD_PARAMETER',
    );
    expect(typeOf(() => rollingCorrelation(x, new Float64Array(4), { window: 3 }))).toBe(
      'LENGTH_MISMATCH',
    );
  });
});

describe('shrinkage', () => {
  it('by a given share scales what is off the diagonal and nothing else', () => {
    const columns = [
      Float64Array.of(1, 2, 4, 3),
      Float64Array.of(2, 1, 0, NaN),
      Float64Array.of(5, 5, 5, 5),
    ];
    const unshrunk = correlate({ columns });
    const shrunk = correlate({ columns, shrinkage: 0.25 });
    expect([unshrunk.shrinkage, shrunk.shrinkage]).toEqual([0, 0.25]);
    const expected = unshrunk.matrix.map((value, i) => (i % 4 === 0 ? value : 0.75 * value));
    expect([...shrunk.matrix]).toEqual([...expected]);
    expect(typeOf(() => correlate({ columns, shrinkage: 1.1 }))).toBe('BAD_PARAMETER');
    expect(typeOf(() => correlate({ columns, shrinkage: NaN }))).toBe('BAD_PARAMETER');
  });

  it('by its own estimate is that of Schäfer and Strimmer, written down once more', () => {
    const lengths = { minLength: 3, maxLength: 12 };
    const tables = fc.array(finiteSeries(lengths), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(tables, (table) => {
        const n = Math.min(...table.map(({ length }) => length));
        const columns = table.map((values) => Float64Array.from(values.slice(0, n), plain));
        // w_kij = x_ki x_kj of columns in sample standard deviations, as in the paper's appendix.
        const standardised = columns.map((column) => {
          const first = at(column, 0);
          const mean = column.reduce((sum, value) => sum + (value - first), 0) / n;
          const variance =
            column.reduce((sum, value) => sum + (value - first - mean) ** 2, 0) / (n - 1);
          return column.every((value) => value === first)
            ? undefined
            : [...column].map((value) => (value - first - mean) / Math.sqrt(variance));
        });
        let [variances, squares] = [0, 0];
        for (const [i, x] of standardised.entries()) {
          for (const [j, y] of standardised.entries()) {
            if (i === j || x === undefined || y === undefined) continue;
            const w = x.map((value, k) => value * at(y, k));
            const mean = w.reduce((sum, value) => sum + value, 0) / n;
            squares += ((n / (n - 1)) * mean) ** 2;
            variances +=
              (n / (n - 1) ** 3) * w.reduce((sum, value) => sum + (value - mean) ** 2, 0);
          }
        }
        fc.pre(squares > 1e-12 || variances === 0);
        const expected = squares === 0 ? 0 : Math.min(1, variances / squares);
        expect(correlate({ columns, shrinkage: 'auto' }).shrinkage).toBeCloseTo(expected, 8);
      }),
      { numRuns: 2000 },
    );
  });

  it('estimates much for noise and little for what is really related', () => {
    const random = new RandomSource(8);
    const noise = Array.from({ length: 30 }, () =>
      Float64Array.from({ length: 20 }, () => random.nextNormal()),
    );
    expect(correlate({ columns: noise, shrinkage: 'auto' }).shrinkage).toBeGreaterThan(0.6);
    const common = Float64Array.from({ length: 400 }, () => random.nextNormal());
    const related = noise.map(() => common.map((value) => value + random.nextNormal()));
    expect(correlate({ columns: related, shrinkage: 'auto' }).shrinkage).toBeLessThan(0.05);
    const ranked = correlate({ columns: related, shrinkage: 'auto', method: 'spearman' });
    expect(ranked.shrinkage).toBeLessThan(0.05);
  });
});
