/**
 * A run of window positions of a long series with what the lower bounds need: the moments of every
 * window by prefix sums, and on demand the series' envelope.
 *
 * Prefix sums subtract large numbers, so they are used only to *prune*, and only where they are
 * trustworthy: all values are shifted by the block's first one, and a window whose variance is
 * tiny against the block's is marked DIRECT, which tells the scan to skip the bounds that rest on
 * these moments. The remaining relative error of a z value is below {@link MOMENT_SLACK}.
 */
import { createTube, fillTube, type Tube } from './lower-bounds.ts';
import { isFlat, windowMoments } from '../znormalise.ts';

/** Values beyond this size are treated like Infinity, because their squares would overflow. */
export const USABLE_MAGNITUDE_MAX = 1e150;

/** Largest error of a z value, per standard deviation, that usable windows of a block have. */
export const MOMENT_SLACK = 1e-6;

/** What the scan does with a window. */
export const WINDOW = {
  /** The bounds apply. */
  usable: 0,
  /** z-normalisation gives the zero vector. */
  flat: 1,
  /** Finite, but its moments by prefix sums are not trustworthy. */
  direct: 2,
  /** Holds NaN, Infinity or a value beyond {@link USABLE_MAGNITUDE_MAX}. */
  nonFinite: 3,
} as const;

/** True for a value that a window may contain. */
export function isUsable(value: number): boolean {
  return value <= USABLE_MAGNITUDE_MAX && value >= -USABLE_MAGNITUDE_MAX;
}

/** Reusable buffers for one block; `load` moves it along the series. */
export class SeriesBlock {
  readonly #series: Float64Array;
  readonly #length: number;
  readonly #band: number;
  readonly #normalise: boolean;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  readonly #unusable: Int32Array;
  readonly #queue: Int32Array;
  readonly #tube: Tube;
  #tubeReady = false;
  #regionLength = 0;
  /** The block's values, shifted so that window p of the block starts at offset + p. */
  readonly values: Float64Array;
  /** Mean of each window in the shifted frame (0 without normalisation). */
  readonly means: Float64Array;
  /** 1 / sd of each window (1 without normalisation). */
  readonly inverses: Float64Array;
  /** One of {@link WINDOW} per position. */
  readonly states: Uint8Array;
  /** Index in `values` where the block's first window starts. */
  offset = 0;
  /** The largest absolute value in `values`. */
  magnitude = 0;

  constructor(
    series: Float64Array,
    windowLength: number,
    band: number,
    normalise: boolean,
    positionsMax: number,
  ) {
    const region = positionsMax + windowLength + 2 * band;
    this.#series = series;
    this.#length = windowLength;
    this.#band = band;
    this.#normalise = normalise;
    this.#sums = new Float64Array(region + 1);
    this.#squares = new Float64Array(region + 1);
    this.#unusable = new Int32Array(region + 1);
    this.#queue = new Int32Array(2 * region);
    this.#tube = createTube(region);
    this.values = new Float64Array(region);
    this.means = new Float64Array(positionsMax);
    this.inverses = new Float64Array(positionsMax);
    this.states = new Uint8Array(positionsMax);
  }

  /** Moves the block to the windows that start at first … first + count − 1. */
  load(first: number, count: number): void {
    const regionStart = first - this.#band > 0 ? first - this.#band : 0;
    const wanted = first + count + this.#length - 1 + this.#band;
    const regionEnd = wanted < this.#series.length ? wanted : this.#series.length;
    this.offset = first - regionStart;
    this.#regionLength = regionEnd - regionStart;
    this.#tubeReady = false;
    const reference = this.#normalise ? this.#firstUsable(regionStart, regionEnd) : 0;
    this.#fill(regionStart, reference);
    if (this.#normalise) this.#fillMoments(first, count, reference);
    else this.#fillRaw(count);
  }

  /** The band-wide envelope of `values`, computed at the first call after each load. */
  tube(): Tube {
    if (!this.#tubeReady) {
      fillTube(this.values, this.#regionLength, this.#band, this.#tube, this.#queue);
      this.#tubeReady = true;
    }
    return this.#tube;
  }

  #firstUsable(start: number, end: number): number {
    for (let i = start; i < end; i += 1) {
      const value = this.#series[i] as number;
      if (isUsable(value)) return value;
    }
    return 0;
  }

  #fill(regionStart: number, reference: number): void {
    const series = this.#series;
    const values = this.values;
    const sums = this.#sums;
    const squares = this.#squares;
    const unusable = this.#unusable;
    let sum = 0;
    let square = 0;
    let bad = 0;
    let magnitude = 0;
    for (let i = 0; i < this.#regionLength; i += 1) {
      const value = series[regionStart + i] as number;
      let shifted = value - reference;
      if (!isUsable(value)) {
        // Windows with this point are skipped; in a neighbour's envelope 0 can only widen it.
        shifted = 0;
        bad += 1;
      }
      values[i] = shifted;
      if (Math.abs(shifted) > magnitude) magnitude = Math.abs(shifted);
      sum += shifted;
      square += shifted * shifted;
      sums[i + 1] = sum;
      squares[i + 1] = square;
      unusable[i + 1] = bad;
    }
    this.magnitude = magnitude;
  }

  #fillMoments(first: number, count: number, reference: number): void {
    const { means, inverses, states, offset } = this;
    const sums = this.#sums;
    const squares = this.#squares;
    const unusable = this.#unusable;
    const m = this.#length;
    const end = first + count + m - 1;
    // Row behind the last one that holds the same value as the row at which the run was looked up.
    let runEnd = 0;
    // Rounding of the sums is about length × 2⁻⁵³ of the total; this keeps it below 1e-8 of a window.
    const trusted = (squares[this.#regionLength] as number) * this.#regionLength * 2.2e-8;
    for (let p = 0; p < count; p += 1) {
      const from = offset + p;
      const to = from + m;
      if (unusable[to] !== unusable[from]) {
        states[p] = WINDOW.nonFinite;
        continue;
      }
      const sum = (sums[to] as number) - (sums[from] as number);
      const mean = sum / m;
      const squared = (squares[to] as number) - (squares[from] as number) - sum * mean;
      const deviation = Math.sqrt(squared / m);
      // Twice the tolerance, so that only clear cases skip the exact test below.
      if (squared > trusted && squared < Infinity && !isFlat(reference + mean, deviation / 2)) {
        means[p] = mean;
        inverses[p] = 1 / deviation;
        states[p] = WINDOW.usable;
      } else {
        const start = first + p;
        if (runEnd <= start) runEnd = this.#runEnd(start, end);
        states[p] = runEnd >= start + m ? WINDOW.flat : this.#exactState(start);
      }
    }
  }

  /**
   * Row behind the run of equal values that begins at `start`. A window inside of it has the standard deviation 0 and is flat
   * without being added up, which matters where a series stands still for longer than a long window. The shifted values
   * would not do: what differs may round to the same.
   */
  #runEnd(start: number, end: number): number {
    const series = this.#series;
    const value = series[start];
    let next = start + 1;
    while (next < end && series[next] === value) next += 1;
    return next;
  }

  #exactState(start: number): number {
    return windowMoments(this.#series, start, this.#length).flat ? WINDOW.flat : WINDOW.direct;
  }

  #fillRaw(count: number): void {
    const unusable = this.#unusable;
    for (let p = 0; p < count; p += 1) {
      const from = this.offset + p;
      this.means[p] = 0;
      this.inverses[p] = 1;
      this.states[p] =
        unusable[from] === unusable[from + this.#length] ? WINDOW.usable : WINDOW.nonFinite;
    }
  }
}
