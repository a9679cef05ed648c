/**
 * Windows against the query by LCSS. A point of the window that lies more than epsilon outside the
 * query's delta-wide envelope can match nothing, so the points inside bound the LCSS from above
 * (Vlachos et al. 2003); the same holds for the query's points and the window's envelope. Windows
 * that can still win get the exact table, which stops when the rows left cannot reach the bound.
 */
import { boundedLcss } from './lcss-table.ts';
import { createTube, fillTube, type Tube } from './lower-bounds.ts';
import { WINDOW, type SeriesBlock } from './series-block.ts';
import {
  boundSlack,
  magnitudeOf,
  prepareWindow,
  type CascadeContext,
  type WindowCascade,
} from '../window-cascade.ts';

/** See the head of the file. */
export class LcssCascade implements WindowCascade {
  readonly #context: CascadeContext;
  readonly #epsilon: number;
  readonly #delta: number;
  readonly #queryMagnitude: number;
  readonly #queryTube: Tube;
  readonly #window: Float64Array;
  readonly #row: Int32Array;
  #flatDistance = -1;

  constructor(context: CascadeContext, epsilon: number, delta: number) {
    const m = context.query.length;
    this.#context = context;
    this.#epsilon = epsilon;
    this.#delta = delta;
    this.#queryMagnitude = magnitudeOf(context.query);
    this.#queryTube = createTube(m);
    fillTube(context.query, m, delta, this.#queryTube, new Int32Array(2 * m));
    this.#window = new Float64Array(m);
    this.#row = new Int32Array(m + 1);
  }

  scan(block: SeriesBlock, first: number, from: number, to: number): void {
    const { values, means, inverses, states, offset } = block;
    const { query, stats } = this.#context;
    const m = query.length;
    const magnitude = Math.max(block.magnitude, this.#queryMagnitude, this.#epsilon);
    const epsilon = this.#epsilon + boundSlack(this.#context, magnitude);
    let needed = neededMatches(this.#context);
    for (let p = from; p < to; p += 1) {
      const state = states[p] as number;
      if (state === WINDOW.nonFinite) {
        stats.nonFiniteWindows += 1;
        continue;
      }
      if (state === WINDOW.flat) {
        this.#scanFlat(first + p);
        needed = neededMatches(this.#context);
        continue;
      }
      if (state === WINDOW.usable) {
        const at = offset + p;
        const mean = means[p] as number;
        const inverse = inverses[p] as number;
        const spare = m - needed;
        if (missesOfWindow(values, at, m, mean, inverse, this.#queryTube, epsilon, spare) > spare) {
          stats.prunedKeoghQuery += 1;
          continue;
        }
        const tube = block.tube();
        if (missesOfQuery(query, m, tube, at, mean, inverse, epsilon, spare) > spare) {
          stats.prunedKeoghCandidate += 1;
          continue;
        }
      }
      this.#evaluate(first + p, needed);
      needed = neededMatches(this.#context);
    }
  }

  diagonalDistance(window: Float64Array): number {
    const { query } = this.#context;
    let matched = 0;
    for (let i = 0; i < query.length; i += 1) {
      const difference = (window[i] as number) - (query[i] as number);
      if (difference <= this.#epsilon && -difference <= this.#epsilon) matched += 1;
    }
    return 1 - matched / query.length;
  }

  exactDistance(window: Float64Array): number {
    return 1 - this.#lcss(window, 0) / window.length;
  }

  #lcss(window: Float64Array, needed: number): number {
    const { query } = this.#context;
    const m = query.length;
    return boundedLcss(window, m, query, m, this.#epsilon, this.#delta, needed, this.#row);
  }

  #scanFlat(start: number): void {
    const { selection, stats } = this.#context;
    if (this.#flatDistance < 0) this.#flatDistance = this.exactDistance(this.#window.fill(0));
    stats.flatWindows += 1;
    stats.dtwComputed += 1;
    selection.offer(start, this.#flatDistance);
  }

  #evaluate(start: number, needed: number): void {
    const { selection, stats } = this.#context;
    prepareWindow(this.#context, start, this.#window);
    stats.dtwComputed += 1;
    const matched = this.#lcss(this.#window, needed);
    if (matched < 0) stats.dtwAbandoned += 1;
    else selection.offer(start, 1 - matched / this.#window.length);
  }
}

/** The smallest LCSS that still matters; m + 1 when none does. */
export function neededMatches({ query, selection }: CascadeContext): number {
  const m = query.length;
  const { boundDistance, acceptsTies } = selection;
  if (boundDistance > 1) return 0;
  // The guess may be off by rounding; the loop compares the very numbers that are reported.
  let needed = Math.max(0, Math.floor((1 - boundDistance) * m) - 1);
  while (needed <= m) {
    const distance = 1 - needed / m;
    if (distance < boundDistance || (acceptsTies && distance === boundDistance)) break;
    needed += 1;
  }
  return needed;
}

/** Points of the window outside the query's tube ± epsilon; stops past `spare`. */
function missesOfWindow(
  values: Float64Array,
  offset: number,
  m: number,
  mean: number,
  inverse: number,
  tube: Tube,
  epsilon: number,
  spare: number,
): number {
  const { centre, reach } = tube;
  let misses = spare < 0 ? 1 : 0;
  for (let i = 0; i < m && misses <= spare; i += 1) {
    const z = ((values[offset + i] as number) - mean) * inverse;
    if (Math.abs(z - (centre[i] as number)) - (reach[i] as number) > epsilon) misses += 1;
  }
  return misses;
}

/** Points of the query outside the window's tube ± epsilon; stops past `spare`. */
function missesOfQuery(
  query: Float64Array,
  m: number,
  tube: Tube,
  offset: number,
  mean: number,
  inverse: number,
  epsilon: number,
  spare: number,
): number {
  const { centre, reach } = tube;
  let misses = 0;
  for (let i = 0; i < m && misses <= spare; i += 1) {
    const middle = ((centre[offset + i] as number) - mean) * inverse;
    const excess =
      Math.abs((query[i] as number) - middle) - (reach[offset + i] as number) * inverse;
    if (excess > epsilon) misses += 1;
  }
  return misses;
}
