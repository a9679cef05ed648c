import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MATCHES_MAX,
  mergePatternScans,
  scanPattern,
  searchPattern,
  splitRange,
  type PatternSearchOptions,
} from '../src/index.ts';
import {
  at,
  finiteSeries,
  gappySeries,
  referenceSearch,
  type ReferenceSearch,
} from './reference.ts';

/** A range search and, when `edge` is given, a window whose own distance is the threshold. */
interface RangeCase extends ReferenceSearch {
  readonly edge: number | null;
}

const cases: fc.Arbitrary<RangeCase> = fc
  .record({
    values: gappySeries({ minLength: 1, maxLength: 60 }),
    ownQuery: fc.option(finiteSeries({ minLength: 1, maxLength: 12 })),
    cut: fc.nat(),
    length: fc.integer({ min: 1, max: 16 }),
    algorithm: fc.constantFrom('dtw' as const, 'dtw' as const, 'lcss' as const),
    // 0 is no warping at all, 1e9 becomes m − 1, which is no restriction.
    band: fc.constantFrom(0, 1, 3, 1e9),
    epsilon: fc.constantFrom(0, 0.1, 0.5, 3),
    zone: fc.constantFrom(0, 0, 1, 2, 0.25, 0.5, 1.2),
    normalise: fc.constantFrom('z' as const, 'z' as const, 'none' as const),
    maximumDistance: fc.constantFrom(0, 0.25, 0.5, 1, 2, 4, 1e9, Infinity),
    edge: fc.option(fc.nat()),
  })
  .map((draw) => {
    const m = Math.min(draw.ownQuery?.length ?? draw.length, draw.values.length);
    const from = draw.cut % (draw.values.length - m + 1);
    const piece = draw.values
      .slice(from, from + m)
      .map((value, i) => (Math.abs(value) <= 1e150 ? value : i));
    const positions = draw.values.length - m + 1;
    return {
      series: Float64Array.from(draw.values),
      query: Float64Array.from(draw.ownQuery?.slice(0, m) ?? piece),
      algorithm: draw.algorithm,
      band: Math.min(draw.band, m - 1),
      epsilon: draw.epsilon,
      topK: Infinity,
      // Zones of 0, 1 and 2 points are as they are, fractions are of the query.
      exclusionZone: Number.isInteger(draw.zone) ? draw.zone : Math.ceil(draw.zone * m),
      normalise: draw.normalise,
      maximumDistance: draw.maximumDistance,
      excludeRange: { start: 0, end: 0 },
      range: { start: 0, end: positions },
      edge: draw.edge === null ? null : draw.edge % positions,
    };
  })
  .map((search) => {
    if (search.edge === null) return search;
    const range = { start: search.edge, end: search.edge + 1 };
    const alone = referenceSearch({ ...search, maximumDistance: Infinity, range });
    return { ...search, maximumDistance: alone.matches[0]?.distance ?? 1 };
  });

function optionsOf(search: RangeCase): PatternSearchOptions {
  const { topK: _all, edge: _edge, range: _range, ...options } = search;
  // Without a threshold, all must be asked for; with one it is the default.
  const topK = search.maximumDistance === Infinity ? Infinity : undefined;
  return { ...options, delta: search.band, topK };
}

describe('a range search', () => {
  it('finds every window within the threshold, ties and gaps included, with and without a zone', () => {
    let found = 0;
    let withoutZone = 0;
    fc.assert(
      fc.property(cases, (search) => {
        const expected = referenceSearch(search);
        const { matches, truncated, parameters, stats } = searchPattern(optionsOf(search));
        expect(matches.map(({ start, distance }) => ({ start, distance }))).toEqual(
          expected.matches,
        );
        expect(truncated).toBe(false);
        expect(parameters.topK).toBe(Infinity);
        expect(stats.flatWindows).toBe(expected.flatWindows);
        expect(stats.nonFiniteWindows).toBe(expected.nonFiniteWindows);
        expect(stats.seedWindows).toBe(0);
        found += matches.length;
        if (search.exclusionZone <= 1 && matches.length > 1) withoutZone += 1;
      }),
      { numRuns: 2500 },
    );
    // Were most answers empty, the test would say little.
    expect(found).toBeGreaterThan(2500);
    expect(withoutZone).toBeGreaterThan(200);
  });

  it('is the same answer when its shards are scanned apart and merged', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 7 }), (search, shards) => {
        const options = optionsOf(search);
        const positions = search.series.length - search.query.length + 1;
        const scans = splitRange(positions, shards).map((range) =>
          scanPattern({ ...options, range }),
        );
        const merged = mergePatternScans(scans.reverse());
        expect(merged.matches).toEqual(searchPattern(options).matches);
        expect(merged.truncated).toBe(false);
      }),
      { numRuns: 600 },
    );
  });

  it('reports the best of more matches than it may report, and says so', () => {
    const query = Float64Array.of(0);
    // Window i has the distance of the i-th value, so the best are the smallest values.
    const series = Float64Array.from({ length: MATCHES_MAX + 1 }, (_, i) => (i * 7919) % 10_007);
    const options = { query, normalise: 'none', maximumDistance: 1e5, exclusionZone: 0 } as const;
    const all = searchPattern({ ...options, series: series.subarray(1) });
    expect(all.matches).toHaveLength(MATCHES_MAX);
    expect(all.truncated).toBe(false);

    const more = searchPattern({ ...options, series });
    const smallest = [...series].sort((a, b) => a - b).slice(0, MATCHES_MAX);
    expect(more.truncated).toBe(true);
    expect(more.matches.map(({ distance }) => distance)).toEqual(smallest);
    const halves = splitRange(series.length, 2).map((range) =>
      scanPattern({ ...options, series, range }),
    );
    const merged = mergePatternScans(halves);
    expect([merged.truncated, merged.matches]).toEqual([true, more.matches]);
  });

  it('with a number of matches reports the best of them and nothing about the others', () => {
    const series = Float64Array.of(3, 1, 2, 0, 5);
    const options = { series, query: Float64Array.of(0), normalise: 'none' as const };
    const best = searchPattern({ ...options, topK: 2, maximumDistance: 2.5, exclusionZone: 0 });
    expect(best.matches.map(({ start }) => start)).toEqual([3, 1]);
    expect(best).not.toHaveProperty('truncated');
    const all = searchPattern({ ...options, topK: Infinity, exclusionZone: 0 });
    expect(all.matches.map(({ distance }) => distance)).toEqual([0, 1, 2, 3, 5]);
    expect(
      at(
        searchPattern(options).matches.map(({ start }) => start),
        0,
      ),
    ).toBe(3);
  });
});
