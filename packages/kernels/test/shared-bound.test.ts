import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createWasmEngine,
  joinPatternScans,
  MATCHES_MAX,
  mergePatternScans,
  packCandidates,
  scanPattern,
  searchPattern,
  SharedBound,
  splitRange,
  unpackCandidates,
  TYPESCRIPT_ENGINE,
  type PatternSearchOptions,
  type PatternSearchResult,
} from '../src/index.ts';
import { GreedySelection, type Candidate } from '../src/greedy-selection.ts';

const wasm = createWasmEngine(readFileSync(new URL('../wasm/kernels.wasm', import.meta.url)));

/** The definition: the least by (distance, start), without its zone, k times. */
function greedyOf(distances: readonly number[], topK: number, zone: number): Candidate[] {
  const left = distances
    .map((distance, start) => ({ start, distance }))
    .sort((a, b) => a.distance - b.distance || a.start - b.start);
  const chosen: Candidate[] = [];
  for (const each of left) {
    if (chosen.length === topK) break;
    if (chosen.every(({ start }) => Math.abs(start - each.start) >= zone)) chosen.push(each);
  }
  return chosen;
}

/** Cuts 0 … length at the given places, each taken modulo the length. */
function cutAt(length: number, places: readonly number[]): { start: number; end: number }[] {
  const cuts = [...new Set([0, ...places.map((place) => place % (length + 1)), length])];
  cuts.sort((a, b) => a - b);
  return cuts.slice(1).map((end, i) => ({ start: cuts[i] as number, end }));
}

describe('a bound that several scans share', () => {
  it('leaves the merged answer as it is, for random distances with ties, cuts, zones and turns', () => {
    const cases = fc.record({
      // Few different values, so that ties are common, at the bound and in a zone alike.
      distances: fc.oneof(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 60 }),
        fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 60 }),
      ),
      cuts: fc.array(fc.nat(), { maxLength: 6 }),
      topK: fc.constantFrom(1, 2, 3, 5, 50),
      zone: fc.integer({ min: 0, max: 12 }),
      // Whose turn it is, and whether bounds are exchanged in it.
      turns: fc.array(fc.tuple(fc.nat(), fc.boolean()), { minLength: 1, maxLength: 80 }),
    });
    fc.assert(
      fc.property(cases, ({ distances, cuts, topK, zone, turns }) => {
        const bound = new SharedBound();
        const length = distances.length;
        const scans = cutAt(length, cuts).map(({ start, end }) => ({
          end,
          next: start,
          selection: new GreedySelection({
            topK,
            exclusionZone: zone,
            maximumDistance: Infinity,
            rangeStart: start,
            openLeft: start > 0,
          }),
        }));
        for (let turn = 0; scans.some(({ next, end }) => next < end); turn += 1) {
          const [who, exchanges] = turns[turn % turns.length] as [number, boolean];
          const going = scans.filter(({ next, end }) => next < end);
          const scan = going[(who + turn) % going.length] as (typeof scans)[number];
          if (exchanges) {
            scan.selection.tightenBound(bound.distance);
            bound.lower(scan.selection.boundDistance);
          }
          scan.selection.offer(scan.next, distances[scan.next] as number);
          scan.next += 1;
        }
        const expected = greedyOf(distances, topK, zone);
        const worst = expected.length < topK ? Infinity : (expected.at(-1)?.distance ?? 0);
        expect(bound.distance).toBeGreaterThanOrEqual(worst);
        const all = new GreedySelection({
          topK,
          exclusionZone: zone,
          maximumDistance: Infinity,
          rangeStart: 0,
          openLeft: false,
        });
        for (const { selection, end } of scans) {
          const kept = [...selection.finish(end, end < length)];
          for (const { start, distance } of kept.sort((a, b) => a.start - b.start)) {
            all.offer(start, distance);
          }
        }
        expect(all.finish(length, false)).toEqual(expected);
      }),
      { numRuns: 4000 },
    );
  });

  const searches = fc
    .record({
      // Steps of few sizes: many windows are equal after normalisation, which makes ties.
      steps: fc.array(fc.constantFrom(-1, 0, 0, 1, 0.5), { minLength: 12, maxLength: 160 }),
      from: fc.nat(),
      length: fc.integer({ min: 2, max: 10 }),
      algorithm: fc.constantFrom('dtw' as const, 'lcss' as const),
      topK: fc.constantFrom(1, 2, 4, 20, Infinity),
      zone: fc.integer({ min: 0, max: 14 }),
      maximumDistance: fc.constantFrom(Infinity, Infinity, 0.5),
      cuts: fc.array(fc.nat(), { maxLength: 5 }),
      innerCuts: fc.array(fc.nat(), { maxLength: 3 }),
      order: fc.integer(),
      engine: fc.constantFrom(TYPESCRIPT_ENGINE, wasm),
    })
    .map(({ steps, from, length, ...rest }) => {
      let level = 0;
      const series = Float64Array.from(steps, (step) => (level += step));
      const start = from % (series.length - length + 1);
      return { series, query: series.slice(start, start + length), ...rest };
    });

  it('gives the unsplit answer of the plain engine through scan and merge by either, in one step and in two, in any order', () => {
    fc.assert(
      fc.property(searches, ({ series, query, cuts, innerCuts, order, zone, engine, ...rest }) => {
        const options: PatternSearchOptions = { series, query, exclusionZone: zone, ...rest };
        const sharedBound = new SharedBound();
        const positions = series.length - query.length + 1;
        const ranges = cutAt(positions, cuts);
        if (order % 2 === 0) ranges.reverse();
        const scans = ranges.map((range) => {
          const parts = cutAt(range.end - range.start, innerCuts).map((part) =>
            scanPattern(
              {
                ...options,
                sharedBound,
                range: { start: range.start + part.start, end: range.start + part.end },
              },
              engine,
            ),
          );
          if (order % 3 === 0) parts.reverse();
          const scan = joinPatternScans(parts, range, positions);
          const packed = packCandidates(scan.candidates);
          expect(unpackCandidates(packed, scan.parameters)).toEqual(scan.candidates);
          return scan;
        });
        const merged = mergePatternScans(scans);
        const expected = searchPattern(options);
        expect(merged.matches).toEqual(expected.matches);
        expect(merged.truncated).toBe(expected.truncated);
        expect(merged.route).toBe(engine.route);
        expect(merged.stats.positions).toBe(positions);
        for (const { candidates } of scans) {
          expect(candidates.length).toBeLessThanOrEqual(rest.topK * Math.max(1, 2 * zone - 1));
        }
      }),
      { numRuns: 2500 },
    );
  });

  it('is seen by a scan that runs, and prunes it', () => {
    const series = Float64Array.from({ length: 60_000 }, (_, i) => Math.sin(i * i) + i / 1e4);
    const query = series.slice(50_000, 50_040);
    const alone = scanPattern({ series, query, range: { start: 0, end: 30_000 } });
    const sharedBound = new SharedBound();
    let looks = 0;
    const told = scanPattern({
      series,
      query,
      range: { start: 0, end: 30_000 },
      sharedBound,
      // Somebody else finds the exact copy when this scan has begun.
      shouldStop: () => {
        if ((looks += 1) === 2) sharedBound.lower(0);
        return false;
      },
    });
    expect(alone.candidates.length).toBeGreaterThan(0);
    expect(told.candidates).toEqual([]);
    expect(told.stats.dtwComputed).toBeLessThan(alone.stats.dtwComputed);
    scanPattern({ series, query, range: { start: 30_000, end: 59_961 }, sharedBound });
    expect(sharedBound.distance).toBe(0);
  });

  it('knows that a search for all found more than it reports', () => {
    // All windows are equal: every one is a match.
    const series = new Float64Array(MATCHES_MAX + 40);
    const query = new Float64Array(8);
    const options = { series, query, maximumDistance: 1, exclusionZone: 0 };
    const sharedBound = new SharedBound();
    const mergedOver = (positions: number): PatternSearchResult =>
      mergePatternScans(
        splitRange(positions, 3).map((range) => scanPattern({ ...options, sharedBound, range })),
      );
    const all = mergedOver(series.length - query.length + 1);
    expect(all.matches).toEqual(searchPattern(options).matches);
    expect([all.matches.length, all.truncated]).toEqual([MATCHES_MAX, true]);
    const few = mergedOver(MATCHES_MAX);
    expect([few.matches.length, few.truncated]).toEqual([MATCHES_MAX, false]);
  });

  it('does not touch a search over a closed range, whose answer is its own', () => {
    const series = Float64Array.from({ length: 500 }, (_, i) => Math.sin(i * i));
    const sharedBound = new SharedBound();
    sharedBound.lower(0);
    const search = { series, query: series.slice(400, 420), range: { start: 0, end: 200 } };
    const { matches } = searchPattern({ ...search, sharedBound });
    expect(matches).toEqual(searchPattern(search).matches);
    expect(matches).toHaveLength(1);
  });
});

describe('SharedBound', () => {
  it('is the least of all distances told, over any memory of zeros that is shared', () => {
    const distance = fc.double({ min: 0, noNaN: true });
    fc.assert(
      fc.property(fc.array(distance, { minLength: 1, maxLength: 20 }), (distances) => {
        const memory = new SharedArrayBuffer(64);
        const sides = [new SharedBound(memory), new SharedBound(memory)];
        expect(sides[0]?.distance).toBe(Infinity);
        distances.forEach((each, i) => sides[i % 2]?.lower(each));
        for (const side of sides) expect(side.distance).toBe(Math.min(...distances) + 0);
      }),
      { numRuns: 500 },
    );
  });

  it('takes minus zero for zero', () => {
    const bound = new SharedBound();
    bound.lower(-0);
    expect(bound.distance).toBe(0);
  });
});
