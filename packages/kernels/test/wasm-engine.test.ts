import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  correlate,
  createWasmEngine,
  dtwDistance,
  lcsLength,
  lcssLength,
  scanPattern,
  searchPattern,
  TYPESCRIPT_ENGINE,
  type CorrelationMethod,
  type KernelError,
  type PatternScan,
  type PatternSearchOptions,
} from '../src/index.ts';
import { finiteSeries, gappySeries, referenceDtw, referenceLcss } from './reference.ts';

const engine = createWasmEngine(readFileSync(new URL('../wasm/kernels.wasm', import.meta.url)));

/** Everything that the two engines must agree on to the last bit; how windows were pruned may differ by rounding. */
function answerOf({ candidates, stats, parameters }: PatternScan): unknown {
  const { positions, skippedWindows, excludedWindows, nonFiniteWindows, flatWindows } = stats;
  const counts = { positions, skippedWindows, excludedWindows, nonFiniteWindows, flatWindows };
  return { candidates, parameters, counts };
}

function expectSameAnswer(options: PatternSearchOptions): void {
  const scan = scanPattern(options, engine);
  expect(scan.route).toBe('wasm-simd');
  expect(answerOf(scan)).toEqual(answerOf(scanPattern(options)));
  const { stats } = scan;
  const judged = stats.prunedKim + stats.prunedKeoghQuery + stats.prunedKeoghCandidate;
  expect(stats.skippedWindows + judged + stats.dtwComputed).toBe(stats.positions);
  expect(stats.dtwAbandoned).toBeLessThanOrEqual(stats.dtwComputed);
  const whole = searchPattern(options, engine);
  expect(whole.matches).toEqual(searchPattern(options).matches);
}

function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A random walk with steps, plateaus, jumps of level, gaps and values that no window may hold. */
function longSeries(seed: number, length: number): Float64Array {
  const random = randomFrom(seed);
  let level = random() < 0.3 ? 1e9 : 100;
  let isFlat = false;
  return Float64Array.from({ length }, () => {
    if (random() < 0.005) isFlat = !isFlat;
    if (random() < 0.001) level += 1e6 * (random() - 0.5);
    if (random() < 0.0005) return [NaN, Infinity, -Infinity, 1e200][Math.floor(4 * random())] ?? 0;
    if (!isFlat) level += random() - 0.5;
    return level;
  });
}

describe('the WebAssembly engine', () => {
  it('finds what the TypeScript engine finds, for short series of every kind', () => {
    const cases = fc.record({
      values: gappySeries({ minLength: 1, maxLength: 70 }),
      query: finiteSeries({ minLength: 1, maxLength: 40 }),
      cut: fc.option(fc.nat()),
      band: fc.oneof(fc.constantFrom(0, 1e9), fc.nat({ max: 20 })),
      topK: fc.constantFrom(1, 2, 5, 100),
      zone: fc.double({ min: 0, max: 1.3, noNaN: true }),
      normalise: fc.constantFrom('z' as const, 'z' as const, 'none' as const),
      maximumDistance: fc.constantFrom(Infinity, Infinity, 0.6, 0),
    });
    fc.assert(
      fc.property(cases, ({ values, query: drawn, cut, band, zone, ...rest }) => {
        const m = Math.min(drawn.length, values.length);
        const from = (cut ?? 0) % (values.length - m + 1);
        const piece = values.slice(from, from + m);
        const isOwn = cut !== null && piece.every((value) => Math.abs(value) <= 1e150);
        expectSameAnswer({
          series: Float64Array.from(values),
          query: Float64Array.from(isOwn ? piece : drawn.slice(0, m)),
          band: Math.min(band, m - 1),
          exclusionZone: Math.round(zone * m),
          ...rest,
        });
      }),
      { numRuns: 2000 },
    );
  });

  it('finds by LCSS what the TypeScript engine finds, for short series of every kind', () => {
    const cases = fc.record({
      values: gappySeries({ minLength: 1, maxLength: 160 }),
      query: finiteSeries({ minLength: 1, maxLength: 140 }),
      cut: fc.option(fc.nat()),
      epsilon: fc.constantFrom(0, 0.1, 0.5, 1, 100),
      delta: fc.oneof(fc.constantFrom(0, 1e9), fc.nat({ max: 70 })),
      topK: fc.constantFrom(1, 2, 5, 100, Infinity),
      zone: fc.double({ min: 0, max: 1.3, noNaN: true }),
      normalise: fc.constantFrom('z' as const, 'z' as const, 'none' as const),
      maximumDistance: fc.constantFrom(Infinity, Infinity, 0.6, 0.25, 0),
    });
    let computed = 0;
    let given = 0;
    fc.assert(
      fc.property(cases, ({ values, query: drawn, cut, delta, zone, ...rest }) => {
        const m = Math.min(drawn.length, values.length);
        const from = (cut ?? 0) % (values.length - m + 1);
        const piece = values.slice(from, from + m);
        const isOwn = cut !== null && piece.every((value) => Math.abs(value) <= 1e150);
        const options: PatternSearchOptions = {
          series: Float64Array.from(values),
          query: Float64Array.from(isOwn ? piece : drawn.slice(0, m)),
          algorithm: 'lcss',
          delta: Math.min(delta, m - 1),
          exclusionZone: Math.round(zone * m),
          ...rest,
        };
        expectSameAnswer(options);
        const { stats } = scanPattern(options, engine);
        computed += stats.dtwComputed;
        given += stats.dtwAbandoned;
      }),
      { numRuns: 2500 },
    );
    // Tables are computed to their end as well as given up.
    expect(computed - given).toBeGreaterThan(2500);
    expect(given).toBeGreaterThan(2500);
  });

  it('finds the same across many blocks, with plateaus, jumps and gaps', () => {
    const cases = fc.record({
      seed: fc.nat(),
      m: fc.integer({ min: 6, max: 300 }),
      length: fc.integer({ min: 300, max: 5000 }),
      bandShare: fc.double({ min: 0, max: 0.3, noNaN: true }),
      topK: fc.constantFrom(1, 3, 10),
      start: fc.nat(),
      algorithm: fc.constantFrom('dtw' as const, 'lcss' as const),
    });
    fc.assert(
      fc.property(cases, ({ seed, m, length, bandShare, topK, start, algorithm }) => {
        const series = longSeries(seed, length);
        const from = start % (length - m + 1);
        const query = series
          .slice(from, from + m)
          .map((value, i) => (Math.abs(value) <= 1e150 ? value + Math.sin(i) / 4 : i));
        const width = Math.floor(bandShare * m);
        const measure = algorithm === 'dtw' ? { band: width } : { delta: width };
        expectSameAnswer({ series, query, algorithm, ...measure, topK });
      }),
      { numRuns: 100 },
    );
  });

  it('finds near copies of the query at every level and scale, where rounded bounds are least certain', () => {
    const cases = fc.record({
      seed: fc.nat(),
      m: fc.integer({ min: 6, max: 70 }),
      length: fc.integer({ min: 150, max: 700 }),
      band: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(Infinity)),
      level: fc.constantFrom(0, 100, -1e5, 1e9),
      scale: fc.constantFrom(1e-8, 1, 1e6, 1e30),
      distortion: fc.constantFrom(0, 1e-7, 1e-5, 1e-3, 0.1),
      spikes: fc.constantFrom(0, 0, 1e4),
      normalise: fc.constantFrom('z' as const, 'none' as const),
      algorithm: fc.constantFrom('dtw' as const, 'dtw' as const, 'lcss' as const),
      topK: fc.constantFrom(1, 4),
    });
    let computed = 0;
    let abandoned = 0;
    fc.assert(
      fc.property(cases, ({ seed, m, length, band, level, scale, distortion, ...rest }) => {
        const { spikes, normalise, algorithm, topK } = rest;
        const random = randomFrom(seed);
        let walk = 0;
        const shape = Float64Array.from({ length }, () => {
          walk += random() - 0.5;
          return walk + (random() < 0.005 ? spikes * random() : 0);
        });
        const at = Math.floor(random() * (length - m));
        const query = shape.slice(at, at + m);
        for (let copy = 0; copy < 6; copy += 1) {
          const to = Math.floor(random() * (length - m));
          for (const [i, value] of query.entries()) {
            shape[to + i] = value + distortion * (random() - 0.5);
          }
        }
        const place = (value: number): number => scale * (level + value);
        const width = Math.min(band, m - 1);
        const epsilon = distortion * (normalise === 'z' ? 0.5 : scale);
        const measure = algorithm === 'dtw' ? { band: width } : { delta: width, epsilon };
        const options = {
          series: shape.map(place),
          query: query.map(place),
          algorithm,
          ...measure,
          normalise,
          topK,
        };
        expectSameAnswer(options);
        const { stats } = scanPattern(options, engine);
        computed += stats.dtwComputed;
        abandoned += stats.dtwAbandoned;
      }),
      { numRuns: 1000 },
    );
    // Windows of all kinds were met: those that only the exact table can judge, and those that it need not.
    expect(computed - abandoned).toBeGreaterThan(1000);
    expect(abandoned).toBeGreaterThan(10_000);
  });

  it('gives the DTW distance of the plain table, also of series of different lengths', () => {
    const cases = fc.tuple(
      finiteSeries({ minLength: 1, maxLength: 40 }),
      finiteSeries({ minLength: 1, maxLength: 40 }),
      fc.oneof(fc.constantFrom(0, 1e9), fc.nat({ max: 12 })),
    );
    fc.assert(
      fc.property(cases, ([a, b, wanted]) => {
        const longest = Math.max(a.length, b.length);
        const band = Math.min(longest - 1, Math.abs(a.length - b.length) + wanted);
        const [x, y] = [Float64Array.from(a), Float64Array.from(b)];
        const distance = dtwDistance(x, y, { band }, engine);
        expect(distance).toBe(dtwDistance(x, y, { band }));
        expect(distance).toBe(referenceDtw(a, b, band));
      }),
      { numRuns: 2000 },
    );
  });

  it('gives the correlations of the plain engine up to rounding, ties and gaps and all', () => {
    const value = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.constantFrom(0, -0, 1e-300, 1e9, 1e9 + 1e-3),
    );
    const cases = fc
      .tuple(
        fc.nat({ max: 40 }),
        fc.nat({ max: 9 }),
        fc.constantFrom<CorrelationMethod>('pearson', 'spearman'),
      )
      .chain(([rows, count, method]) =>
        fc.record({
          method: fc.constant(method),
          columns: fc.array(
            fc.array(fc.oneof({ weight: 30, arbitrary: value }, fc.constant(NaN)), {
              minLength: rows,
              maxLength: rows,
            }),
            { minLength: count, maxLength: count },
          ),
        }),
      );
    fc.assert(
      fc.property(cases, ({ method, columns }) => {
        const options = { method, columns: columns.map((column) => Float64Array.from(column)) };
        const fast = correlate(options, engine);
        const plain = correlate(options);
        expect(fast.overlap).toEqual(plain.overlap);
        for (const [index, expected] of plain.matrix.entries()) {
          const actual = fast.matrix[index] ?? 0;
          if (Number.isNaN(expected)) expect(actual).toBeNaN();
          else expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-13);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('correlates more columns and rows than fit into one block', () => {
    const columns = Array.from({ length: 37 }, (_, index) =>
      longSeries(index + 1, 1301).map((x) => (Math.abs(x) <= 1e150 ? x : index)),
    );
    for (const method of ['pearson', 'spearman'] as const) {
      const fast = correlate({ columns, method }, engine);
      const plain = correlate({ columns, method });
      for (const [index, expected] of plain.matrix.entries()) {
        expect(Math.abs((fast.matrix[index] ?? 0) - expected)).toBeLessThanOrEqual(1e-12);
      }
    }
  });

  it('ranks like the plain engine', () => {
    const value = fc.oneof(
      fc.integer({ min: -5, max: 5 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0, -0, Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 300 }), (values) => {
        const column = Float64Array.from(values);
        expect(engine.averageRanks(column)).toEqual(TYPESCRIPT_ENGINE.averageRanks(column));
      }),
      { numRuns: 2000 },
    );
  });

  it('counts the longest common subsequence of values like the full table', () => {
    const cases = fc.record({
      a: finiteSeries({ minLength: 1, maxLength: 150 }),
      b: finiteSeries({ minLength: 1, maxLength: 150 }),
      epsilon: fc.constantFrom(0, 0.1, 1, 100),
      delta: fc.oneof(fc.constantFrom(0, 1e9), fc.nat({ max: 100 })),
    });
    fc.assert(
      fc.property(cases, ({ a, b, epsilon, delta }) => {
        const most = Math.max(a.length, b.length) - 1;
        const options = { epsilon, delta: Math.min(delta, most) };
        const [x, y] = [Float64Array.from(a), Float64Array.from(b)];
        const length = lcssLength(x, y, options, engine);
        expect(length).toBe(referenceLcss(a, b, options.epsilon, options.delta));
      }),
      { numRuns: 2000 },
    );
  });

  it('counts the longest common subsequence of symbols like the plain engine', () => {
    const symbols = fc.oneof(
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 200 }),
      fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 30 }),
    );
    fc.assert(
      fc.property(symbols, symbols, (a, b) => {
        const [x, y] = [Int32Array.from(a), Int32Array.from(b)];
        expect(lcsLength(x, y, engine)).toBe(lcsLength(x, y));
      }),
      { numRuns: 2000 },
    );
  });

  it('serves a search inside of another', () => {
    const series = longSeries(7, 3000);
    const inner = { series, query: Float64Array.from({ length: 50 }, (_, i) => Math.sin(i / 5)) };
    const outer = { series, query: Float64Array.from({ length: 90 }, (_, i) => Math.cos(i / 9)) };
    const expected = searchPattern(inner).matches;
    const found: unknown[] = [];
    const onProgress = (): void => {
      found.push(searchPattern(inner, engine).matches);
    };
    const { matches } = searchPattern({ ...outer, onProgress }, engine);
    expect(matches).toEqual(searchPattern(outer).matches);
    expect(found.length).toBeGreaterThan(0);
    for (const each of found) expect(each).toEqual(expected);
  });

  it('says so when the module cannot be used', () => {
    const notAModule = Uint8Array.of(0, 97, 115, 109);
    const anotherModule = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
    for (const bytes of [notAModule, anotherModule]) {
      expect(() => createWasmEngine(bytes)).toThrow(
        expect.objectContaining({ type: 'WASM_UNAVAILABLE' } satisfies Partial<KernelError>),
      );
    }
  });
});
