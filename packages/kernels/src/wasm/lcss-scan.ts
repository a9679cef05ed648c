/** A scan by LCSS in WebAssembly: its limit is the count of points that a window must match. */
import type { LcssMeasure } from '../engine.ts';
import { LcssCascade, neededMatches } from '../typescript/lcss-cascade.ts';
import { magnitudeOf, type CascadeContext } from '../window-cascade.ts';
import { frameOf } from './query-frame.ts';
import { pointErrors } from './rounding.ts';
import { ScanMemory } from './scan-memory.ts';
import { WasmWindowScan } from './window-scan.ts';
import type { Workspace } from './workspace.ts';

/** See the head of the file. */
export class WasmLcssScan extends WasmWindowScan {
  readonly #context: CascadeContext;
  readonly #epsilon: number;
  readonly #kernels: Workspace['kernels'];
  readonly #memory: ScanMemory;
  #tubeEpsilon = 0;

  constructor(
    context: CascadeContext,
    { epsilon, delta }: LcssMeasure,
    positionsMax: number,
    workspace: Workspace,
  ) {
    const { query, normalise } = context;
    const { layout, kernels } = workspace;
    const frame = frameOf(context);
    const errors = pointErrors(frame.magnitude + epsilon / frame.unit);
    const shape = { query, band: delta, normalise, positionsMax, frame, errors };
    const memory = new ScanMemory(workspace, shape);
    const cascade = new LcssCascade(context, epsilon, delta);
    super({ context, layout, memory, cascade, magnitude: Math.max(magnitudeOf(query), epsilon) });
    this.#context = context;
    this.#epsilon = epsilon;
    this.#kernels = kernels;
    this.#memory = memory;
  }

  protected prepare(slack: number): void {
    this.#tubeEpsilon = this.#epsilon + slack;
  }

  protected judge(from: number, to: number): number {
    const needed = neededMatches(this.#context);
    const { address } = this.#memory;
    return this.#kernels.scanByLcss(address, from, to, needed, this.#epsilon, this.#tubeEpsilon);
  }

  protected judgeDirectly(position: number): number {
    const needed = neededMatches(this.#context);
    return this.#kernels.matchDirectly(this.#memory.address, position, needed, this.#epsilon);
  }

  protected distance(): number {
    return 1 - this.#memory.matched / this.#context.query.length;
  }
}
