/** Windows of a grid by their piecewise means, which one pass of sums gives for all of them; see `../seeds.ts`. */
import type { ComparedSeries, PieceGrid } from '../window-cascade.ts';
import { isUsable, USABLE_MAGNITUDE_MAX } from './series-block.ts';

/** Windows that are summed up at a time: the sums stay in the cache. */
const WINDOWS_MAX = 2048;

/** A sum of squares above this one comes of a value that cannot be used. */
const SQUARE_MAX = USABLE_MAGNITUDE_MAX ** 2;

/** See the head of the file. */
export class PieceComparison {
  readonly #compared: Pick<ComparedSeries, 'series' | 'normalise'>;
  /** Of each piece, and of all pieces before. */
  #sums = new Float64Array(0);
  #allSums = new Float64Array(0);
  #allSquares = new Float64Array(0);
  #distances = new Float64Array(0);

  constructor(compared: Pick<ComparedSeries, 'series' | 'normalise'>) {
    this.#compared = compared;
  }

  /** See `WindowScan.comparePieces`. */
  compare({ first, windows: wanted, step, means, limit }: PieceGrid): Float64Array {
    const windows = Math.min(wanted, WINDOWS_MAX);
    const pieces = windows - 1 + means.length;
    if (this.#sums.length < pieces) {
      this.#sums = new Float64Array(pieces);
      this.#allSums = new Float64Array(pieces + 1);
      this.#allSquares = new Float64Array(pieces + 1);
      this.#distances = new Float64Array(pieces);
    }
    // Shifted, so that a high level does not eat the digits of what moves.
    const value = this.#compared.series[first] as number;
    const level = isUsable(value) ? value : 0;
    this.#sumUp(first, pieces, step, level);
    this.#fill(windows, step, means, level, limit);
    return this.#distances.subarray(0, windows);
  }

  /** Sums over the first pieces from a row on, of values less `level`; a piece that cannot be used has NaN, and adds nothing. */
  #sumUp(first: number, pieces: number, step: number, level: number): void {
    const { series } = this.#compared;
    const sums = this.#sums;
    const allSums = this.#allSums;
    const allSquares = this.#allSquares;
    let allSum = 0;
    let allSquare = 0;
    for (let piece = 0, at = first; piece < pieces; piece += 1) {
      let sum = 0;
      let square = 0;
      for (const behind = at + step; at < behind; at += 1) {
        const value = (series[at] as number) - level;
        sum += value;
        square += value * value;
      }
      const isGood = square <= SQUARE_MAX;
      sums[piece] = isGood ? sum : NaN;
      allSums[piece + 1] = allSum += isGood ? sum : 0;
      allSquares[piece + 1] = allSquare += isGood ? square : 0;
    }
  }

  #fill(windows: number, step: number, means: Float64Array, level: number, limit: number): void {
    const { normalise } = this.#compared;
    const sums = this.#sums;
    const allSums = this.#allSums;
    const allSquares = this.#allSquares;
    const distances = this.#distances;
    const pieces = means.length;
    const share = 1 / (pieces * step);
    let scale = 1 / step;
    let shift = -level;
    for (let window = 0; window < windows; window += 1) {
      if (normalise) {
        const behind = window + pieces;
        const mean = ((allSums[behind] as number) - (allSums[window] as number)) * share;
        const square = ((allSquares[behind] as number) - (allSquares[window] as number)) * share;
        const inverse = 1 / Math.sqrt(square - mean * mean);
        scale = inverse / step;
        shift = mean * inverse;
      }
      let distance = 0;
      for (let piece = 0; piece < pieces && distance <= limit; piece += 1) {
        const difference =
          (sums[window + piece] as number) * scale - shift - (means[piece] as number);
        distance += difference * difference;
      }
      distances[window] = distance;
    }
  }
}
