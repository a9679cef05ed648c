/** A DTW scan in WebAssembly. */
import { DtwCascade } from '../typescript/dtw-cascade.ts';
import { magnitudeOf, type CascadeContext } from '../window-cascade.ts';
import { frameOf } from './query-frame.ts';
import { pathErrors } from './rounding.ts';
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
    const frame = frameOf(context);
    const errors = pathErrors(query.length, frame.magnitude);
    const shape = { query, band, normalise, positionsMax, frame, errors };
    const memory = new ScanMemory(workspace, shape);
    const cascade = new DtwCascade(context, band);
    super({ context, layout, memory, cascade, magnitude: magnitudeOf(query) });
    this.#context = context;
    this.#kernels = kernels;
    this.#memory = memory;
  }

  protected prepare(slack: number): void {
    // A path may meet each point of a window twice on the average.
    this.#slack = Math.SQRT2 * slack;
  }

  protected judge(from: number, to: number): number {
    return this.#kernels.scanWindows(this.#memory.address, from, to, this.#bound());
  }

  protected judgeDirectly(position: number): number {
    return this.#kernels.judgeDirectly(this.#memory.address, position, this.#bound());
  }

  protected distance(): number {
    return Math.sqrt(this.#memory.squared);
  }

  #bound(): number {
    return this.#context.selection.boundDistance + this.#slack;
  }
}
