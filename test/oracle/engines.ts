/** The two implementations of the kernels; each answer is asked of both. */
import { readFileSync } from 'node:fs';
import { createWasmEngine, TYPESCRIPT_ENGINE, type KernelEngine } from '@quic-swarm/kernels';

const MODULE = new URL('../../packages/kernels/wasm/kernels.wasm', import.meta.url);

export const ENGINES: readonly KernelEngine[] = [
  TYPESCRIPT_ENGINE,
  createWasmEngine(readFileSync(MODULE)),
];
