/** What a pattern search returns. Plain data: it crosses threads and the wire as it is. */
import type { SearchParameters } from './search-parameters.ts';

/** Which implementation computed a result. */
export type KernelRoute = 'typescript' | 'wasm-simd';

/** Which implementation computed a search; `mixed` when its parts were computed by different ones, see `wasmPositions`. */
export type SearchRoute = KernelRoute | 'mixed';

/** One place where the pattern was found. */
export interface PatternMatch {
  /** First row of the window, counted from 0. */
  readonly start: number;
  /** Points in the window, which is the query's length m. */
  readonly length: number;
  /** DTW: sqrt of the path's sum of squared differences. LCSS: 1 − similarity. */
  readonly distance: number;
  /** DTW: distance / sqrt(m), comparable between patterns of different length. LCSS: distance. */
  readonly normalizedDistance: number;
  /** Only for lcss: LCSS / m, in [0, 1]. */
  readonly similarity?: number;
  /** Two-pass mean of the raw window, in the unit of the series. */
  readonly windowMean: number;
  /** Two-pass population standard deviation of the raw window, in the unit of the series. */
  readonly windowStandardDeviation: number;
  /**
   * Only with `withPath`: i0, j0, i1, j1, … from (0, 0) to (m − 1, m − 1), the points of the query
   * (i) and of the window (j) that were aligned. Row start + j of the series met point i of the query.
   */
  readonly path?: Uint32Array;
}

/**
 * How the work went. Every position is counted in exactly one of six ways:
 *
 *   positions = excludedWindows + nonFiniteWindows
 *             + prunedKim + prunedKeoghQuery + prunedKeoghCandidate + dtwComputed
 *
 * and skippedWindows = excludedWindows + nonFiniteWindows. No position is skipped for the exclusion
 * zone: the zone acts on candidates, not on the scan.
 */
export interface PatternSearchStats {
  /** Window starts in the scanned range. */
  readonly positions: number;
  /** Ended by LB_Kim. Always 0 for lcss and for patterns under six points. */
  readonly prunedKim: number;
  /** Ended by the query's envelope. */
  readonly prunedKeoghQuery: number;
  /** Ended by the window's envelope. */
  readonly prunedKeoghCandidate: number;
  /** Windows whose table (DTW, or LCSS for lcss) was begun. */
  readonly dtwComputed: number;
  /** Of these, how many were given up because they could not reach the answer. */
  readonly dtwAbandoned: number;
  /** Windows that no kernel looked at: excludedWindows + nonFiniteWindows. */
  readonly skippedWindows: number;
  /** Windows that overlap `excludeRange`. */
  readonly excludedWindows: number;
  /** Other windows with NaN, Infinity or a value beyond 1e150. */
  readonly nonFiniteWindows: number;
  /** Of the windows looked at, how many are flat, that is, became the zero vector. 0 without z-normalisation. */
  readonly flatWindows: number;
  /** Windows computed beforehand, in addition, to start with a good bound. */
  readonly seedWindows: number;
  /** Of the positions, how many lay in parts that WebAssembly computed; plain TypeScript had the others. */
  readonly wasmPositions: number;
}

/** The answer of a pattern search. */
export interface PatternSearchResult {
  /** By ascending (distance, start); fewer than topK when the series does not hold more. */
  readonly matches: readonly PatternMatch[];
  /**
   * Only in a search for all matches: true when there are more than these, which are then the best
   * MATCHES_MAX. A smaller maximumDistance, a larger exclusionZone or ranges show the others.
   */
  readonly truncated?: boolean;
  readonly stats: PatternSearchStats;
  readonly parameters: SearchParameters;
  readonly route: SearchRoute;
}

/** The answer of one shard: what {@link PatternSearchResult} needs from it. */
export interface PatternScan {
  /**
   * By ascending (distance, start): the shard's certain matches and, near a border that another
   * shard continues, every window that may still win there. At most k(2·zone − 1), where a search
   * for all counts as k = MATCHES_MAX + 1.
   */
  readonly candidates: readonly PatternMatch[];
  readonly stats: PatternSearchStats;
  readonly parameters: SearchParameters;
  readonly route: SearchRoute;
}

/** The counters while a search runs. */
export type MutableStats = { -readonly [Name in keyof PatternSearchStats]: number };

/** Counters at zero. */
export function emptyStats(): MutableStats {
  return {
    positions: 0,
    prunedKim: 0,
    prunedKeoghQuery: 0,
    prunedKeoghCandidate: 0,
    dtwComputed: 0,
    dtwAbandoned: 0,
    skippedWindows: 0,
    excludedWindows: 0,
    nonFiniteWindows: 0,
    flatWindows: 0,
    seedWindows: 0,
    wasmPositions: 0,
  };
}

/** Adds the counters of `stats` to `total`. */
export function addStats(total: MutableStats, stats: PatternSearchStats): void {
  for (const name of Object.keys(total) as (keyof PatternSearchStats)[]) {
    total[name] += stats[name];
  }
}

/** The route of a search in one or more parts. One without positions does not count, since nothing was computed for it. */
export function joinedRoute(parts: readonly PatternScan[]): SearchRoute {
  const routes = new Set(
    parts.filter(({ stats }) => stats.positions > 0).map(({ route }) => route),
  );
  const [only = parts[0]?.route ?? 'typescript'] = routes;
  return routes.size > 1 ? 'mixed' : only;
}
