/**
 * Lower bounds on banded DTW, see `src/typescript/lower-bounds.ts`, on 32-bit floats: LB_Kim for four windows at a time,
 * LB_Keogh for four points. A window is in units of its block, the query in units of the query; a window's deviation turns
 * the one into the other. What rounding may add to a bound is in the limit that it is compared with: see `squaredLimit`.
 */
import {
  BLOCK_ERROR,
  DEVIATIONS,
  LENGTH,
  MEANS,
  OFFSET,
  QUERY_ERROR,
  ROUNDED_QUERY,
  SUM_ERROR,
  UNIT,
  VALUES,
} from './layout';
import { number, pointer, real } from './record';

/**
 * The squared bound above which a window cannot be within `bound` of the query, in units of the query. `inverse` is that of
 * the window's deviation: how much an error in units of the block is in units of the query.
 */
export function squaredLimit(scan: usize, bound: f64, inverse: f64): f32 {
  const limit = perDeviation(scan, bound) + inverse * real(scan, BLOCK_ERROR);
  return <f32>(limit * limit * real(scan, SUM_ERROR));
}

/** The same in units of the block. */
export function squaredBlockLimit(scan: usize, bound: f64, deviation: f64): f32 {
  const limit = perDeviation(scan, bound) * deviation + real(scan, BLOCK_ERROR);
  return <f32>(limit * limit * real(scan, SUM_ERROR));
}

/** The bound, without the part that depends on the window. */
function perDeviation(scan: usize, bound: f64): f64 {
  return bound / real(scan, UNIT) + real(scan, QUERY_ERROR);
}

function squareOfDifference(a: v128, b: v128): v128 {
  const difference = f32x4.sub(a, b);
  return f32x4.mul(difference, difference);
}

function layerOf2(a0: v128, a1: v128, q0: v128, q1: v128): v128 {
  const c = squareOfDifference(a1, q1);
  const d = squareOfDifference(a1, q0);
  const e = squareOfDifference(a0, q1);
  return f32x4.pmin(f32x4.pmin(d, e), c);
}

function layerOf3(a0: v128, a1: v128, a2: v128, q0: v128, q1: v128, q2: v128): v128 {
  const a = squareOfDifference(a2, q2);
  const b = squareOfDifference(a2, q1);
  const c = squareOfDifference(a2, q0);
  const d = squareOfDifference(a1, q2);
  const e = squareOfDifference(a0, q2);
  return f32x4.pmin(f32x4.pmin(f32x4.pmin(a, b), f32x4.pmin(c, d)), e);
}

function scaled(query: usize, deviations: v128): v128 {
  return f32x4.mul(v128.load32_splat(query), deviations);
}

/**
 * The first of the positions at … end (in bytes of an array with a 32-bit float for each position) whose window LB_Kim does not
 * put over `bound`. `query` has at least six values; windows are taken four at a time, and the outermost points alone often
 * end all four.
 */
export function endOfKim(scan: usize, from: usize, end: usize, bound: f64): usize {
  const bytes = (<usize>number(scan, LENGTH)) << 2;
  const values = pointer(scan, VALUES) + ((<usize>number(scan, OFFSET)) << 2);
  const means = pointer(scan, MEANS);
  const deviations = pointer(scan, DEVIATIONS);
  const query = pointer(scan, ROUNDED_QUERY);
  const queryEnd = query + bytes;
  const factors = f32x4.splat(<f32>perDeviation(scan, bound));
  const error = f32x4.splat(<f32>real(scan, BLOCK_ERROR));
  const sumError = f32x4.splat(<f32>real(scan, SUM_ERROR));
  const firstPoint = v128.load32_splat(query);
  const lastPoint = v128.load32_splat(queryEnd - 4);
  for (let at = from; at < end; at += 16) {
    const window = values + at;
    const last = window + bytes;
    const mean = v128.load(means + at);
    const deviation = v128.load(deviations + at);
    const limit = f32x4.add(f32x4.mul(deviation, factors), error);
    const limits = f32x4.mul(f32x4.mul(limit, limit), sumError);
    const a0 = f32x4.sub(v128.load(window), mean);
    const z0 = f32x4.sub(v128.load(last - 4), mean);
    const q0 = f32x4.mul(firstPoint, deviation);
    const e0 = f32x4.mul(lastPoint, deviation);
    const outermost = f32x4.add(squareOfDifference(a0, q0), squareOfDifference(z0, e0));
    if (i32x4.all_true(f32x4.gt(outermost, limits))) continue;
    const a1 = f32x4.sub(v128.load(window + 4), mean);
    const z1 = f32x4.sub(v128.load(last - 8), mean);
    const q1 = scaled(query + 4, deviation);
    const e1 = scaled(queryEnd - 8, deviation);
    const second = f32x4.add(layerOf2(a0, a1, q0, q1), layerOf2(z0, z1, e0, e1));
    const two = f32x4.add(outermost, second);
    const a2 = f32x4.sub(v128.load(window + 8), mean);
    const z2 = f32x4.sub(v128.load(last - 12), mean);
    const q2 = scaled(query + 8, deviation);
    const e2 = scaled(queryEnd - 12, deviation);
    const third = f32x4.add(layerOf3(a0, a1, a2, q0, q1, q2), layerOf3(z0, z1, z2, e0, e1, e2));
    const over = i32x4.bitmask(f32x4.gt(f32x4.add(two, third), limits));
    if (over != 15) return min(end, at + ((<usize>ctz(~over)) << 2));
  }
  return end;
}

function laneSum(sum: v128): f32 {
  const pairs = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 2, 3));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

function squaredExcess(distance: v128, reach: v128): v128 {
  const excess = f32x4.pmax(f32x4.splat(0), f32x4.sub(distance, reach));
  return f32x4.mul(excess, excess);
}

/** Bytes of the points between two looks whether the sum is over the limit: what the loops below do at once. */
const BYTES_PER_LOOK: usize = 16 * 4;

/** Squared LB_Keogh of a window, taken as (x − mean) × inverse, against the query's tube; may end early over `limit`. */
export function keoghQuerySquared(
  window: usize,
  bytes: usize,
  mean: f32,
  inverse: f32,
  centre: usize,
  reach: usize,
  limit: f32,
): f32 {
  const means = f32x4.splat(mean);
  const inverses = f32x4.splat(inverse);
  let sum = f32x4.splat(0);
  let other = f32x4.splat(0);
  let at: usize = 0;
  const inLooks = bytes & ~(BYTES_PER_LOOK - 1);
  for (; at < inLooks; at += BYTES_PER_LOOK) {
    const x = window + at;
    const c = centre + at;
    const r = reach + at;
    sum = f32x4.add(sum, windowExcess(x, c, r, means, inverses));
    other = f32x4.add(other, windowExcess(x + 16, c + 16, r + 16, means, inverses));
    sum = f32x4.add(sum, windowExcess(x + 32, c + 32, r + 32, means, inverses));
    other = f32x4.add(other, windowExcess(x + 48, c + 48, r + 48, means, inverses));
    const soFar = laneSum(f32x4.add(sum, other));
    if (soFar > limit) return soFar;
  }
  let total = laneSum(f32x4.add(sum, other));
  for (; at < bytes; at += 4) {
    const z = (load<f32>(window + at) - mean) * inverse;
    const excess = max<f32>(0, abs(z - load<f32>(centre + at)) - load<f32>(reach + at));
    total += excess * excess;
  }
  return total;
}

function windowExcess(
  window: usize,
  centre: usize,
  reach: usize,
  means: v128,
  inverses: v128,
): v128 {
  const z = f32x4.mul(f32x4.sub(v128.load(window), means), inverses);
  return squaredExcess(f32x4.abs(f32x4.sub(z, v128.load(centre))), v128.load(reach));
}

/** Squared LB_Keogh of the query × `deviation` against a window's tube − mean; may end early over `limit`. */
export function keoghCandidateSquared(
  query: usize,
  bytes: usize,
  mean: f32,
  deviation: f32,
  centre: usize,
  reach: usize,
  limit: f32,
): f32 {
  const means = f32x4.splat(mean);
  const deviations = f32x4.splat(deviation);
  let sum = f32x4.splat(0);
  let other = f32x4.splat(0);
  let at: usize = 0;
  const inLooks = bytes & ~(BYTES_PER_LOOK - 1);
  for (; at < inLooks; at += BYTES_PER_LOOK) {
    const q = query + at;
    const c = centre + at;
    const r = reach + at;
    sum = f32x4.add(sum, queryExcess(q, c, r, means, deviations));
    other = f32x4.add(other, queryExcess(q + 16, c + 16, r + 16, means, deviations));
    sum = f32x4.add(sum, queryExcess(q + 32, c + 32, r + 32, means, deviations));
    other = f32x4.add(other, queryExcess(q + 48, c + 48, r + 48, means, deviations));
    const soFar = laneSum(f32x4.add(sum, other));
    if (soFar > limit) return soFar;
  }
  let total = laneSum(f32x4.add(sum, other));
  for (; at < bytes; at += 4) {
    const middle = load<f32>(centre + at) - mean;
    const distance = abs(load<f32>(query + at) * deviation - middle);
    const excess = max<f32>(0, distance - load<f32>(reach + at));
    total += excess * excess;
  }
  return total;
}

function queryExcess(
  query: usize,
  centre: usize,
  reach: usize,
  means: v128,
  deviations: v128,
): v128 {
  const point = f32x4.mul(v128.load(query), deviations);
  const middle = f32x4.sub(v128.load(centre), means);
  return squaredExcess(f32x4.abs(f32x4.sub(point, middle)), v128.load(reach));
}

/** Suffix sums of what each point of the normalised window costs at least against the query's tube; `bytes` / 4 + 1 of them. */
export function sumQueryBound(
  window: usize,
  bytes: usize,
  centre: usize,
  reach: usize,
  remaining: usize,
): void {
  let sum: f32 = 0;
  store<f32>(remaining + bytes, 0);
  let at = bytes;
  for (; (at & 15) != 0;) {
    at -= 4;
    const distance = abs(load<f32>(window + at) - load<f32>(centre + at));
    const excess = max<f32>(0, distance - load<f32>(reach + at));
    sum += excess * excess;
    store<f32>(remaining + at, sum);
  }
  while (at > 0) {
    at -= 16;
    const distance = f32x4.abs(f32x4.sub(v128.load(window + at), v128.load(centre + at)));
    sum = storeSuffixes(remaining + at, squaredExcess(distance, v128.load(reach + at)), sum);
  }
}

/** The same for each point of the query against the window's tube, taken as (x − mean) × inverse. */
export function sumWindowBound(
  query: usize,
  bytes: usize,
  mean: f32,
  inverse: f32,
  centre: usize,
  reach: usize,
  remaining: usize,
): void {
  let sum: f32 = 0;
  store<f32>(remaining + bytes, 0);
  let at = bytes;
  for (; (at & 15) != 0;) {
    at -= 4;
    const middle = (load<f32>(centre + at) - mean) * inverse;
    const distance = abs(load<f32>(query + at) - middle);
    const excess = max<f32>(0, distance - load<f32>(reach + at) * inverse);
    sum += excess * excess;
    store<f32>(remaining + at, sum);
  }
  const means = f32x4.splat(mean);
  const inverses = f32x4.splat(inverse);
  while (at > 0) {
    at -= 16;
    const middle = f32x4.mul(f32x4.sub(v128.load(centre + at), means), inverses);
    const distance = f32x4.abs(f32x4.sub(v128.load(query + at), middle));
    const costs = squaredExcess(distance, f32x4.mul(v128.load(reach + at), inverses));
    sum = storeSuffixes(remaining + at, costs, sum);
  }
}

/** Stores the suffix sums of four costs, `behind` being the sum of those behind them. Returns the first. */
function storeSuffixes(target: usize, costs: v128, behind: f32): f32 {
  const zeros = f32x4.splat(0);
  const pairs = f32x4.add(costs, v128.shuffle<f32>(costs, zeros, 1, 2, 3, 4));
  const fours = f32x4.add(pairs, v128.shuffle<f32>(pairs, zeros, 2, 3, 4, 5));
  const sums = f32x4.add(fours, f32x4.splat(behind));
  v128.store(target, sums);
  return f32x4.extract_lane(sums, 0);
}
