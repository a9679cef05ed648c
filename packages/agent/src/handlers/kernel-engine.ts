/** Which implementation of the kernels this thread computes with: chosen once, said in every result as its `route`. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createWasmEngine, TYPESCRIPT_ENGINE, type KernelEngine } from '@quic-swarm/kernels';

/** WebAssembly with SIMD where this runtime has it, plain TypeScript everywhere else: the answers are the same. */
export const kernelEngine: KernelEngine = chooseEngine();

function chooseEngine(): KernelEngine {
  try {
    const path = createRequire(import.meta.url).resolve('@quic-swarm/kernels/kernels.wasm');
    return createWasmEngine(readFileSync(path));
  } catch {
    return TYPESCRIPT_ENGINE;
  }
}
