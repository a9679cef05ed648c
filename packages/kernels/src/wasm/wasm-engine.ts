/** The kernels in WebAssembly with SIMD: from the bytes of `kernels.wasm` to an engine. */
import type { ColumnWriter, KernelEngine } from '../engine.ts';
import { KernelError } from '../problem.ts';
import { masksOf } from '../typescript/symbolic-lcs.ts';
import { WasmDtwScan } from './dtw-scan.ts';
import { WasmLcssScan } from './lcss-scan.ts';
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
  // The first one shows whether the module is what this code was written for.
  const idle: Workspace[] = [new Workspace(module)];
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
    withLcssScan: (context, measure, positionsMax, use) =>
      withWorkspace((workspace) =>
        use(new WasmLcssScan(context, measure, positionsMax, workspace)),
      ),
    lcssLength: (a, b, epsilon, delta) =>
      withWorkspace((workspace) => lcssLength(workspace, a, b, epsilon, delta)),
    lcsLength: (rows, columns) => withWorkspace((workspace) => lcsLength(workspace, rows, columns)),
    addProducts: (count, rows, write, square) =>
      withWorkspace((workspace) => addProducts(workspace, count, rows, write, square)),
    averageRanks: (values) => withWorkspace((workspace) => averageRanks(workspace, values)),
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
  return workspace.kernels.warp(first, a.length, backwards, b.length, band, before, current, next);
}

function lcssLength(
  workspace: Workspace,
  a: Float64Array,
  b: Float64Array,
  epsilon: number,
  delta: number,
): number {
  const rows = workspace.place(a);
  const columns = workspace.reserve(64 * Math.ceil(b.length / 64));
  workspace.write(columns, b);
  const words = workspace.reserve(Math.ceil(b.length / 64));
  const { kernels } = workspace;
  return kernels.lcsOfValues(rows, a.length, columns, b.length, epsilon, delta, words);
}

function lcsLength(workspace: Workspace, rows: Int32Array, columns: Int32Array): number {
  // Words of 64 bits here, two of the 32-bit words that the masks are made of.
  const words = 2 * Math.ceil(columns.length / 64);
  const { masks, offsets } = masksOf(rows, columns, words);
  const symbols = rows.map((symbol) => {
    const offset = offsets.get(symbol);
    return offset === undefined ? -1 : offset / words;
  });
  const places = [symbols, masks].map((integers) => workspace.reserve(integers.length / 2));
  const [symbolsAt = 0, masksAt = 0] = places;
  const row = workspace.reserve(words / 2);
  workspace.integers.set(symbols, symbolsAt / 4);
  workspace.integers.set(masks, masksAt / 4);
  return workspace.kernels.lcsOfSymbols(symbolsAt, rows.length, masksAt, columns.length, row);
}

function addProducts(
  workspace: Workspace,
  count: number,
  rows: number,
  write: ColumnWriter,
  square: Float64Array,
): void {
  // The kernel takes four columns and two rows at a time; what is missing is zero.
  const packedCount = 4 * Math.ceil(count / 4);
  const packedRows = 2 * Math.ceil(rows / 2);
  const packed = workspace.reserve(packedCount * packedRows);
  const matrix = workspace.reserve(packedCount * packedCount);
  const column = workspace.reserve(packedRows);
  workspace.clear(matrix, packedCount * packedCount);
  workspace.clear(column, packedRows);
  const target = workspace.viewOf(column, rows);
  const { kernels } = workspace;
  for (let index = 0; index < packedCount; index += 1) {
    if (index < count) write(target, index);
    else target.fill(0);
    kernels.packColumn(column, index, packedCount, packedRows, packed);
  }
  kernels.addProducts(packed, packedCount, packedRows, matrix);
  for (let index = 0; index < count; index += 1) {
    square.set(workspace.viewOf(matrix + 8 * index * packedCount, count), index * count);
  }
}

/** Counters of the radix sort: eight digits of 256 values, two to a 64-bit float. */
const RANK_COUNTERS = (8 * 256) / 2;

function averageRanks(workspace: Workspace, values: Float64Array): Float64Array {
  const { length } = values;
  if (length === 0) return new Float64Array(0);
  const from = workspace.place(values);
  const ranks = workspace.reserve(length);
  const keys = workspace.reserve(length);
  const otherKeys = workspace.reserve(length);
  const places = workspace.reserve(length / 2);
  const otherPlaces = workspace.reserve(length / 2);
  const counters = workspace.reserve(RANK_COUNTERS);
  const { kernels } = workspace;
  kernels.rankAverage(from, length, ranks, keys, otherKeys, places, otherPlaces, counters);
  return workspace.copyOf(ranks, length);
}
