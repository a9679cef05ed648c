/** The candidates of a scan as four columns: a tenth of the room that as many objects take on the wire. */
import { KernelError } from './problem.ts';
import type { PatternMatch } from './pattern-result.ts';
import type { SearchParameters } from './search-parameters.ts';

/** Windows by (distance, start), in columns of one length. */
export interface PackedCandidates {
  readonly starts: Uint32Array;
  readonly distances: Float64Array;
  readonly windowMeans: Float64Array;
  readonly windowStandardDeviations: Float64Array;
  /** Only in a search with paths: those of all candidates, see packMatchPaths. */
  readonly pathSteps?: Uint8Array;
}

/** Writes candidates as columns, without their paths. */
export function packCandidates(candidates: readonly PatternMatch[]): PackedCandidates {
  return {
    starts: Uint32Array.from(candidates, ({ start }) => start),
    distances: Float64Array.from(candidates, ({ distance }) => distance),
    windowMeans: Float64Array.from(candidates, ({ windowMean }) => windowMean),
    windowStandardDeviations: Float64Array.from(
      candidates,
      ({ windowStandardDeviation }) => windowStandardDeviation,
    ),
  };
}

/**
 * Reads the candidates of a search with these parameters.
 *
 * @throws KernelError BAD_PARAMETER when the columns differ in length
 */
export function unpackCandidates(
  { starts, distances, windowMeans, windowStandardDeviations }: PackedCandidates,
  { algorithm, length }: Pick<SearchParameters, 'algorithm' | 'length'>,
): PatternMatch[] {
  for (const column of [distances, windowMeans, windowStandardDeviations]) {
    if (column.length === starts.length) continue;
    throw new KernelError(
      'BAD_PARAMETER',
      `The candidates have ${starts.length} starts, but another column of ${column.length} values.`,
      'Pass the columns as packCandidates wrote them.',
    );
  }
  return Array.from(starts, (start, i) =>
    matchOf(algorithm, {
      start,
      length,
      distance: distances[i] as number,
      windowMean: windowMeans[i] as number,
      windowStandardDeviation: windowStandardDeviations[i] as number,
    }),
  );
}

/** A match with the figures that follow from its distance. */
export function matchOf(
  algorithm: SearchParameters['algorithm'],
  {
    start,
    length,
    distance,
    windowMean,
    windowStandardDeviation,
  }: Omit<PatternMatch, 'normalizedDistance' | 'similarity'>,
): PatternMatch {
  const isDtw = algorithm === 'dtw';
  return {
    start,
    length,
    distance,
    normalizedDistance: isDtw ? distance / Math.sqrt(length) : distance,
    ...(isDtw ? {} : { similarity: 1 - distance }),
    windowMean,
    windowStandardDeviation,
  };
}
