/**
 * Quantiles of durations in constant memory: counts in buckets whose bounds grow by 2 %, so that every quantile is
 * known to ±1 % of itself. A histogram was preferred to the P² algorithm (Jain, Chlamtac 1985), which needs less memory
 * but states no error and cannot be merged; histograms merge by adding counts.
 *
 *     bucket i holds (γ^(i−1), γ^i],   γ = (1 + ε) / (1 − ε), ε = 0.01,   reported as 2γ^i / (γ + 1)
 *
 * Source: Masson, Rim, Lee, "DDSketch", PVLDB 12 (2019).
 */

/** ε: the largest error of a quantile, relative to it. */
export const QUANTILE_RELATIVE_ERROR = 0.01;

const GROWTH = (1 + QUANTILE_RELATIVE_ERROR) / (1 - QUANTILE_RELATIVE_ERROR);

/** One microsecond to twelve days, in milliseconds: what is outside is counted at the border. 1,384 buckets. */
const LOWEST_MS = 0.001;
const HIGHEST_MS = 1e9;

/** A {@link LogHistogram} as plain data: the buckets that are not empty, in any order. */
export type LogHistogramSnapshot = readonly { readonly bucket: number; readonly count: number }[];

/** How often durations of each size occurred. */
export class LogHistogram {
  readonly #counts = new Map<number, number>();
  #count = 0;

  static restore(snapshot: LogHistogramSnapshot): LogHistogram {
    const restored = new LogHistogram();
    for (const { bucket, count } of snapshot) restored.#addTo(bucket, count);
    return restored;
  }

  get count(): number {
    return this.#count;
  }

  /** @throws RangeError when the duration is not a number of 0 or more */
  add(durationMs: number): void {
    if (!(durationMs >= 0)) throw new RangeError(`A duration must be ≥ 0 ms, not ${durationMs}.`);
    const inside = Math.min(HIGHEST_MS, Math.max(LOWEST_MS, durationMs));
    this.#addTo(Math.ceil(Math.log(inside) / Math.log(GROWTH)), 1);
  }

  /**
   * The smallest duration in milliseconds that at least this fraction of all durations does not exceed, ±1 %;
   * undefined without durations.
   *
   * @throws RangeError when the fraction is not above 0 and at most 1
   */
  quantile(fraction: number): number | undefined {
    if (!(fraction > 0 && fraction <= 1)) {
      throw new RangeError(`A quantile's fraction must be above 0 and at most 1, not ${fraction}.`);
    }
    const rank = Math.ceil(fraction * this.#count);
    let reached = 0;
    for (const [bucket, count] of [...this.#counts].sort(([left], [right]) => left - right)) {
      reached += count;
      if (reached >= rank) return (2 * GROWTH ** bucket) / (GROWTH + 1);
    }
    return undefined;
  }

  /** Takes in all durations of another histogram. */
  merge(other: LogHistogram): void {
    for (const [bucket, count] of other.#counts) this.#addTo(bucket, count);
  }

  snapshot(): LogHistogramSnapshot {
    return [...this.#counts].map(([bucket, count]) => ({ bucket, count }));
  }

  #addTo(bucket: number, count: number): void {
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
    this.#count += count;
  }
}
