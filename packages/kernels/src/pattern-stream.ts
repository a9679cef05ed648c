/**
 * A search over a series that is still growing: points are pushed as they arrive, and each push says which matches have
 * become certain. All matches together are, whatever the sizes of the pushes, those of the batch search over all points.
 *
 * With `maximumDistance` it is a range search under the exclusion zone. A match is final, and told once, as soon as
 * nothing that may still come can take its place: all windows that start nearer than the zone are complete, and none of
 * them that is still in the choice is better. `finish` ends the series and tells the others. With a zone of 0 or 1 each
 * window within the distance is told when its last point arrives.
 *
 * Without `maximumDistance` it follows the best window: each window that beats all before it is told at once.
 *
 * Cost of a push: O(m) and O(1) for each of its points, and for windows that pass the lower bounds an early-abandoned
 * DTW. Memory: a few times m, and the windows that are within the distance and not decided yet, which are those of one
 * run of overlapping matches.
 */
import { DtwCascade } from './typescript/dtw-cascade.ts';
import { byDistanceThenStart, ZoneMarks } from './greedy-selection.ts';
import { LcssCascade } from './typescript/lcss-cascade.ts';
import { emptyStats, type PatternMatch, type PatternSearchStats } from './pattern-result.ts';
import { describeMatch } from './pattern-search.ts';
import { KernelError } from './problem.ts';
import {
  resolveSearchParameters,
  type PatternSearchOptions,
  type SearchParameters,
} from './search-parameters.ts';
import { SeriesBlock } from './typescript/series-block.ts';
import type { CascadeContext, WindowCascade } from './window-cascade.ts';
import { zNormalise } from './znormalise.ts';

/** Windows that may wait for their neighbours at once. A run of matches that long is a distance set too large. */
export const OPEN_WINDOWS_MAX: number = 2 ** 18;

/** What a stream looks for; the fields mean what they mean in a search. */
export type PatternStreamOptions = Pick<
  PatternSearchOptions,
  | 'query'
  | 'algorithm'
  | 'band'
  | 'epsilon'
  | 'delta'
  | 'exclusionZone'
  | 'normalise'
  | 'maximumDistance'
>;

/** A running search; see the head of the file. */
export class PatternStream {
  /** All parameters with their defaults filled in. */
  readonly parameters: SearchParameters;
  readonly #stats = emptyStats();
  readonly #buffer: Float64Array;
  readonly #block: SeriesBlock;
  readonly #cascade: WindowCascade;
  readonly #selection: { boundDistance: number; acceptsTies: boolean };
  readonly #followsBest: boolean;
  /** Row of the series that the buffer begins with, and how many of its points are there. */
  #base = 0;
  #filled = 0;
  /** Within the distance and not decided, by ascending start. */
  #open: PatternMatch[] = [];
  #told: PatternMatch[] = [];
  /** As soon as so many windows are complete, an open one may have become final. */
  #nextSettlement = Infinity;
  #best: PatternMatch | undefined;

  /** @throws KernelError as `searchPattern` */
  constructor(options: PatternStreamOptions) {
    const { query } = options;
    // A series of the query's length is the least that the checks accept; the real one is still to come.
    this.parameters = resolveSearchParameters({ ...options, series: query });
    const { length, algorithm, epsilon = 0, maximumDistance } = this.parameters;
    const band = this.parameters.band ?? this.parameters.delta ?? 0;
    const normalise = this.parameters.normalise === 'z';
    this.#followsBest = maximumDistance === Infinity;
    const positionsMax = Math.max(length, 64);
    this.#buffer = new Float64Array(length - 1 + positionsMax);
    this.#block = new SeriesBlock(this.#buffer, length, band, normalise, positionsMax);
    const prepared = normalise ? zNormalise(query) : query.slice();
    const selection = {
      boundDistance: maximumDistance,
      acceptsTies: true,
      offer: (position: number, distance: number): void => {
        this.#offer(position, distance);
      },
    };
    this.#selection = selection;
    const context: CascadeContext = {
      series: this.#buffer,
      query: prepared,
      normalise,
      selection,
      stats: this.#stats,
    };
    this.#cascade =
      algorithm === 'dtw' ? new DtwCascade(context, band) : new LcssCascade(context, epsilon, band);
  }

  /** Points pushed so far. */
  get length(): number {
    return this.#base + this.#filled;
  }

  /** The best window so far by (distance, start), final or not; undefined before the first one within the distance. */
  get best(): PatternMatch | undefined {
    return this.#best;
  }

  /** The counters so far, which obey the sum of a search's; nothing is excluded and there are no seeds. */
  get stats(): PatternSearchStats {
    return { ...this.#stats, skippedWindows: this.#stats.nonFiniteWindows };
  }

  /**
   * Takes the next points of the series and returns what has become final with them, in the order in which it did.
   *
   * @throws KernelError TOO_LARGE when {@link OPEN_WINDOWS_MAX} windows wait for their neighbours
   */
  push(values: Float64Array): PatternMatch[] {
    for (let from = 0; from < values.length;) {
      const room = this.#buffer.length - this.#filled;
      const count = Math.min(room, values.length - from);
      this.#buffer.set(values.subarray(from, from + count), this.#filled);
      from += count;
      const before = this.#windows();
      this.#filled += count;
      this.#scan(Math.max(0, before), this.#windows());
      if (this.#filled === this.#buffer.length) this.#makeRoom();
    }
    return this.#takeTold();
  }

  /** Ends the series: returns the matches that only waited for what might have come. */
  finish(): PatternMatch[] {
    this.#settle(Infinity);
    return this.#takeTold();
  }

  /** Windows of the buffer that are complete; under 1 while the first is not. */
  #windows(): number {
    return this.#filled - this.parameters.length + 1;
  }

  #scan(from: number, to: number): void {
    if (to <= from) return;
    this.#stats.positions += to - from;
    this.#block.load(from, to - from);
    // One by one, so that what is told does not depend on how many points came at once.
    for (let position = from; position < to; position += 1) {
      this.#cascade.scan(this.#block, from, position - from, position - from + 1);
      const complete = this.#base + position + 1;
      if (complete >= this.#nextSettlement) this.#settle(complete);
    }
  }

  #makeRoom(): void {
    const kept = this.parameters.length - 1;
    const dropped = this.#filled - kept;
    this.#buffer.copyWithin(0, dropped, this.#filled);
    this.#base += dropped;
    this.#filled = kept;
  }

  #offer(position: number, distance: number): void {
    // The cascade allows for rounding; the distance itself decides.
    const { boundDistance, acceptsTies } = this.#selection;
    if (distance > boundDistance || (distance === boundDistance && !acceptsTies)) return;
    const described = describeMatch(this.#buffer, this.parameters, { start: position, distance });
    const match = { ...described, start: this.#base + position };
    if (this.#best === undefined || distance < this.#best.distance) this.#best = match;
    if (this.#followsBest) {
      this.#selection.boundDistance = distance;
      this.#selection.acceptsTies = false;
      this.#told.push(match);
      return;
    }
    if (this.#open.length === OPEN_WINDOWS_MAX) {
      throw new KernelError(
        'TOO_LARGE',
        `${OPEN_WINDOWS_MAX} overlapping windows are within ${boundDistance}, each better than one before it.`,
        'Set a smaller maximumDistance or a smaller exclusionZone.',
      );
    }
    this.#open.push(match);
    const decided = match.start + Math.max(1, this.parameters.exclusionZone);
    this.#nextSettlement = Math.min(this.#nextSettlement, decided);
  }

  /** Tells what is final now that the windows before `complete` are known, and drops what it rules out. */
  #settle(complete: number): void {
    const zone = Math.max(1, this.parameters.exclusionZone);
    const certain = new ZoneMarks(zone);
    const undecided = new ZoneMarks(zone);
    const accepted = new ZoneMarks(zone);
    const kept: PatternMatch[] = [];
    this.#nextSettlement = Infinity;
    for (const match of this.#open.sort(byDistanceThenStart)) {
      if (certain.touches(match.start)) continue;
      const isComplete = complete - match.start >= zone;
      if (isComplete && !undecided.touches(match.start)) {
        certain.add(match.start);
        this.#told.push(match);
        continue;
      }
      kept.push(match);
      undecided.add(match.start);
      // Only a window that is the best of its neighbourhood can be the next to become final.
      if (accepted.touches(match.start)) continue;
      accepted.add(match.start);
      if (!isComplete) {
        this.#nextSettlement = Math.min(this.#nextSettlement, match.start + zone);
      }
    }
    this.#open = kept.sort((a, b) => a.start - b.start);
  }

  #takeTold(): PatternMatch[] {
    const told = this.#told;
    this.#told = [];
    return told;
  }
}
