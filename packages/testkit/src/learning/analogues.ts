/**
 * The windows of a series that were most like its last one: what a pattern search with band 0 and its default exclusion
 * zone finds (see `searchPattern` of the kernels, which a test compares it with). Twelve thousand searches over 750 days
 * are needed; for so little each the windows' means and deviations, computed once, are worth more than pruning.
 */
import { defaultExclusionZone, FLAT_TOLERANCE } from '@quic-swarm/kernels';

/** A window that was found. */
export interface Analogue {
  /** Its last day. */
  readonly day: number;
  readonly windowMean: number;
}

/** All windows of one length of one series. */
export class Windows {
  readonly #values: Float64Array;
  readonly #length: number;
  readonly #zone: number;
  /** By the last day of the window. */
  readonly #means: Float64Array;
  /** 1 / standard deviation; 0 of a flat window, which z-normalisation makes zeros. */
  readonly #scales: Float64Array;

  /** @param values by day, finite */
  constructor(values: Float64Array, length: number) {
    this.#values = values;
    this.#length = length;
    this.#zone = defaultExclusionZone(length);
    this.#means = new Float64Array(values.length);
    this.#scales = new Float64Array(values.length);
    for (let day = length - 1; day < values.length; day += 1) {
      const window = values.subarray(day - length + 1, day + 1);
      const mean = window.reduce((sum, value) => sum + value, 0) / length;
      const squares = window.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      const deviation = Math.sqrt(squares / length);
      this.#means[day] = mean;
      this.#scales[day] =
        deviation >= FLAT_TOLERANCE * Math.max(1, Math.abs(mean)) ? 1 / deviation : 0;
    }
  }

  meanOn(day: number): number {
    return this.#means[day] ?? Number.NaN;
  }

  /**
   * The windows nearest to the one that ends on `day`, the best first, among those that begin on `from` or later and end
   * on `to` or earlier: greedily, each ruling out those that begin nearer than the exclusion zone.
   */
  nearest(day: number, { from, to, zNormalise, count }: NearestOptions): Analogue[] {
    const first = from + this.#length - 1;
    const distances = new Float64Array(Math.max(0, to - first + 1));
    for (let index = 0; index < distances.length; index += 1) {
      distances[index] = this.#squaredDistance(day, first + index, zNormalise);
    }
    const found: Analogue[] = [];
    while (found.length < count) {
      const best = indexOfLeast(distances);
      if (best === undefined) break;
      found.push({ day: first + best, windowMean: this.meanOn(first + best) });
      distances.fill(
        Number.POSITIVE_INFINITY,
        Math.max(0, best - this.#zone + 1),
        best + this.#zone,
      );
    }
    return found;
  }

  #squaredDistance(day: number, other: number, zNormalise: boolean): number {
    const values = this.#values;
    const scale = zNormalise ? (this.#scales[day] as number) : 1;
    const otherScale = zNormalise ? (this.#scales[other] as number) : 1;
    const shift = zNormalise
      ? scale * (this.#means[day] as number) - otherScale * (this.#means[other] as number)
      : 0;
    let sum = 0;
    for (let back = 0; back < this.#length; back += 1) {
      const difference =
        scale * (values[day - back] as number) -
        otherScale * (values[other - back] as number) -
        shift;
      sum += difference * difference;
    }
    return sum;
  }
}

/** Where to look, and for what. */
export interface NearestOptions {
  /** The first day of the first window. */
  readonly from: number;
  /** The last day of the last window. */
  readonly to: number;
  readonly zNormalise: boolean;
  readonly count: number;
}

/** The first of the least finite values. */
function indexOfLeast(values: Float64Array): number | undefined {
  let least = Number.POSITIVE_INFINITY;
  let found: number | undefined;
  for (let index = 0; index < values.length; index += 1) {
    if ((values[index] as number) >= least) continue;
    least = values[index] as number;
    found = index;
  }
  return found;
}
