/**
 * Finds windows that are worth computing before a search begins, because a bound near the answer prunes from the first
 * position on: with the answer's own distance known beforehand, a search takes a fifth of the time, and finding it out first
 * costs a few per cent.
 *
 * The windows of a grid are compared with the query by their piecewise means (PAA: Keogh, Chakrabarti, Pazzani & Mehrotra,
 * "Dimensionality reduction for fast similarity search in large time series databases", 2001), which one pass of sums
 * gives for all of them. A step of the grid is one piece, so that a good window is half a piece beside the grid at most, and
 * means hardly notice that; around the most promising ones the best place is then looked for with the points themselves.
 *
 * Nothing here decides an answer: a seed that is badly chosen proves a worse bound, and no wrong one.
 */
import { byDistanceThenStart, ZoneMarks, type Candidate } from './greedy-selection.ts';
import type { IndexRange } from './shards.ts';
import { isUsable } from './typescript/series-block.ts';
import { prepareWindow, type ComparedSeries, type WindowScan } from './window-cascade.ts';
import { zNormalise } from './znormalise.ts';

/** Pieces of a window, as far as it has so many points. */
const PIECES = 16;

/** Of a pattern whose pieces would be shorter, a dense grid costs more than it saves: scanning it is cheap. */
const PIECE_POINTS_MIN = 6;

/** From one window of a sparse grid to the next, unless the pattern is shorter. */
const SPARSE_STEP = 32;

/** Promising windows that are looked at beyond those that are needed. */
const SPARE_CANDIDATES = 15;

/** Places around a promising window that are tried. */
const PLACES_MAX = 16;

/** What {@link findSeeds} needs. */
export interface SeedOptions {
  readonly compared: ComparedSeries;
  /** Judges windows that were prepared. */
  readonly scan: Pick<WindowScan, 'comparePieces' | 'diagonalDistance'>;
  /** Where windows may start. */
  readonly segments: readonly IndexRange[];
  /** Seeds are at least so far apart. */
  readonly zone: number;
  /** How many are wanted. */
  readonly count: number;
}

/**
 * The most promising windows with an upper bound on their distance, the lowest first; none when there are not as many as
 * are wanted.
 */
export function findSeeds(options: SeedOptions): readonly Candidate[] {
  const { compared, scan, segments, zone, count } = options;
  const grid = new Grid(compared, zone, count + SPARE_CANDIDATES);
  for (const segment of segments) grid.visit(scan, segment);
  const placed = grid.candidates.map(({ start }) =>
    bestPlace(compared, scan, placesAround(start, grid.step, segments)),
  );
  const marks = new ZoneMarks(zone);
  const seeds: Candidate[] = [];
  for (const seed of placed.sort(byDistanceThenStart)) {
    if (seeds.length === count || seed.distance === Infinity) break;
    if (marks.touches(seed.start) || seeds.some(({ start }) => start === seed.start)) continue;
    marks.add(seed.start);
    seeds.push(seed);
  }
  return seeds.length < count ? [] : seeds;
}

/** The windows up to half a step of the grid beside one of it, in its segment. */
function placesAround(start: number, step: number, segments: readonly IndexRange[]): number[] {
  const segment = segments.find((each) => start >= each.start && start < each.end);
  if (segment === undefined) return [];
  const half = step >> 1;
  const first = Math.max(segment.start, start - half);
  const last = Math.min(segment.end - 1, start + half);
  const stride = Math.ceil((last - first + 1) / PLACES_MAX);
  const places = [start];
  for (let place = first; place <= last; place += stride) places.push(place);
  return places;
}

function bestPlace(
  compared: ComparedSeries,
  scan: SeedOptions['scan'],
  places: readonly number[],
): Candidate {
  const m = compared.query.length;
  const window = new Float64Array(m);
  let best: Candidate = { start: -1, distance: Infinity };
  for (const start of places) {
    if (!isWindowUsable(compared.series, start, m)) continue;
    prepareWindow(compared, start, window);
    const distance = scan.diagonalDistance(window);
    if (distance < best.distance) best = { start, distance };
  }
  return best;
}

function isWindowUsable(series: Float64Array, start: number, m: number): boolean {
  for (let i = start; i < start + m; i += 1) if (!isUsable(series[i] as number)) return false;
  return true;
}

/** Keeps the windows of a grid whose piecewise means are nearest to the query's. */
class Grid {
  /** Points of a piece, and from one window to the next. */
  readonly step: number;
  readonly #zone: number;
  readonly #candidatesMax: number;
  /** Means of the query's pieces. What is left over behind the last piece is not looked at. */
  readonly #means: Float64Array;
  /** By their distance. */
  #kept: Candidate[] = [];
  #limit = Infinity;

  constructor({ query, normalise }: ComparedSeries, zone: number, candidatesMax: number) {
    this.#zone = zone;
    this.#candidatesMax = candidatesMax;
    const dense = Math.floor(query.length / PIECES);
    this.step = dense >= PIECE_POINTS_MIN ? dense : Math.min(query.length, SPARSE_STEP);
    const pieces = Math.floor(query.length / this.step);
    const head = query.subarray(0, pieces * this.step);
    this.#means = meansOf(normalise ? zNormalise(head) : head, this.step);
  }

  get candidates(): readonly Candidate[] {
    return this.#kept;
  }

  visit(scan: Pick<WindowScan, 'comparePieces'>, { start, end }: IndexRange): void {
    const { step } = this;
    const means = this.#means;
    for (let first = start; first < end;) {
      let limit = this.#limit;
      const windows = Math.ceil((end - first) / step);
      const distances = scan.comparePieces({ first, windows, step, means, limit });
      for (let window = 0; window < distances.length; window += 1) {
        const distance = distances[window] as number;
        // What cannot be used, or does not move, has no distance that is less than anything.
        if (distance < limit) limit = this.#keep({ start: first + window * step, distance });
      }
      first += distances.length * step;
    }
  }

  /** Of windows that are nearer to each other than the zone the best stays. Returns what is good enough from now on. */
  #keep(candidate: Candidate): number {
    const isNear = ({ start }: Candidate): boolean =>
      Math.abs(start - candidate.start) < this.#zone;
    if (this.#kept.some((each) => isNear(each) && each.distance <= candidate.distance)) {
      return this.#limit;
    }
    this.#kept = this.#kept.filter((each) => !isNear(each));
    this.#kept.push(candidate);
    this.#kept.sort(byDistanceThenStart);
    if (this.#kept.length > this.#candidatesMax) this.#kept.pop();
    if (this.#kept.length === this.#candidatesMax) {
      this.#limit = Math.min(this.#limit, this.#kept.at(-1)?.distance ?? Infinity);
    }
    return this.#limit;
  }
}

function meansOf(values: Float64Array, step: number): Float64Array {
  return Float64Array.from({ length: values.length / step }, (_, piece) => {
    let sum = 0;
    for (let i = piece * step; i < (piece + 1) * step; i += 1) sum += values[i] as number;
    return sum / step;
  });
}
