/**
 * Windows against the query by banded DTW, cheapest test first: LB_Kim, LB_Keogh around the query,
 * LB_Keogh around the window, early-abandoned DTW (the order of the UCR Suite, Rakthanmanon et al.
 * 2012, with the DTW of Herrmann & Webb 2020). The bounds use prefix-sum moments and allow for
 * their error; the DTW itself runs on the exactly normalised window.
 */
import {
  createDtwScratch,
  earlyAbandonedDtwSquared,
  type DtwScratch,
} from './early-abandoned-dtw.ts';
import {
  createTube,
  fillTube,
  keoghCandidateSquared,
  keoghQuerySquared,
  kimSquared,
  type Tube,
} from './lower-bounds.ts';
import { WINDOW, type SeriesBlock } from './series-block.ts';
import {
  boundSlack,
  magnitudeOf,
  prepareWindow,
  squaredLimit,
  type CascadeContext,
  type WindowCascade,
} from '../window-cascade.ts';

/** See the head of the file. */
export class DtwCascade implements WindowCascade {
  readonly #context: CascadeContext;
  readonly #band: number;
  readonly #queryMagnitude: number;
  readonly #queryTube: Tube;
  readonly #window: Float64Array;
  readonly #remaining: Float64Array;
  readonly #nothingRemaining: Float64Array;
  readonly #scratch: DtwScratch;
  #slack = 0;
  #flatDistance = -1;

  constructor(context: CascadeContext, band: number) {
    const m = context.query.length;
    this.#context = context;
    this.#band = band;
    this.#queryMagnitude = magnitudeOf(context.query);
    this.#queryTube = createTube(m);
    fillTube(context.query, m, band, this.#queryTube, new Int32Array(2 * m));
    this.#window = new Float64Array(m);
    this.#remaining = new Float64Array(m + 1);
    this.#nothingRemaining = new Float64Array(m + 1);
    this.#scratch = createDtwScratch(m);
  }

  scan(block: SeriesBlock, first: number, from: number, to: number): void {
    const { values, means, inverses, states, offset } = block;
    const { query, stats } = this.#context;
    const queryTube = this.#queryTube;
    const m = query.length;
    this.#slack = boundSlack(this.#context, Math.max(block.magnitude, this.#queryMagnitude));
    let prunedKim = 0;
    let prunedKeoghQuery = 0;
    let limit = this.#limit();
    for (let p = from; p < to; p += 1) {
      const state = states[p] as number;
      if (state !== WINDOW.usable) {
        this.#scanSpecial(state, first + p);
        limit = this.#limit();
        continue;
      }
      const at = offset + p;
      const mean = means[p] as number;
      const inverse = inverses[p] as number;
      if (m >= 6 && kimSquared(values, at, m, mean, inverse, query, limit) > limit) {
        prunedKim += 1;
        continue;
      }
      const byQuery = keoghQuerySquared(values, at, m, mean, inverse, queryTube, limit);
      if (byQuery > limit) {
        prunedKeoghQuery += 1;
        continue;
      }
      const tube = block.tube();
      const byWindow = keoghCandidateSquared(query, m, tube, at, mean, inverse, limit);
      if (byWindow > limit) {
        stats.prunedKeoghCandidate += 1;
        continue;
      }
      prepareWindow(this.#context, first + p, this.#window);
      if (byWindow > byQuery) {
        this.#sumWindowBound(tube, at, mean, inverse);
        this.#evaluate(first + p, query, this.#window, limit);
      } else {
        this.#sumQueryBound();
        this.#evaluate(first + p, this.#window, query, limit);
      }
      limit = this.#limit();
    }
    stats.prunedKim += prunedKim;
    stats.prunedKeoghQuery += prunedKeoghQuery;
  }

  diagonalDistance(window: Float64Array): number {
    const { query } = this.#context;
    let sum = 0;
    for (let i = 0; i < query.length; i += 1) {
      const difference = (window[i] as number) - (query[i] as number);
      sum += difference * difference;
    }
    return Math.sqrt(sum);
  }

  exactDistance(window: Float64Array): number {
    const { query } = this.#context;
    const none = this.#nothingRemaining;
    return Math.sqrt(
      earlyAbandonedDtwSquared(window, query, this.#band, Infinity, none, this.#scratch),
    );
  }

  #limit(): number {
    return squaredLimit(this.#context, this.#slack);
  }

  #scanSpecial(state: number, start: number): void {
    const { selection, stats } = this.#context;
    if (state === WINDOW.nonFinite) {
      stats.nonFiniteWindows += 1;
    } else if (state === WINDOW.flat) {
      // All flat windows are the same zero vector, so one computation serves them all.
      if (this.#flatDistance < 0) this.#flatDistance = this.exactDistance(this.#window.fill(0));
      stats.flatWindows += 1;
      stats.dtwComputed += 1;
      selection.offer(start, this.#flatDistance);
    } else {
      const limit = this.#limit();
      prepareWindow(this.#context, start, this.#window);
      this.#sumQueryBound();
      if ((this.#remaining[0] as number) > limit) stats.prunedKeoghQuery += 1;
      else this.#evaluate(start, this.#window, this.#context.query, limit);
    }
  }

  #evaluate(start: number, rows: Float64Array, columns: Float64Array, limit: number): void {
    const { selection, stats } = this.#context;
    stats.dtwComputed += 1;
    const squared = earlyAbandonedDtwSquared(
      rows,
      columns,
      this.#band,
      limit,
      this.#remaining,
      this.#scratch,
    );
    if (squared === Infinity) stats.dtwAbandoned += 1;
    else selection.offer(start, Math.sqrt(squared));
  }

  /** Suffix sums of what each point of the window costs at least: its excess over the query's tube. */
  #sumQueryBound(): void {
    const { centre, reach } = this.#queryTube;
    const window = this.#window;
    const remaining = this.#remaining;
    let sum = 0;
    for (let i = window.length - 1; i >= 0; i -= 1) {
      const excess = Math.abs((window[i] as number) - (centre[i] as number)) - (reach[i] as number);
      if (excess > 0) sum += excess * excess;
      remaining[i] = sum;
    }
  }

  /** The same for each point of the query, against the window's tube. */
  #sumWindowBound(tube: Tube, offset: number, mean: number, inverse: number): void {
    const { centre, reach } = tube;
    const { query } = this.#context;
    const remaining = this.#remaining;
    let sum = 0;
    for (let i = query.length - 1; i >= 0; i -= 1) {
      const middle = ((centre[offset + i] as number) - mean) * inverse;
      const excess =
        Math.abs((query[i] as number) - middle) - (reach[offset + i] as number) * inverse;
      if (excess > 0) sum += excess * excess;
      remaining[i] = sum;
    }
  }
}
