/**
 * A DTW scan in WebAssembly. The module judges windows until one is within the limit or needs a decision; what is
 * selected, and with that the limit, is decided here, by the code that the plain scan uses too.
 */
import { DtwCascade } from '../typescript/dtw-cascade.ts';
import {
  boundSlack,
  magnitudeOf,
  squaredLimit,
  type CascadeContext,
  type WindowScan,
} from '../window-cascade.ts';
import type { ScanLayout } from './layout.ts';
import { ScanMemory } from './scan-memory.ts';
import type { Workspace } from './workspace.ts';

/** See the head of the file. */
export class WasmDtwScan implements WindowScan {
  readonly #context: CascadeContext;
  readonly #workspace: Workspace;
  readonly #memory: ScanMemory;
  /** Computes single windows outside of blocks. */
  readonly #cascade: DtwCascade;
  readonly #queryMagnitude: number;
  readonly #layout: ScanLayout;
  #first = 0;
  #slack = 0;
  #flatDistance = -1;

  constructor(context: CascadeContext, band: number, positionsMax: number, workspace: Workspace) {
    const { query, normalise } = context;
    this.#context = context;
    this.#workspace = workspace;
    this.#layout = workspace.layout;
    this.#memory = new ScanMemory(workspace, { query, band, normalise, positionsMax });
    this.#cascade = new DtwCascade(context, band);
    this.#queryMagnitude = magnitudeOf(query);
  }

  load(first: number, count: number): void {
    this.#first = first;
    this.#memory.loadBlock(this.#context.series, first, count);
    const magnitude = Math.max(this.#memory.magnitude, this.#queryMagnitude);
    this.#slack = boundSlack(this.#context, magnitude);
  }

  scan(from: number, to: number): void {
    const { kernels } = this.#workspace;
    const { address } = this.#memory;
    let position = from;
    while (position < to) {
      position = kernels.scanWindows(address, position, to, this.#limit());
      if (position === to) break;
      if (this.#memory.outcome === this.#layout.WITHIN) this.#offer(position);
      else this.#scanSpecial(position);
      position += 1;
    }
    this.#memory.takeCounts(this.#context.stats);
  }

  diagonalDistance(window: Float64Array): number {
    return this.#cascade.diagonalDistance(window);
  }

  exactDistance(window: Float64Array): number {
    return this.#cascade.exactDistance(window);
  }

  #limit(): number {
    return squaredLimit(this.#context, this.#slack);
  }

  #offer(position: number): void {
    this.#context.selection.offer(this.#first + position, Math.sqrt(this.#memory.squared));
  }

  #scanSpecial(position: number): void {
    const { selection, stats, query } = this.#context;
    const state = this.#memory.stateOf(position);
    if (state === this.#layout.NON_FINITE) {
      stats.nonFiniteWindows += 1;
    } else if (state === this.#layout.FLAT) {
      if (this.#flatDistance < 0) {
        this.#flatDistance = this.exactDistance(new Float64Array(query.length));
      }
      stats.flatWindows += 1;
      stats.dtwComputed += 1;
      selection.offer(this.#first + position, this.#flatDistance);
    } else {
      const { kernels } = this.#workspace;
      const outcome = kernels.judgeDirectly(this.#memory.address, position, this.#limit());
      if (outcome === this.#layout.WITHIN) this.#offer(position);
    }
  }
}
