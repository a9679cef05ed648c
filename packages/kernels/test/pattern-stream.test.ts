import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  PatternStream,
  searchPattern,
  type PatternMatch,
  type PatternSearchOptions,
} from '../src/index.ts';
import { finiteSeries, gappySeries } from './reference.ts';

/** A search and the sizes of the pushes, of which 0 is one. */
const cases = fc
  .record({
    values: gappySeries({ minLength: 1, maxLength: 300 }),
    own: fc.option(finiteSeries({ minLength: 1, maxLength: 14 })),
    cut: fc.nat(),
    length: fc.integer({ min: 1, max: 20 }),
    algorithm: fc.constantFrom('dtw' as const, 'dtw' as const, 'lcss' as const),
    band: fc.constantFrom(0, 1, 3, 1e9),
    epsilon: fc.constantFrom(0.1, 0.5),
    zone: fc.constantFrom(0, 1, 2, 5, 12, 40),
    normalise: fc.constantFrom('z' as const, 'z' as const, 'none' as const),
    maximumDistance: fc.constantFrom(0, 0.3, 0.7, 1.5, 3, 1e9),
    chunks: fc.array(fc.constantFrom(0, 1, 1, 2, 7, 64, 200), {
      minLength: 1,
      maxLength: 9,
      size: 'max',
    }),
  })
  .map(({ values, own, cut, length, band, zone, chunks, ...rest }) => {
    const m = Math.min(own?.length ?? length, values.length);
    const from = cut % (values.length - m + 1);
    const piece = values.slice(from, from + m).map((x, i) => (Math.abs(x) <= 1e150 ? x : i));
    const options: PatternSearchOptions = {
      ...rest,
      series: Float64Array.from(values),
      query: Float64Array.from(own?.slice(0, m) ?? piece),
      band: Math.min(band, m - 1),
      delta: Math.min(band, m - 1),
      exclusionZone: zone,
    };
    return { options, chunks };
  });

/** Pushes a series in pieces whose sizes repeat; returns what each count of points made final. */
function pushed(
  stream: PatternStream,
  series: Float64Array,
  chunks: readonly number[],
): PatternMatch[] {
  const told: PatternMatch[] = [];
  // Sizes of 0 only would never end.
  const sizes = chunks.some((size) => size > 0) ? chunks : [1];
  let from = 0;
  for (let turn = 0; from < series.length; turn += 1) {
    const to = from + (sizes[turn % sizes.length] ?? 1);
    told.push(...stream.push(series.slice(from, to)));
    from = to;
  }
  return told;
}

describe('a stream', () => {
  it('tells the matches of the batch search, whatever the sizes of the pushes', () => {
    let early = 0;
    let all = 0;
    fc.assert(
      fc.property(cases, ({ options, chunks }) => {
        const { series, ...rest } = options;
        const expected = searchPattern(options);
        const stream = new PatternStream(rest);
        const told = pushed(stream, series, chunks);
        early += told.length;
        const matches = [...told, ...stream.finish()];
        all += matches.length;
        const sorted = matches.slice().sort((a, b) => a.distance - b.distance || a.start - b.start);
        expect(sorted).toEqual(expected.matches);
        expect(stream.length).toBe(series.length);
        expect(stream.best?.start).toBe(expected.matches[0]?.start);
        const { stats } = stream;
        expect(stats.positions).toBe(expected.stats.positions);
        expect(stats.nonFiniteWindows).toBe(expected.stats.nonFiniteWindows);
        expect(stats.flatWindows).toBe(expected.stats.flatWindows);
        const { prunedKim, prunedKeoghQuery, prunedKeoghCandidate, dtwComputed } = stats;
        expect(
          stats.skippedWindows + prunedKim + prunedKeoghQuery + prunedKeoghCandidate + dtwComputed,
        ).toBe(stats.positions);
      }),
      { numRuns: 2000 },
    );
    // Most are told before the end, else the stream would be a batch search in disguise.
    expect(early).toBeGreaterThan(all / 2);
  });

  it('tells the same at the same point, one by one or all at once', () => {
    fc.assert(
      fc.property(cases, ({ options, chunks }) => {
        const { series, ...rest } = options;
        const one = pushed(new PatternStream(rest), series, [1]);
        expect(pushed(new PatternStream(rest), series, chunks)).toEqual(one);
      }),
      { numRuns: 500 },
    );
  });

  it('tells only what no future can change: it stays in the answer for every continuation', () => {
    fc.assert(
      fc.property(cases, gappySeries({ minLength: 1, maxLength: 60 }), ({ options }, future) => {
        const { series, ...rest } = options;
        const told = new PatternStream(rest).push(series);
        const longer = Float64Array.from([...series, ...future]);
        const { matches } = searchPattern({ ...options, series: longer });
        expect(matches.map(({ start }) => start)).toEqual(
          expect.arrayContaining(told.map(({ start }) => start)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('without a distance tells each window that beats all before it, at once', () => {
    fc.assert(
      fc.property(cases, ({ options, chunks }) => {
        const { series, maximumDistance: _none, ...rest } = options;
        const stream = new PatternStream(rest);
        const told = pushed(stream, series, chunks);
        const all = searchPattern({ ...rest, series, topK: Infinity, exclusionZone: 0 }).matches;
        const byStart = all.slice().sort((a, b) => a.start - b.start);
        let best = Infinity;
        const records = byStart.filter(({ distance }) => {
          const isRecord = distance < best;
          best = Math.min(best, distance);
          return isRecord;
        });
        expect(told).toEqual(records);
        expect(stream.best).toEqual(records.at(-1));
        expect(stream.finish()).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('tells a match of its zone when the last window of the zone is complete, no sooner', () => {
    const query = Float64Array.of(0);
    const stream = new PatternStream({
      query,
      normalise: 'none',
      maximumDistance: 5,
      exclusionZone: 3,
    });
    const startsAfter = (value: number): number[] =>
      stream.push(Float64Array.of(value)).map(({ start }) => start);
    // Distances 4 3 1 9 2 9 9: the 1 is final two windows later, the 2 waits for its own two.
    expect([4, 3, 1, 9, 2, 9, 9].map(startsAfter)).toEqual([[], [], [], [], [2], [], []]);
    expect(stream.finish()).toEqual([]);
  });
});
