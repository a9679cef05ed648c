/** The parameters of a pattern search: their meaning, their defaults and their checks. */
import { requireAtLeast, requireBand, requireInteger } from './check.ts';
import { KernelError } from './problem.ts';
import { isUsable, USABLE_MAGNITUDE_MAX } from './typescript/series-block.ts';
import type { SharedBound } from './shared-bound.ts';
import type { IndexRange } from './shards.ts';

/**
 * The most matches that a search for all of them reports: as many objects as a task's result should
 * carry, and far more than a person reads.
 */
export const MATCHES_MAX = 10_000;

/** How windows are compared with the query. */
export type PatternAlgorithm = 'dtw' | 'lcss';

/** What is done to the query and to each window before they are compared. */
export type Normalisation = 'z' | 'none';

/** A search as a caller asks for it. */
export interface PatternSearchOptions {
  /** The series to search in. It may have gaps: windows with NaN or Infinity are skipped and counted. */
  readonly series: Float64Array;
  /** The pattern: m finite values, m ≤ the series' length. */
  readonly query: Float64Array;
  /** @default 'dtw' */
  readonly algorithm?: PatternAlgorithm | undefined;
  /**
   * DTW: largest |i − j|, in points, 0 … m − 1.
   * @default max(1, round(0.05 × m)), at most m − 1
   */
  readonly band?: number | undefined;
  /**
   * LCSS: largest |x − y| of a match, in standard deviations (with normalise 'none' in the unit of
   * the series).
   * @default 0.5
   */
  readonly epsilon?: number | undefined;
  /**
   * LCSS: largest |i − j| of a match, in points, 0 … m − 1.
   * @default the default of `band`
   */
  readonly delta?: number | undefined;
  /**
   * How many matches to find; Infinity for all (a range search), of which the best
   * {@link MATCHES_MAX} are reported.
   * @default 1, or Infinity when `maximumDistance` is given and finite
   */
  readonly topK?: number | undefined;
  /**
   * Two matches start at least this many points apart; 0 switches it off.
   * @default ceil(m / 4)
   */
  readonly exclusionZone?: number | undefined;
  /** @default 'z' */
  readonly normalise?: Normalisation | undefined;
  /** Only windows up to this distance match. @default Infinity */
  readonly maximumDistance?: number | undefined;
  /** Rows start … end − 1 of the series may not be part of a match, e.g. where the query was cut out. */
  readonly excludeRange?: IndexRange | undefined;
  /** DTW: report the warping path of each match, see PatternMatch.path. @default false */
  readonly withPath?: boolean | undefined;
  /** Window starts to scan, for sharding. @default all: 0 … n − m + 1 */
  readonly range?: IndexRange | undefined;
  /**
   * For `scanPattern`: what other scans of the same search, and of no other, have proved. It prunes this scan, which adds
   * to it; looked at every 1,024 positions.
   */
  readonly sharedBound?: SharedBound | undefined;
  /**
   * For `scanPattern`: where it looks for windows that are computed beforehand, so that it begins with a bound; without
   * positions nowhere. Any windows of the whole search prove one, so that scans which share a bound can share this out too.
   * @default range
   */
  readonly seedRange?: IndexRange | undefined;
  /** Called with the fraction of positions done, in (0, 1], about 100 times at most. */
  readonly onProgress?: ((fractionDone: number) => void) | undefined;
  /** Asked every 1,024 positions; true ends the search with KernelError CANCELLED. */
  readonly shouldStop?: (() => boolean) | undefined;
}

/** The parameters that a search really used, with all defaults filled in; part of every result. */
export interface SearchParameters {
  readonly algorithm: PatternAlgorithm;
  /** m, in points. */
  readonly length: number;
  /** Only for dtw, in points. */
  readonly band?: number;
  /** Only for lcss. */
  readonly epsilon?: number;
  /** Only for lcss, in points. */
  readonly delta?: number;
  /** Infinity when all were asked for. */
  readonly topK: number;
  readonly exclusionZone: number;
  readonly normalise: Normalisation;
  readonly maximumDistance: number;
}

/** The default warping band for a pattern of m points: five per cent of it, at least one point. */
export function defaultBand(m: number): number {
  const band = Math.max(1, Math.round(0.05 * m));
  return band < m ? band : m - 1;
}

/** The default exclusion zone for a pattern of m points: a quarter of it, rounded up. */
export function defaultExclusionZone(m: number): number {
  return Math.ceil(m / 4);
}

/**
 * Checks a search and fills in its defaults, as every search does first.
 *
 * @throws KernelError as `searchPattern`, but for its ranges
 */
export function resolveSearchParameters(options: PatternSearchOptions): SearchParameters {
  requireQuery(options.query, options.series);
  const m = options.query.length;
  const algorithm = options.algorithm ?? 'dtw';
  const normalise = options.normalise ?? 'z';
  requireOneOf('UNKNOWN_ALGORITHM', 'algorithm', algorithm, ['dtw', 'lcss']);
  requireOneOf('BAD_PARAMETER', 'normalise', normalise, ['z', 'none']);
  const measure =
    algorithm === 'dtw'
      ? { band: requireBand('band', options.band ?? defaultBand(m), m) }
      : {
          epsilon: requireAtLeast('epsilon', options.epsilon ?? 0.5, 0),
          delta: requireBand('delta', options.delta ?? defaultBand(m), m),
        };
  const maximumDistance = requireAtLeast('maximumDistance', options.maximumDistance ?? Infinity, 0);
  return {
    algorithm,
    length: m,
    ...measure,
    topK: requireTopK(options.topK ?? (maximumDistance < Infinity ? Infinity : 1)),
    exclusionZone: requireInteger(
      'exclusionZone',
      options.exclusionZone ?? defaultExclusionZone(m),
      0,
    ),
    normalise,
    maximumDistance,
  };
}

function requireTopK(topK: number): number {
  return topK === Infinity ? topK : requireInteger('topK', topK, 1);
}

/**
 * How many matches a search must choose. A range search looks for one more than it may report,
 * which is how it knows that its report is not complete.
 */
export function matchesToChoose({ topK }: SearchParameters): number {
  return topK === Infinity ? MATCHES_MAX + 1 : topK;
}

/** Checks a range of integers within 0 … end and returns it. */
export function requireRange(name: string, range: IndexRange, end: number): IndexRange {
  if (
    Number.isInteger(range.start) &&
    Number.isInteger(range.end) &&
    range.start >= 0 &&
    range.start <= range.end &&
    range.end <= end
  ) {
    return range;
  }
  throw new KernelError(
    'BAD_RANGE',
    `${name} is [${range.start}, ${range.end}), but it must lie within [0, ${end}).`,
    `Set ${name} to integers with 0 ≤ start ≤ end ≤ ${end}.`,
  );
}

function requireQuery(query: Float64Array, series: Float64Array): void {
  if (series.length === 0) {
    throw new KernelError(
      'EMPTY_SERIES',
      'The series to search in has no values.',
      'Pass a series of at least as many points as the query.',
    );
  }
  if (query.length === 0) {
    throw new KernelError(
      'EMPTY_QUERY',
      'The query has no values.',
      'Pass the pattern to search for, with at least one point.',
    );
  }
  if (query.length > series.length) {
    throw new KernelError(
      'QUERY_TOO_LONG',
      `The query has ${query.length} points, but the series only ${series.length}.`,
      `Shorten the query to ${series.length} points or less, or search a longer series.`,
    );
  }
  const position = query.findIndex((value) => !isUsable(value));
  if (position >= 0) {
    throw new KernelError(
      'QUERY_NOT_FINITE',
      `Point ${position} of the query is ${query[position]}, but every point must be a finite number of at most ${USABLE_MAGNITUDE_MAX}.`,
      'Fill or cut the gap in the query.',
    );
  }
}

function requireOneOf(
  type: 'UNKNOWN_ALGORITHM' | 'BAD_PARAMETER',
  name: string,
  value: string,
  known: readonly string[],
): void {
  if (known.includes(value)) return;
  throw new KernelError(
    type,
    `${name} is '${value}', but it must be one of ${known.join(', ')}.`,
    `Set ${name} to ${known.join(' or ')}.`,
  );
}
