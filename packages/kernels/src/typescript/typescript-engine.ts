/** The kernels in plain TypeScript, as an engine. */
import type { KernelEngine } from '../engine.ts';
import { CascadeScan } from './cascade-scan.ts';
import { createDtwScratch, earlyAbandonedDtwSquared } from './early-abandoned-dtw.ts';
import { boundedLcss } from './lcss-table.ts';
import { addProducts } from './products.ts';
import { averageRanks } from './ranks.ts';
import { lcsOfSymbols } from './symbolic-lcs.ts';

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
  withLcssScan: (context, measure, positionsMax, use) =>
    use(CascadeScan.ofLcss(context, measure, positionsMax)),
  lcssLength: (a, b, epsilon, delta) =>
    boundedLcss(a, a.length, b, b.length, epsilon, delta, 0, new Int32Array(b.length + 1)),
  lcsLength: lcsOfSymbols,
  addProducts,
  averageRanks,
};
