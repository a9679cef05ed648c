import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  createWasmEngine,
  searchPattern,
  TYPESCRIPT_ENGINE,
  type KernelError,
} from '../src/index.ts';
import { GreedySelection, type Candidate } from '../src/greedy-selection.ts';
import { referenceSearch } from './reference.ts';

const engines = [
  TYPESCRIPT_ENGINE,
  createWasmEngine(readFileSync(new URL('../wasm/kernels.wasm', import.meta.url))),
];

/** The definition, with a list of what is ruled out, so that it takes thousands of windows. */
function greedyOf(distances: readonly number[], topK: number, zone: number): Candidate[] {
  const order = distances.map((distance, start) => ({ start, distance }));
  order.sort((a, b) => a.distance - b.distance || a.start - b.start);
  const ruledOut = new Set<number>();
  const chosen: Candidate[] = [];
  for (const each of order) {
    if (chosen.length === topK) break;
    if (ruledOut.has(each.start)) continue;
    chosen.push(each);
    for (let near = 1 - zone; near < zone; near += 1) ruledOut.add(each.start + near);
  }
  return chosen;
}

/** Distances of very many windows: plateaus, ties, waves, noise. */
const manyDistances = fc
  .record({
    seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    length: fc.integer({ min: 1, max: 6000 }),
    levels: fc.constantFrom(1, 2, 7, 1e9),
    wave: fc.constantFrom(0, 3, 200),
    plateau: fc.constantFrom(0, 0.001, 0.02),
  })
  .map(({ seed, length, levels, wave, plateau }) => {
    let state = seed;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    let isPlateau = plateau > 0;
    return Array.from({ length }, (_, i) => {
      if (random() < plateau) isPlateau = !isPlateau;
      if (isPlateau) return 1;
      const noise = Math.floor(random() * levels) / levels;
      return wave === 0 ? noise : noise + Math.sin(i / wave) + 1;
    });
  });

describe('the greedy choice among thousands of windows', () => {
  it('is that of the definition, whether or not there are as many as were asked for', () => {
    const cases = fc.record({
      distances: manyDistances,
      topK: fc.constantFrom(1, 5, 700, 2500, 10_001),
      zone: fc.constantFrom(0, 1, 2, 9, 60),
    });
    fc.assert(
      fc.property(cases, ({ distances, topK, zone }) => {
        const selection = new GreedySelection({
          topK,
          exclusionZone: zone,
          maximumDistance: Infinity,
          rangeStart: 0,
          openLeft: false,
        });
        distances.forEach((distance, start) => selection.offer(start, distance));
        const found = selection.finish(distances.length, false);
        expect(found).toEqual(greedyOf(distances, topK, Math.max(1, zone)));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps no more than twice what it must, however long everything is equal', () => {
    const selection = new GreedySelection({
      topK: 10_001,
      exclusionZone: 100,
      maximumDistance: 1,
      rangeStart: 0,
      openLeft: false,
    });
    const sort = vi.spyOn(Array.prototype, 'sort');
    for (let start = 0; start < 200_000; start += 1) selection.offer(start, 1);
    // No list is changed once it was sorted: what is kept goes into a new one.
    const sorted = sort.mock.contexts.map((list) => (list as unknown[]).length);
    sort.mockRestore();
    expect(Math.max(...sorted)).toBeLessThan(2 * (2000 + 1024));
    // Every window is sorted a few times, not hundreds of times.
    expect(sorted.reduce((sum, length) => sum + length, 0)).toBeLessThan(5 * 200_000);
  });
});

describe.each(engines)('a search over a series that stands still, in $route', (engine) => {
  it('takes windows of equal values for flat, and windows that only the shift makes equal for what they are', () => {
    const wiggles = [5, 7, 6, 9, 5, 7, 6, 9, 8, 8, 8, 8, 8, 8, 5, 7];
    for (const first of [1e20, 100, -0, 5]) {
      const search = {
        series: Float64Array.of(first, ...wiggles, 0, -0, 0, 0, -0, 0, 0, 3, NaN, 3, 3, 3, 3, 3),
        query: Float64Array.of(1, 3, 2, 4),
        algorithm: 'dtw' as const,
        band: 1,
        epsilon: 0,
        topK: 100,
        exclusionZone: 0,
        normalise: 'z' as const,
        maximumDistance: Infinity,
        excludeRange: { start: 0, end: 0 },
        range: { start: 0, end: 28 },
      };
      const expected = referenceSearch(search);
      const { matches, stats } = searchPattern(search, engine);
      expect(matches.map(({ start, distance }) => ({ start, distance }))).toEqual(expected.matches);
      expect(stats.flatWindows).toBe(expected.flatWindows);
      expect(stats.flatWindows).toBeGreaterThan(5);
    }
  });

  it('finds its first windows, and stops when it is told to', () => {
    const series = new Float64Array(300_000).fill(100);
    const query = Float64Array.from({ length: 2000 }, (_, i) => Math.sin(i / 50));
    const options = { series, query, band: 20, maximumDistance: 1000 };
    const { matches, truncated, stats } = searchPattern(options, engine);
    expect(matches.map(({ start }) => start)).toEqual(matches.map((_, i) => 500 * i));
    expect([matches.length, truncated, stats.flatWindows]).toEqual([597, false, 298_001]);
    let looks = 0;
    const shouldStop = (): boolean => (looks += 1) === 100;
    expect(() => searchPattern({ ...options, shouldStop }, engine)).toThrow(
      expect.objectContaining({ type: 'CANCELLED' } satisfies Partial<KernelError>),
    );
    // 99 looks, 1,024 positions each.
    expect(looks).toBe(100);
  });
});
