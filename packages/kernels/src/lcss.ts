/**
 * Longest common subsequence of two real-valued series (Vlachos, Kollios & Gunopulos 2002): the
 * number of points that can be matched in order, where a_i and b_j match when |a_i − b_j| ≤ epsilon
 * and |i − j| ≤ delta. Unlike DTW it may leave points out, so that a spike costs one point and not
 * the whole alignment. Similarity = LCSS / min(n, m), in [0, 1].
 *
 * Cost: O(n · delta) time, O(m) memory; wide bands are taken 32 columns at a time.
 */
import { requireAtLeast, requireBand, requireFiniteValues, requireValues } from './check.ts';
import type { KernelEngine } from './engine.ts';
import { TYPESCRIPT_ENGINE } from './typescript/typescript-engine.ts';

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
export function lcssLength(
  a: Float64Array,
  b: Float64Array,
  options: LcssOptions,
  engine: KernelEngine = TYPESCRIPT_ENGINE,
): number {
  requireValues('Series a', a);
  requireValues('Series b', b);
  requireFiniteValues('a', a);
  requireFiniteValues('b', b);
  const longest = a.length > b.length ? a.length : b.length;
  const epsilon = requireAtLeast('epsilon', options.epsilon, 0);
  const delta = requireBand('delta', options.delta ?? longest - 1, longest);
  return engine.lcssLength(a, b, epsilon, delta);
}

/**
 * LCSS / min(n, m).
 *
 * @throws KernelError as {@link lcssLength}
 */
export function lcssSimilarity(
  a: Float64Array,
  b: Float64Array,
  options: LcssOptions,
  engine: KernelEngine = TYPESCRIPT_ENGINE,
): number {
  const shortest = a.length < b.length ? a.length : b.length;
  return lcssLength(a, b, options, engine) / shortest;
}
