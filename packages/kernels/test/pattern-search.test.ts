import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  mergePatternScans,
  scanPattern,
  searchPattern,
  splitRange,
  type KernelError,
  type PatternSearchOptions,
  type PatternSearchStats,
} from '../src/index.ts';
import { finiteSeries, gappySeries, referenceSearch, type ReferenceSearch } from './reference.ts';

interface Case extends ReferenceSearch {
  readonly options: PatternSearchOptions;
}

/** Random searches over every parameter; the query is free or a distorted piece of the series. */
const searches: fc.Arbitrary<Case> = fc
  .record({
    values: gappySeries({ minLength: 1, maxLength: 70 }),
    ownQuery: fc.option(finiteSeries({ minLength: 1, maxLength: 14 })),
    cut: fc.nat(),
    length: fc.oneof(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 40 })),
    noise: fc.constantFrom(0, 0, 0.05),
    algorithm: fc.constantFrom('dtw' as const, 'dtw' as const, 'lcss' as const),
    band: fc.oneof(fc.constantFrom(0, 1e9), fc.nat({ max: 20 })),
    epsilon: fc.constantFrom(0, 0.1, 0.5, 3),
    topK: fc.constantFrom(1, 2, 3, 5, 100),
    zone: fc.double({ min: 0, max: 1.3, noNaN: true }),
    normalise: fc.constantFrom('z' as const, 'z' as const, 'none' as const),
    maximumDistance: fc.constantFrom(Infinity, Infinity, 0.6, 0),
    exclude: fc.option(fc.tuple(fc.nat(), fc.nat())),
    range: fc.option(fc.tuple(fc.nat(), fc.nat())),
  })
  .map((draw) => {
    const m = Math.min(draw.ownQuery?.length ?? draw.length, draw.values.length);
    const from = draw.cut % (draw.values.length - m + 1);
    const piece = draw.values.slice(from, from + m).map((value, i) => {
      const clean = Math.abs(value) <= 1e150 ? value : i;
      return clean + draw.noise * Math.sin(i * 12.9898 + draw.cut);
    });
    const n = draw.values.length;
    const positions = n - m + 1;
    const search = {
      series: Float64Array.from(draw.values),
      query: Float64Array.from(draw.ownQuery?.slice(0, m) ?? piece),
      algorithm: draw.algorithm,
      band: Math.min(draw.band, m - 1),
      epsilon: draw.epsilon,
      topK: draw.topK,
      exclusionZone: Math.round(draw.zone * m),
      normalise: draw.normalise,
      maximumDistance: draw.maximumDistance,
      excludeRange: ordered(draw.exclude, n),
      range: draw.range === null ? { start: 0, end: positions } : ordered(draw.range, positions),
    };
    return { ...search, options: { ...search, delta: search.band } };
  });

function ordered(pair: [number, number] | null, end: number): { start: number; end: number } {
  const [a, b] = pair ?? [0, 0];
  const [x, y] = [a % (end + 1), b % (end + 1)];
  return { start: Math.min(x, y), end: Math.max(x, y) };
}

function expectIdentity(stats: PatternSearchStats): void {
  expect(stats.skippedWindows).toBe(stats.excludedWindows + stats.nonFiniteWindows);
  expect(
    stats.skippedWindows +
      stats.prunedKim +
      stats.prunedKeoghQuery +
      stats.prunedKeoghCandidate +
      stats.dtwComputed,
  ).toBe(stats.positions);
  expect(stats.dtwAbandoned).toBeLessThanOrEqual(stats.dtwComputed);
}

function problemOf(run: () => unknown): { type: string; message: string; hint: string } {
  try {
    run();
  } catch (error) {
    const { type, message, hint } = error as KernelError;
    return { type, message, hint };
  }
  throw new Error('nothing was raised');
}

describe('searchPattern', () => {
  it('equals the greedy choice over all windows, for random searches of every kind', () => {
    fc.assert(
      fc.property(searches, (search) => {
        const expected = referenceSearch(search);
        const { matches, stats } = searchPattern(search.options);
        expect(matches.map(({ start, distance }) => ({ start, distance }))).toEqual(
          expected.matches,
        );
        expectIdentity(stats);
        expect(stats.positions).toBe(search.range.end - search.range.start);
        expect(stats.excludedWindows).toBe(expected.excludedWindows);
        expect(stats.nonFiniteWindows).toBe(expected.nonFiniteWindows);
        expect(stats.flatWindows).toBe(expected.flatWindows);
      }),
      { numRuns: 2000 },
    );
  });

  it('is the same answer when shards are scanned apart and merged in any order', () => {
    const sharded = fc.tuple(searches, fc.integer({ min: 1, max: 9 }), fc.boolean());
    fc.assert(
      fc.property(sharded, ([search, shards, backwards]) => {
        const positions = search.series.length - search.query.length + 1;
        const { range: _all, ...options } = search.options;
        const scans = splitRange(positions, shards).map((range) =>
          scanPattern({ ...options, range }),
        );
        const merged = mergePatternScans(backwards ? scans.reverse() : scans);
        expect(merged.matches).toEqual(searchPattern(options).matches);
        expectIdentity(merged.stats);
        expect(merged.stats.positions).toBe(positions);
        for (const scan of scans) {
          const { topK, exclusionZone } = search;
          const most = topK * Math.max(1, 2 * exclusionZone - 1);
          expect(scan.candidates.length).toBeLessThanOrEqual(most);
        }
      }),
      { numRuns: 600 },
    );
  });

  it('recovers a window whose better neighbour falls to a still better one', () => {
    // Distances by start: 3 at 0, 2 at 2, 1 at 4. A heap with eviction loses the window at 0.
    const series = Float64Array.of(3, 9, 2, 9, 1);
    const query = Float64Array.of(0);
    const search = { series, query, normalise: 'none' as const, topK: 2, exclusionZone: 3 };
    expect(searchPattern(search).matches.map(({ start }) => start)).toEqual([4, 0]);
  });

  it('finds an exact copy first and reports its moments and parameters', () => {
    const series = Float64Array.from({ length: 400 }, (_, i) => Math.sin(i / 7) + Math.cos(i * i));
    const query = series.slice(200, 240).map((value) => 5 * value - 3);
    const result = searchPattern({ series, query, topK: 2 });
    const [best] = result.matches;
    expect(best?.start).toBe(200);
    expect(best?.distance).toBeCloseTo(0, 12);
    const window = Array.from(series.slice(200, 240));
    const mean = window.reduce((sum, value) => sum + value, 0) / 40;
    const variance = window.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 40;
    expect(best?.windowMean).toBeCloseTo(mean, 12);
    expect(best?.windowStandardDeviation).toBeCloseTo(Math.sqrt(variance), 12);
    expect(best).not.toHaveProperty('similarity');
    const second = result.matches[1];
    expect(second?.normalizedDistance).toBeCloseTo((second?.distance ?? 0) / Math.sqrt(40), 14);
    expect(result.parameters).toEqual({
      algorithm: 'dtw',
      length: 40,
      band: 2,
      topK: 2,
      exclusionZone: 10,
      normalise: 'z',
      maximumDistance: Infinity,
    });
    expect(result.route).toBe('typescript');
  });

  it('reports LCSS similarity with its own defaults', () => {
    const series = Float64Array.from({ length: 100 }, (_, i) => Math.sin(i / 5));
    const { matches, parameters } = searchPattern({
      series,
      query: series.slice(30, 50),
      algorithm: 'lcss',
    });
    expect(matches[0]).toMatchObject({ distance: 0, normalizedDistance: 0, similarity: 1 });
    expect(parameters).toMatchObject({ epsilon: 0.5, delta: 1 });
    expect(parameters).not.toHaveProperty('band');
  });

  it('needs few candidates on a constant series, where all windows tie', () => {
    const series = new Float64Array(5000).fill(7);
    const query = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const search = { series, query, topK: 3, exclusionZone: 4 };
    const result = searchPattern(search);
    expect(result.matches.map(({ start }) => start)).toEqual([0, 4, 8]);
    expect(result.stats.flatWindows).toBe(4993);
    const middle = scanPattern({ ...search, range: { start: 1000, end: 2000 } });
    expect(middle.candidates.length).toBeLessThanOrEqual(21);
  });

  it('tells progress up to 1, at most 100 times', () => {
    const series = Float64Array.from({ length: 300_000 }, (_, i) => Math.sin(i * i));
    const seen: number[] = [];
    const query = series.slice(50, 90);
    searchPattern({ series, query, onProgress: (fraction) => seen.push(fraction) });
    expect(seen.length).toBeGreaterThan(50);
    expect(seen.length).toBeLessThanOrEqual(100);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
  });

  it('stops within one block when asked', () => {
    const series = Float64Array.from({ length: 50_000 }, (_, i) => Math.sin(i * i));
    let asked = 0;
    const shouldStop = (): boolean => (asked += 1) > 3;
    const problem = problemOf(() =>
      searchPattern({ series, query: series.slice(0, 20), shouldStop }),
    );
    expect(problem.type).toBe('CANCELLED');
    expect(problem.message).toContain('3072 of 49981');
    expect(asked).toBe(4);
  });

  it('raises a typed problem with numbers and a way out for each bad input', () => {
    const series = Float64Array.of(1, 2, 3, 4);
    const query = Float64Array.of(1, 2, 3);
    const bad = (change: object): { type: string; message: string; hint: string } =>
      problemOf(() => searchPattern({ series, query, ...change }));
    const types: [object, string, RegExp][] = [
      [{ series: new Float64Array(0) }, 'EMPTY_SERIES', /no values/],
      [{ query: new Float64Array(0) }, 'EMPTY_QUERY', /no values/],
      [{ query: new Float64Array(5) }, 'QUERY_TOO_LONG', /5 points.*only 4/],
      [{ query: Float64Array.of(1, NaN) }, 'QUERY_NOT_FINITE', /Point 1.*NaN/],
      [{ query: Float64Array.of(1e151) }, 'QUERY_NOT_FINITE', /1e\+151/],
      [{ band: 3 }, 'BAND_TOO_WIDE', /band is 3.*widest band of 2/],
      [{ band: -1 }, 'BAD_PARAMETER', /band is -1/],
      [{ band: 0.5 }, 'BAD_PARAMETER', /band is 0.5/],
      [{ algorithm: 'lcss', delta: 3 }, 'BAND_TOO_WIDE', /delta is 3/],
      [{ algorithm: 'lcss', epsilon: NaN }, 'BAD_PARAMETER', /epsilon is NaN/],
      [{ algorithm: 'euclid' }, 'UNKNOWN_ALGORITHM', /'euclid'.*dtw, lcss/],
      [{ normalise: 'x' }, 'BAD_PARAMETER', /z, none/],
      [{ topK: 0 }, 'BAD_PARAMETER', /topK is 0/],
      [{ exclusionZone: -1 }, 'BAD_PARAMETER', /exclusionZone is -1/],
      [{ maximumDistance: NaN }, 'BAD_PARAMETER', /maximumDistance is NaN/],
      [{ range: { start: 0, end: 3 } }, 'BAD_RANGE', /\[0, 3\).*\[0, 2\)/],
      [{ range: { start: 2, end: 1 } }, 'BAD_RANGE', /\[2, 1\)/],
      [{ excludeRange: { start: 0, end: 5 } }, 'BAD_RANGE', /excludeRange/],
    ];
    for (const [change, type, message] of types) {
      const problem = bad(change);
      expect(problem.type, JSON.stringify(change)).toBe(type);
      expect(problem.message).toMatch(message);
      expect(problem.hint.length).toBeGreaterThan(10);
    }
    expect(problemOf(() => mergePatternScans([])).type).toBe('EMPTY_SERIES');
    const scans = [scanPattern({ series, query }), scanPattern({ series, query, topK: 2 })];
    expect(problemOf(() => mergePatternScans(scans)).type).toBe('PARAMETERS_DIFFER');
  });

  it('leaves its inputs unchanged and reads shared memory', () => {
    const shared = new Float64Array(new SharedArrayBuffer(800));
    for (let i = 0; i < 100; i += 1) shared[i] = Math.sin(i / 3);
    const query = Float64Array.from(shared.subarray(40, 60));
    const before = [Float64Array.from(shared), query.slice()];
    expect(searchPattern({ series: shared, query }).matches[0]?.start).toBe(40);
    expect([Float64Array.from(shared), query]).toEqual(before);
  });
});
