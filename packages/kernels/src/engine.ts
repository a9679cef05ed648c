/**
 * Which implementation computes. Functions of this package that have a fast form take an engine as their last argument and
 * use the plain TypeScript one when they get none: `typescript/` has it, the reference; `wasm/` makes the fast one. Both give
 * the same answers: matches and distances to the last bit, correlations to rounding.
 */
import type { KernelRoute } from './pattern-result.ts';
import type { CascadeContext, WindowScan } from './window-cascade.ts';

/** Values match within `epsilon` (in the unit of the compared values) and `delta` points. */
export interface LcssMeasure {
  readonly epsilon: number;
  readonly delta: number;
}

/** Writes column `index` to an array that is for the moment. */
export type ColumnWriter = (target: Float64Array, index: number) => void;

/** See the head of the file. The methods are unchecked: callers of the package use its functions. */
export interface KernelEngine {
  /** What results say about where they come from. */
  readonly route: KernelRoute;
  /** Squared banded DTW distance of two finite series; the band joins their ends. */
  dtwSquared(a: Float64Array, b: Float64Array, band: number): number;
  /**
   * A DTW scan over blocks of up to `positionsMax` windows. `use` gets it and what it returns is returned; afterwards the
   * scan must not be used any more, because its memory serves the next one.
   */
  withDtwScan<T>(
    context: CascadeContext,
    band: number,
    positionsMax: number,
    use: (scan: WindowScan) => T,
  ): T;
  /** The same by LCSS. */
  withLcssScan<T>(
    context: CascadeContext,
    measure: LcssMeasure,
    positionsMax: number,
    use: (scan: WindowScan) => T,
  ): T;
  /** Number of values of two finite series that match in order, within epsilon and delta. */
  lcssLength(a: Float64Array, b: Float64Array, epsilon: number, delta: number): number;
  /** Length of the longest common subsequence of symbols; fast when `columns` is the shorter series. */
  lcsLength(rows: Int32Array, columns: Int32Array): number;
  /**
   * Adds the products of all pairs of columns of `rows` values each to `square`, which has a row and a column for each of
   * them and holds zeros. The part below the diagonal is left as it happens to be. For each column in turn `write` gets its
   * index and an array of `rows` values, whatever they are, to write it to and to forget.
   */
  addProducts(count: number, rows: number, write: ColumnWriter, square: Float64Array): void;
  /** Ranks of finite values, 1 for the smallest; equal values share the average of their ranks. */
  averageRanks(values: Float64Array): Float64Array;
}
