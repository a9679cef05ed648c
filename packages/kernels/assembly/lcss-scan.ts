/**
 * The cascade by LCSS over the windows of a block, see `src/typescript/lcss-cascade.ts`: points of the window outside the
 * query's tube, points of the query outside the window's tube, the table. As `scanWindows` it stops at every window that the
 * caller must hear of.
 */
import { ensureTube } from './block';
import {
  BAND,
  CENTRE,
  DTW_ABANDONED,
  DTW_COMPUTED,
  FINISHED,
  FIRST_DIAGONAL,
  INVERSE_BEHIND,
  LENGTH,
  MATCHED,
  OFFSET,
  OUTCOME,
  PRUNED_KEOGH_CANDIDATE,
  PRUNED_KEOGH_QUERY,
  QUERY,
  QUERY_CENTRE,
  QUERY_REACH,
  REACH,
  SPECIAL,
  STATES,
  USABLE,
  VALUES,
  WITHIN,
} from './layout';
import { count, judgedAt, number, pointer } from './record';
import { prepareWindow } from './scan';
import { lcsWithin } from './subsequences';

/** Points between two looks whether too many have missed. */
const POINTS_PER_LOOK: usize = 16;

/**
 * Judges positions from … to − 1 of the loaded block: only windows that match `needed` points matter. Values match within
 * `epsilon`; the tubes take `tubeEpsilon`, which allows for the rounding of the windows' moments. Returns as `scanWindows`
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
  for (let p = from; p < to; p++) {
    const outcome = judge(scan, p, needed, epsilon, tubeEpsilon);
    if (outcome == FINISHED) continue;
    store<i32>(scan + OUTCOME, outcome);
    return p;
  }
  store<i32>(scan + OUTCOME, FINISHED);
  return to;
}

function judge(scan: usize, p: i32, needed: i32, epsilon: f64, tubeEpsilon: f64): i32 {
  if (load<u8>(pointer(scan, STATES) + <usize>p) != USABLE) return SPECIAL;
  const length = number(scan, LENGTH);
  const spare = length - needed;
  const bytes = (<usize>length) << 3;
  const shift = (<usize>(number(scan, OFFSET) + p)) << 3;
  const mean = load<f64>(judgedAt(scan, p));
  const inverse = load<f64>(judgedAt(scan, p), INVERSE_BEHIND);
  const values = pointer(scan, VALUES) + shift;
  const queryCentre = pointer(scan, QUERY_CENTRE);
  const queryReach = pointer(scan, QUERY_REACH);
  // Without points to spare nothing matters any more.
  if (
    spare < 0 ||
    missesOfWindow(values, bytes, mean, inverse, queryCentre, queryReach, tubeEpsilon, spare) >
      spare
  ) {
    count(scan, PRUNED_KEOGH_QUERY);
    return FINISHED;
  }
  ensureTube(scan);
  const query = pointer(scan, QUERY);
  const centre = pointer(scan, CENTRE) + shift;
  const reach = pointer(scan, REACH) + shift;
  if (missesOfQuery(query, bytes, mean, inverse, centre, reach, tubeEpsilon, spare) > spare) {
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
  return <i32>(i64x2.extract_lane(counts, 0) + i64x2.extract_lane(counts, 1));
}

/** Points of a window, taken as (x − mean) × inverse, outside the query's tube ± epsilon; may stop past `spare`. */
function missesOfWindow(
  window: usize,
  bytes: usize,
  mean: f64,
  inverse: f64,
  centre: usize,
  reach: usize,
  epsilon: f64,
  spare: i32,
): i32 {
  const means = f64x2.splat(mean);
  const inverses = f64x2.splat(inverse);
  const epsilons = f64x2.splat(epsilon);
  let misses = i64x2.splat(0);
  let at: usize = 0;
  const inPairs = bytes & ~(POINTS_PER_LOOK * 8 - 1);
  while (at < inPairs) {
    const stop = at + POINTS_PER_LOOK * 8;
    for (; at < stop; at += 16) {
      const z = f64x2.mul(f64x2.sub(v128.load(window + at), means), inverses);
      const distance = f64x2.abs(f64x2.sub(z, v128.load(centre + at)));
      // A comparison that holds is a lane of ones, which is −1.
      const excess = f64x2.sub(distance, v128.load(reach + at));
      misses = i64x2.sub(misses, f64x2.gt(excess, epsilons));
    }
    const soFar = lanes(misses);
    if (soFar > spare) return soFar;
  }
  let total = lanes(misses);
  for (; at < bytes; at += 8) {
    const z = (load<f64>(window + at) - mean) * inverse;
    if (abs(z - load<f64>(centre + at)) - load<f64>(reach + at) > epsilon) total += 1;
  }
  return total;
}

/** Points of the query outside a window's tube ± epsilon; may stop past `spare`. */
function missesOfQuery(
  query: usize,
  bytes: usize,
  mean: f64,
  inverse: f64,
  centre: usize,
  reach: usize,
  epsilon: f64,
  spare: i32,
): i32 {
  const means = f64x2.splat(mean);
  const inverses = f64x2.splat(inverse);
  const epsilons = f64x2.splat(epsilon);
  let misses = i64x2.splat(0);
  let at: usize = 0;
  const inPairs = bytes & ~(POINTS_PER_LOOK * 8 - 1);
  while (at < inPairs) {
    const stop = at + POINTS_PER_LOOK * 8;
    for (; at < stop; at += 16) {
      const middle = f64x2.mul(f64x2.sub(v128.load(centre + at), means), inverses);
      const distance = f64x2.abs(f64x2.sub(v128.load(query + at), middle));
      const excess = f64x2.sub(distance, f64x2.mul(v128.load(reach + at), inverses));
      misses = i64x2.sub(misses, f64x2.gt(excess, epsilons));
    }
    const soFar = lanes(misses);
    if (soFar > spare) return soFar;
  }
  let total = lanes(misses);
  for (; at < bytes; at += 8) {
    const middle = (load<f64>(centre + at) - mean) * inverse;
    const distance = abs(load<f64>(query + at) - middle);
    if (distance - load<f64>(reach + at) * inverse > epsilon) total += 1;
  }
  return total;
}
