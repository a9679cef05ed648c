/**
 * How far the bounds of a scan, which are computed with 32-bit floats, may be from the truth. A float is rounded by at most
 * `ROUNDING` of itself, and so is each result. The values of a block are of magnitude 1 at most, so a difference of two of
 * them, an envelope's border and so on are wrong by a few `ROUNDING` in units of the block. The query, its envelope and the
 * product with a window's deviation are wrong by a few `ROUNDING` of the query's magnitude; a window's point that lies
 * beyond twice that magnitude is wrong by a few `ROUNDING` of its distance, which is a matter of the factor. What is added
 * up is wrong by `ROUNDING` of the sum for each addition. The counts of operations are rounded up generously, since all of
 * it is small against the distances of real matches.
 */

/** Half of the last place of 1 as a 32-bit float. */
const ROUNDING = 2 ** -24;

const OPERATIONS_ON_BLOCK = 16;
const OPERATIONS_ON_QUERY = 32;

/** See assembly/layout.ts. */
export interface RoundingErrors {
  /** In units of the query. */
  readonly queryError: number;
  /** In units of the block's values. */
  readonly blockError: number;
  /** The factor of a sum of squares. */
  readonly sumError: number;
}

/** Of what a single point is compared with. `magnitude` is the largest that it is compared with, in units of the query. */
export function pointErrors(magnitude: number): RoundingErrors {
  return {
    queryError: OPERATIONS_ON_QUERY * ROUNDING * magnitude,
    blockError: OPERATIONS_ON_BLOCK * ROUNDING,
    sumError: 1,
  };
}

/** Of the root of the squares along a path through the table of `length` points each, whose cells are at most 2 × length. */
export function pathErrors(length: number, magnitude: number): RoundingErrors {
  const { queryError, blockError } = pointErrors(magnitude);
  const cells = 2 * length;
  return {
    queryError: Math.sqrt(cells) * queryError,
    blockError: Math.sqrt(cells) * blockError,
    sumError: 1 + 4 * (cells + 32) * ROUNDING,
  };
}
