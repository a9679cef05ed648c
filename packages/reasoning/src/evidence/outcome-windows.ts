/**
 * Which outcomes share a piece of the future. A forecast issued at step 10 and resolved at step 15 depends on what
 * happened in steps 11 … 15; one issued at 11 shares four fifths of that. Counted as separate evidence, the same luck
 * is counted up to five times: with such overlap two equal arms are told apart in a third of all runs instead of one
 * in twenty. So only windows of a series that do not overlap are claimed, first come, first served.
 */
interface Window {
  /** The step at which the decision was made; the window begins after it. */
  readonly issuedAtStep: number;
  /** The last step of the window. */
  readonly resolvedAtStep: number;
}

/** The windows (issuedAtStep, resolvedAtStep] that are claimed, per series. */
export class OutcomeWindows {
  /** Disjoint windows of each series, earliest first. */
  readonly #claimed = new Map<string, Window[]>();

  /** Claims a window. False, and nothing is claimed, when a part of it is claimed already. */
  claim(seriesId: string, issuedAtStep: number, resolvedAtStep: number): boolean {
    const windows = this.#claimed.get(seriesId) ?? [];
    // The first window that ends after this one begins: the only kind that can overlap, and the earliest of them.
    let low = 0;
    let high = windows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((windows[middle]?.resolvedAtStep ?? 0) <= issuedAtStep) low = middle + 1;
      else high = middle;
    }
    const next = windows[low];
    if (next !== undefined && next.issuedAtStep < resolvedAtStep) return false;
    windows.splice(low, 0, { issuedAtStep, resolvedAtStep });
    this.#claimed.set(seriesId, windows);
    return true;
  }
}
