/** A DTW scan in WebAssembly. */
import { DtwCascade } from '../typescript/dtw-cascade.ts';
import { magnitudeOf, squaredLimit, type CascadeContext } from '../window-cascade.ts';
import { ScanMemory } from './scan-memory.ts';
import { WasmWindowScan } from './window-scan.ts';
import type { Workspace } from './workspace.ts';

/** See the head of the file. */
export class WasmDtwScan extends WasmWindowScan {
  readonly #context: CascadeContext;
  readonly #kernels: Workspace['kernels'];
  readonly #memory: ScanMemory;
  #slack = 0;

  constructor(context: CascadeContext, band: number, positionsMax: number, workspace: Workspace) {
    const { query, normalise } = context;
    const { layout, kernels } = workspace;
    const memory = new ScanMemory(workspace, { query, band, normalise, positionsMax });
    const cascade = new DtwCascade(context, band);
    super({ context, layout, memory, cascade, magnitude: magnitudeOf(query) });
    this.#context = context;
    this.#kernels = kernels;
    this.#memory = memory;
  }

  protected prepare(slack: number): void {
    this.#slack = slack;
  }

  protected judge(from: number, to: number): number {
    return this.#kernels.scanWindows(this.#memory.address, from, to, this.#limit());
  }

  protected judgeDirectly(position: number): number {
    return this.#kernels.judgeDirectly(this.#memory.address, position, this.#limit());
  }

  protected distance(): number {
    return Math.sqrt(this.#memory.squared);
  }

  #limit(): number {
    return squaredLimit(this.#context, this.#slack);
  }
}
