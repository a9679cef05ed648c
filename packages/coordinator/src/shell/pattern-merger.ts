/** The shards of a PatternMatch: their candidates become the matches of the whole search, exactly. */
import {
  mergePatternScans,
  unpackCandidates,
  unpackMatchPaths,
  type PackedCandidates,
  type PatternMatch,
  type PatternScan,
} from '@quic-swarm/kernels';
import { SwarmError, type PatternMatchResult } from '@quic-swarm/protocol';

/** As many characters as the schema gives it. */
const KERNEL_VERSION_LENGTH_MAX = 128;

/**
 * Joins the results of all shards. What the shards say of themselves is added up, and what they may differ in says so: the
 * route (see the kernels) and the kernels' version.
 * @throws BAD_MESSAGE when they are not the shards of one search; TOO_LARGE when the paths of its matches are
 */
export function mergePatternResults(results: readonly PatternMatchResult[]): PatternMatchResult {
  const [first] = results;
  if (first === undefined) throw new SwarmError('BAD_MESSAGE', 'There are no results to merge.');
  for (const { seriesDigest } of results) {
    if (seriesDigest.sha256 === first.seriesDigest.sha256) continue;
    throw new SwarmError('BAD_MESSAGE', 'The shards were searched in different series.');
  }
  const { candidates: _ofShard, ...common } = first;
  const { matches, truncated, stats, route } = mergePatternScans(results.map(scanOf));
  const elapsedMs = Math.max(...results.map((result) => result.stats['elapsedMs'] ?? 0));
  return {
    ...common,
    kernelVersion: versionsOf(results),
    route,
    matches: withPaths(matches, results),
    ...(truncated === undefined ? {} : { truncated }),
    stats: { ...stats, elapsedMs },
  };
}

/** Such as "0.1.0", or "0.1.0, 0.2.0" while a swarm is being renewed. */
function versionsOf(results: readonly PatternMatchResult[]): string {
  const versions = [...new Set(results.map(({ kernelVersion }) => kernelVersion))];
  return versions.sort().join(', ').slice(0, KERNEL_VERSION_LENGTH_MAX);
}

/** When the search wants paths its shards have sent those of their candidates. */
function withPaths(
  matches: readonly PatternMatch[],
  results: readonly PatternMatchResult[],
): PatternMatch[] {
  const packed = results
    .map(({ candidates }) => candidates)
    .filter((candidates): candidates is PackedCandidates => candidates !== undefined);
  if (packed.every(({ pathSteps }) => pathSteps === undefined)) return [...matches];
  return unpackMatchPaths(matches, packed, results[0]?.parameters.length ?? 0);
}

function scanOf({
  algorithm,
  parameters,
  route,
  candidates,
  stats,
}: PatternMatchResult): PatternScan {
  if (candidates === undefined) {
    throw new SwarmError('BAD_MESSAGE', 'A shard answered with matches, which cannot be merged.', {
      hint: 'Its agent may be of an older release.',
    });
  }
  // What is not bounded is left out of a result.
  const { band, epsilon, delta, topK = Infinity, maximumDistance = Infinity } = parameters;
  const { length, normalise, exclusionZone } = parameters;
  const measure =
    algorithm === 'dtw'
      ? { band }
      : {
          ...(epsilon === undefined ? {} : { epsilon }),
          ...(delta === undefined ? {} : { delta }),
        };
  return {
    candidates: unpackCandidates(candidates, { algorithm, length: parameters.length }),
    // The kernel adds the counts that it knows; an older agent may not know all of them.
    stats: { ...defaultStats(route, stats), ...stats } as unknown as PatternScan['stats'],
    parameters: {
      algorithm,
      ...measure,
      length,
      normalise,
      topK,
      exclusionZone,
      maximumDistance,
    },
    route,
  };
}

/** Counts that agents have not always sent. */
function defaultStats(
  route: PatternMatchResult['route'],
  { positions = 0 }: PatternMatchResult['stats'],
): Record<string, number> {
  return { wasmPositions: route === 'wasm-simd' ? positions : 0 };
}
