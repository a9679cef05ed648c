/** Lower bounds on banded DTW, see `src/typescript/lower-bounds.ts`; LB_Kim for two windows at a time, LB_Keogh for two points. */

function squareOfDifference(a: v128, b: v128): v128 {
  const difference = f64x2.sub(a, b);
  return f64x2.mul(difference, difference);
}

function layerOf2(a0: v128, a1: v128, q0: v128, q1: v128): v128 {
  const c = squareOfDifference(a1, q1);
  const d = squareOfDifference(a1, q0);
  const e = squareOfDifference(a0, q1);
  return f64x2.pmin(f64x2.pmin(d, e), c);
}

function layerOf3(a0: v128, a1: v128, a2: v128, q0: v128, q1: v128, q2: v128): v128 {
  const a = squareOfDifference(a2, q2);
  const b = squareOfDifference(a2, q1);
  const c = squareOfDifference(a2, q0);
  const d = squareOfDifference(a1, q2);
  const e = squareOfDifference(a0, q2);
  return f64x2.pmin(f64x2.pmin(f64x2.pmin(a, b), f64x2.pmin(c, d)), e);
}

function normalised(at: usize, mean: v128, inverse: v128): v128 {
  return f64x2.mul(f64x2.sub(v128.load(at), mean), inverse);
}

/** Squared LB_Kim of the windows that start at `window` and one value later, of `bytes` bytes each (at least six values). */
export function kimSquared(
  window: usize,
  bytes: usize,
  mean: v128,
  inverse: v128,
  query: usize,
): v128 {
  const last = window + bytes;
  const queryEnd = query + bytes;
  const a0 = normalised(window, mean, inverse);
  const z0 = normalised(last - 8, mean, inverse);
  const q0 = v128.load_splat<f64>(query);
  const e0 = v128.load_splat<f64>(queryEnd - 8);
  const a1 = normalised(window + 8, mean, inverse);
  const z1 = normalised(last - 16, mean, inverse);
  const q1 = v128.load_splat<f64>(query + 8);
  const e1 = v128.load_splat<f64>(queryEnd - 16);
  const a2 = normalised(window + 16, mean, inverse);
  const z2 = normalised(last - 24, mean, inverse);
  const q2 = v128.load_splat<f64>(query + 16);
  const e2 = v128.load_splat<f64>(queryEnd - 24);
  let sum = f64x2.add(squareOfDifference(a0, q0), squareOfDifference(z0, e0));
  sum = f64x2.add(sum, f64x2.add(layerOf2(a0, a1, q0, q1), layerOf2(z0, z1, e0, e1)));
  sum = f64x2.add(sum, layerOf3(a0, a1, a2, q0, q1, q2));
  return f64x2.add(sum, layerOf3(z0, z1, z2, e0, e1, e2));
}

function laneSum(sum: v128): f64 {
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

function excessSquared(distance: v128, reach: v128): v128 {
  const excess = f64x2.pmax(f64x2.splat(0), f64x2.sub(distance, reach));
  return f64x2.mul(excess, excess);
}

/** Points between two looks whether the sum is over the limit. */
const POINTS_PER_LOOK: usize = 16;

/** Squared LB_Keogh of a window, taken as (x − mean) × inverse, against the query's tube; may end early over `limit`. */
export function keoghQuerySquared(
  window: usize,
  bytes: usize,
  mean: f64,
  inverse: f64,
  centre: usize,
  reach: usize,
  limit: f64,
): f64 {
  const means = f64x2.splat(mean);
  const inverses = f64x2.splat(inverse);
  let sum = f64x2.splat(0);
  let other = f64x2.splat(0);
  let at: usize = 0;
  const inPairs = bytes & ~(POINTS_PER_LOOK * 8 - 1);
  while (at < inPairs) {
    const stop = at + POINTS_PER_LOOK * 8;
    for (; at < stop; at += 32) {
      const z = normalised(window + at, means, inverses);
      const y = normalised(window + at + 16, means, inverses);
      const d = f64x2.abs(f64x2.sub(z, v128.load(centre + at)));
      const e = f64x2.abs(f64x2.sub(y, v128.load(centre + at, 16)));
      sum = f64x2.add(sum, excessSquared(d, v128.load(reach + at)));
      other = f64x2.add(other, excessSquared(e, v128.load(reach + at, 16)));
    }
    const soFar = laneSum(f64x2.add(sum, other));
    if (soFar > limit) return soFar;
  }
  let total = laneSum(f64x2.add(sum, other));
  for (; at < bytes; at += 8) {
    const z = (load<f64>(window + at) - mean) * inverse;
    const excess = max(0.0, abs(z - load<f64>(centre + at)) - load<f64>(reach + at));
    total += excess * excess;
  }
  return total;
}

/** Squared LB_Keogh of the query against a window's tube, taken as (x − mean) × inverse; may end early over `limit`. */
export function keoghCandidateSquared(
  query: usize,
  bytes: usize,
  mean: f64,
  inverse: f64,
  centre: usize,
  reach: usize,
  limit: f64,
): f64 {
  const means = f64x2.splat(mean);
  const inverses = f64x2.splat(inverse);
  let sum = f64x2.splat(0);
  let at: usize = 0;
  const inPairs = bytes & ~(POINTS_PER_LOOK * 8 - 1);
  while (at < inPairs) {
    const stop = at + POINTS_PER_LOOK * 8;
    for (; at < stop; at += 16) {
      const middle = normalised(centre + at, means, inverses);
      const d = f64x2.abs(f64x2.sub(v128.load(query + at), middle));
      sum = f64x2.add(sum, excessSquared(d, f64x2.mul(v128.load(reach + at), inverses)));
    }
    const soFar = laneSum(sum);
    if (soFar > limit) return soFar;
  }
  let total = laneSum(sum);
  for (; at < bytes; at += 8) {
    const middle = (load<f64>(centre + at) - mean) * inverse;
    const reached = load<f64>(reach + at) * inverse;
    const excess = max(0.0, abs(load<f64>(query + at) - middle) - reached);
    total += excess * excess;
  }
  return total;
}

/** Suffix sums of what each point of the normalised window costs at least against the query's tube. */
export function sumQueryBound(
  window: usize,
  bytes: usize,
  centre: usize,
  reach: usize,
  remaining: usize,
): void {
  let sum: f64 = 0;
  store<f64>(remaining + bytes, 0);
  for (let at: usize = bytes; at > 0; at -= 8) {
    const i = at - 8;
    const excess = max(
      0.0,
      abs(load<f64>(window + i) - load<f64>(centre + i)) - load<f64>(reach + i),
    );
    sum += excess * excess;
    store<f64>(remaining + i, sum);
  }
}

/** The same for each point of the query against the window's tube. */
export function sumWindowBound(
  query: usize,
  bytes: usize,
  mean: f64,
  inverse: f64,
  centre: usize,
  reach: usize,
  remaining: usize,
): void {
  let sum: f64 = 0;
  store<f64>(remaining + bytes, 0);
  for (let at: usize = bytes; at > 0; at -= 8) {
    const i = at - 8;
    const middle = (load<f64>(centre + i) - mean) * inverse;
    const excess = max(0.0, abs(load<f64>(query + i) - middle) - load<f64>(reach + i) * inverse);
    sum += excess * excess;
    store<f64>(remaining + i, sum);
  }
}
