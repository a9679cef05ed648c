/**
 * Do the intervals from the 5 % to the 95 % quantile hold nine outcomes of ten? Counts only, which add up. An interval
 * that holds too few is too sure of itself; one that holds all says nothing.
 */

/** Outcomes by where they fell. Also the snapshot of an {@link IntervalCoverage}. */
export interface CoverageCounts {
  /** Within [q05, q95]. */
  readonly inside: number;
  readonly below: number;
  readonly above: number;
}

/** Intervals beside the outcomes that they should hold. */
export class IntervalCoverage {
  #inside = 0;
  #below = 0;
  #above = 0;

  static restore(counts: CoverageCounts): IntervalCoverage {
    const restored = new IntervalCoverage();
    restored.#addCounts(counts);
    return restored;
  }

  /** The share of the outcomes that lay inside; undefined before the first. */
  get coverage(): number | undefined {
    const count = this.#inside + this.#below + this.#above;
    return count === 0 ? undefined : this.#inside / count;
  }

  /** @throws RangeError when the bounds are out of order or a number is not finite */
  add(interval: { readonly q05: number; readonly q95: number }, actual: number): void {
    const { q05, q95 } = interval;
    if (!(q05 <= q95 && Number.isFinite(q95 - q05) && Number.isFinite(actual))) {
      throw new RangeError(`No interval with an outcome: ${q05} to ${q95}, ${actual}.`);
    }
    if (actual < q05) this.#below += 1;
    else if (actual > q95) this.#above += 1;
    else this.#inside += 1;
  }

  /** Takes in all outcomes of another coverage. */
  merge(other: IntervalCoverage): void {
    this.#addCounts(other.snapshot());
  }

  snapshot(): CoverageCounts {
    return { inside: this.#inside, below: this.#below, above: this.#above };
  }

  #addCounts({ inside, below, above }: CoverageCounts): void {
    this.#inside += inside;
    this.#below += below;
    this.#above += above;
  }
}
