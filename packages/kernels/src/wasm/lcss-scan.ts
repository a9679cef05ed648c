/** A scan by LCSS in WebAssembly: like dtw-scan.ts, with the count of points that a window must match in place of the limit. */
import type { LcssMeasure } from '../engine.ts';
import { LcssCascade, neededMatches } from '../typescript/lcss-cascade.ts';
import {
  boundSlack,
  magnitudeOf,
  type CascadeContext,
  type WindowScan,
} from '../window-cascade.ts';
import type { ScanLayout } from './layout.ts';
import { ScanMemory } from './scan-memory.ts';
import type { Workspace } from './workspace.ts';

/** See the head of the file. */
export class WasmLcssScan implements WindowScan {
  readonly #context: CascadeContext;
  readonly #epsilon: number;
  readonly #workspace: Workspace;
  readonly #memory: ScanMemory;
  readonly #layout: ScanLayout;
  /** Computes single windows outside of blocks. */
  readonly #cascade: LcssCascade;
  readonly #queryMagnitude: number;
  #first = 0;
  #tubeEpsilon = 0;
  #flatDistance = -1;

  constructor(
    context: CascadeContext,
    { epsilon, delta }: LcssMeasure,
    positionsMax: number,
    workspace: Workspace,
  ) {
    const { query, normalise } = context;
    this.#context = context;
    this.#epsilon = epsilon;
    this.#workspace = workspace;
    this.#layout = workspace.layout;
    this.#memory = new ScanMemory(workspace, { query, band: delta, normalise, positionsMax });
    this.#cascade = new LcssCascade(context, epsilon, delta);
    this.#queryMagnitude = Math.max(magnitudeOf(query), epsilon);
  }

  load(first: number, count: number): void {
    this.#first = first;
    this.#memory.loadBlock(this.#context.series, first, count);
    const magnitude = Math.max(this.#memory.magnitude, this.#queryMagnitude);
    this.#tubeEpsilon = this.#epsilon + boundSlack(this.#context, magnitude);
  }

  scan(from: number, to: number): void {
    const { kernels } = this.#workspace;
    const { address } = this.#memory;
    const epsilon = this.#epsilon;
    let position = from;
    while (position < to) {
      const needed = neededMatches(this.#context);
      position = kernels.scanByLcss(address, position, to, needed, epsilon, this.#tubeEpsilon);
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

  #offer(position: number): void {
    const { selection, query } = this.#context;
    selection.offer(this.#first + position, 1 - this.#memory.matched / query.length);
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
      const needed = neededMatches(this.#context);
      const outcome = kernels.matchDirectly(this.#memory.address, position, needed, this.#epsilon);
      if (outcome === this.#layout.WITHIN) this.#offer(position);
    }
  }
}
