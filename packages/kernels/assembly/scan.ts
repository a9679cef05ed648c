/**
 * The cascade over the windows of a block, see `src/typescript/dtw-cascade.ts`: LB_Kim, LB_Keogh around the query, LB_Keogh around the
 * window, early-abandoned DTW. It stops at every window that the caller must hear of, because what the caller decides
 * changes the limit.
 */
import { ensureTube } from './block';
import { keoghCandidateSquared, keoghQuerySquared, sumQueryBound, sumWindowBound } from './bounds';
import {
  BAND,
  CENTRE,
  DTW_ABANDONED,
  DTW_COMPUTED,
  FINISHED,
  FIRST_DIAGONAL,
  INVERSE_BEHIND,
  KIM_BEHIND,
  LENGTH,
  NORMALISE,
  OFFSET,
  OUTCOME,
  PAIR_BYTES,
  PRUNED_KEOGH_CANDIDATE,
  PRUNED_KEOGH_QUERY,
  PRUNED_KIM,
  QUERY,
  QUERY_BACKWARDS,
  QUERY_CENTRE,
  QUERY_REACH,
  RAW,
  REACH,
  REMAINING,
  SECOND_DIAGONAL,
  SPECIAL,
  SQUARED,
  STATES,
  THIRD_DIAGONAL,
  USABLE,
  VALUES,
  WINDOW,
  WINDOW_BACKWARDS,
  WITHIN,
} from './layout';
import { count, judgedAt, number, pointer } from './record';
import { normaliseWindow } from './moments';
import { warpWithin } from './warping';

/**
 * Judges positions from … to − 1 of the loaded block. Returns the first that the caller must hear of, with the reason in
 * `OUTCOME`, or `to`.
 */
export function scanWindows(scan: usize, from: i32, to: i32, limit: f64): i32 {
  const limits = f64x2.splat(limit);
  let prunedKim = 0;
  let p = from;
  while (p < to) {
    // Four windows at a time where LB_Kim ends them all, which is the usual case.
    if ((p & 1) == 0) {
      let at = judgedAt(scan, p);
      while (p + 4 <= to) {
        const over = v128.and(
          f64x2.gt(v128.load(at, KIM_BEHIND), limits),
          f64x2.gt(v128.load(at, KIM_BEHIND + PAIR_BYTES), limits),
        );
        if (!i64x2.all_true(over)) break;
        prunedKim += 4;
        p += 4;
        at += 2 * PAIR_BYTES;
      }
    }
    // An odd position is the one behind a window that was returned.
    const stop = min(p + 4 - (p & 1), to);
    for (; p < stop; p++) {
      if (load<f64>(judgedAt(scan, p), KIM_BEHIND) > limit) {
        prunedKim += 1;
        continue;
      }
      const outcome = judge(scan, p, limit);
      if (outcome == FINISHED) continue;
      store<i32>(scan + OUTCOME, outcome);
      store<i32>(scan + PRUNED_KIM, load<i32>(scan + PRUNED_KIM) + prunedKim);
      return p;
    }
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
  const mean = load<f64>(judgedAt(scan, p));
  const inverse = load<f64>(judgedAt(scan, p), INVERSE_BEHIND);
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
    const backwards = pointer(scan, WINDOW_BACKWARDS);
    reverse(window, bytes, backwards);
    return warp(scan, query, backwards, limit);
  }
  sumQueryBound(window, bytes, pointer(scan, QUERY_CENTRE), pointer(scan, QUERY_REACH), remaining);
  return warp(scan, window, pointer(scan, QUERY_BACKWARDS), limit);
}

function reverse(values: usize, bytes: usize, target: usize): void {
  for (let at: usize = 0; at < bytes; at += 8) {
    store<f64>(target + bytes - 8 - at, load<f64>(values + at));
  }
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
  return warp(scan, window, pointer(scan, QUERY_BACKWARDS), limit);
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

function warp(scan: usize, rows: usize, backwards: usize, limit: f64): i32 {
  count(scan, DTW_COMPUTED);
  const length = number(scan, LENGTH);
  const squared = warpWithin(
    rows,
    length,
    backwards,
    length,
    number(scan, BAND),
    limit,
    pointer(scan, REMAINING),
    pointer(scan, FIRST_DIAGONAL),
    pointer(scan, SECOND_DIAGONAL),
    pointer(scan, THIRD_DIAGONAL),
  );
  if (squared == Infinity) {
    count(scan, DTW_ABANDONED);
    return FINISHED;
  }
  store<f64>(scan + SQUARED, squared);
  return WITHIN;
}
