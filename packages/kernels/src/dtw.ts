/**
 * Dynamic time warping (Sakoe & Chiba 1978): the cheapest way to align two series when either may
 * stretch in time. A warping path steps from (0,0) to (n−1,m−1), each step advancing the first
 * series, the second, or both; a cell (i,j) costs (a_i − b_j)². The distance is the square root of
 * the cheapest path's sum. A Sakoe–Chiba band keeps |i − j| ≤ band: without it one odd point may be
 * stretched over a whole pattern, and the table has n·m cells instead of about n·(2·band+1).
 *
 * Cost: O(n · band) time, O(m) memory; the path also needs one byte per cell of the band.
 */
import { requireAtLeast, requireBand, requireFiniteValues, requireValues } from './check.ts';
import { createDtwScratch, earlyAbandonedDtwSquared } from './typescript/early-abandoned-dtw.ts';
import type { KernelEngine } from './engine.ts';
import { TYPESCRIPT_ENGINE } from './typescript/typescript-engine.ts';
import { KernelError } from './problem.ts';

/** Cells of the direction table of {@link dtwPath}: 256 MiB, the largest that a worker should hold. */
export const PATH_CELLS_MAX: number = 2 ** 28;

/** How far the two series may be warped against each other. */
export interface DtwOptions {
  /**
   * Largest |i − j| on the path, in points, from |n − m| to max(n, m) − 1.
   * @default max(n, m) − 1, which is no restriction
   */
  readonly band?: number;
}

/** Options of {@link dtwDistanceWithin}. */
export interface BoundedDtwOptions extends DtwOptions {
  /** Distances above this are answered with Infinity, usually long before the table is complete. */
  readonly upperBound: number;
  /**
   * n + 1 values: entry i is a lower bound on the *squared* cost of rows i, i+1, … of `a` (for
   * example suffix sums of the LB_Keogh contributions); the last entry is 0.
   * @default zeros
   */
  readonly cumulativeBound?: Float64Array;
}

/** A distance with one cheapest warping path. */
export interface DtwPath {
  /** Square root of the path's sum of squared differences. */
  readonly distance: number;
  /** i0, j0, i1, j1, … from (0,0) to (n−1, m−1). Among equal paths diagonal steps win, then steps in `a`. */
  readonly path: Uint32Array;
}

/**
 * Banded DTW distance between two finite series of any lengths n and m.
 *
 * @throws KernelError EMPTY_SERIES, VALUE_NOT_FINITE, BAND_TOO_WIDE, BAND_TOO_NARROW, BAD_PARAMETER
 */
export function dtwDistance(
  a: Float64Array,
  b: Float64Array,
  options: DtwOptions = {},
  engine: KernelEngine = TYPESCRIPT_ENGINE,
): number {
  const band = checkedBand(a, b, options);
  return Math.sqrt(engine.dtwSquared(a, b, band));
}

/**
 * The same distance as {@link dtwDistance}, to the last bit, when it is at most `upperBound`, else
 * Infinity (EAPrunedDTW, Herrmann & Webb 2020).
 *
 * @throws KernelError as {@link dtwDistance}, and LENGTH_MISMATCH for the cumulative bound
 */
export function dtwDistanceWithin(
  a: Float64Array,
  b: Float64Array,
  options: BoundedDtwOptions,
): number {
  const band = checkedBand(a, b, options);
  const upperBound = requireAtLeast('upperBound', options.upperBound, 0);
  const remaining = options.cumulativeBound ?? new Float64Array(a.length + 1);
  if (remaining.length !== a.length + 1) {
    throw new KernelError(
      'LENGTH_MISMATCH',
      `cumulativeBound has ${remaining.length} values, but series a has ${a.length}.`,
      `Pass ${a.length + 1} values: one per row and a final 0.`,
    );
  }
  // The slack covers the rounding of the square and of the caller's sums; the last line is exact.
  const bound = upperBound * upperBound * (1 + 1e-9) + Number.MIN_VALUE;
  const scratch = createDtwScratch(b.length);
  const distance = Math.sqrt(earlyAbandonedDtwSquared(a, b, band, bound, remaining, scratch));
  return distance <= upperBound ? distance : Infinity;
}

/**
 * The distance of {@link dtwDistance} with one cheapest path.
 *
 * @throws KernelError as {@link dtwDistance}, and TOO_LARGE over {@link PATH_CELLS_MAX} cells
 */
export function dtwPath(a: Float64Array, b: Float64Array, options: DtwOptions = {}): DtwPath {
  const band = checkedBand(a, b, options);
  const width = 2 * band + 1 < b.length ? 2 * band + 1 : b.length;
  if (a.length * width > PATH_CELLS_MAX) {
    throw new KernelError(
      'TOO_LARGE',
      `A path over ${a.length} × ${width} cells needs more than ${PATH_CELLS_MAX} bytes.`,
      'Narrow the band, shorten the series, or ask for the distance only.',
    );
  }
  const directions = new Uint8Array(a.length * width);
  const distance = fillDirections(a, b, band, width, directions);
  return { distance, path: walkBack(a.length, b.length, band, width, directions) };
}

const DIAGONAL = 0;
const UP = 1;
const LEFT = 2;

/** First column that the direction table keeps for row i. */
function firstColumn(i: number, band: number, width: number, columns: number): number {
  const start = i - band > 0 ? i - band : 0;
  return start + width > columns ? columns - width : start;
}

function fillDirections(
  a: Float64Array,
  b: Float64Array,
  band: number,
  width: number,
  directions: Uint8Array,
): number {
  const columns = b.length;
  let above = new Float64Array(columns + 1).fill(Infinity);
  let current = new Float64Array(columns + 1).fill(Infinity);
  above[0] = 0;
  for (let i = 0; i < a.length; i += 1) {
    const start = i - band > 0 ? i - band : 0;
    const end = i + band + 1 < columns ? i + band + 1 : columns;
    const base = i * width - firstColumn(i, band, width, columns);
    current[start] = Infinity;
    for (let j = start; j < end; j += 1) {
      const diagonal = above[j] as number;
      const up = above[j + 1] as number;
      const left = current[j] as number;
      let best = diagonal;
      let direction = DIAGONAL;
      if (up < best) {
        best = up;
        direction = UP;
      }
      if (left < best) {
        best = left;
        direction = LEFT;
      }
      const difference = (a[i] as number) - (b[j] as number);
      current[j + 1] = best + difference * difference;
      directions[base + j] = direction;
    }
    // The next row reaches one column further, where this row is outside the band.
    if (end < columns) current[end + 1] = Infinity;
    const swap = above;
    above = current;
    current = swap;
  }
  return Math.sqrt(above[columns] as number);
}

function walkBack(
  rows: number,
  columns: number,
  band: number,
  width: number,
  directions: Uint8Array,
): Uint32Array {
  const path = new Uint32Array(2 * (rows + columns));
  let slot = path.length;
  let i = rows - 1;
  let j = columns - 1;
  for (;;) {
    path[--slot] = j;
    path[--slot] = i;
    if (i === 0 && j === 0) return path.slice(slot);
    const direction = directions[i * width - firstColumn(i, band, width, columns) + j];
    if (j === 0 || (i > 0 && direction !== LEFT)) i -= 1;
    if (direction !== UP && j > 0) j -= 1;
  }
}

function checkedBand(a: Float64Array, b: Float64Array, options: DtwOptions): number {
  requireValues('Series a', a);
  requireValues('Series b', b);
  requireFiniteValues('a', a);
  requireFiniteValues('b', b);
  const longest = a.length > b.length ? a.length : b.length;
  const difference = 2 * longest - a.length - b.length;
  const band = requireBand('band', options.band ?? longest - 1, longest);
  if (band < difference) {
    throw new KernelError(
      'BAND_TOO_NARROW',
      `A band of ${band} points cannot join series of ${a.length} and ${b.length} points.`,
      `Set band to ${difference} or more.`,
    );
  }
  return band;
}
