/**
 * Task type PatternMatch: where in a series does a pattern occur? The search itself is that of the kernels. A long one is
 * cut into parts that free threads of the agent help with (pattern-parts.ts); a shard answers with its candidates.
 */
import { createRequire } from 'node:module';
import {
  mergePatternScans,
  packCandidates,
  scanPattern,
  searchPattern,
  type PatternScan,
  type PatternSearchOptions,
} from '@quic-swarm/kernels';
import type { PatternMatchInput, PatternMatchResult } from '@quic-swarm/protocol';
import type { HelperContext, ThreadContext } from '../shell/team.ts';
import type { TaskContext } from '../task-handler.ts';
import { boundOf, helpWithParts, partCountOf, rangeOf, scanInParts } from './pattern-parts.ts';
import { digestSeries, resolveSeries } from './series-reference.ts';

const DEFAULT_TOP_K = 5;

const kernels = createRequire(import.meta.url)('@quic-swarm/kernels/package.json') as {
  readonly version: string;
};

/** Computes a PatternMatch task. Answers at once, unless other threads help. */
export default function matchPattern(
  input: PatternMatchInput,
  context: ThreadContext,
): PatternMatchResult | Promise<PatternMatchResult> {
  const startedMs = performance.now();
  const series = resolveSeries(input.series, context, 'series');
  const options = searchOptions(input, series, context);
  const { shard, team } = context;
  const report = (scan: PatternScan): PatternMatchResult => ({
    ...describe(scan),
    ...(shard === undefined
      ? { matches: [...mergePatternScans([scan]).matches] }
      : { matches: [], candidates: packCandidates(scan.candidates) }),
    stats: { ...scan.stats, elapsedMs: performance.now() - startedMs },
    seriesDigest: digestSeries(input.series, series),
  });
  const range = rangeOf(options, shard);
  const parts = partCountOf(range, team);
  if (team !== undefined && parts > 1) {
    return scanInParts({ options, range, parts, team, context }).then(report);
  }
  if (shard !== undefined) {
    return report(scanPattern({ ...options, range, sharedBound: boundOf(context) }));
  }
  const { matches, ...rest } = searchPattern(options);
  return report({ ...rest, candidates: matches });
}

/** Helps another thread with a PatternMatch task. */
export function help(input: PatternMatchInput, context: HelperContext): void {
  const series = resolveSeries(input.series, context, 'series');
  helpWithParts(searchOptions(input, series, context), context);
}

function describe({
  parameters,
  route,
}: PatternScan): Pick<PatternMatchResult, 'algorithm' | 'kernelVersion' | 'route' | 'parameters'> {
  const { algorithm, length, normalise, epsilon, delta, topK, exclusionZone } = parameters;
  return {
    algorithm,
    kernelVersion: kernels.version,
    route,
    parameters: {
      length,
      // For LCSS the band of the table is its delta.
      band: parameters.band ?? delta ?? 0,
      normalise,
      ...(epsilon === undefined ? {} : { epsilon }),
      ...(delta === undefined ? {} : { delta }),
      topK,
      exclusionZone,
    },
  };
}

function searchOptions(
  input: PatternMatchInput,
  series: Float64Array,
  context: TaskContext,
): PatternSearchOptions {
  const { algorithm, band, epsilon, delta, normalise, exclusionZone, topK } = input;
  return {
    series,
    query: resolveSeries(input.query, context, 'query'),
    algorithm,
    band,
    epsilon,
    delta,
    normalise,
    topK: topK ?? DEFAULT_TOP_K,
    exclusionZone,
    excludeRange: input.excludeRows,
    range: input.startRows,
    onProgress: (fraction) => context.progress(fraction),
    shouldStop: () => context.isCancelled(),
  };
}
