/** The kernels in WebAssembly with SIMD: from the bytes of `kernels.wasm` to an engine. */
import type { KernelEngine } from '../engine.ts';
import { KernelError } from '../problem.ts';
import { WasmDtwScan } from './dtw-scan.ts';
import { Workspace } from './workspace.ts';

/** Workspaces that wait for their next use: one, and one more for a scan inside of another. */
const IDLE_WORKSPACES_MAX = 2;

/** A memory that a giant pattern has grown beyond this is let go. */
const IDLE_WORKSPACE_BYTES_MAX = 16 * 2 ** 20;

/**
 * Makes an engine of the module that this package ships as `@quic-swarm/kernels/kernels.wasm`. It belongs to the thread
 * that made it; each of its computations works in a memory of its own, so that they may be nested.
 *
 * @throws KernelError WASM_UNAVAILABLE when this runtime has no WebAssembly with SIMD, or the bytes are no such module
 */
export function createWasmEngine(bytes: Uint8Array): KernelEngine {
  const module = compile(bytes);
  const idle: Workspace[] = [];
  const withWorkspace = <T>(use: (workspace: Workspace) => T): T => {
    const workspace = idle.pop() ?? new Workspace(module);
    workspace.reset();
    try {
      return use(workspace);
    } finally {
      const isSmall = workspace.memoryBytes <= IDLE_WORKSPACE_BYTES_MAX;
      if (isSmall && idle.length < IDLE_WORKSPACES_MAX) idle.push(workspace);
    }
  };
  return {
    route: 'wasm-simd',
    dtwSquared: (a, b, band) => withWorkspace((workspace) => dtwSquared(workspace, a, b, band)),
    withDtwScan: (context, band, positionsMax, use) =>
      withWorkspace((workspace) => use(new WasmDtwScan(context, band, positionsMax, workspace))),
  };
}

function compile(bytes: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KernelError(
      'WASM_UNAVAILABLE',
      `The WebAssembly kernels cannot be used here: ${reason}`,
      'Leave the engine out: plain TypeScript computes the same.',
    );
  }
}

function dtwSquared(workspace: Workspace, a: Float64Array, b: Float64Array, band: number): number {
  const diagonal = a.length + 4;
  const first = workspace.place(a);
  const backwards = workspace.place(b.toReversed());
  const rows = [diagonal, diagonal, diagonal].map((values) => workspace.reserve(values));
  const [before = 0, current = 0, next = 0] = rows;
  return workspace.kernels.warpWithin(
    first,
    a.length,
    backwards,
    b.length,
    band,
    Infinity,
    0,
    before,
    current,
    next,
  );
}
