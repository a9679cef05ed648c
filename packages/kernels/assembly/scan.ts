/**
 * The cascade over the windows of a block, see `src/dtw-cascade.ts`: LB_Kim, LB_Keogh around the query, LB_Keogh around the
 * window, early-abandoned DTW. It stops at every window that the caller must hear of, because what the caller decides
 * changes the limit.
 */
import { ensureTube } from './block';
import {
  keoghCandidateSquared,
  keoghQuerySquared,
  kimSquared,
  sumQueryBound,
  sumWindowBound,
} from './bounds';
import {
  BAND,
  CENTRE,
  count,
  DTW_ABANDONED,
  DTW_COMPUTED,
  INVERSES,
  LENGTH,
  MEANS,
  NORMALISE,
  number,
  OFFSET,
  OUTCOME,
  pointer,
  PRUNED_KEOGH_CANDIDATE,
  PRUNED_KEOGH_QUERY,
  PRUNED_KIM,
  QUERY,
  QUERY_CENTRE,
  QUERY_REACH,
  RAW,
  REACH,
  REMAINING,
  ROW_A,
  ROW_B,
  SQUARED,
  STATES,
  USABLE,
  VALUES,
  WINDOW,
} from './layout';
import { normaliseWindow } from './moments';
import { earlyAbandonedSquared } from './warping';

/** Nothing is left in the range. */
const FINISHED = 0;
/** The window's squared distance is in `SQUARED`, and within the limit. */
const WITHIN = 1;
/** The window is flat, not finite, or without trustworthy moments. */
const SPECIAL = 2;

/** LB_Kim uses three points at each end. */
const KIM_POINTS_MIN = 6;

/**
 * Judges positions from … to − 1 of the loaded block. Returns the first that the caller must hear of, with the reason in
 * `OUTCOME`, or `to`.
 */
export function scanWindows(scan: usize, from: i32, to: i32, limit: f64): i32 {
  const length = number(scan, LENGTH);
  const bytes = (<usize>length) << 3;
  const means = pointer(scan, MEANS);
  const inverses = pointer(scan, INVERSES);
  const states = pointer(scan, STATES);
  const values = pointer(scan, VALUES) + ((<usize>number(scan, OFFSET)) << 3);
  const query = pointer(scan, QUERY);
  const hasKim = length >= KIM_POINTS_MIN;
  const limits = f64x2.splat(limit);
  let prunedKim = 0;
  let p = from;
  while (p < to) {
    const at = (<usize>p) << 3;
    // Two windows at a time where both can be ended by LB_Kim, which is nearly always.
    const both = p + 1 < to && load<u16>(states + <usize>p) == 0;
    if (hasKim && load<u8>(states + <usize>p) == USABLE) {
      const kim = kimSquared(
        values + at,
        bytes,
        v128.load(means + at),
        v128.load(inverses + at),
        query,
      );
      const over = i64x2.bitmask(f64x2.gt(kim, limits));
      if ((over & 1) != 0) {
        const ended = both && over == 3 ? 2 : 1;
        prunedKim += ended;
        p += ended;
        continue;
      }
    }
    const outcome = judge(scan, p, limit);
    if (outcome != FINISHED) {
      store<i32>(scan + OUTCOME, outcome);
      store<i32>(scan + PRUNED_KIM, load<i32>(scan + PRUNED_KIM) + prunedKim);
      return p;
    }
    p += 1;
  }
  store<i32>(scan + OUTCOME, FINISHED);
  store<i32>(scan + PRUNED_KIM, load<i32>(scan + PRUNED_KIM) + prunedKim);
  return to;
}

/** What LB_Kim has not ended. */
function judge(scan: usize, p: i32, limit: f64): i32 {
  if (load<u8>(pointer(scan, STATES) + <usize>p) != USABLE) return SPECIAL;
  const bytes = (<usize>number(scan, LENGTH)) << 3;
  const shift = (<usize>(number(scan, OFFSET) + p)) << 3;
  const mean = load<f64>(pointer(scan, MEANS) + ((<usize>p) << 3));
  const inverse = load<f64>(pointer(scan, INVERSES) + ((<usize>p) << 3));
  const byQuery = keoghQuerySquared(
    pointer(scan, VALUES) + shift,
    bytes,
    mean,
    inverse,
    pointer(scan, QUERY_CENTRE),
    pointer(scan, QUERY_REACH),
    limit,
  );
  if (byQuery > limit) {
    count(scan, PRUNED_KEOGH_QUERY);
    return FINISHED;
  }
  ensureTube(scan);
  const centre = pointer(scan, CENTRE) + shift;
  const reach = pointer(scan, REACH) + shift;
  const query = pointer(scan, QUERY);
  const byWindow = keoghCandidateSquared(query, bytes, mean, inverse, centre, reach, limit);
  if (byWindow > limit) {
    count(scan, PRUNED_KEOGH_CANDIDATE);
    return FINISHED;
  }
  const window = prepareWindow(scan, p);
  const remaining = pointer(scan, REMAINING);
  if (byWindow > byQuery) {
    sumWindowBound(query, bytes, mean, inverse, centre, reach, remaining);
    return warp(scan, query, window, limit);
  }
  sumQueryBound(window, bytes, pointer(scan, QUERY_CENTRE), pointer(scan, QUERY_REACH), remaining);
  return warp(scan, window, query, limit);
}

/** The same without the bounds that rest on prefix sums. For windows whose moments they cannot give. */
export function judgeDirectly(scan: usize, p: i32, limit: f64): i32 {
  const bytes = (<usize>number(scan, LENGTH)) << 3;
  const window = prepareWindow(scan, p);
  const remaining = pointer(scan, REMAINING);
  sumQueryBound(window, bytes, pointer(scan, QUERY_CENTRE), pointer(scan, QUERY_REACH), remaining);
  if (load<f64>(remaining) > limit) {
    count(scan, PRUNED_KEOGH_QUERY);
    return FINISHED;
  }
  return warp(scan, window, pointer(scan, QUERY), limit);
}

function prepareWindow(scan: usize, p: i32): usize {
  const length = number(scan, LENGTH);
  const raw = pointer(scan, RAW) + ((<usize>(number(scan, OFFSET) + p)) << 3);
  const window = pointer(scan, WINDOW);
  if (number(scan, NORMALISE) != 0) normaliseWindow(raw, length, window);
  else memory.copy(window, raw, (<usize>length) << 3);
  return window;
}

function warp(scan: usize, rows: usize, columns: usize, limit: f64): i32 {
  count(scan, DTW_COMPUTED);
  const squared = earlyAbandonedSquared(
    rows,
    columns,
    number(scan, LENGTH),
    number(scan, BAND),
    limit,
    pointer(scan, REMAINING),
    pointer(scan, ROW_A),
    pointer(scan, ROW_B),
  );
  if (squared == Infinity) {
    count(scan, DTW_ABANDONED);
    return FINISHED;
  }
  store<f64>(scan + SQUARED, squared);
  return WITHIN;
}
