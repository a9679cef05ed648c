/** The compute: our kernels in WebAssembly beside their TypeScript twins and what npm has. */
import type { Bench, Target } from '../harness/model.ts';
import { KERNELS, SEARCHES, type KernelName } from '../peers/kernel-inputs.ts';
import { kernelWorkloads } from '../workloads/kernels.ts';

const WASM = 'WebAssembly';
const TYPESCRIPT = 'TypeScript twin';
const DTW = 'npm dtw';
const MIDSTREAMER = 'npm midstreamer';
const ML_MATRIX = 'npm ml-matrix';

/** How many times as long the other one takes. */
function faster(kernel: KernelName, other: string, times: number): Target {
  return {
    name: `${kernel}, to ${other}`,
    unit: '×',
    comparator: '>=',
    target: times,
    measure: (results) => results.ratio(kernel, 'CPU', other, WASM),
  };
}

export const kernels: Bench = {
  name: 'kernels',
  title: 'Kernels on one thread',
  rounds: 5,
  quickRounds: 1,
  contestants: [
    { name: WASM, kind: 'ours', peer: 'kernel-engine', variant: { engine: 'wasm' } },
    { name: TYPESCRIPT, kind: 'floor', peer: 'kernel-engine', variant: { engine: 'typescript' } },
    {
      name: DTW,
      kind: 'peer',
      peer: 'npm-kernels',
      variant: { package: 'dtw' },
      workloads: ['dtw 1024 r=102'],
    },
    {
      name: MIDSTREAMER,
      kind: 'peer',
      peer: 'npm-kernels',
      variant: { package: 'midstreamer' },
      workloads: ['lcs 1024'],
    },
    {
      name: ML_MATRIX,
      kind: 'peer',
      peer: 'npm-kernels',
      variant: { package: 'ml-matrix' },
      workloads: ['pearson 500×2000'],
    },
  ],
  plans: KERNELS.map((kernel) => ({
    workload: kernelWorkloads[kernel],
    quick: { warmUpMs: 50, durationMs: 50, countMin: 1 },
  })),
  targets: [
    ...KERNELS.filter((kernel) => kernel in SEARCHES).map((kernel) =>
      faster(kernel, TYPESCRIPT, kernel === 'search m=128 r=6' ? 4 : 2.5),
    ),
    faster('dtw 1024 r=102', TYPESCRIPT, 8),
    faster('dtw 1024 r=102', DTW, 90),
    faster('lcs 1024', MIDSTREAMER, 90),
    faster('pearson 500×2000', ML_MATRIX, 15),
  ],
};
