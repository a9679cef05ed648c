/**
 * Task type PatternMatch: where in a series does a pattern occur? The search itself is that of the kernels. A long one is
 * cut into parts that free threads of the agent help with (pattern-parts.ts); a shard answers with its candidates.
 */
import { createRequire } from 'node:module';
import {
  addMatchPaths,
  mergePatternScans,
  packCandidates,
  packMatchPaths,
  requirePathsPossible,
  resolveSearchParameters,
  scanPattern,
  searchPattern,
  type PatternScan,
  type PatternSearchOptions,
  type PatternSearchResult,
} from '@quic-swarm/kernels';
import type { PatternMatchInput, PatternMatchResult } from '@quic-swarm/protocol';
import type { HelperContext, ThreadContext } from '../shell/team.ts';
import type { TaskContext } from '../task-handler.ts';
import { kernelEngine } from './kernel-engine.ts';
import { choosePattern } from './pattern-arm.ts';
import {
  boundOf,
  helpWithParts,
  partCountOf,
  rangeOf,
  scanInParts,
  seedRangeOf,
} from './pattern-parts.ts';
import { digestSeries, resolveSeries } from './series-reference.ts';

const kernels = createRequire(import.meta.url)('@quic-swarm/kernels/package.json') as {
  readonly version: string;
};

/** A search that takes less says nothing of how far it is. */
const FIRST_PROGRESS_MS = 100;

/** Computes a PatternMatch task. Answers at once, unless other threads help. */
export default function matchPattern(
  input: PatternMatchInput,
  context: ThreadContext,
): PatternMatchResult | Promise<PatternMatchResult> {
  const startedMs = performance.now();
  const series = resolveSeries(input.series, context, 'series');
  const options = searchOptions(input, series, context);
  const { shard, team } = context;
  const report = (answer: Answer): PatternMatchResult => ({
    ...answer,
    stats: { ...answer.stats, elapsedMs: performance.now() - startedMs },
    seriesDigest: digestSeries(input.series, series),
  });
  if (options.withPath === true) requirePathsPossible(resolveSearchParameters(options));
  const answerOf = (scan: PatternScan): Answer =>
    shard === undefined ? wholeOf(mergePatternScans([scan]), options) : shardOf(scan, options);
  const range = rangeOf(options, shard);
  const seedRange = seedRangeOf(options, range, shard);
  if (team !== undefined && partCountOf(range, team) > 1) {
    const scanned = scanInParts({
      options: withoutPaths(options),
      range,
      seedRange,
      team,
      context,
    });
    return scanned.then((scan) => report(answerOf(scan)));
  }
  if (shard === undefined) return report(answerWith(searchPattern(options, kernelEngine)));
  const sharedBound = boundOf(context);
  const scan = scanPattern(
    { ...withoutPaths(options), range, seedRange, sharedBound },
    kernelEngine,
  );
  return report(answerOf(scan));
}

/** Helps another thread with a PatternMatch task. */
export function help(input: PatternMatchInput, context: HelperContext): void {
  const series = resolveSeries(input.series, context, 'series');
  helpWithParts(withoutPaths(searchOptions(input, series, context)), context);
}

/** What a search answers, but for its time and what it was done in. */
type Answer = Omit<PatternMatchResult, 'seriesDigest'>;

/** For scans: only what they leave over at last has a path. */
function withoutPaths(options: PatternSearchOptions): PatternSearchOptions {
  return { ...options, withPath: false };
}

function wholeOf(found: PatternSearchResult, options: PatternSearchOptions): Answer {
  if (options.withPath !== true) return answerWith(found);
  return answerWith({ ...found, matches: addMatchPaths(found.matches, options) });
}

function answerWith(found: PatternSearchResult): Answer {
  const { matches, truncated, stats } = found;
  return {
    ...describe(found),
    matches: [...matches],
    ...(truncated === undefined ? {} : { truncated }),
    stats: { ...stats },
  };
}

/** Most candidates are no matches in the end; but who merges the shards has no series to compute paths in. */
function shardOf(scan: PatternScan, options: PatternSearchOptions): Answer {
  const { candidates, stats } = scan;
  const pathSteps =
    options.withPath === true ? { pathSteps: packMatchPaths(candidates, options) } : {};
  return {
    ...describe(scan),
    matches: [],
    candidates: { ...packCandidates(candidates), ...pathSteps },
    stats: { ...stats },
  };
}

function describe({
  parameters,
  route,
}: Pick<PatternScan, 'parameters' | 'route'>): Pick<
  PatternMatchResult,
  'algorithm' | 'kernelVersion' | 'route' | 'parameters'
> {
  const { algorithm, length, normalise, epsilon, delta, topK, exclusionZone, maximumDistance } =
    parameters;
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
      // Neither JSON nor a count has a word for Infinity: what is not bounded is left out.
      ...(topK === Infinity ? {} : { topK }),
      exclusionZone,
      ...(maximumDistance === Infinity ? {} : { maximumDistance }),
    },
  };
}

/**
 * Each word of progress wakes three processes, which a short search feels, and its end says all that the last one would:
 * those of the first moments and the last one are left out.
 */
function progressOf({ progress }: TaskContext): (fraction: number) => void {
  const fromMs = performance.now() + FIRST_PROGRESS_MS;
  return (fraction) => {
    if (fraction < 1 && performance.now() >= fromMs) progress(fraction);
  };
}

function searchOptions(
  input: PatternMatchInput,
  series: Float64Array,
  context: TaskContext,
): PatternSearchOptions {
  const { epsilon, exclusionZone, maximumDistance } = input;
  return {
    series,
    ...choosePattern(input, resolveSeries(input.query, context, 'query'), context),
    epsilon,
    maximumDistance,
    exclusionZone,
    withPath: input.withPath,
    excludeRange: input.excludeRows,
    range: input.startRows,
    onProgress: progressOf(context),
    shouldStop: () => context.isCancelled(),
  };
}
