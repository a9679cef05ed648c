/**
 * What the scans in WebAssembly have in common. The module judges windows until one is within the limit or needs a decision;
 * what is selected, and with that the limit, is decided here, by the code that the plain scan uses too.
 */
import {
  boundSlack,
  type CascadeContext,
  type PieceGrid,
  type WindowCascade,
  type WindowScan,
} from '../window-cascade.ts';
import type { ScanLayout } from './layout.ts';
import type { ScanMemory } from './scan-memory.ts';

/** What a scan is made of. */
export interface WasmScanParts {
  readonly context: CascadeContext;
  readonly layout: ScanLayout;
  readonly memory: ScanMemory;
  /** Computes single windows outside of blocks. */
  readonly cascade: WindowCascade;
  /** The largest magnitude of what windows are compared with. */
  readonly magnitude: number;
}

/** See the head of the file. */
export abstract class WasmWindowScan implements WindowScan {
  readonly #parts: WasmScanParts;
  #first = 0;
  #flatDistance = -1;

  protected constructor(parts: WasmScanParts) {
    this.#parts = parts;
  }

  /** A block was loaded in which bounds may be wrong by so much. */
  protected abstract prepare(slack: number): void;

  /** Judges the windows [from, to) of the block up to one that needs a decision; where it is, or `to`. */
  protected abstract judge(from: number, to: number): number;

  /** Judges a window without bounds; the outcome. */
  protected abstract judgeDirectly(position: number): number;

  /** The distance of the window that was judged last. */
  protected abstract distance(): number;

  load(first: number, count: number): void {
    const { context, memory, magnitude } = this.#parts;
    this.#first = first;
    memory.loadBlock(context.series, first, count);
    this.prepare(boundSlack(context, Math.max(memory.magnitude, magnitude)));
  }

  scan(from: number, to: number): void {
    const { context, layout, memory } = this.#parts;
    for (let position = from; position < to; position += 1) {
      position = this.judge(position, to);
      if (position === to) break;
      if (memory.outcome === layout.WITHIN) this.#offer(position, this.distance());
      else this.#scanSpecial(position);
    }
    memory.takeCounts(context.stats);
  }

  comparePieces(grid: PieceGrid): Float64Array {
    const { context, memory } = this.#parts;
    return memory.comparePieces(context.series, grid);
  }

  diagonalDistance(window: Float64Array): number {
    return this.#parts.cascade.diagonalDistance(window);
  }

  exactDistance(window: Float64Array): number {
    return this.#parts.cascade.exactDistance(window);
  }

  #offer(position: number, distance: number): void {
    this.#parts.context.selection.offer(this.#first + position, distance);
  }

  #scanSpecial(position: number): void {
    const { context, layout, memory } = this.#parts;
    const { stats, query } = context;
    const { state } = memory;
    if (state === layout.NON_FINITE) {
      stats.nonFiniteWindows += 1;
    } else if (state === layout.FLAT) {
      if (this.#flatDistance < 0) {
        this.#flatDistance = this.exactDistance(new Float64Array(query.length));
      }
      stats.flatWindows += 1;
      stats.dtwComputed += 1;
      this.#offer(position, this.#flatDistance);
    } else if (this.judgeDirectly(position) === layout.WITHIN) {
      this.#offer(position, this.distance());
    }
  }
}
