/**
 * Which implementation computes. The functions of this package take an engine and use the plain TypeScript one when they
 * get none; {@link createWasmEngine} makes the fast one. Both give the same answers: matches and distances to the last
 * bit, correlations to rounding.
 */
import { CascadeScan } from './cascade-scan.ts';
import { createDtwScratch, earlyAbandonedDtwSquared } from './early-abandoned-dtw.ts';
import type { KernelRoute } from './pattern-result.ts';
import type { CascadeContext, WindowScan } from './window-cascade.ts';

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
}

/** The reference, and what computes where there is no WebAssembly with SIMD. */
export const TYPESCRIPT_ENGINE: KernelEngine = {
  route: 'typescript',
  dtwSquared: (a, b, band) => {
    const nothingRemaining = new Float64Array(a.length + 1);
    return earlyAbandonedDtwSquared(
      a,
      b,
      band,
      Infinity,
      nothingRemaining,
      createDtwScratch(b.length),
    );
  },
  withDtwScan: (context, band, positionsMax, use) =>
    use(CascadeScan.ofDtw(context, band, positionsMax)),
};
