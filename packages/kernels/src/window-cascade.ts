/** What the scan needs from an algorithm, and what both algorithms need from the search. */
import type { GreedySelection } from './greedy-selection.ts';
import type { MutableStats } from './pattern-result.ts';
import { MOMENT_SLACK, type SeriesBlock } from './typescript/series-block.ts';
import { normaliseWindow } from './znormalise.ts';

/** One algorithm as a cascade from cheap bounds to the exact distance. */
export interface WindowCascade {
  /** Judges positions from … to − 1 of a block whose first window starts at row `first`. */
  scan(block: SeriesBlock, first: number, from: number, to: number): void;
  /** An upper bound on the distance of a prepared window, in O(m). */
  diagonalDistance(window: Float64Array): number;
  /** The exact distance of a prepared window. */
  exactDistance(window: Float64Array): number;
}

/** Windows of a grid, and what of the query they are compared with. */
export interface PieceGrid {
  /** Row of the first window. */
  readonly first: number;
  /** How many windows, each `step` rows behind the one before. */
  readonly windows: number;
  /** Rows of a piece too. */
  readonly step: number;
  /** Means of the query's pieces. */
  readonly means: Float64Array;
  /** A squared distance above it may be any other above it. */
  readonly limit: number;
}

/** A cascade and the block that it moves along the series: all that a search needs of an engine. */
export interface WindowScan {
  /** Moves the block to the windows that start at first … first + count − 1. */
  load(first: number, count: number): void;
  /** Judges positions from … to − 1 of the block. */
  scan(from: number, to: number): void;
  /**
   * Squared distances of the first windows of a grid by the means of their pieces, normalised like the windows; of at least
   * one, and as many as can be compared at once. What cannot be used has NaN, or no finite distance. Valid until the next call.
   */
  comparePieces(grid: PieceGrid): Float64Array;
  /** An upper bound on the distance of a prepared window, in O(m). */
  diagonalDistance(window: Float64Array): number;
  /** The exact distance of a prepared window. */
  exactDistance(window: Float64Array): number;
}

/** What is compared with what. */
export interface ComparedSeries {
  readonly series: Float64Array;
  /** The query, already normalised. */
  readonly query: Float64Array;
  readonly normalise: boolean;
}

/** The search as a cascade sees it. */
export interface CascadeContext extends ComparedSeries {
  readonly selection: Pick<GreedySelection, 'boundDistance' | 'acceptsTies' | 'offer'>;
  readonly stats: MutableStats;
}

/**
 * How much larger a lower bound may come out than the exact distance over the m points. Normalised
 * windows carry the error of prefix-sum moments, raw ones only the rounding of the tubes, which is
 * relative to the largest value that took part.
 */
export function boundSlack(context: CascadeContext, magnitude: number): number {
  const root = Math.sqrt(context.query.length);
  return context.normalise ? root * MOMENT_SLACK : root * 1e-14 * magnitude;
}

/** The squared distance above which a window cannot matter, with room for rounding. */
export function squaredLimit({ selection }: CascadeContext, slack: number): number {
  const bound = selection.boundDistance + slack;
  return bound * bound * (1 + 1e-9);
}

/** The largest absolute value. */
export function magnitudeOf(values: Float64Array): number {
  let magnitude = 0;
  for (const value of values) magnitude = Math.max(magnitude, Math.abs(value));
  return magnitude;
}

/** Writes the exact window that starts at `start`, normalised as the search wants, into `target`. */
export function prepareWindow(context: ComparedSeries, start: number, target: Float64Array): void {
  const m = context.query.length;
  if (context.normalise) {
    normaliseWindow(context.series, start, m, target);
    return;
  }
  for (let i = 0; i < m; i += 1) target[i] = context.series[start + i] as number;
}
