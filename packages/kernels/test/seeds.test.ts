import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Candidate } from '../src/greedy-selection.ts';
import { emptyStats } from '../src/pattern-result.ts';
import { findSeeds, type SeedOptions } from '../src/seeds.ts';
import {
  createWasmEngine,
  dtwDistance,
  mergePatternScans,
  scanPattern,
  searchPattern,
  SharedBound,
  TYPESCRIPT_ENGINE,
  type KernelEngine,
  zNormalise,
} from '../src/index.ts';
import { RandomSource } from '../src/random.ts';

/** A random walk. */
function walkOf(length: number, seed: number): Float64Array {
  const random = new RandomSource(seed);
  let level = 100;
  return Float64Array.from({ length }, () => (level += random.nextNormal()));
}

/** A piece of the series with a little of everything else in it. */
function distorted(series: Float64Array, start: number, length: number): Float64Array {
  const random = new RandomSource(start);
  return series.slice(start, start + length).map((value) => value + 0.1 * random.nextNormal());
}

const ENGINES = [
  TYPESCRIPT_ENGINE,
  createWasmEngine(readFileSync(new URL('../wasm/kernels.wasm', import.meta.url))),
] as const;

/** What an engine's scan helps to find. */
function seedsOf(engine: KernelEngine, options: Omit<SeedOptions, 'scan'>): readonly Candidate[] {
  const selection = { boundDistance: Infinity, acceptsTies: true, offer: () => undefined };
  const context = { ...options.compared, selection, stats: emptyStats() };
  let seeds: readonly Candidate[] = [];
  engine.withDtwScan(context, 0, 300, (scan) => {
    seeds = findSeeds({ ...options, scan });
  });
  return seeds;
}

/** Along the diagonal. */
function distanceOf(window: Float64Array, query: Float64Array): number {
  return Math.sqrt(window.reduce((sum, value, i) => sum + (value - (query[i] as number)) ** 2, 0));
}

describe('the seeds of a search', () => {
  it('hold the window that the query was made of, wherever beside the grid it lies', () => {
    const series = walkOf(60_000, 1);
    for (const m of [96, 128, 250, 300]) {
      for (const start of [30_001, 30_002, 30_005, 30_011, 41_003]) {
        const query = zNormalise(distorted(series, start, m));
        for (const engine of ENGINES) {
          const [seed] = seedsOf(engine, {
            compared: { series, query, normalise: true },
            segments: [{ start: 0, end: 60_000 - m + 1 }],
            zone: Math.ceil(m / 4),
            count: 1,
          });
          expect(Math.abs((seed?.start ?? Infinity) - start)).toBeLessThanOrEqual(1);
        }
      }
    }
  });

  it('are found behind gaps, on a high level and in raw values too', () => {
    const raw = walkOf(20_000, 2);
    const gaps = raw.map((value, i) => (i % 3000 === 700 ? NaN : value));
    const high = raw.map((value) => 1e9 + value);
    for (const [series, normalise] of [
      [gaps, true],
      [high, true],
      [raw, false],
      [high, false],
    ] as const) {
      const piece = distorted(series, 8005, 160);
      const query = normalise ? zNormalise(piece) : piece;
      for (const engine of ENGINES) {
        const [seed] = seedsOf(engine, {
          compared: { series, query, normalise },
          segments: [{ start: 0, end: 20_000 - 160 + 1 }],
          zone: 40,
          count: 1,
        });
        expect(seed?.start).toBe(8005);
      }
    }
  });

  it('are as many usable windows as are wanted, a zone apart and where they may be, or none', () => {
    const cases = fc.record({
      seed: fc.integer({ min: 0, max: 1e6 }),
      length: fc.integer({ min: 60, max: 700 }),
      m: fc.integer({ min: 1, max: 130 }),
      zone: fc.integer({ min: 0, max: 40 }),
      count: fc.integer({ min: 1, max: 9 }),
      cut: fc.nat(),
      gaps: fc.array(fc.nat(), { maxLength: 4 }),
      normalise: fc.boolean(),
    });
    let found = 0;
    fc.assert(
      fc.property(cases, ({ seed, length, cut, gaps, zone, count, normalise, ...rest }) => {
        const m = Math.min(rest.m, length);
        const series = walkOf(length, seed);
        for (const gap of gaps) series[gap % length] = [NaN, Infinity, 1e200][gap % 3] as number;
        const raw = walkOf(m, seed + 1);
        const query = normalise ? zNormalise(raw) : raw;
        const positions = length - m + 1;
        const middle = cut % (positions + 1);
        const segments = [
          { start: 0, end: middle },
          { start: Math.min(positions, middle + 7), end: positions },
        ].filter(({ start, end }) => start < end);
        const compared = { series, query, normalise };
        for (const engine of ENGINES) {
          const seeds = seedsOf(engine, { compared, segments, zone, count });
          found += Math.sign(seeds.length);
          if (seeds.length > 0) expect(seeds).toHaveLength(count);
          for (const [i, { start, distance }] of seeds.entries()) {
            expect(segments.some((each) => start >= each.start && start < each.end)).toBe(true);
            const window = series.slice(start, start + m);
            expect(window.every((value) => Math.abs(value) < 1e150)).toBe(true);
            const compare = normalise ? zNormalise(window) : window;
            expect(distance).toBeCloseTo(distanceOf(compare, query), 8);
            for (const other of seeds.slice(0, i)) {
              expect(Math.abs(start - other.start)).toBeGreaterThanOrEqual(Math.max(1, zone));
            }
          }
        }
      }),
      { numRuns: 2000 },
    );
    expect(found).toBeGreaterThan(1000);
  });

  it('are looked for where a scan is told to, for the bound that it shares', () => {
    const series = walkOf(50_000, 4);
    const query = distorted(series, 44_444, 256);
    const search = { series, query, band: 26 };
    const { matches } = searchPattern(search);
    const sharedBound = new SharedBound();
    const nowhere = { start: 0, end: 0 };
    const half = { start: 0, end: 25_000 };
    // A poor bound that is known already does not keep the second from finding the good one.
    scanPattern({ ...search, sharedBound, range: nowhere, seedRange: half });
    expect(sharedBound.distance).toBeGreaterThan(2 * (matches[0]?.distance ?? NaN));
    const rest = { start: 25_000, end: 49_745 };
    const seeds = scanPattern({ ...search, sharedBound, range: nowhere, seedRange: rest });
    expect(sharedBound.distance).toBe(matches[0]?.distance);
    expect(seeds).toMatchObject({ candidates: [], stats: { positions: 0, seedWindows: 1 } });
    const scans = [half, rest].map((range) =>
      scanPattern({ ...search, sharedBound, range, seedRange: nowhere }),
    );
    expect(scans.map(({ stats }) => stats.seedWindows)).toEqual([0, 0]);
    expect(mergePatternScans([seeds, ...scans]).matches).toEqual(matches);
    // A whole search keeps to its own range: a seed elsewhere would rule its matches out.
    const own = searchPattern({ ...search, range: half, seedRange: rest });
    expect(own.matches).toEqual(searchPattern({ ...search, range: half }).matches);
    expect(own.matches).toHaveLength(1);
  });

  it('prune a search from its first position on', () => {
    const series = walkOf(50_000, 3);
    const query = distorted(series, 44_444, 256);
    const { matches, stats } = searchPattern({ series, query, band: 26 });
    expect(matches[0]?.start).toBe(44_444);
    expect(matches[0]?.distance).toBe(
      dtwDistance(zNormalise(query), zNormalise(series.slice(44_444, 44_700)), { band: 26 }),
    );
    expect(stats.seedWindows).toBe(1);
    // With the bound of any other window it is hundreds.
    expect(stats.dtwComputed).toBeLessThan(20);
  });
});
