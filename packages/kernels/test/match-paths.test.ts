import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  mergePatternScans,
  PATH_STEPS_MAX,
  scanPattern,
  searchPattern,
  splitRange,
  type KernelError,
  type PatternSearchOptions,
} from '../src/index.ts';
import { at, finiteSeries, gappySeries, referenceZ } from './reference.ts';

const searches: fc.Arbitrary<PatternSearchOptions & { band: number }> = fc
  .record({
    series: gappySeries({ minLength: 1, maxLength: 50 }),
    query: finiteSeries({ minLength: 1, maxLength: 12 }),
    band: fc.constantFrom(0, 1, 2, 5, 1e9),
    normalise: fc.constantFrom('z' as const, 'none' as const),
    topK: fc.constantFrom(1, 3, Infinity),
  })
  .map(({ series, query, band, ...rest }) => {
    const pattern = query.slice(0, series.length);
    return {
      ...rest,
      series: Float64Array.from(series),
      query: Float64Array.from(pattern),
      band: Math.min(band, pattern.length - 1),
    };
  });

function refusalOf(options: PatternSearchOptions): string {
  try {
    searchPattern(options);
  } catch (error) {
    return (error as KernelError).type;
  }
  return 'none';
}

describe('a search with paths', () => {
  it('gives each match a legal path within the band whose cost is the distance', () => {
    let bent = 0;
    fc.assert(
      fc.property(searches, (search) => {
        const { series, band, normalise } = search;
        const m = search.query.length;
        const prepared = (values: Float64Array): number[] =>
          normalise === 'z' ? referenceZ([...values]) : [...values];
        const query = prepared(search.query);
        const { matches } = searchPattern({ ...search, withPath: true });
        for (const { start, distance, path = new Uint32Array(0) } of matches) {
          const window = prepared(series.slice(start, start + m));
          expect([path[0], path[1], path.at(-2), path.at(-1)]).toEqual([0, 0, m - 1, m - 1]);
          let sum = 0;
          let isLegal = true;
          for (let step = 0; step < path.length; step += 2) {
            const [i, j] = [at(path, step), at(path, step + 1)];
            if (Math.abs(i - j) > band) isLegal = false;
            const moves =
              step === 0 ? '1,1' : `${i - at(path, step - 2)},${j - at(path, step - 1)}`;
            if (!['1,1', '1,0', '0,1'].includes(moves)) isLegal = false;
            sum = (at(query, i) - at(window, j)) ** 2 + sum;
          }
          expect(isLegal).toBe(true);
          expect(Math.sqrt(sum)).toBe(distance);
          if (path.length > 2 * m) bent += 1;
        }
      }),
      { numRuns: 2000 },
    );
    expect(bent).toBeGreaterThan(100);
  });

  it('changes nothing else, and survives a merge of shards', () => {
    fc.assert(
      fc.property(searches, fc.integer({ min: 1, max: 4 }), (search, shards) => {
        const plain = searchPattern(search).matches;
        const { matches } = searchPattern({ ...search, withPath: true });
        expect(matches.map(({ path: _path, ...match }) => match)).toEqual(plain);
        const positions = search.series.length - search.query.length + 1;
        const scans = splitRange(positions, shards).map((range) =>
          scanPattern({ ...search, range, withPath: true }),
        );
        expect(mergePatternScans(scans).matches).toEqual(matches);
      }),
      { numRuns: 300 },
    );
  });

  it('tells the query from the window: the first number of a pair is the point of the query', () => {
    const series = Float64Array.of(0, 0, 0, 0, 9);
    const query = Float64Array.of(0, 9, 9, 9, 9);
    const [match] = searchPattern({
      series,
      query,
      normalise: 'none',
      withPath: true,
      band: 4,
    }).matches;
    expect([...(match?.path ?? [])]).toEqual([0, 0, 0, 1, 0, 2, 0, 3, 1, 4, 2, 4, 3, 4, 4, 4]);
  });

  it('is refused where there is no path and where paths would be too many or too large', () => {
    const series = new Float64Array(40_000);
    const query = new Float64Array(8);
    expect(refusalOf({ series, query, withPath: true, algorithm: 'lcss' })).toBe('BAD_PARAMETER');
    const topK = Math.ceil(PATH_STEPS_MAX / 15);
    expect(refusalOf({ series, query, withPath: true, topK })).toBe('TOO_LARGE');
    const long = { series, query: new Float64Array(20_000), withPath: true, band: 9000 };
    expect(refusalOf(long)).toBe('TOO_LARGE');
    // A range search is refused only when it found so much.
    const pattern = new Float64Array(300);
    const many = { series: series.subarray(0, 7400), query: pattern, withPath: true } as const;
    expect(refusalOf({ ...many, maximumDistance: 1, exclusionZone: 0 })).toBe('TOO_LARGE');
    expect(refusalOf({ ...many, maximumDistance: 1 })).toBe('none');
  });
});
