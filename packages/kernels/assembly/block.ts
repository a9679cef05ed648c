/**
 * A run of window positions: their values as bounds want them, prefix sums from which the moments of every window come, and
 * on demand the envelope. `src/typescript/series-block.ts` has the same rules for what is usable and explains them.
 *
 * Bounds are computed on 32-bit floats, because twice as many fit into a vector. Only the sums, in which most digits cancel,
 * stay 64-bit floats. The values are brought to magnitudes of at most 1 before they are rounded, so that the error is the
 * same for every series and nothing overflows.
 */
import {
  BAND,
  CENTRE,
  HIGH,
  LENGTH,
  LOW,
  MAGNITUDE,
  NORMALISE,
  QUERY_REFERENCE,
  RAW,
  REACH,
  REFERENCE,
  REGION_LENGTH,
  RUN_END,
  SCALE,
  SQUARES,
  SUMS,
  TRUSTED,
  TUBE_READY,
  UNIT,
  UNUSABLE,
  UNUSABLE_COUNT,
  VALUES,
} from './layout';
import { FLAT_TOLERANCE } from './moments';
import { number, pointer, real, setReal } from './record';
import { measureWindows } from './windows';

export const USABLE_MAGNITUDE_MAX: f64 = 1e150;

/** Smaller magnitudes are not brought to 1: their inverse would overflow. */
const SCALED_MAGNITUDE_MIN: f64 = 1e-150;

function isUsable(value: f64): bool {
  // NaN compares as false.
  return abs(value) <= USABLE_MAGNITUDE_MAX;
}

/** Prepares `positions` windows of a region; `RAW`, `REGION_LENGTH` and `OFFSET` were set by the caller. */
export function loadBlock(scan: usize, positions: i32): void {
  store<i32>(scan + TUBE_READY, 0);
  store<i32>(scan + RUN_END, 0);
  const normalise = number(scan, NORMALISE) != 0;
  const reference = normalise ? firstUsable(scan) : real(scan, QUERY_REFERENCE);
  setReal(scan, REFERENCE, reference);
  const isAllUsable = measure(scan, reference);
  // Without normalisation the query has to fit as well.
  const magnitude = max(real(scan, MAGNITUDE), normalise ? 0 : real(scan, UNIT));
  const scale = 1 / max(magnitude, SCALED_MAGNITUDE_MIN);
  setReal(scan, SCALE, scale);
  if (!isAllUsable) countUnusable(scan);
  store<i32>(
    scan + UNUSABLE_COUNT,
    isAllUsable
      ? 0
      : load<i32>(pointer(scan, UNUSABLE) + ((<usize>number(scan, REGION_LENGTH)) << 2)),
  );
  const total = fill(scan, reference, scale);
  // Rounding of the sums is about length × 2⁻⁵³ of the total; this keeps it below 1e-8 of a window. Besides twice the
  // tolerance within which a window counts as flat, so that only clear cases skip the exact test.
  const level = max(scale, abs(reference) * scale + 1);
  const flat = 2 * FLAT_TOLERANCE * level;
  const byRounding = total * <f64>number(scan, REGION_LENGTH) * 2.2e-8;
  setReal(scan, TRUSTED, max(byRounding, <f64>number(scan, LENGTH) * flat * flat));
  measureWindows(scan, positions);
}

/** The first usable value of the region, or 0. */
export function firstUsable(scan: usize): f64 {
  const raw = pointer(scan, RAW);
  const end = (<usize>number(scan, REGION_LENGTH)) << 3;
  for (let at: usize = 0; at < end; at += 8) {
    const value = load<f64>(raw + at);
    if (isUsable(value)) return value;
  }
  return 0;
}

/** Notes the region's largest magnitude once shifted, and says whether all of it is usable. */
function measure(scan: usize, reference: f64): bool {
  const raw = pointer(scan, RAW);
  const end = (<usize>number(scan, REGION_LENGTH)) << 3;
  // The last vectors take values that are not of the region: they get one that does no harm.
  for (let at: usize = 0; at < 24; at += 8) store<f64>(raw + end + at, reference);
  const references = f64x2.splat(reference);
  const greatest = f64x2.splat(USABLE_MAGNITUDE_MAX);
  let usable = i64x2.splat(-1);
  let magnitudes = f64x2.splat(0);
  for (let at: usize = 0; at < end; at += 16) {
    const value = v128.load(raw + at);
    const isUsable = f64x2.le(f64x2.abs(value), greatest);
    usable = v128.and(usable, isUsable);
    const shifted = f64x2.abs(f64x2.sub(value, references));
    magnitudes = f64x2.pmax(magnitudes, v128.and(shifted, isUsable));
  }
  const magnitude = max(f64x2.extract_lane(magnitudes, 0), f64x2.extract_lane(magnitudes, 1));
  setReal(scan, MAGNITUDE, magnitude);
  return i64x2.all_true(usable);
}

/** Windows with such points are skipped. They become the reference, which can only widen a neighbour's envelope. */
function countUnusable(scan: usize): void {
  const raw = pointer(scan, RAW);
  const unusable = pointer(scan, UNUSABLE);
  const length = number(scan, REGION_LENGTH);
  const reference = real(scan, REFERENCE);
  let bad = 0;
  store<i32>(unusable, 0);
  for (let i = 0; i < length; i++) {
    const at = raw + ((<usize>i) << 3);
    if (!isUsable(load<f64>(at))) {
      store<f64>(at, reference);
      bad += 1;
    }
    store<i32>(unusable + ((<usize>i) << 2), bad, 4);
  }
}

/** Writes the shifted and scaled values and sums them up. Returns the sum of all squares. */
function fill(scan: usize, reference: f64, scale: f64): f64 {
  const raw = pointer(scan, RAW);
  const values = pointer(scan, VALUES);
  const sums = pointer(scan, SUMS);
  const squares = pointer(scan, SQUARES);
  const end = (<usize>number(scan, REGION_LENGTH)) << 3;
  store<f64>(sums, 0);
  store<f64>(squares, 0);
  let sum: f64 = 0;
  let square: f64 = 0;
  for (let at: usize = 0; at < end; at += 8) {
    const value = (load<f64>(raw + at) - reference) * scale;
    store<f32>(values + (at >> 1), <f32>value);
    sum += value;
    square += value * value;
    store<f64>(sums + at, sum, 8);
    store<f64>(squares + at, square, 8);
  }
  return square;
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
function fillTube(
  values: usize,
  length: i32,
  band: i32,
  centre: usize,
  reach: usize,
  high: usize,
  low: usize,
): void {
  const valueBytes = (<usize>length) << 2;
  const bandBytes = (<usize>band) << 2;
  for (let at: usize = 0; at < bandBytes; at += 4) {
    store<f32>(high + at, -Infinity);
    store<f32>(low + at, Infinity);
    store<f32>(high + bandBytes + valueBytes + at, -Infinity);
    store<f32>(low + bandBytes + valueBytes + at, Infinity);
  }
  memory.copy(high + bandBytes, values, valueBytes);
  memory.copy(low + bandBytes, values, valueBytes);
  const width = 2 * band + 1;
  const paddedBytes = valueBytes + 2 * bandBytes;
  let covered = 1;
  while (covered * 2 <= width) {
    const step = (<usize>covered) << 2;
    // In place: what is read further to the right was not changed yet.
    for (let at: usize = 0; at + step < paddedBytes; at += 16) {
      v128.store(high + at, f32x4.pmax(v128.load(high + at), v128.load(high + at + step)));
      v128.store(low + at, f32x4.pmin(v128.load(low + at), v128.load(low + at + step)));
    }
    covered *= 2;
  }
  const shift = (<usize>(width - covered)) << 2;
  const halves = f32x4.splat(0.5);
  for (let at: usize = 0; at < valueBytes; at += 16) {
    const upper = f32x4.pmax(v128.load(high + at), v128.load(high + at + shift));
    const lower = f32x4.pmin(v128.load(low + at), v128.load(low + at + shift));
    v128.store(centre + at, f32x4.mul(f32x4.add(upper, lower), halves));
    v128.store(reach + at, f32x4.mul(f32x4.sub(upper, lower), halves));
  }
}
