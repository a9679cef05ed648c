/**
 * Where in a long series does a pattern occur? Every window of the query's length is compared with
 * the query by DTW or LCSS, both z-normalised by default, and the best k are returned.
 *
 * The answer is exact and defined greedily: take the window with the smallest (distance, start);
 * rule out all windows whose start is nearer than `exclusionZone` to it; repeat until k are taken
 * or none is left. Distances are the two-pass doubles of the route that computed them. A range search
 * (`maximumDistance` without `topK`) is the same choice repeated until no window that near is left,
 * with an exclusion zone or, at 0, without; what it may report is bounded (MATCHES_MAX).
 *
 * A search over shards gives the same answer: `scanPattern` on each range, `mergePatternScans` on
 * all results. The shards' own top k would not do, because a neighbour behind the border can
 * overturn them; a scan therefore also returns the candidates that such a neighbour may promote.
 */
import type { KernelEngine } from './engine.ts';
import { TYPESCRIPT_ENGINE } from './typescript/typescript-engine.ts';
import { GreedySelection, type Candidate } from './greedy-selection.ts';
import { requirePathsPossible, withPaths } from './match-paths.ts';
import { matchOf } from './packed-candidates.ts';
import {
  addStats,
  emptyStats,
  joinedRoute,
  type PatternMatch,
  type PatternScan,
  type PatternSearchResult,
} from './pattern-result.ts';
import { KernelError } from './problem.ts';
import {
  MATCHES_MAX,
  matchesToChoose,
  requireRange,
  resolveSearchParameters,
  type PatternSearchOptions,
  type SearchParameters,
} from './search-parameters.ts';
import { findSeeds } from './seeds.ts';
import type { SharedBound } from './shared-bound.ts';
import type { IndexRange } from './shards.ts';
import { prepareWindow, type CascadeContext, type WindowScan } from './window-cascade.ts';
import { windowMoments, zNormalise } from './znormalise.ts';

/** Positions between two looks at `shouldStop`. */
const POSITIONS_PER_CHECK = 1024;

/**
 * Finds the k best matches of a pattern (see the head of the file for the definition). With `range`
 * only windows of that range exist.
 *
 * @throws KernelError EMPTY_SERIES, EMPTY_QUERY, QUERY_TOO_LONG, QUERY_NOT_FINITE, BAND_TOO_WIDE,
 *   BAD_PARAMETER, BAD_RANGE, UNKNOWN_ALGORITHM, CANCELLED; with paths also TOO_LARGE
 */
export function searchPattern(
  options: PatternSearchOptions,
  engine: KernelEngine = TYPESCRIPT_ENGINE,
): PatternSearchResult {
  const scan = runScan(options, engine, false);
  return {
    ...reported(scan.candidates, scan.parameters),
    stats: scan.stats,
    parameters: scan.parameters,
    route: scan.route,
  };
}

/** The chosen matches as a result has them: those of a range search within their bound. */
function reported(
  matches: readonly PatternMatch[],
  parameters: SearchParameters,
): Pick<PatternSearchResult, 'matches' | 'truncated'> {
  if (parameters.topK < Infinity) return { matches };
  return { matches: matches.slice(0, MATCHES_MAX), truncated: matches.length > MATCHES_MAX };
}

/**
 * One shard of a search: everything in `range` that the merged answer may need. Neighbouring shards
 * read up to m − 1 rows beyond their range, so each needs the series, or that much overlap.
 *
 * @throws KernelError as {@link searchPattern}
 */
export function scanPattern(
  options: PatternSearchOptions,
  engine: KernelEngine = TYPESCRIPT_ENGINE,
): PatternScan {
  return runScan(options, engine, true);
}

/**
 * Joins the scans of disjoint ranges of one search, in any order, into the answer that a single
 * search over all of them gives. A range that was scanned twice changes the counters only.
 *
 * @throws KernelError EMPTY_SERIES without scans, PARAMETERS_DIFFER when they are of different searches
 */
export function mergePatternScans(scans: readonly PatternScan[]): PatternSearchResult {
  const { candidates: matches, ...rest } = joinPatternScans(scans, { start: 0, end: Infinity });
  return { ...reported(matches, rest.parameters), ...rest };
}

/**
 * Joins the scans of neighbouring ranges that together are `range` into what a single scan of it may
 * return: unlike {@link mergePatternScans} it keeps what a neighbour beyond `range` may promote, so that
 * the joint scan can be merged with others later.
 *
 * @param positions windows of the whole series; a range that ends there has no neighbour
 * @throws KernelError as {@link mergePatternScans}
 */
export function joinPatternScans(
  scans: readonly PatternScan[],
  range: IndexRange,
  positions: number = Infinity,
): PatternScan {
  const [first] = scans;
  if (first === undefined) {
    throw new KernelError(
      'EMPTY_SERIES',
      'There are no scans to merge.',
      'Pass one or more scans.',
    );
  }
  const { parameters } = first;
  const stats = emptyStats();
  const matchesByStart = new Map<number, PatternMatch>();
  for (const scan of scans) {
    requireSameParameters(parameters, scan.parameters);
    addStats(stats, scan.stats);
    for (const match of scan.candidates) matchesByStart.set(match.start, match);
  }
  const selection = new GreedySelection({
    topK: matchesToChoose(parameters),
    exclusionZone: parameters.exclusionZone,
    maximumDistance: parameters.maximumDistance,
    rangeStart: range.start,
    openLeft: range.start > 0,
  });
  const ascending = [...matchesByStart.values()].sort((a, b) => a.start - b.start);
  for (const match of ascending) selection.offer(match.start, match.distance);
  const candidates: PatternMatch[] = [];
  for (const { start } of selection.finish(range.end, range.end < positions)) {
    const match = matchesByStart.get(start);
    if (match !== undefined) candidates.push(match);
  }
  return { candidates, stats, parameters, route: joinedRoute(scans) };
}

function requireSameParameters(expected: SearchParameters, actual: SearchParameters): void {
  for (const name of Object.keys(expected) as (keyof SearchParameters)[]) {
    if (Object.is(expected[name], actual[name])) continue;
    throw new KernelError(
      'PARAMETERS_DIFFER',
      `One scan has ${name} ${String(expected[name])}, another ${String(actual[name])}.`,
      'Merge only the scans of one search.',
    );
  }
}

function runScan(
  options: PatternSearchOptions,
  engine: KernelEngine,
  withNeighbours: boolean,
): PatternScan {
  const parameters = resolveSearchParameters(options);
  const { series, withPath = false } = options;
  // The matches of a closed range are its own, whatever lies elsewhere.
  const { sharedBound, seedRange }: Partial<PatternSearchOptions> = withNeighbours ? options : {};
  if (withPath) requirePathsPossible(parameters);
  const allPositions = series.length - parameters.length + 1;
  const range =
    options.range === undefined
      ? { start: 0, end: allPositions }
      : requireRange('range', options.range, allPositions);
  const segmentsOf = (wanted: IndexRange): IndexRange[] =>
    withoutExcluded(wanted, options.excludeRange, series.length, parameters.length);
  const segments = segmentsOf(range);
  if (seedRange !== undefined) requireRange('seedRange', seedRange, allPositions);
  const selection = new GreedySelection({
    topK: matchesToChoose(parameters),
    exclusionZone: parameters.exclusionZone,
    maximumDistance: parameters.maximumDistance,
    rangeStart: range.start,
    openLeft: withNeighbours && range.start > 0,
  });
  const stats = emptyStats();
  const normalise = parameters.normalise === 'z';
  const query = normalise ? zNormalise(options.query) : options.query;
  const context = { series, query, normalise, selection, stats };
  stats.positions = range.end - range.start;
  const watch = new ScanWatch(options, stats.positions);
  stats.excludedWindows = stats.positions - positionsIn(segments);
  watch.advance(stats.excludedWindows);
  const exchange = (): void => exchangeBounds(selection, sharedBound);
  const seedSegments = seedRange === undefined ? segments : segmentsOf(seedRange);
  const blockPositions = blockPositionsFor(context, [...segments, ...seedSegments]);
  const { route } = engine;
  withScan(engine, parameters, context, blockPositions, (scan) => {
    exchange();
    // A range search has its bound already, and thousands of seeds would not better it.
    if (parameters.topK < Infinity) seedSelection(context, scan, seedSegments);
    scanSegments({ scan, segments, blockPositions, watch, exchange });
    exchange();
  });
  if (route === 'wasm-simd') stats.wasmPositions = stats.positions;
  stats.skippedWindows = stats.excludedWindows + stats.nonFiniteWindows;
  const openRight = withNeighbours && range.end < allPositions;
  const candidates = selection
    .finish(range.end, openRight)
    .map((candidate) => describeMatch(series, parameters, candidate));
  return {
    candidates: withPath ? withPaths(candidates, context, parameters) : candidates,
    stats,
    parameters,
    route,
  };
}

/** Runs `use` with the scan that the search wants. */
function withScan(
  engine: KernelEngine,
  { algorithm, band, epsilon, delta }: SearchParameters,
  context: CascadeContext,
  positionsMax: number,
  use: (scan: WindowScan) => void,
): void {
  if (algorithm === 'dtw') {
    engine.withDtwScan(context, band ?? 0, positionsMax, use);
  } else {
    const measure = { epsilon: epsilon ?? 0, delta: delta ?? 0 };
    engine.withLcssScan(context, measure, positionsMax, use);
  }
}

/** How many windows a block has. It reads m − 1 rows more, so blocks grow with long patterns. */
function blockPositionsFor({ query }: CascadeContext, segments: readonly IndexRange[]): number {
  const wanted = POSITIONS_PER_CHECK * Math.ceil(query.length / POSITIONS_PER_CHECK);
  return Math.min(wanted, Math.max(1, positionsIn(segments)));
}

/** Takes over what other scans have proved, and tells them what this one has. */
function exchangeBounds(selection: GreedySelection, sharedBound: SharedBound | undefined): void {
  if (sharedBound === undefined) return;
  selection.tightenBound(sharedBound.distance);
  sharedBound.lower(selection.boundDistance);
}

/** The parts of `range` whose windows do not overlap the excluded rows. */
function withoutExcluded(
  range: IndexRange,
  excluded: IndexRange | undefined,
  seriesLength: number,
  m: number,
): IndexRange[] {
  if (excluded === undefined) return [range];
  const rows = requireRange('excludeRange', excluded, seriesLength);
  if (rows.start === rows.end) return [range];
  const before = { start: range.start, end: Math.min(range.end, rows.start - m + 1) };
  const after = { start: Math.max(range.start, rows.end), end: range.end };
  return [before, after].filter((segment) => segment.start < segment.end);
}

function positionsIn(segments: readonly IndexRange[]): number {
  return segments.reduce((sum, segment) => sum + segment.end - segment.start, 0);
}

/** What {@link scanSegments} needs. */
interface ScanOptions {
  readonly scan: WindowScan;
  readonly segments: readonly IndexRange[];
  readonly blockPositions: number;
  readonly watch: ScanWatch;
  /** Called before each look at the windows. */
  readonly exchange: () => void;
}

function scanSegments({ scan, segments, blockPositions, watch, exchange }: ScanOptions): void {
  for (const segment of segments) {
    for (let first = segment.start; first < segment.end; first += blockPositions) {
      const count = Math.min(blockPositions, segment.end - first);
      scan.load(first, count);
      for (let from = 0; from < count; from += POSITIONS_PER_CHECK) {
        watch.check();
        exchange();
        const to = Math.min(count, from + POSITIONS_PER_CHECK);
        scan.scan(from, to);
        watch.advance(to - from);
      }
    }
  }
}

/** Computes the most promising windows, as many as prove a bound, so that the scan starts with one that prunes. */
function seedSelection(
  context: CascadeContext & { readonly selection: GreedySelection },
  scan: WindowScan,
  segments: readonly IndexRange[],
): void {
  const { selection, stats } = context;
  const window = new Float64Array(context.query.length);
  const { zone, seedsNeeded: count } = selection;
  let worst = -Infinity;
  for (const { start } of findSeeds({ compared: context, scan, segments, zone, count })) {
    prepareWindow(context, start, window);
    worst = Math.max(worst, scan.exactDistance(window));
    stats.seedWindows += 1;
  }
  if (worst >= 0) selection.tightenBound(worst);
}

/** A chosen window as results have it. */
export function describeMatch(
  series: Float64Array,
  parameters: SearchParameters,
  { start, distance }: Candidate,
): PatternMatch {
  const length = parameters.length;
  const { mean, standardDeviation } = windowMoments(series, start, length);
  return matchOf(parameters.algorithm, {
    start,
    length,
    distance,
    windowMean: mean,
    windowStandardDeviation: standardDeviation,
  });
}

/** Progress and cancellation of a running scan. */
class ScanWatch {
  readonly #options: PatternSearchOptions;
  readonly #positions: number;
  #done = 0;
  #reportedPercent = 0;

  constructor(options: PatternSearchOptions, positions: number) {
    this.#options = options;
    this.#positions = positions;
  }

  check(): void {
    if (this.#options.shouldStop?.() !== true) return;
    throw new KernelError(
      'CANCELLED',
      `The search was stopped after ${this.#done} of ${this.#positions} positions.`,
      'Start it again if the answer is still wanted.',
    );
  }

  advance(positions: number): void {
    if (positions === 0) return;
    this.#done += positions;
    const percent = Math.floor((100 * this.#done) / this.#positions);
    if (percent <= this.#reportedPercent) return;
    this.#reportedPercent = percent;
    this.#options.onProgress?.(this.#done / this.#positions);
  }
}
