/**
 * The kernels that pay to be WebAssembly: two 64-bit floats at a time, or four 32-bit ones where bounds are computed, raw
 * addresses, no runtime, no static data. Whoever calls owns the memory and says where everything lies; each thread has an
 * instance with a memory of its own. `src/typescript/` has the same kernels in TypeScript, which are the reference.
 */
export * from './layout';
export { loadBlock } from './block';
export { matchDirectly, scanByLcss } from './lcss-scan';
export { comparePieces } from './pieces';
export { judgeDirectly, scanWindows } from './scan';
export { addProducts, packColumn, rankAverage } from './products';
export { lcsOfSymbols, lcsOfValues } from './subsequences';
export { warp } from './warping';
export { fillEdge } from './warping-bound';
