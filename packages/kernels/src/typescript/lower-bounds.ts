/**
 * Cheap lower bounds on banded DTW: when the bound already exceeds the best distance found, the
 * warping table need not be computed at all.
 *
 * - LB_Kim (Kim, Park & Chu 2001, in the form of the UCR Suite, Rakthanmanon et al. 2012): every
 *   path crosses the three outermost "L-shaped" layers of cells at each end, so the cheapest cell
 *   of each layer is unavoidable. O(1).
 * - LB_Keogh (Keogh & Ratanamahatana 2005): a point that lies outside the band-wide envelope of the
 *   other series costs at least its distance to that envelope. O(m). "EQ" puts the envelope around
 *   the query, "EC" around the candidate.
 *
 * The envelope is a sliding minimum and maximum, computed in one pass with two monotone queues
 * (Lemire, "Streaming maximum-minimum filter using no more than three comparisons per element", 2006).
 */
import { requireBand, requireFiniteValues, requireValues } from '../check.ts';
import { KernelError } from '../problem.ts';

/** The sliding extremes of a series: entry i covers values i − band … i + band. */
export interface Envelope {
  readonly upper: Float64Array;
  readonly lower: Float64Array;
}

/**
 * Envelope of a finite series under a band (in points, 0 … n − 1).
 *
 * @throws KernelError EMPTY_SERIES, VALUE_NOT_FINITE, BAND_TOO_WIDE, BAD_PARAMETER
 */
export function computeEnvelope(values: Float64Array, band: number): Envelope {
  requireValues('The series', values);
  requireFiniteValues('values', values);
  requireBand('band', band, values.length);
  const envelope = {
    upper: new Float64Array(values.length),
    lower: new Float64Array(values.length),
  };
  fillEnvelope(values, values.length, band, envelope, new Int32Array(2 * values.length));
  return envelope;
}

/**
 * LB_Kim of two finite series of equal length, as a distance: at most their DTW distance under any
 * band. Under six points the layers of the two ends would overlap, and the bound is 0.
 *
 * @throws KernelError EMPTY_SERIES, LENGTH_MISMATCH
 */
export function lbKim(a: Float64Array, b: Float64Array): number {
  requireSameLength(a, b.length);
  return a.length < 6 ? 0 : Math.sqrt(kimSquared(a, 0, a.length, 0, 1, b, Infinity));
}

/**
 * LB_Keogh of a finite series against the envelope of another of equal length, as a distance: at
 * most their DTW distance under the envelope's band.
 *
 * @throws KernelError EMPTY_SERIES, LENGTH_MISMATCH
 */
export function lbKeogh(values: Float64Array, envelope: Envelope): number {
  requireSameLength(values, envelope.upper.length);
  requireSameLength(values, envelope.lower.length);
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) {
    const over = (values[i] as number) - (envelope.upper[i] as number);
    const under = (envelope.lower[i] as number) - (values[i] as number);
    const excess = over > under ? over : under;
    if (excess > 0) sum += excess * excess;
  }
  return Math.sqrt(sum);
}

/** The unchecked form of {@link computeEnvelope}: `queue` is scratch of at least 2 × length entries. */
export function fillEnvelope(
  values: Float64Array,
  length: number,
  band: number,
  envelope: Envelope,
  queue: Int32Array,
): void {
  const { upper, lower } = envelope;
  // Each queue holds positions whose values can still become an extreme; its head is the extreme.
  let highHead = 0;
  let highTail = 0;
  let lowHead = length;
  let lowTail = length;
  for (let i = 0; i < length + band; i += 1) {
    if (i < length) {
      const value = values[i] as number;
      while (highTail > highHead && (values[queue[highTail - 1] as number] as number) <= value) {
        highTail -= 1;
      }
      queue[highTail++] = i;
      while (lowTail > lowHead && (values[queue[lowTail - 1] as number] as number) >= value) {
        lowTail -= 1;
      }
      queue[lowTail++] = i;
    }
    const centre = i - band;
    if (centre < 0) continue;
    if ((queue[highHead] as number) < centre - band) highHead += 1;
    if ((queue[lowHead] as number) < centre - band) lowHead += 1;
    upper[centre] = values[queue[highHead] as number] as number;
    lower[centre] = values[queue[lowHead] as number] as number;
  }
}

/**
 * Squared LB_Kim between the window values[offset .. offset+m), taken as (x − mean) × inverse, and
 * the query's m ≥ 6 points. Returns early once the sum exceeds `bound`.
 */
export function kimSquared(
  values: Float64Array,
  offset: number,
  m: number,
  mean: number,
  inverse: number,
  query: Float64Array,
  bound: number,
): number {
  const a0 = ((values[offset] as number) - mean) * inverse;
  const z0 = ((values[offset + m - 1] as number) - mean) * inverse;
  const q0 = query[0] as number;
  const e0 = query[m - 1] as number;
  let sum = (a0 - q0) * (a0 - q0) + (z0 - e0) * (z0 - e0);
  if (sum > bound) return sum;
  const a1 = ((values[offset + 1] as number) - mean) * inverse;
  const z1 = ((values[offset + m - 2] as number) - mean) * inverse;
  const q1 = query[1] as number;
  const e1 = query[m - 2] as number;
  sum += layerOf2(a0, a1, q0, q1) + layerOf2(z0, z1, e0, e1);
  if (sum > bound) return sum;
  const a2 = ((values[offset + 2] as number) - mean) * inverse;
  const z2 = ((values[offset + m - 3] as number) - mean) * inverse;
  sum += layerOf3(a0, a1, a2, q0, q1, query[2] as number);
  return sum + layerOf3(z0, z1, z2, e0, e1, query[m - 3] as number);
}

function layerOf2(a0: number, a1: number, q0: number, q1: number): number {
  const c = (a1 - q1) * (a1 - q1);
  const d = (a1 - q0) * (a1 - q0);
  const e = (a0 - q1) * (a0 - q1);
  const best = d < e ? d : e;
  return c < best ? c : best;
}

function layerOf3(a0: number, a1: number, a2: number, q0: number, q1: number, q2: number): number {
  let best = (a2 - q2) * (a2 - q2);
  const b = (a2 - q1) * (a2 - q1);
  if (b < best) best = b;
  const c = (a2 - q0) * (a2 - q0);
  if (c < best) best = c;
  const d = (a1 - q2) * (a1 - q2);
  if (d < best) best = d;
  const e = (a0 - q2) * (a0 - q2);
  return e < best ? e : best;
}

/**
 * An envelope as centre ± reach. The distance of a value to it is |value − centre| − reach where
 * that is positive, which a processor computes without a branch to mispredict: about twice as fast
 * as comparing with both borders. It rounds: allow for a few units in the last place of the largest
 * value involved.
 */
export interface Tube {
  readonly centre: Float64Array;
  readonly reach: Float64Array;
}

/** Allocates a tube of `length` points. */
export function createTube(length: number): Tube {
  return { centre: new Float64Array(length), reach: new Float64Array(length) };
}

/** Fills `tube` with the envelope of values[0 .. length); `queue` as in {@link fillEnvelope}. */
export function fillTube(
  values: Float64Array,
  length: number,
  band: number,
  tube: Tube,
  queue: Int32Array,
): void {
  const { centre, reach } = tube;
  fillEnvelope(values, length, band, { upper: centre, lower: reach }, queue);
  for (let i = 0; i < length; i += 1) {
    const upper = centre[i] as number;
    const lower = reach[i] as number;
    centre[i] = (upper + lower) / 2;
    reach[i] = (upper - lower) / 2;
  }
}

/**
 * Squared LB_Keogh EQ of the window values[offset .. offset+m), taken as (x − mean) × inverse,
 * against the query's tube. Abandons every 16 points once the sum exceeds `bound`.
 */
export function keoghQuerySquared(
  values: Float64Array,
  offset: number,
  m: number,
  mean: number,
  inverse: number,
  tube: Tube,
  bound: number,
): number {
  const { centre, reach } = tube;
  // Twice each excess is summed (x + |x| is 2x or 0), so the sum is four times the bound.
  const stopAt = 4 * bound;
  let sum = 0;
  let i = 0;
  while (i < m) {
    const stop = i + 16 < m ? i + 16 : m;
    for (; i < stop; i += 1) {
      const z = ((values[offset + i] as number) - mean) * inverse;
      const excess = Math.abs(z - (centre[i] as number)) - (reach[i] as number);
      const twice = excess + Math.abs(excess);
      sum += twice * twice;
    }
    if (sum > stopAt) return sum / 4;
  }
  return sum / 4;
}

/**
 * Squared LB_Keogh EC of the query against the window's tube: tube[offset .. offset+m), taken as
 * (x − mean) × inverse. Abandons every 16 points once the sum exceeds `bound`.
 */
export function keoghCandidateSquared(
  query: Float64Array,
  m: number,
  tube: Tube,
  offset: number,
  mean: number,
  inverse: number,
  bound: number,
): number {
  const { centre, reach } = tube;
  const stopAt = 4 * bound;
  let sum = 0;
  let i = 0;
  while (i < m) {
    const stop = i + 16 < m ? i + 16 : m;
    for (; i < stop; i += 1) {
      const middle = ((centre[offset + i] as number) - mean) * inverse;
      const excess =
        Math.abs((query[i] as number) - middle) - (reach[offset + i] as number) * inverse;
      const twice = excess + Math.abs(excess);
      sum += twice * twice;
    }
    if (sum > stopAt) return sum / 4;
  }
  return sum / 4;
}

function requireSameLength(a: Float64Array, length: number): void {
  requireValues('The series', a);
  if (a.length === length) return;
  throw new KernelError(
    'LENGTH_MISMATCH',
    `The series have ${a.length} and ${length} points, but the bound needs equal lengths.`,
    'Pass two series of the same length.',
  );
}
