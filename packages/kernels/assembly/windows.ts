/** The windows of a block: their moments by prefix sums, four at a time, and what is special about a window. */
import {
  DEVIATIONS,
  DIRECT,
  FLAT,
  LENGTH,
  MEANS,
  NON_FINITE,
  NORMALISE,
  OFFSET,
  RAW,
  REGION_LENGTH,
  RUN_END,
  SCALE,
  SQUARES,
  SUMS,
  TRUSTED,
  UNIT,
  UNUSABLE,
  UNUSABLE_COUNT,
  WINDOW,
} from './layout';
import { deviationOfShifted, isFlat, meanOfShifted, normaliseWindow } from './moments';
import { number, pointer, real } from './record';

/**
 * Writes mean and standard deviation of the block's first `positions` windows. The deviation is not a number where no bound
 * may rest on the two, with which every comparison fails.
 */
export function measureWindows(scan: usize, positions: i32): void {
  if (number(scan, NORMALISE) != 0) measureNormalised(scan, positions);
  else measureRaw(scan, positions);
  if (number(scan, UNUSABLE_COUNT) == 0) return;
  const deviations = pointer(scan, DEVIATIONS);
  for (let p = 0; p < positions; p++) {
    if (hasUnusable(scan, p)) store<f32>(deviations + ((<usize>p) << 2), NaN);
  }
}

function measureNormalised(scan: usize, positions: i32): void {
  const length = number(scan, LENGTH);
  const offset = (<usize>number(scan, OFFSET)) << 3;
  const bytes = (<usize>length) << 3;
  const sums = pointer(scan, SUMS) + offset;
  const squares = pointer(scan, SQUARES) + offset;
  const means = pointer(scan, MEANS);
  const deviations = pointer(scan, DEVIATIONS);
  const share = f64x2.splat(1.0 / <f64>length);
  const trusted = f64x2.splat(real(scan, TRUSTED));
  const end = (<usize>positions) << 3;
  for (let at: usize = 0; at < end; at += 32) {
    const to = at + bytes;
    const sum0 = f64x2.sub(v128.load(sums + to), v128.load(sums + at));
    const sum1 = f64x2.sub(v128.load(sums + to, 16), v128.load(sums + at, 16));
    const mean0 = f64x2.mul(sum0, share);
    const mean1 = f64x2.mul(sum1, share);
    const square0 = f64x2.sub(v128.load(squares + to), v128.load(squares + at));
    const square1 = f64x2.sub(v128.load(squares + to, 16), v128.load(squares + at, 16));
    const squared0 = f64x2.sub(square0, f64x2.mul(sum0, mean0));
    const squared1 = f64x2.sub(square1, f64x2.mul(sum1, mean1));
    const variances = roundedFour(f64x2.mul(squared0, share), f64x2.mul(squared1, share));
    const isUntrusted0 = f64x2.le(squared0, trusted);
    const isUntrusted1 = f64x2.le(squared1, trusted);
    // All bits set are not a number, and so is its root. Selecting one would take four times as long.
    const isUntrusted = v128.shuffle<i32>(isUntrusted0, isUntrusted1, 0, 2, 4, 6);
    v128.store(means + (at >> 1), roundedFour(mean0, mean1));
    v128.store(deviations + (at >> 1), f32x4.sqrt(v128.or(variances, isUntrusted)));
  }
}

/** Less than this is not told from 0 well enough by 32-bit floats. */
const DEVIATION_MIN: f64 = 1e-30;

/** Without normalisation every window has the mean 0, and the deviation that is one unit of the query. */
function measureRaw(scan: usize, positions: i32): void {
  const bytes = (<usize>positions) << 2;
  const means = pointer(scan, MEANS);
  const deviations = pointer(scan, DEVIATIONS);
  const deviation = real(scan, UNIT) * real(scan, SCALE);
  const unit = f32x4.splat(deviation < DEVIATION_MIN ? NaN : <f32>deviation);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(means + at, f32x4.splat(0));
    v128.store(deviations + at, unit);
  }
}

/** Four 64-bit floats as 32-bit floats. */
function roundedFour(first: v128, second: v128): v128 {
  return v128.shuffle<f32>(
    f32x4.demote_f64x2_zero(first),
    f32x4.demote_f64x2_zero(second),
    0,
    1,
    4,
    5,
  );
}

function hasUnusable(scan: usize, p: i32): bool {
  if (number(scan, UNUSABLE_COUNT) == 0) return false;
  const unusable = pointer(scan, UNUSABLE) + ((<usize>(number(scan, OFFSET) + p)) << 2);
  return load<i32>(unusable) != load<i32>(unusable + ((<usize>number(scan, LENGTH)) << 2));
}

/** What a window is whose deviation is not a number. */
export function stateOf(scan: usize, p: i32): i32 {
  if (hasUnusable(scan, p)) return NON_FINITE;
  if (number(scan, NORMALISE) == 0) return DIRECT;
  const from = number(scan, OFFSET) + p;
  const length = number(scan, LENGTH);
  if (runEndOf(scan, from) >= from + length) return FLAT;
  const window = pointer(scan, RAW) + ((<usize>from) << 3);
  const first = load<f64>(window);
  const mean = meanOfShifted(window, length, first);
  return isFlat(first + mean, deviationOfShifted(window, length, first, mean)) ? FLAT : DIRECT;
}

/** Index behind the run of equal values that holds `from`; looked up once for the windows that lie in it. */
function runEndOf(scan: usize, from: i32): i32 {
  const known = number(scan, RUN_END);
  if (known > from) return known;
  const raw = pointer(scan, RAW);
  const value = load<f64>(raw + ((<usize>from) << 3));
  const end = number(scan, REGION_LENGTH);
  let next = from + 1;
  while (next < end && load<f64>(raw + ((<usize>next) << 3)) == value) next += 1;
  store<i32>(scan + RUN_END, next);
  return next;
}

/** Writes the exact window to `WINDOW`, normalised as the search wants, and returns its address. */
export function prepareWindow(scan: usize, p: i32): usize {
  const length = number(scan, LENGTH);
  const raw = pointer(scan, RAW) + ((<usize>(number(scan, OFFSET) + p)) << 3);
  const window = pointer(scan, WINDOW);
  if (number(scan, NORMALISE) != 0) normaliseWindow(raw, length, window);
  else memory.copy(window, raw, (<usize>length) << 3);
  return window;
}
