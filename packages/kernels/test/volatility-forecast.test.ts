import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  defaultExclusionZone,
  findVolatilityAnalogues,
  meanFollowed,
  realisedLogVolatility,
  RETURN_FLOOR_MIN,
  type KernelError,
  type VolatilityForecastOptions,
} from '../src/index.ts';
import { at as valueAt, referenceSearch } from './reference.ts';

/** Prices whose returns cluster, with some that do not move. */
const pricesOf = (length: { min: number; max: number }): fc.Arbitrary<Float64Array> =>
  fc
    .array(fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.constantFrom(0, 1, 1, 1, 5)), {
      minLength: length.min,
      maxLength: length.max,
      size: 'max',
    })
    .map((steps) => {
      let price = 100;
      return Float64Array.from(steps, ([step, size]) => (price *= Math.exp(0.01 * step * size)));
    });

const cases: fc.Arbitrary<VolatilityForecastOptions> = fc
  .record({
    prices: pricesOf({ min: 30, max: 90 }),
    fromEnd: fc.nat({ max: 12 }),
    horizon: fc.integer({ min: 1, max: 6 }),
    history: fc.integer({ min: 20, max: 120 }),
    window: fc.integer({ min: 2, max: 10 }),
    normalise: fc.constantFrom('z' as const, 'none' as const),
    topK: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ fromEnd, ...rest }) => ({ ...rest, at: rest.prices.length - 1 - fromEnd }));

/** The definition, step by step: every return by its row, every window, the greedy choice as it is worded. */
function bruteForce(options: VolatilityForecastOptions): {
  analogues: { end: number; distance: number; followed: number }[];
} {
  const { prices, at, horizon, history, window, normalise, topK } = options;
  const rows = Array.from({ length: at }, (_, i) => i + 1).filter((row) => row > at - history);
  const returnOf = (row: number): number =>
    Math.log(valueAt(prices, row) / valueAt(prices, row - 1));
  const meanSquare = (some: readonly number[]): number =>
    some.map((row) => returnOf(row) ** 2).reduce((sum, value) => sum + value, 0) / some.length;
  const floor = Math.max(1e-12, Math.sqrt(meanSquare(rows)) / 10);
  const xs = rows.map((row) => Math.log(Math.max(Math.abs(returnOf(row)), floor)));
  const ends = rows.map((row, i) => ({ row, i })).filter(({ row }) => row + horizon <= at);
  const starts = ends.map(({ i }) => i - window + 1).filter((start) => start >= 0);
  const { matches } = referenceSearch({
    series: Float64Array.from(xs),
    query: Float64Array.from(xs.slice(-window)),
    algorithm: 'dtw',
    band: 0,
    epsilon: 0,
    topK,
    exclusionZone: defaultExclusionZone(window),
    normalise,
    maximumDistance: Infinity,
    excludeRange: { start: 0, end: 0 },
    range: { start: 0, end: (starts.at(-1) ?? -1) + 1 },
  });
  const meanX = (start: number): number =>
    xs.slice(start, start + window).reduce((sum, x) => sum + x, 0) / window;
  const analogues = matches.map(({ start, distance }) => {
    const end = valueAt(rows, start + window - 1);
    const after = Array.from({ length: horizon }, (_, i) => end + 1 + i);
    const level = normalise === 'z' ? meanX(xs.length - window) - meanX(start) : 0;
    const followed = Math.log(Math.max(Math.sqrt(meanSquare(after)), floor)) + level;
    return { end, distance, followed };
  });
  return { analogues };
}

function problemOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as KernelError).type;
  }
}

const walk = Float64Array.from({ length: 200 }, (_, i) => 100 * Math.exp(0.02 * Math.sin(i * i)));
const base: VolatilityForecastOptions = {
  prices: walk,
  at: 150,
  horizon: 5,
  history: 100,
  window: 10,
  normalise: 'z',
  topK: 5,
};

describe('findVolatilityAnalogues', () => {
  it('finds what the definition finds', () => {
    fc.assert(
      fc.property(cases, (options) => {
        const { analogues, route } = findVolatilityAnalogues(options);
        const expected = bruteForce(options).analogues;
        expect(route).toBe('typescript');
        expect(analogues.map(({ end }) => end)).toStrictEqual(expected.map(({ end }) => end));
        for (const [i, { distance, followed }] of analogues.entries()) {
          expect(distance).toBeCloseTo(expected[i]?.distance ?? NaN, 9);
          expect(followed).toBeCloseTo(expected[i]?.followed ?? NaN, 9);
        }
        const mean = expected.reduce((sum, { followed }) => sum + followed, 0) / expected.length;
        expect(meanFollowed(analogues)).toBeCloseTo(mean, 9);
      }),
    );
  });

  it('does not look ahead: whatever comes later changes nothing', () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(NaN, 0, 1e-3, 1e9), (options, later) => {
        const changed = options.prices.slice().fill(later, options.at + 1);
        expect(findVolatilityAnalogues({ ...options, prices: changed })).toStrictEqual(
          findVolatilityAnalogues(options),
        );
        const cut = options.prices.slice(0, options.at + 1);
        expect(findVolatilityAnalogues({ ...options, prices: cut })).toStrictEqual(
          findVolatilityAnalogues(options),
        );
      }),
    );
  });

  it('looks no further back than the history', () => {
    fc.assert(
      fc.property(cases, (options) => {
        const { prices, at, history } = options;
        const changed = prices.slice().fill(NaN, 0, Math.max(0, at - history));
        expect(findVolatilityAnalogues({ ...options, prices: changed })).toStrictEqual(
          findVolatilityAnalogues(options),
        );
      }),
    );
  });

  it('begins the best 30 with the best 5, so that one search tells both forecasts', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 11 }), (options, fewer) => {
        const many = findVolatilityAnalogues({ ...options, topK: 12 }).analogues;
        const few = findVolatilityAnalogues({ ...options, topK: fewer }).analogues;
        expect(many.slice(0, fewer)).toStrictEqual(few);
        expect(meanFollowed(many, fewer)).toBe(meanFollowed(few));
      }),
    );
  });

  it('answers the same whatever the prices are quoted in', () => {
    const scaled = findVolatilityAnalogues({ ...base, prices: walk.map((price) => 1024 * price) });
    expect(scaled).toStrictEqual(findVolatilityAnalogues(base));
  });

  it('forecasts of prices that never move that they move as little as can be told', () => {
    const prices = new Float64Array(200).fill(7);
    const { analogues } = findVolatilityAnalogues({ ...base, prices });
    expect(meanFollowed(analogues)).toBe(Math.log(RETURN_FLOOR_MIN));
  });

  it('takes a window whose horizon ends exactly at the last known row, and none behind it', () => {
    const topK = 100;
    const ends = findVolatilityAnalogues({ ...base, window: 2, topK }).analogues.map(
      ({ end }) => end,
    );
    expect(Math.max(...ends)).toBe(base.at - base.horizon);
    expect(Math.min(...ends)).toBe(base.at - base.history + 2);
  });

  it.each([
    ['a history that is just too short', { at: 14 }, 'HISTORY_TOO_SHORT'],
    ['one that is just long enough', { at: 15 }, undefined],
    ['no history', { at: 0 }, 'HISTORY_TOO_SHORT'],
    ['a bound on it that is too tight', { history: 14 }, 'HISTORY_TOO_SHORT'],
    ['a row that is not there', { at: 200 }, 'BAD_RANGE'],
    ['half a row', { at: 99.5 }, 'BAD_RANGE'],
    ['no prices', { prices: new Float64Array(0), at: 0 }, 'BAD_RANGE'],
    ['a gap', { prices: walk.slice().fill(NaN, 120, 121) }, 'VALUE_NOT_FINITE'],
    ['a price of 0', { prices: walk.slice().fill(0, 120, 121) }, 'VALUE_NOT_FINITE'],
    ['a window of one step', { window: 1 }, 'BAD_PARAMETER'],
    ['no horizon', { horizon: 0 }, 'BAD_PARAMETER'],
    ['no analogues', { topK: 0 }, 'BAD_PARAMETER'],
  ])('with %s says %s', (_name, more, problem) => {
    expect(problemOf(() => findVolatilityAnalogues({ ...base, ...more }))).toBe(problem);
  });
});

describe('realisedLogVolatility', () => {
  it('is the logarithm of the root mean square of the returns that came', () => {
    const prices = Float64Array.of(100, 101, 100, 102, 99);
    const [a, b] = [Math.log(102 / 100), Math.log(99 / 102)];
    expect(realisedLogVolatility({ prices, at: 2, horizon: 2, history: 10 })).toBeCloseTo(
      Math.log(Math.sqrt((a * a + b * b) / 2)),
      12,
    );
  });

  it('is what an analogue was followed by, once the rows are there', () => {
    const { analogues } = findVolatilityAnalogues({ ...base, normalise: 'none' });
    for (const { end, followed } of analogues) {
      expect(realisedLogVolatility({ ...base, at: end })).toBeCloseTo(followed, 12);
    }
  });

  it('has the floor of the history where nothing came', () => {
    const prices = Float64Array.of(100, 101, 102, 102, 102);
    const meanSquare = (Math.log(1.01) ** 2 + Math.log(102 / 101) ** 2) / 2;
    expect(realisedLogVolatility({ prices, at: 2, horizon: 2, history: 10 })).toBeCloseTo(
      Math.log(Math.sqrt(meanSquare) / 10),
      12,
    );
  });

  it('waits for the last row', () => {
    expect(problemOf(() => realisedLogVolatility({ ...base, at: 195 }))).toBe('BAD_RANGE');
    expect(realisedLogVolatility({ ...base, at: 194 })).toBeTypeOf('number');
  });
});
