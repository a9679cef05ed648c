/** Packages of npm that compute some of the same: the variant's `package` says which. */
import { createRequire } from 'node:module';
import { correlation, Matrix } from 'ml-matrix';
import type { Peer } from './contract.ts';
import { returnColumns, symbolPair, warpedPair, type KernelName } from './kernel-inputs.ts';

/** What is used of packages without types. */
interface UntypedPackages {
  readonly dtw: new (options: { distanceMetric: 'squaredEuclidean' }) => {
    compute(a: readonly number[], b: readonly number[], window?: number): number;
  };
  readonly midstreamer: {
    readonly TemporalCompare: new () => {
      dtw(a: Float64Array, b: Float64Array): number;
      lcs(a: Int32Array, b: Int32Array): number;
    };
  };
}

function untyped<Name extends keyof UntypedPackages>(name: Name): UntypedPackages[Name] {
  return createRequire(import.meta.url)(name) as UntypedPackages[Name];
}

export const peer: Peer = {
  packages: ['dtw', 'midstreamer', 'ml-matrix'],
  processes: [
    {
      name: 'kernel',
      async start({ variant }) {
        const name = String(variant['package']);
        return {
          abilities: { kernel: (kernel) => kernelOf(name, kernel) },
          stop: () => undefined,
        };
      },
    },
  ],
};

function kernelOf(packageName: string, kernel: KernelName): () => number {
  if (packageName === 'dtw' && kernel === 'dtw 1024 r=102') {
    const [a, b] = warpedPair().map((values) => [...values]);
    if (a === undefined || b === undefined) throw new Error('There is no pair.');
    const Dtw = untyped('dtw');
    return () => Math.sqrt(new Dtw({ distanceMetric: 'squaredEuclidean' }).compute(a, b, 102));
  }
  if (packageName === 'midstreamer' && kernel === 'lcs 1024') {
    const { TemporalCompare } = untyped('midstreamer');
    const compare = new TemporalCompare();
    const [a, b] = symbolPair();
    return () => compare.lcs(a, b);
  }
  if (packageName === 'ml-matrix' && kernel === 'pearson 500×2000') {
    const columns = returnColumns();
    // Its columns are the series, as with ours; to build the matrix is no part of the time.
    const matrix = new Matrix(columns.map((column) => [...column])).transpose();
    return () => correlation(matrix).get(0, 1);
  }
  throw new Error(`${packageName} does not compute ${kernel}.`);
}
