import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  correlate,
  mergePatternScans,
  RandomSource,
  scanPattern,
  searchPattern,
  simpleReturns,
  splitRange,
} from '../src/index.ts';
import { at, referenceSearch } from './reference.ts';

/** 1,860 business days of four European stock indices (see examples/data/README.md). */
const file = new URL('../../../examples/data/eu-stock-markets.csv', import.meta.url);
const indices = new Map<string, Float64Array>();

beforeAll(() => {
  const [header = '', ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const rows = lines.map((line) => line.split(',').map(Number));
  header.split(',').forEach((name, column) => {
    indices.set(
      name.trim(),
      Float64Array.from(rows, (row) => at(row, column)),
    );
  });
});

function index(name: string): Float64Array {
  const values = indices.get(name);
  if (values === undefined) throw new Error(`no column ${name}`);
  return values;
}

const whole = { start: 0, end: 0 };

describe('the EU stock markets', () => {
  for (const algorithm of ['dtw', 'lcss'] as const) {
    it(`give the brute-force answer for the last 32 days of the DAX by ${algorithm}`, () => {
      const series = index('DAX');
      const query = series.slice(-32);
      const excludeRange = { start: series.length - 32, end: series.length };
      const search = { series, query, algorithm, band: 3, epsilon: 0.3, topK: 4, excludeRange };
      const expected = referenceSearch({
        ...search,
        exclusionZone: 8,
        normalise: 'z',
        maximumDistance: Infinity,
        range: { start: 0, end: series.length - 31 },
      });
      const options = { ...search, delta: 3 };
      const found = searchPattern(options);
      expect(found.matches.map(({ start, distance }) => ({ start, distance }))).toEqual(
        expected.matches,
      );
      expect(found.stats.dtwComputed).toBeLessThan(found.stats.positions);
      const shards = splitRange(series.length - 31, 5).map((range) =>
        scanPattern({ ...options, range }),
      );
      expect(mergePatternScans(shards).matches).toEqual(found.matches);
    });
  }

  it('correlate as an independent computation says (Python, math.fsum)', () => {
    const columns = ['DAX', 'SMI', 'CAC', 'FTSE'].map((name) => simpleReturns(index(name)));
    const { matrix, overlap } = correlate({ columns });
    expect(new Set(overlap)).toEqual(new Set([1859]));
    const expected = [
      [1, 0.701037434233, 0.733363457754, 0.637932179603],
      [0.701037434233, 1, 0.614537987918, 0.582973894632],
      [0.733363457754, 0.614537987918, 1, 0.647326135139],
      [0.637932179603, 0.582973894632, 0.647326135139, 1],
    ].flat();
    expected.forEach((value, cell) => expect(matrix[cell]).toBeCloseTo(value, 11));
  });
});

describe('long series of many blocks', () => {
  it('give the brute-force answer, with gaps, spikes and flat stretches across block borders', () => {
    const random = new RandomSource(2024);
    for (let round = 0; round < 6; round += 1) {
      let level = round % 2 === 0 ? 1e6 : 0;
      const series = Float64Array.from({ length: 3500 }, () => (level += random.nextNormal()));
      series.fill(at(series, 1000), 1000, 1060);
      series[2040 + round] = 1e14;
      series[3000] = NaN;
      const from = 500 + 300 * round;
      const query = series.slice(from, from + 12).map((v) => (v > 1e13 ? 0 : v));
      const search = {
        series,
        query,
        algorithm: round === 4 ? ('lcss' as const) : ('dtw' as const),
        band: 2,
        epsilon: 0.2,
        topK: 6,
        exclusionZone: round * 5,
        normalise: round === 5 ? ('none' as const) : ('z' as const),
        maximumDistance: Infinity,
        excludeRange: round === 3 ? { start: from, end: from + 12 } : whole,
        range: { start: 0, end: 3500 - 11 },
      };
      const expected = referenceSearch(search);
      const found = searchPattern({ ...search, delta: 2 });
      expect(found.matches.map(({ start, distance }) => ({ start, distance }))).toEqual(
        expected.matches,
      );
      expect(found.stats.flatWindows).toBe(expected.flatWindows);
      expect(found.stats.nonFiniteWindows).toBe(12);
    }
  });

  it('handle a pattern longer than a block', () => {
    const random = new RandomSource(7);
    let level = 0;
    const series = Float64Array.from({ length: 4000 }, () => (level += random.nextNormal()));
    const query = series.slice(900, 2400).map((value) => 2 * value + random.nextNormal());
    const { matches, stats } = searchPattern({ series, query, topK: 1, band: 5 });
    expect(matches[0]?.start).toBe(900);
    expect(stats.positions).toBe(2501);
  });
});
