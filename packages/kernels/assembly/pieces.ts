/** Windows of a grid by their piecewise means, see `src/seeds.ts` and `src/typescript/piece-comparison.ts`; two windows at a time. */
import { firstUsable, USABLE_MAGNITUDE_MAX } from './block';
import { NORMALISE, RAW, SQUARES, SUMS, WINDOW } from './layout';
import { number, pointer } from './record';

/**
 * Squared distances of `windows` windows, `step` values apart and of `pieces` pieces of as many values, to the query's means
 * in `WINDOW`. The points are in `RAW`, which then holds their sums; the distances are left in `SUMS`.
 */
export function comparePieces(scan: usize, windows: i32, step: i32, pieces: i32): void {
  const level = firstUsable(scan);
  sumPieces(scan, windows - 1 + pieces, step, level);
  const sums = pointer(scan, RAW);
  const allSums = pointer(scan, SUMS);
  const allSquares = pointer(scan, SQUARES);
  const means = pointer(scan, WINDOW);
  const normalise = number(scan, NORMALISE) != 0;
  const perPoint = 1 / <f64>step;
  const share = f64x2.splat(1 / <f64>(pieces * step));
  const ones = f64x2.splat(1);
  const width = (<usize>pieces) << 3;
  const end = (<usize>windows) << 3;
  let scale = f64x2.splat(perPoint);
  let shift = f64x2.splat(-level);
  for (let at: usize = 0; at < end; at += 16) {
    if (normalise) {
      const sum = f64x2.sub(v128.load(allSums + at + width), v128.load(allSums + at));
      const square = f64x2.sub(v128.load(allSquares + at + width), v128.load(allSquares + at));
      const mean = f64x2.mul(sum, share);
      const variance = f64x2.sub(f64x2.mul(square, share), f64x2.mul(mean, mean));
      const inverse = f64x2.div(ones, f64x2.sqrt(variance));
      scale = f64x2.mul(inverse, f64x2.splat(perPoint));
      shift = f64x2.mul(mean, inverse);
    }
    let distance = f64x2.splat(0);
    for (let piece: usize = 0; piece < width; piece += 8) {
      const z = f64x2.sub(f64x2.mul(v128.load(sums + at + piece), scale), shift);
      const difference = f64x2.sub(z, v128.load64_splat(means + piece));
      distance = f64x2.add(distance, f64x2.mul(difference, difference));
    }
    // What lies there has been read for the last time.
    v128.store(allSums + at, distance);
  }
}

/** Sums of the first pieces, of values less `level`; a piece that cannot be used has NaN, and adds nothing to those of all. */
function sumPieces(scan: usize, count: i32, step: i32, level: f64): void {
  const sums = pointer(scan, RAW);
  const allSums = pointer(scan, SUMS);
  const allSquares = pointer(scan, SQUARES);
  const levels = f64x2.splat(level);
  const bytes = (<usize>step) << 3;
  const inPairs = bytes & ~15;
  let allSum: f64 = 0;
  let allSquare: f64 = 0;
  store<f64>(allSums, 0);
  store<f64>(allSquares, 0);
  let points = sums;
  for (let piece: usize = 0; piece < (<usize>count) << 3; piece += 8) {
    let sum2 = f64x2.splat(0);
    let square2 = f64x2.splat(0);
    for (let at: usize = 0; at < inPairs; at += 16) {
      const value = f64x2.sub(v128.load(points + at), levels);
      sum2 = f64x2.add(sum2, value);
      square2 = f64x2.add(square2, f64x2.mul(value, value));
    }
    let sum = f64x2.extract_lane(sum2, 0) + f64x2.extract_lane(sum2, 1);
    let square = f64x2.extract_lane(square2, 0) + f64x2.extract_lane(square2, 1);
    if (inPairs < bytes) {
      const value = load<f64>(points + inPairs) - level;
      sum += value;
      square += value * value;
    }
    points += bytes;
    const isGood = square <= USABLE_MAGNITUDE_MAX * USABLE_MAGNITUDE_MAX;
    // In place: the points of this piece and of those before have been read.
    store<f64>(sums + piece, isGood ? sum : NaN);
    if (isGood) {
      allSum += sum;
      allSquare += square;
    }
    store<f64>(allSums + piece, allSum, 8);
    store<f64>(allSquares + piece, allSquare, 8);
  }
}
