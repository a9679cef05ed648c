/**
 * The cascade by LCSS over the windows of a block, see `src/typescript/lcss-cascade.ts`: points of the window outside the
 * query's tube, points of the query outside the window's tube, the table. As `scanWindows` it stops at every window that the
 * caller must hear of.
 */
import { ensureTube } from './block';
import {
  BAND,
  BLOCK_ERROR,
  CENTRE,
  DEVIATIONS,
  DTW_ABANDONED,
  DTW_COMPUTED,
  FINISHED,
  FIRST_DIAGONAL,
  LENGTH,
  MATCHED,
  MEANS,
  OFFSET,
  OUTCOME,
  PRUNED_KEOGH_CANDIDATE,
  PRUNED_KEOGH_QUERY,
  QUERY,
  QUERY_CENTRE,
  QUERY_ERROR,
  QUERY_REACH,
  REACH,
  ROUNDED_QUERY,
  SPECIAL,
  STATE,
  UNIT,
  VALUES,
  WITHIN,
} from './layout';
import { count, number, pointer, real } from './record';
import { lcsWithin } from './subsequences';
import { prepareWindow, stateOf } from './windows';

/** Bytes of the points between two looks whether too many have missed. */
const BYTES_PER_LOOK: usize = 16 * 4;

/**
 * Judges positions from … to − 1 of the loaded block: only windows that match `needed` points matter. Values match within
 * `epsilon`; the tubes take `tubeEpsilon`, which allows for the error of moments by prefix sums. Returns as `scanWindows`
 * does.
 */
export function scanByLcss(
  scan: usize,
  from: i32,
  to: i32,
  needed: i32,
  epsilon: f64,
  tubeEpsilon: f64,
): i32 {
  let p = from;
  let outcome = FINISHED;
  for (; p < to; p++) {
    outcome = judge(scan, p, needed, epsilon, tubeEpsilon);
    if (outcome != FINISHED) break;
  }
  store<i32>(scan + OUTCOME, outcome);
  return p;
}

function judge(scan: usize, p: i32, needed: i32, epsilon: f64, tubeEpsilon: f64): i32 {
  const at = (<usize>p) << 2;
  const deviation = load<f32>(pointer(scan, DEVIATIONS) + at);
  if (isNaN(deviation)) {
    store<i32>(scan + STATE, stateOf(scan, p));
    return SPECIAL;
  }
  const length = number(scan, LENGTH);
  const spare = length - needed;
  // Without points to spare nothing matters any more.
  if (spare < 0) {
    count(scan, PRUNED_KEOGH_QUERY);
    return FINISHED;
  }
  const mean = load<f32>(pointer(scan, MEANS) + at);
  const bytes = (<usize>length) << 2;
  const shift = ((<usize>number(scan, OFFSET)) << 2) + at;
  const values = pointer(scan, VALUES) + shift;
  const queryCentre = pointer(scan, QUERY_CENTRE);
  const queryReach = pointer(scan, QUERY_REACH);
  const perDeviation = tubeEpsilon / real(scan, UNIT) + real(scan, QUERY_ERROR);
  const blockEpsilon = <f32>(perDeviation * deviation + real(scan, BLOCK_ERROR));
  if (
    missesOfWindow(values, bytes, mean, deviation, queryCentre, queryReach, blockEpsilon, spare) >
    spare
  ) {
    count(scan, PRUNED_KEOGH_QUERY);
    return FINISHED;
  }
  ensureTube(scan);
  const query = pointer(scan, ROUNDED_QUERY);
  const centre = pointer(scan, CENTRE) + shift;
  const reach = pointer(scan, REACH) + shift;
  if (missesOfQuery(query, bytes, mean, deviation, centre, reach, blockEpsilon, spare) > spare) {
    count(scan, PRUNED_KEOGH_CANDIDATE);
    return FINISHED;
  }
  return matchDirectly(scan, p, needed, epsilon);
}

/** The table alone. For windows whose moments prefix sums cannot give. */
export function matchDirectly(scan: usize, p: i32, needed: i32, epsilon: f64): i32 {
  const length = number(scan, LENGTH);
  const window = prepareWindow(scan, p);
  const query = pointer(scan, QUERY);
  const row = pointer(scan, FIRST_DIAGONAL);
  count(scan, DTW_COMPUTED);
  const delta = number(scan, BAND);
  const matched = lcsWithin(window, length, query, length, epsilon, delta, needed, row);
  if (matched < 0) {
    count(scan, DTW_ABANDONED);
    return FINISHED;
  }
  store<i32>(scan + MATCHED, matched);
  return WITHIN;
}

function lanes(counts: v128): i32 {
  const pairs = i32x4.add(counts, v128.shuffle<i32>(counts, counts, 2, 3, 2, 3));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

/** Points of a window − mean outside the query's tube × deviation ± epsilon; may stop past `spare`. */
function missesOfWindow(
  window: usize,
  bytes: usize,
  mean: f32,
  deviation: f32,
  centre: usize,
  reach: usize,
  epsilon: f32,
  spare: i32,
): i32 {
  const means = f32x4.splat(mean);
  const deviations = f32x4.splat(deviation);
  const epsilons = f32x4.splat(epsilon);
  let misses = i32x4.splat(0);
  let at: usize = 0;
  const inLooks = bytes & ~(BYTES_PER_LOOK - 1);
  while (at < inLooks) {
    const stop = at + BYTES_PER_LOOK;
    for (; at < stop; at += 16) {
      const middle = f32x4.mul(v128.load(centre + at), deviations);
      const distance = f32x4.abs(f32x4.sub(f32x4.sub(v128.load(window + at), means), middle));
      // A comparison that holds is a lane of ones, which is −1.
      const excess = f32x4.sub(distance, f32x4.mul(v128.load(reach + at), deviations));
      misses = i32x4.sub(misses, f32x4.gt(excess, epsilons));
    }
    const soFar = lanes(misses);
    if (soFar > spare) return soFar;
  }
  let total = lanes(misses);
  for (; at < bytes; at += 4) {
    const distance = abs(load<f32>(window + at) - mean - load<f32>(centre + at) * deviation);
    if (distance - load<f32>(reach + at) * deviation > epsilon) total += 1;
  }
  return total;
}

/** Points of the query × deviation outside a window's tube − mean ± epsilon; may stop past `spare`. */
function missesOfQuery(
  query: usize,
  bytes: usize,
  mean: f32,
  deviation: f32,
  centre: usize,
  reach: usize,
  epsilon: f32,
  spare: i32,
): i32 {
  const means = f32x4.splat(mean);
  const deviations = f32x4.splat(deviation);
  const epsilons = f32x4.splat(epsilon);
  let misses = i32x4.splat(0);
  let at: usize = 0;
  const inLooks = bytes & ~(BYTES_PER_LOOK - 1);
  while (at < inLooks) {
    const stop = at + BYTES_PER_LOOK;
    for (; at < stop; at += 16) {
      const point = f32x4.mul(v128.load(query + at), deviations);
      const middle = f32x4.sub(v128.load(centre + at), means);
      const distance = f32x4.abs(f32x4.sub(point, middle));
      const excess = f32x4.sub(distance, v128.load(reach + at));
      misses = i32x4.sub(misses, f32x4.gt(excess, epsilons));
    }
    const soFar = lanes(misses);
    if (soFar > spare) return soFar;
  }
  let total = lanes(misses);
  for (; at < bytes; at += 4) {
    const distance = abs(load<f32>(query + at) * deviation - (load<f32>(centre + at) - mean));
    if (distance - load<f32>(reach + at) > epsilon) total += 1;
  }
  return total;
}
