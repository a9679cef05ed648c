/**
 * The cascade over the windows of a block, see `src/typescript/dtw-cascade.ts`: LB_Kim, LB_Keogh around the query, LB_Keogh
 * around the window, the warping table on 32-bit floats, and the exact one for what is left. It stops at every window that
 * the caller must hear of, because what the caller decides changes the bound.
 */
import { ensureTube } from './block';
import {
  endOfKim,
  keoghCandidateSquared,
  keoghQuerySquared,
  squaredBlockLimit,
  squaredLimit,
  sumQueryBound,
  sumWindowBound,
} from './bounds';
import {
  BAND,
  CENTRE,
  DEVIATIONS,
  DTW_ABANDONED,
  DTW_COMPUTED,
  FINISHED,
  FIRST_DIAGONAL,
  INNER,
  INNER_EDGE,
  LENGTH,
  MEANS,
  OFFSET,
  OUTCOME,
  OUTER,
  PRUNED_KEOGH_CANDIDATE,
  PRUNED_KEOGH_QUERY,
  PRUNED_KIM,
  QUERY_BACKWARDS,
  QUERY_CENTRE,
  QUERY_REACH,
  QUERY_REFERENCE,
  REACH,
  REMAINING,
  ROUNDED_QUERY,
  ROUNDED_QUERY_BACKWARDS,
  ROUNDED_WINDOW,
  ROUNDED_WINDOW_BACKWARDS,
  SECOND_DIAGONAL,
  SPECIAL,
  SQUARED,
  STATE,
  THIRD_DIAGONAL,
  UNIT,
  VALUES,
  WITHIN,
} from './layout';
import { count, number, pointer, real, setReal } from './record';
import { warp } from './warping';
import { isWarpingOver } from './warping-bound';
import { prepareWindow, stateOf } from './windows';

/** LB_Kim uses three points at each end. */
const KIM_POINTS_MIN = 6;

/**
 * Judges positions from … to − 1 of the loaded block: only windows within `bound` matter, which allows for the error of
 * moments by prefix sums. Returns the first that the caller must hear of, with the reason in `OUTCOME`, or `to`.
 */
export function scanWindows(scan: usize, from: i32, to: i32, bound: f64): i32 {
  const hasKim = number(scan, LENGTH) >= KIM_POINTS_MIN;
  const end = (<usize>to) << 2;
  let pruned: usize = 0;
  let outcome = FINISHED;
  let at = (<usize>from) << 2;
  while (at < end) {
    if (hasKim) {
      const next = endOfKim(scan, at, end, bound);
      pruned += next - at;
      at = next;
      if (at >= end) break;
    }
    outcome = judge(scan, at, bound);
    if (outcome != FINISHED) break;
    at += 4;
  }
  store<i32>(scan + OUTCOME, outcome);
  store<i32>(scan + PRUNED_KIM, number(scan, PRUNED_KIM) + <i32>(pruned >> 2));
  return <i32>(at >> 2);
}

/** What LB_Kim has not ended. The position is that of `at` in an array with a 32-bit float for each. */
function judge(scan: usize, at: usize, bound: f64): i32 {
  const deviation = load<f32>(pointer(scan, DEVIATIONS) + at);
  if (isNaN(deviation)) {
    store<i32>(scan + STATE, stateOf(scan, <i32>(at >> 2)));
    return SPECIAL;
  }
  const mean = load<f32>(pointer(scan, MEANS) + at);
  const bytes = (<usize>number(scan, LENGTH)) << 2;
  const shift = ((<usize>number(scan, OFFSET)) << 2) + at;
  const inverse: f32 = 1 / deviation;
  const limit = squaredLimit(scan, bound, inverse);
  const values = pointer(scan, VALUES) + shift;
  const queryCentre = pointer(scan, QUERY_CENTRE);
  const queryReach = pointer(scan, QUERY_REACH);
  const byQuery = keoghQuerySquared(values, bytes, mean, inverse, queryCentre, queryReach, limit);
  if (byQuery > limit) {
    count(scan, PRUNED_KEOGH_QUERY);
    return FINISHED;
  }
  ensureTube(scan);
  const query = pointer(scan, ROUNDED_QUERY);
  const centre = pointer(scan, CENTRE) + shift;
  const reach = pointer(scan, REACH) + shift;
  const blockLimit = squaredBlockLimit(scan, bound, deviation);
  const byWindow = keoghCandidateSquared(query, bytes, mean, deviation, centre, reach, blockLimit);
  if (byWindow > blockLimit) {
    count(scan, PRUNED_KEOGH_CANDIDATE);
    return FINISHED;
  }
  count(scan, DTW_COMPUTED);
  const window = pointer(scan, ROUNDED_WINDOW);
  normaliseRounded(values, bytes, mean, inverse, window);
  const remaining = pointer(scan, REMAINING);
  if (byWindow > byQuery * deviation * deviation) {
    const backwards = pointer(scan, ROUNDED_WINDOW_BACKWARDS);
    reverse(window, bytes, backwards);
    sumWindowBound(query, bytes, mean, inverse, centre, reach, remaining);
    if (isOver(scan, query, backwards, limit)) return abandoned(scan);
  } else {
    sumQueryBound(window, bytes, queryCentre, queryReach, remaining);
    const backwards = pointer(scan, ROUNDED_QUERY_BACKWARDS);
    if (isOver(scan, window, backwards, limit)) return abandoned(scan);
  }
  return warpExactly(scan, prepareWindow(scan, <i32>(at >> 2)), bound);
}

/** The same without the bounds that rest on prefix sums. For windows whose moments they cannot give. */
export function judgeDirectly(scan: usize, p: i32, bound: f64): i32 {
  const bytes = (<usize>number(scan, LENGTH)) << 2;
  const limit = squaredLimit(scan, bound, 0);
  const exact = prepareWindow(scan, p);
  const window = pointer(scan, ROUNDED_WINDOW);
  round(scan, exact, bytes, window);
  const remaining = pointer(scan, REMAINING);
  sumQueryBound(window, bytes, pointer(scan, QUERY_CENTRE), pointer(scan, QUERY_REACH), remaining);
  if (load<f32>(remaining) > limit) {
    count(scan, PRUNED_KEOGH_QUERY);
    return FINISHED;
  }
  count(scan, DTW_COMPUTED);
  const backwards = pointer(scan, ROUNDED_QUERY_BACKWARDS);
  if (isOver(scan, window, backwards, limit)) return abandoned(scan);
  return warpExactly(scan, exact, bound);
}

function normaliseRounded(
  values: usize,
  bytes: usize,
  mean: f32,
  inverse: f32,
  target: usize,
): void {
  const means = f32x4.splat(mean);
  const inverses = f32x4.splat(inverse);
  let at: usize = 0;
  for (; at + 12 < bytes; at += 16) {
    v128.store(target + at, f32x4.mul(f32x4.sub(v128.load(values + at), means), inverses));
  }
  for (; at < bytes; at += 4) {
    store<f32>(target + at, (load<f32>(values + at) - mean) * inverse);
  }
}

function round(scan: usize, values: usize, bytes: usize, target: usize): void {
  const reference = real(scan, QUERY_REFERENCE);
  const unit = real(scan, UNIT);
  for (let at: usize = 0; at < bytes; at += 4) {
    store<f32>(target + at, <f32>((load<f64>(values + (at << 1)) - reference) / unit));
  }
}

function reverse(values: usize, bytes: usize, target: usize): void {
  let at: usize = 0;
  for (; at + 12 < bytes; at += 16) {
    const four = v128.load(values + at);
    v128.store(target + bytes - 16 - at, v128.shuffle<f32>(four, four, 3, 2, 1, 0));
  }
  for (; at < bytes; at += 4) store<f32>(target + bytes - 4 - at, load<f32>(values + at));
}

function isOver(scan: usize, rows: usize, backwards: usize, limit: f32): bool {
  if (limit == Infinity) return false;
  return isWarpingOver(
    rows,
    number(scan, LENGTH),
    backwards,
    number(scan, BAND),
    limit,
    pointer(scan, REMAINING),
    pointer(scan, OUTER),
    pointer(scan, INNER),
    pointer(scan, INNER_EDGE),
  );
}

function abandoned(scan: usize): i32 {
  count(scan, DTW_ABANDONED);
  return FINISHED;
}

function warpExactly(scan: usize, window: usize, bound: f64): i32 {
  const length = number(scan, LENGTH);
  const squared = warp(
    window,
    length,
    pointer(scan, QUERY_BACKWARDS),
    length,
    number(scan, BAND),
    pointer(scan, FIRST_DIAGONAL),
    pointer(scan, SECOND_DIAGONAL),
    pointer(scan, THIRD_DIAGONAL),
  );
  if (squared > bound * bound * (1 + 1e-9)) return abandoned(scan);
  setReal(scan, SQUARED, squared);
  return WITHIN;
}
