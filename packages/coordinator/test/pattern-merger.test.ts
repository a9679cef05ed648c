/** The merger of PatternMatch beside the search in one piece, over results that have travelled. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  addMatchPaths,
  createWasmEngine,
  MATCHES_MAX,
  packCandidates,
  packMatchPaths,
  scanPattern,
  searchPattern,
  TYPESCRIPT_ENGINE,
  type KernelEngine,
  type PatternSearchOptions,
  type SearchParameters,
} from '@quic-swarm/kernels';
import { decodeResult, encodeDocument, type PatternMatchResult } from '@quic-swarm/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePatternResults } from '../src/shell/pattern-merger.ts';

const wasmPath = createRequire(import.meta.url).resolve('@quic-swarm/kernels/kernels.wasm');
const wasm = createWasmEngine(readFileSync(wasmPath));

/** What an agent answers for a shard, once it has come over the wire. */
function shardResult(options: PatternSearchOptions, engine: KernelEngine): PatternMatchResult {
  const { withPath = false, ...search } = options;
  const { candidates, parameters, route, stats } = scanPattern(search, engine);
  const pathSteps = withPath ? { pathSteps: packMatchPaths(candidates, options) } : {};
  const result: PatternMatchResult = {
    algorithm: parameters.algorithm,
    kernelVersion: '0.1.0',
    route,
    parameters: parametersOf(parameters),
    matches: [],
    candidates: { ...packCandidates(candidates), ...pathSteps },
    stats: { ...stats, elapsedMs: stats.positions },
    seriesDigest: { length: options.series.length, sha256: 'ab' },
  };
  return decodeResult('PatternMatch', encodeDocument(result));
}

function parametersOf(parameters: SearchParameters): PatternMatchResult['parameters'] {
  const { algorithm: _algorithm, topK, maximumDistance, band, ...rest } = parameters;
  return {
    ...rest,
    band: band ?? rest.delta ?? 0,
    ...(topK === Infinity ? {} : { topK }),
    ...(maximumDistance === Infinity ? {} : { maximumDistance }),
  };
}

/** 0 … positions in pieces, some of them perhaps empty. */
function cutAt(positions: number, places: readonly number[]): { start: number; end: number }[] {
  const cuts = [0, ...places.map((place) => place % (positions + 1)), positions];
  cuts.sort((a, b) => a - b);
  return cuts.slice(1).map((end, i) => ({ start: cuts[i] as number, end }));
}

const searches = fc
  .record({
    // Steps of few sizes make windows that are equal once they are normalised: ties, also across borders.
    steps: fc.array(fc.constantFrom(-1, 0, 0, 1, 0.5, NaN), {
      minLength: 12,
      maxLength: 80,
      size: 'max',
    }),
    from: fc.nat(),
    length: fc.integer({ min: 2, max: 12 }),
    measure: fc.constantFrom('dtw' as const, 'dtw with paths' as const, 'lcss' as const),
    width: fc.integer({ min: 0, max: 4 }),
    normalise: fc.constantFrom('z' as const, 'none' as const),
    topK: fc.constantFrom(1, 2, 5, 40, Infinity, Infinity),
    zone: fc.integer({ min: 0, max: 20 }),
    maximumDistance: fc.constantFrom(Infinity, 0, 0.5, 2),
    exclude: fc.option(fc.tuple(fc.nat(), fc.nat({ max: 20 }))),
    cuts: fc.array(fc.nat(), { maxLength: 4 }),
    engines: fc.array(fc.constantFrom(TYPESCRIPT_ENGINE, wasm), { minLength: 1, maxLength: 7 }),
  })
  .map(({ steps, from, length, measure, width, zone, exclude, cuts, engines, ...rest }) => {
    let level = 0;
    const series = Float64Array.from(steps, (step, i) => {
      if (Number.isNaN(step)) return i % 5 === 0 ? NaN : level;
      return (level += step);
    });
    const start = from % (series.length - length + 1);
    const excluded = exclude === null ? 0 : exclude[0] % series.length;
    const band = Math.min(width, length - 1);
    const options: PatternSearchOptions = {
      ...rest,
      series,
      query: series.slice(start, start + length).map((value) => (Number.isNaN(value) ? 0 : value)),
      algorithm: measure === 'lcss' ? 'lcss' : 'dtw',
      ...(measure === 'lcss' ? { delta: band } : { band }),
      withPath: measure === 'dtw with paths',
      exclusionZone: zone,
      excludeRange: {
        start: excluded,
        end: Math.min(series.length, excluded + (exclude?.[1] ?? 0)),
      },
    };
    return { options, cuts, engines };
  });

describe('the merged result of the shards of a search', () => {
  it('is that of the search in one piece: matches, ties, paths, truncated, and counts', () => {
    const seen = { all: 0, paths: 0, mixed: 0, tiesAtBorders: 0 };
    fc.assert(
      fc.property(searches, ({ options, cuts, engines }) => {
        const positions = options.series.length - options.query.length + 1;
        const ranges = cutAt(positions, cuts);
        const results = ranges.map((range, i) =>
          shardResult({ ...options, range }, engines[i % engines.length] as KernelEngine),
        );
        const expected = searchPattern(options);
        const merged = mergePatternResults(results);
        expect(merged.matches).toEqual(expected.matches);
        expect(merged.truncated).toBe(expected.truncated);
        expect('truncated' in merged).toBe(options.topK === Infinity);
        expect(merged).not.toHaveProperty('candidates');

        const { stats } = merged;
        for (const name of ['positions', 'excludedWindows', 'nonFiniteWindows', 'flatWindows']) {
          expect(stats[name], name).toBe(expected.stats[name as keyof typeof expected.stats]);
        }
        const { skippedWindows = 0, prunedKim = 0, dtwComputed = 0, wasmPositions = 0 } = stats;
        const { prunedKeoghQuery = 0, prunedKeoghCandidate = 0 } = stats;
        expect(
          skippedWindows + prunedKim + prunedKeoghQuery + prunedKeoghCandidate + dtwComputed,
        ).toBe(positions);
        const byWasm = results.filter(({ route }) => route === 'wasm-simd');
        expect(wasmPositions).toBe(
          byWasm.reduce((sum, each) => sum + (each.stats['positions'] ?? 0), 0),
        );
        const scanned = results.filter((each) => each.stats['positions'] !== 0);
        const routes = [...new Set(scanned.map(({ route }) => route))];
        expect(merged.route).toBe(routes.length > 1 ? 'mixed' : routes[0]);

        if (options.topK === Infinity) seen.all += 1;
        if (merged.matches.some(({ path }) => path !== undefined)) seen.paths += 1;
        if (merged.route === 'mixed') seen.mixed += 1;
        const byDistance = new Map<number, number>();
        for (const [shard, { candidates }] of results.entries()) {
          for (const distance of candidates?.distances ?? []) {
            if ((byDistance.get(distance) ?? shard) !== shard) seen.tiesAtBorders += 1;
            byDistance.set(distance, shard);
          }
        }
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(200);
  }, 60_000);

  it('knows whether there are more matches than it reports, and reports the best', () => {
    const cases = fc.record({
      // Around the most that are reported, by a zone of two, three or no windows.
      count: fc.integer({ min: MATCHES_MAX - 2, max: MATCHES_MAX + 2 }),
      zone: fc.constantFrom(0, 2, 3),
      values: fc.constantFrom(1, 7, 10_007),
      cuts: fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
    });
    const seen = new Set<boolean | undefined>();
    fc.assert(
      fc.property(cases, ({ count, zone, values, cuts }) => {
        const step = Math.max(1, zone);
        const series = Float64Array.from({ length: count * step }, (_, i) =>
          i % step === 0 ? ((i / step) * 7919) % values : values + 1,
        );
        const options: PatternSearchOptions = {
          series,
          query: Float64Array.of(0),
          normalise: 'none',
          maximumDistance: values,
          exclusionZone: zone,
        };
        const results = cutAt(series.length, cuts).map((range, i) =>
          shardResult({ ...options, range }, i % 2 === 0 ? wasm : TYPESCRIPT_ENGINE),
        );
        const merged = mergePatternResults(results);
        const expected = searchPattern(options);
        expect(merged.truncated).toBe(count > MATCHES_MAX);
        expect(expected.truncated).toBe(merged.truncated);
        expect(merged.matches).toHaveLength(Math.min(count, MATCHES_MAX));
        expect(merged.matches.map(({ start }) => start)).toEqual(
          expected.matches.map(({ start }) => start),
        );
        seen.add(merged.truncated);
      }),
      { numRuns: 40 },
    );
    expect(seen.size).toBe(2);
  });

  it('lets a window behind the border overturn a match of its neighbour, whose neighbour then comes back', () => {
    // Without windows 5 and 6 the first shard would answer 4; 5 beats it and falls to 6, within a zone of two.
    const series = Float64Array.of(9, 9, 9, 3, 2.5, 2, 1, 9, 9, 9);
    const query = Float64Array.of(0);
    const options = { series, query, normalise: 'none', exclusionZone: 2, topK: 3 } as const;
    const shards = [4, 5, 6].map((border) =>
      [
        { start: 0, end: border },
        { start: border, end: 10 },
      ].map((range) => shardResult({ ...options, range }, TYPESCRIPT_ENGINE)),
    );
    for (const results of shards) {
      expect(mergePatternResults(results).matches.map(({ start }) => start)).toEqual([6, 4, 0]);
      expect(mergePatternResults(results.toReversed()).matches).toEqual(
        searchPattern(options).matches,
      );
    }
  });
});

describe('results that cannot be merged, or not without a word', () => {
  const series = Float64Array.from({ length: 40 }, (_, i) => Math.sin(i * i));
  const options = { series, query: series.slice(3, 9), band: 2, topK: 3, withPath: true };
  const [first, second] = cutAt(35, [17]).map((range) =>
    shardResult({ ...options, range }, wasm),
  ) as [PatternMatchResult, PatternMatchResult];

  it('are those of other series, other parameters, or with matches', () => {
    const elsewhere = { ...second, seriesDigest: { length: 40, sha256: 'cd' } };
    const wider = { ...second, parameters: { ...second.parameters, band: 3 } };
    const { candidates: _candidates, ...whole } = second;
    const refusalOf = (result: PatternMatchResult): unknown => {
      try {
        return mergePatternResults([first, result]);
      } catch (error) {
        return (error as { type: string }).type;
      }
    };
    expect([elsewhere, wider, whole].map(refusalOf)).toEqual([
      'BAD_MESSAGE',
      'PARAMETERS_DIFFER',
      'BAD_MESSAGE',
    ]);
  });

  it('are those with steps that are no paths', () => {
    const { candidates } = second;
    if (candidates?.pathSteps === undefined) throw new Error('no paths');
    const { pathSteps, ...bare } = candidates;
    const wrong = [
      pathSteps.subarray(1),
      pathSteps.map(() => 1),
      pathSteps.map(() => 3),
      Uint8Array.of(...pathSteps, 0),
    ];
    for (const steps of wrong) {
      const result = { ...second, candidates: { ...bare, pathSteps: steps } };
      expect(() => mergePatternResults([first, result])).toThrow('not the paths');
    }
    expect(() => mergePatternResults([first, { ...second, candidates: bare }])).toThrow(
      'not the paths',
    );
    expect(mergePatternResults([first, second]).matches).toEqual(
      addMatchPaths(searchPattern({ ...options, withPath: false }).matches, options),
    );
  });

  it('are computed by different versions of the kernels, which the result then names', () => {
    const newer = { ...second, kernelVersion: '0.2.0' };
    expect(mergePatternResults([newer, first]).kernelVersion).toBe('0.1.0, 0.2.0');
    expect(mergePatternResults([first, second]).kernelVersion).toBe('0.1.0');
  });

  it('come from an agent that does not count windows by route', () => {
    const { wasmPositions: _unknown, ...stats } = second.stats;
    const merged = mergePatternResults([first, { ...second, stats }]);
    expect([merged.route, merged.stats['wasmPositions']]).toEqual(['wasm-simd', 35]);
  });
});
