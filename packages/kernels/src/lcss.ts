/**
 * Longest common subsequence of two real-valued series (Vlachos, Kollios & Gunopulos 2002): the
 * number of points that can be matched in order, where a_i and b_j match when |a_i − b_j| ≤ epsilon
 * and |i − j| ≤ delta. Unlike DTW it may leave points out, so that a spike costs one point and not
 * the whole alignment. Similarity = LCSS / min(n, m), in [0, 1].
 *
 * Cost: O(n · delta) time, O(m) memory; wide bands are taken 32 columns at a time.
 */
import { BIT_PARALLEL_DELTA_MIN, bitParallelLcss } from './bit-parallel-lcss.ts';
import { requireAtLeast, requireBand, requireFiniteValues, requireValues } from './check.ts';

/** What counts as a match. */
export interface LcssOptions {
  /** Largest |a_i − b_j| of a match, in the unit of the values (standard deviations after z-normalisation). */
  readonly epsilon: number;
  /**
   * Largest |i − j| of a match, in points, from 0 to max(n, m) − 1.
   * @default max(n, m) − 1, which is no restriction
   */
  readonly delta?: number;
}

/**
 * Number of matched points, an integer from 0 to min(n, m).
 *
 * @throws KernelError EMPTY_SERIES, VALUE_NOT_FINITE, BAND_TOO_WIDE (delta), BAD_PARAMETER
 */
export function lcssLength(a: Float64Array, b: Float64Array, options: LcssOptions): number {
  requireValues('Series a', a);
  requireValues('Series b', b);
  requireFiniteValues('a', a);
  requireFiniteValues('b', b);
  const longest = a.length > b.length ? a.length : b.length;
  const epsilon = requireAtLeast('epsilon', options.epsilon, 0);
  const delta = requireBand('delta', options.delta ?? longest - 1, longest);
  const row = new Int32Array(b.length + 1);
  return boundedLcss(a, a.length, b, b.length, epsilon, delta, 0, row);
}

/**
 * LCSS / min(n, m).
 *
 * @throws KernelError as {@link lcssLength}
 */
export function lcssSimilarity(a: Float64Array, b: Float64Array, options: LcssOptions): number {
  const shortest = a.length < b.length ? a.length : b.length;
  return lcssLength(a, b, options) / shortest;
}

/**
 * The unchecked form for inner loops: the LCSS of the first values of `a` and `b`, or −1 as soon as
 * it is certain to stay below `needed`. `row` is scratch of at least columnCount + 1 entries.
 */
export function boundedLcss(
  a: Float64Array,
  rowCount: number,
  b: Float64Array,
  columnCount: number,
  epsilon: number,
  delta: number,
  needed: number,
  row: Int32Array,
): number {
  if (delta >= BIT_PARALLEL_DELTA_MIN) {
    return bitParallelLcss(a, rowCount, b, columnCount, epsilon, delta, needed, row);
  }
  // row[j + 1] is the LCSS of the rows so far with b[0..j]. Left of the band a row equals the row
  // above, because nothing can match there any more, so those entries simply stay. Right of the
  // band it equals the band's last entry, `reach`; the band's next column finds a 0 above itself
  // instead, which changes nothing, because its left neighbour is never smaller.
  row.fill(0, 0, columnCount + 1);
  let reach = 0;
  for (let i = 0; i < rowCount; i += 1) {
    const x = a[i] as number;
    const start = i - delta > 0 ? i - delta : 0;
    const end = i + delta + 1 < columnCount ? i + delta + 1 : columnCount;
    if (start < end) {
      let diagonal = row[start] as number;
      let left = diagonal;
      for (let j = start; j < end; j += 1) {
        const up = row[j + 1] as number;
        const difference = x - (b[j] as number);
        if (difference <= epsilon && -difference <= epsilon) left = diagonal + 1;
        else left = up > left ? up : left;
        row[j + 1] = left;
        diagonal = up;
      }
      reach = left;
    }
    if (reach + rowCount - 1 - i < needed) return -1;
  }
  return reach >= needed ? reach : -1;
}
