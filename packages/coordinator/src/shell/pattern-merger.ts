/** The shards of a PatternMatch: their candidates become the matches of the whole search, exactly. */
import { mergePatternScans, unpackCandidates, type PatternScan } from '@quic-swarm/kernels';
import { SwarmError, type PatternMatchResult } from '@quic-swarm/protocol';

/** Joins the results of all shards. @throws BAD_MESSAGE when they are not the shards of one search */
export function mergePatternResults(results: readonly PatternMatchResult[]): PatternMatchResult {
  const [first] = results;
  if (first === undefined) throw new SwarmError('BAD_MESSAGE', 'There are no results to merge.');
  for (const { seriesDigest } of results) {
    if (seriesDigest.sha256 === first.seriesDigest.sha256) continue;
    throw new SwarmError('BAD_MESSAGE', 'The shards were searched in different series.');
  }
  const { candidates: _ofShard, ...common } = first;
  const { matches, truncated, stats } = mergePatternScans(results.map(scanOf));
  const elapsedMs = Math.max(...results.map((result) => result.stats['elapsedMs'] ?? 0));
  return {
    ...common,
    matches: [...matches],
    ...(truncated === undefined ? {} : { truncated }),
    stats: { ...stats, elapsedMs },
  };
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
    // The kernel adds the counts that it knows.
    stats: stats as unknown as PatternScan['stats'],
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
