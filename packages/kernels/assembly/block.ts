/**
 * A run of window positions: moments of every window by prefix sums, and the envelope of the region. The same rules as
 * `src/typescript/series-block.ts`, which explains them; two windows at a time.
 */
import {
  BAND,
  CENTRE,
  DIRECT,
  FLAT,
  HIGH,
  INVERSE_BEHIND,
  JUDGED,
  KIM_BEHIND,
  LENGTH,
  LOW,
  MAGNITUDE,
  NON_FINITE,
  NORMALISE,
  OFFSET,
  PAIR_BYTES,
  QUERY,
  RAW,
  REACH,
  REGION_LENGTH,
  RUN_END,
  SQUARES,
  STATES,
  SUMS,
  TUBE_READY,
  UNUSABLE,
  USABLE,
  VALUES,
} from './layout';
import { judgedAt, number, pointer } from './record';
import { kimSquared } from './bounds';
import { deviationOfShifted, FLAT_TOLERANCE, isFlat, meanOfShifted } from './moments';

const USABLE_MAGNITUDE_MAX: f64 = 1e150;

/** LB_Kim uses three points at each end. */
const KIM_POINTS_MIN = 6;

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
  else fillRaw(scan, positions, unusable > 0);
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
  const isAllUsable = shift(scan, length, reference);
  const unusable = pointer(scan, UNUSABLE);
  const values = pointer(scan, VALUES);
  let bad = 0;
  if (!isAllUsable) {
    const raw = pointer(scan, RAW);
    store<i32>(unusable, 0);
    for (let i = 0; i < length; i++) {
      const at = (<usize>i) << 3;
      if (!isUsable(load<f64>(raw + at))) {
        // Windows with this point are skipped; in a neighbour's envelope 0 can only widen it.
        store<f64>(values + at, 0);
        bad += 1;
      }
      store<i32>(unusable + ((<usize>i) << 2), bad, 4);
    }
  }
  const sums = pointer(scan, SUMS);
  const squares = pointer(scan, SQUARES);
  store<f64>(sums, 0);
  store<f64>(squares, 0);
  let sum: f64 = 0;
  let square: f64 = 0;
  const end = (<usize>length) << 3;
  for (let at: usize = 0; at < end; at += 8) {
    const value = load<f64>(values + at);
    sum += value;
    square += value * value;
    store<f64>(sums + at, sum, 8);
    store<f64>(squares + at, square, 8);
  }
  return bad;
}

/** Shifts the region, notes its largest value, and says whether all of it is usable. */
function shift(scan: usize, length: i32, reference: f64): bool {
  const raw = pointer(scan, RAW);
  const values = pointer(scan, VALUES);
  const end = (<usize>length) << 3;
  // The vector behind the last one takes a value that is not of the region: it gets one that does no harm.
  store<f64>(raw + end, reference);
  const references = f64x2.splat(reference);
  const greatest = f64x2.splat(USABLE_MAGNITUDE_MAX);
  let usable = i64x2.splat(-1);
  let magnitudes = f64x2.splat(0);
  for (let at: usize = 0; at < end; at += 16) {
    const value = v128.load(raw + at);
    const shifted = f64x2.sub(value, references);
    const isUsable = f64x2.le(f64x2.abs(value), greatest);
    v128.store(values + at, shifted);
    usable = v128.and(usable, isUsable);
    magnitudes = f64x2.pmax(magnitudes, v128.and(f64x2.abs(shifted), isUsable));
  }
  const magnitude = max(f64x2.extract_lane(magnitudes, 0), f64x2.extract_lane(magnitudes, 1));
  store<f64>(scan + MAGNITUDE, magnitude);
  return i64x2.all_true(usable);
}

/** Moments and LB_Kim of every window. */
function fillMoments(
  scan: usize,
  positions: i32,
  regionLength: i32,
  reference: f64,
  hasUnusableValues: bool,
): void {
  const sums = pointer(scan, SUMS);
  const squares = pointer(scan, SQUARES);
  const states = pointer(scan, STATES);
  let judged = pointer(scan, JUDGED);
  const query = pointer(scan, QUERY);
  const length = number(scan, LENGTH);
  const hasKim = length >= KIM_POINTS_MIN;
  const windowBytes = (<usize>length) << 3;
  const offsetBytes = (<usize>number(scan, OFFSET)) << 3;
  const values = pointer(scan, VALUES) + offsetBytes;
  const total = load<f64>(squares + ((<usize>regionLength) << 3));
  const trusted = f64x2.splat(total * <f64>regionLength * 2.2e-8);
  const share = f64x2.splat(1.0 / <f64>length);
  const references = f64x2.splat(reference);
  const ones = f64x2.splat(1);
  const infinities = f64x2.splat(Infinity);
  const tolerance = f64x2.splat(2 * FLAT_TOLERANCE);
  store<i32>(scan + RUN_END, 0);
  for (let p = 0; p < positions; p += 2) {
    const at = (<usize>p) << 3;
    const from = offsetBytes + at;
    const to = from + windowBytes;
    const sum = f64x2.sub(v128.load(sums + to), v128.load(sums + from));
    const mean = f64x2.mul(sum, share);
    const squared = f64x2.sub(
      f64x2.sub(v128.load(squares + to), v128.load(squares + from)),
      f64x2.mul(sum, mean),
    );
    const deviation = f64x2.sqrt(f64x2.mul(squared, share));
    const inverse = f64x2.div(ones, deviation);
    const kim = hasKim
      ? kimSquared(values + at, windowBytes, mean, inverse, query)
      : f64x2.splat(0);
    v128.store(judged, mean);
    v128.store(judged, inverse, INVERSE_BEHIND);
    v128.store(judged, kim, KIM_BEHIND);
    judged += PAIR_BYTES;
    const level = f64x2.pmax(ones, f64x2.abs(f64x2.add(references, mean)));
    // Twice the tolerance, so that only clear cases skip the exact test.
    const isClear = f64x2.ge(deviation, f64x2.mul(tolerance, level));
    const isTrusted = v128.and(f64x2.gt(squared, trusted), f64x2.lt(squared, infinities));
    const isPlain = v128.and(isClear, isTrusted);
    if (!hasUnusableValues && i64x2.all_true(isPlain)) {
      store<u16>(states + <usize>p, 0);
      continue;
    }
    const lanes = i64x2.bitmask(isPlain);
    setState(scan, p, stateOf(scan, p, length, hasUnusableValues, (lanes & 1) != 0));
    if (p + 1 < positions) {
      setState(scan, p + 1, stateOf(scan, p + 1, length, hasUnusableValues, (lanes & 2) != 0));
    }
  }
}

function setState(scan: usize, position: i32, state: u8): void {
  store<u8>(pointer(scan, STATES) + <usize>position, state);
  if (state != USABLE) store<f64>(judgedAt(scan, position) + KIM_BEHIND, -Infinity);
}

function stateOf(
  scan: usize,
  position: i32,
  length: i32,
  hasUnusableValues: bool,
  isTrusted: bool,
): u8 {
  const from = number(scan, OFFSET) + position;
  if (hasUnusableValues && hasUnusable(scan, from, length)) return NON_FINITE;
  if (isTrusted) return USABLE;
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

function hasUnusable(scan: usize, from: i32, length: i32): bool {
  const unusable = pointer(scan, UNUSABLE) + ((<usize>from) << 2);
  return load<i32>(unusable) != load<i32>(unusable + ((<usize>length) << 2));
}

/** Without normalisation: the values themselves. */
function fillRaw(scan: usize, positions: i32, hasUnusableValues: bool): void {
  const length = number(scan, LENGTH);
  const bytes = (<usize>length) << 3;
  const offset = number(scan, OFFSET);
  const values = pointer(scan, VALUES) + ((<usize>offset) << 3);
  const zeros = f64x2.splat(0);
  const ones = f64x2.splat(1);
  const query = pointer(scan, QUERY);
  for (let p = 0; p < positions; p += 2) {
    const at = (<usize>p) << 3;
    store<u16>(pointer(scan, STATES) + <usize>p, 0);
    const kim =
      length >= KIM_POINTS_MIN ? kimSquared(values + at, bytes, zeros, ones, query) : zeros;
    const judged = judgedAt(scan, p);
    v128.store(judged, zeros);
    v128.store(judged, ones, INVERSE_BEHIND);
    v128.store(judged, kim, KIM_BEHIND);
  }
  if (!hasUnusableValues) return;
  for (let p = 0; p < positions; p++) {
    setState(scan, p, hasUnusable(scan, offset + p, length) ? NON_FINITE : USABLE);
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
