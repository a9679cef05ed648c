/**
 * A run of window positions: moments of every window by prefix sums, and the envelope of the region. The same rules as
 * `src/series-block.ts`, which explains them; two windows at a time.
 */
import {
  BAND,
  CENTRE,
  DIRECT,
  FLAT,
  HIGH,
  INVERSES,
  LENGTH,
  LOW,
  MAGNITUDE,
  MEANS,
  NON_FINITE,
  NORMALISE,
  number,
  OFFSET,
  pointer,
  RAW,
  REACH,
  REGION_LENGTH,
  SQUARES,
  STATES,
  SUMS,
  TUBE_READY,
  UNUSABLE,
  USABLE,
  VALUES,
} from './layout';
import { deviationOfShifted, isFlat, meanOfShifted } from './moments';

const USABLE_MAGNITUDE_MAX: f64 = 1e150;

function isUsable(value: f64): bool {
  // NaN compares as false.
  return abs(value) <= USABLE_MAGNITUDE_MAX;
}

/** Prepares `positions` windows; `RAW`, `REGION_LENGTH` and `OFFSET` were set by the caller. */
export function loadBlock(scan: usize, positions: i32): void {
  const length = number(scan, REGION_LENGTH);
  const normalise = number(scan, NORMALISE) != 0;
  store<i32>(scan + TUBE_READY, 0);
  const reference = normalise ? firstUsable(scan, length) : 0;
  const unusable = fill(scan, length, reference);
  if (normalise) fillMoments(scan, positions, length, reference, unusable > 0);
  else fillRaw(scan, positions);
}

function firstUsable(scan: usize, length: i32): f64 {
  const raw = pointer(scan, RAW);
  for (let i = 0; i < length; i++) {
    const value = load<f64>(raw + ((<usize>i) << 3));
    if (isUsable(value)) return value;
  }
  return 0;
}

/** Shifts the region and sums it up. Returns how many of its values are not usable. */
function fill(scan: usize, length: i32, reference: f64): i32 {
  const raw = pointer(scan, RAW);
  const values = pointer(scan, VALUES);
  const sums = pointer(scan, SUMS);
  const squares = pointer(scan, SQUARES);
  const unusable = pointer(scan, UNUSABLE);
  store<f64>(sums, 0);
  store<f64>(squares, 0);
  store<i32>(unusable, 0);
  let sum: f64 = 0;
  let square: f64 = 0;
  let magnitude: f64 = 0;
  let bad = 0;
  for (let i = 0; i < length; i++) {
    const at = (<usize>i) << 3;
    const value = load<f64>(raw + at);
    let shifted = value - reference;
    if (!isUsable(value)) {
      shifted = 0;
      bad += 1;
    }
    store<f64>(values + at, shifted);
    magnitude = max(magnitude, abs(shifted));
    sum += shifted;
    square += shifted * shifted;
    store<f64>(sums + at, sum, 8);
    store<f64>(squares + at, square, 8);
    store<i32>(unusable + ((<usize>i) << 2), bad, 4);
  }
  store<f64>(scan + MAGNITUDE, magnitude);
  return bad;
}

function fillMoments(
  scan: usize,
  positions: i32,
  regionLength: i32,
  reference: f64,
  hasUnusable: bool,
): void {
  const sums = pointer(scan, SUMS);
  const squares = pointer(scan, SQUARES);
  const means = pointer(scan, MEANS);
  const inverses = pointer(scan, INVERSES);
  const states = pointer(scan, STATES);
  const length = number(scan, LENGTH);
  const windowBytes = (<usize>length) << 3;
  const offsetBytes = (<usize>number(scan, OFFSET)) << 3;
  const total = load<f64>(squares + ((<usize>regionLength) << 3));
  const trusted = f64x2.splat(total * <f64>regionLength * 2.2e-8);
  const points = f64x2.splat(<f64>length);
  const references = f64x2.splat(reference);
  const ones = f64x2.splat(1);
  const infinities = f64x2.splat(Infinity);
  const tolerance = f64x2.splat(1e-12);
  const halves = f64x2.splat(0.5);
  for (let p = 0; p < positions; p += 2) {
    const at = (<usize>p) << 3;
    const from = offsetBytes + at;
    const to = from + windowBytes;
    const sum = f64x2.sub(v128.load(sums + to), v128.load(sums + from));
    const mean = f64x2.div(sum, points);
    const squared = f64x2.sub(
      f64x2.sub(v128.load(squares + to), v128.load(squares + from)),
      f64x2.mul(sum, mean),
    );
    const deviation = f64x2.sqrt(f64x2.div(squared, points));
    v128.store(means + at, mean);
    v128.store(inverses + at, f64x2.div(ones, deviation));
    const level = f64x2.pmax(ones, f64x2.abs(f64x2.add(references, mean)));
    // Twice the tolerance, so that only clear cases skip the exact test.
    const isClear = f64x2.ge(f64x2.mul(deviation, halves), f64x2.mul(tolerance, level));
    const isTrusted = v128.and(f64x2.gt(squared, trusted), f64x2.lt(squared, infinities));
    if (!hasUnusable && i64x2.all_true(v128.and(isClear, isTrusted))) {
      store<u16>(states + <usize>p, 0);
      continue;
    }
    const lanes = i64x2.bitmask(v128.and(isClear, isTrusted));
    store<u8>(states + <usize>p, stateOf(scan, p, length, (lanes & 1) != 0));
    if (p + 1 < positions) {
      store<u8>(states + <usize>(p + 1), stateOf(scan, p + 1, length, (lanes & 2) != 0));
    }
  }
}

function stateOf(scan: usize, position: i32, length: i32, isTrusted: bool): u8 {
  const from = number(scan, OFFSET) + position;
  if (hasUnusable(scan, from, length)) return NON_FINITE;
  if (isTrusted) return USABLE;
  const window = pointer(scan, RAW) + ((<usize>from) << 3);
  const first = load<f64>(window);
  const mean = meanOfShifted(window, length, first);
  return isFlat(first + mean, deviationOfShifted(window, length, first, mean)) ? FLAT : DIRECT;
}

function hasUnusable(scan: usize, from: i32, length: i32): bool {
  const unusable = pointer(scan, UNUSABLE) + ((<usize>from) << 2);
  return load<i32>(unusable) != load<i32>(unusable + ((<usize>length) << 2));
}

function fillRaw(scan: usize, positions: i32): void {
  const means = pointer(scan, MEANS);
  const inverses = pointer(scan, INVERSES);
  const states = pointer(scan, STATES);
  const length = number(scan, LENGTH);
  const offset = number(scan, OFFSET);
  for (let p = 0; p < positions; p++) {
    store<f64>(means + ((<usize>p) << 3), 0);
    store<f64>(inverses + ((<usize>p) << 3), 1);
    store<u8>(states + <usize>p, hasUnusable(scan, offset + p, length) ? NON_FINITE : USABLE);
  }
}

/** The envelope of the block's region, when this block has none yet. */
export function ensureTube(scan: usize): void {
  if (number(scan, TUBE_READY) != 0) return;
  store<i32>(scan + TUBE_READY, 1);
  fillTube(
    pointer(scan, VALUES),
    number(scan, REGION_LENGTH),
    number(scan, BAND),
    pointer(scan, CENTRE),
    pointer(scan, REACH),
    pointer(scan, HIGH),
    pointer(scan, LOW),
  );
}

/**
 * The envelope of `length` values as centre ± reach. The extremes over 2 × band + 1 values come from those over 1, 2, 4, …
 * of them: each step joins two neighbours, and the last one two that overlap. `high` and `low` have room for
 * length + 2 × band values.
 */
export function fillTube(
  values: usize,
  length: i32,
  band: i32,
  centre: usize,
  reach: usize,
  high: usize,
  low: usize,
): void {
  const valueBytes = (<usize>length) << 3;
  const bandBytes = (<usize>band) << 3;
  for (let at: usize = 0; at < bandBytes; at += 8) {
    store<f64>(high + at, -Infinity);
    store<f64>(low + at, Infinity);
    store<f64>(high + bandBytes + valueBytes + at, -Infinity);
    store<f64>(low + bandBytes + valueBytes + at, Infinity);
  }
  memory.copy(high + bandBytes, values, valueBytes);
  memory.copy(low + bandBytes, values, valueBytes);
  const width = 2 * band + 1;
  const paddedBytes = valueBytes + 2 * bandBytes;
  let covered = 1;
  while (covered * 2 <= width) {
    const step = (<usize>covered) << 3;
    // In place: what is read further to the right was not changed yet.
    for (let at: usize = 0; at + step < paddedBytes; at += 16) {
      v128.store(high + at, f64x2.pmax(v128.load(high + at), v128.load(high + at + step)));
      v128.store(low + at, f64x2.pmin(v128.load(low + at), v128.load(low + at + step)));
    }
    covered *= 2;
  }
  const shift = (<usize>(width - covered)) << 3;
  const halves = f64x2.splat(0.5);
  for (let at: usize = 0; at < valueBytes; at += 16) {
    const upper = f64x2.pmax(v128.load(high + at), v128.load(high + at + shift));
    const lower = f64x2.pmin(v128.load(low + at), v128.load(low + at + shift));
    v128.store(centre + at, f64x2.mul(f64x2.add(upper, lower), halves));
    v128.store(reach + at, f64x2.mul(f64x2.sub(upper, lower), halves));
  }
}
