/** A scan in plain TypeScript: a block of the series and the cascade that judges its windows. */
import type { LcssMeasure } from '../engine.ts';
import { DtwCascade } from './dtw-cascade.ts';
import { LcssCascade } from './lcss-cascade.ts';
import { SeriesBlock } from './series-block.ts';
import type { CascadeContext, PieceGrid, WindowCascade, WindowScan } from '../window-cascade.ts';
import { PieceComparison } from './piece-comparison.ts';

/** See the head of the file. */
export class CascadeScan implements WindowScan {
  readonly #cascade: WindowCascade;
  readonly #block: SeriesBlock;
  readonly #pieces: PieceComparison;
  #first = 0;

  private constructor(context: CascadeContext, cascade: WindowCascade, block: SeriesBlock) {
    this.#cascade = cascade;
    this.#block = block;
    this.#pieces = new PieceComparison(context);
  }

  /** Windows by DTW within `band`, in blocks of up to `positionsMax`. */
  static ofDtw(context: CascadeContext, band: number, positionsMax: number): CascadeScan {
    const cascade = new DtwCascade(context, band);
    return new CascadeScan(context, cascade, blockOf(context, band, positionsMax));
  }

  /** Windows by LCSS: values match within `epsilon` and `delta` points. */
  static ofLcss(
    context: CascadeContext,
    { epsilon, delta }: LcssMeasure,
    positionsMax: number,
  ): CascadeScan {
    const cascade = new LcssCascade(context, epsilon, delta);
    return new CascadeScan(context, cascade, blockOf(context, delta, positionsMax));
  }

  load(first: number, count: number): void {
    this.#first = first;
    this.#block.load(first, count);
  }

  scan(from: number, to: number): void {
    this.#cascade.scan(this.#block, this.#first, from, to);
  }

  comparePieces(grid: PieceGrid): Float64Array {
    return this.#pieces.compare(grid);
  }

  diagonalDistance(window: Float64Array): number {
    return this.#cascade.diagonalDistance(window);
  }

  exactDistance(window: Float64Array): number {
    return this.#cascade.exactDistance(window);
  }
}

function blockOf(context: CascadeContext, band: number, positionsMax: number): SeriesBlock {
  const { series, query, normalise } = context;
  return new SeriesBlock(series, query.length, band, normalise, positionsMax);
}
