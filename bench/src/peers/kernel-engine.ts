/** Our kernels on one thread; the variant's `engine` is `wasm` or `typescript`. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  correlate,
  createWasmEngine,
  dtwDistance,
  lcsLength,
  lcssLength,
  searchPattern,
  TYPESCRIPT_ENGINE,
  type KernelEngine,
} from '@quic-swarm/kernels';
import type { Peer } from './contract.ts';
import {
  flatSearch,
  longSeries,
  queryOf,
  returnColumns,
  SEARCHES,
  symbolPair,
  warpedPair,
  type KernelName,
} from './kernel-inputs.ts';

export const peer: Peer = {
  packages: [],
  processes: [
    {
      name: 'kernel',
      async start({ variant }) {
        const engine = variant['engine'] === 'wasm' ? wasmEngine() : TYPESCRIPT_ENGINE;
        return { abilities: { kernel: (name) => kernelOf(name, engine) }, stop: () => undefined };
      },
    },
  ],
};

function wasmEngine(): KernelEngine {
  const path = createRequire(import.meta.url).resolve('@quic-swarm/kernels/kernels.wasm');
  return createWasmEngine(readFileSync(path));
}

function kernelOf(name: KernelName, engine: KernelEngine): () => number {
  const search = SEARCHES[name];
  if (search !== undefined) {
    const { band, epsilon } = search;
    const measure =
      epsilon === undefined ? { band } : { algorithm: 'lcss' as const, epsilon, delta: band };
    const options = { series: longSeries(), query: queryOf(name), ...measure };
    return () => searchPattern(options, engine).matches[0]?.distance ?? NaN;
  }
  if (name === 'search flat m=512') {
    const options = flatSearch();
    return () => searchPattern(options, engine).matches.length;
  }
  if (name === 'dtw 1024 r=102') {
    const [a, b] = warpedPair();
    return () => dtwDistance(a, b, { band: 102 }, engine);
  }
  if (name === 'lcss 1024 delta=102') {
    const [a, b] = warpedPair();
    return () => lcssLength(a, b, { epsilon: 0.25, delta: 102 }, engine);
  }
  if (name === 'lcs 1024') {
    const [a, b] = symbolPair();
    return () => lcsLength(a, b, engine);
  }
  const columns = returnColumns();
  const method = name === 'pearson 500×2000' ? 'pearson' : 'spearman';
  return () => correlate({ columns, method }, engine).matrix[1] ?? NaN;
}
