/** Task type PatternMatch: where in a series does a pattern occur? The search itself is `searchPattern` of the kernels. */
import { createRequire } from 'node:module';
import { searchPattern, type PatternSearchOptions } from '@quic-swarm/kernels';
import type { PatternMatchInput, PatternMatchResult } from '@quic-swarm/protocol';
import type { TaskContext } from '../task-handler.ts';
import { kernelEngine } from './kernel-engine.ts';
import { digestSeries, resolveSeries } from './series-reference.ts';

const DEFAULT_TOP_K = 5;

const kernels = createRequire(import.meta.url)('@quic-swarm/kernels/package.json') as {
  readonly version: string;
};

/** Computes a PatternMatch task. */
export default function matchPattern(
  input: PatternMatchInput,
  context: TaskContext,
): PatternMatchResult {
  const startedMs = performance.now();
  const series = resolveSeries(input.series, context, 'series');
  const query = resolveSeries(input.query, context, 'query');
  const found = searchPattern(searchOptions(input, series, query, context), kernelEngine);
  const { algorithm, length, normalise, epsilon, delta, topK, exclusionZone, maximumDistance } =
    found.parameters;
  return {
    algorithm,
    kernelVersion: kernels.version,
    route: found.route,
    parameters: {
      length,
      // For LCSS the band of the table is its delta.
      band: found.parameters.band ?? delta ?? 0,
      normalise,
      ...(epsilon === undefined ? {} : { epsilon }),
      ...(delta === undefined ? {} : { delta }),
      // Neither JSON nor a count has a word for Infinity: what is not bounded is left out.
      ...(topK === Infinity ? {} : { topK }),
      exclusionZone,
      ...(maximumDistance === Infinity ? {} : { maximumDistance }),
    },
    matches: [...found.matches],
    ...(found.truncated === undefined ? {} : { truncated: found.truncated }),
    stats: { ...found.stats, elapsedMs: performance.now() - startedMs },
    seriesDigest: digestSeries(input.series, series),
  };
}

function searchOptions(
  input: PatternMatchInput,
  series: Float64Array,
  query: Float64Array,
  context: TaskContext,
): PatternSearchOptions {
  const { algorithm, band, epsilon, delta, normalise, exclusionZone, topK, maximumDistance } =
    input;
  return {
    series,
    query,
    algorithm,
    band,
    epsilon,
    delta,
    normalise,
    topK: topK ?? (maximumDistance === undefined ? DEFAULT_TOP_K : Infinity),
    maximumDistance,
    exclusionZone,
    withPath: input.withPath,
    excludeRange: input.excludeRows,
    range: input.startRows,
    onProgress: (fraction) => context.progress(fraction),
    shouldStop: () => context.isCancelled(),
  };
}
