/**
 * Which outcomes share a piece of the future, as in outcome-windows.ts, in a memory that does not grow: of each
 * series the latest windows are known exactly, and what begins before them counts as shared. That may refuse an
 * outcome that overlaps with none, never accept one that overlaps.
 */

/** Windows that are known of each series. A replay may come this many windows late. */
const WINDOWS_PER_SERIES_MAX = 8;

/** Series that are known; outcomes of further ones are refused, for their windows could not be kept apart. */
export const SERIES_MAX = 1024;

/** `beyondMemory`: whether it overlaps is not known any more. */
export type ClaimResult = 'claimed' | 'overlapping' | 'beyondMemory';

/** {@link RecentWindows} as plain data. */
export interface RecentWindowsSnapshot {
  readonly seriesId: string;
  /** What begins before this step is beyond memory; 0 while nothing is forgotten. */
  readonly forgottenUntilStep: number;
  /** issuedAtStep and resolvedAtStep of each window in turn, earliest first. */
  readonly bounds: readonly number[];
}

interface SeriesWindows {
  forgottenUntilStep: number;
  /** Flat, because there may be thousands of them: beginning, end, beginning, end, … */
  readonly bounds: number[];
}

/** The windows (issuedAtStep, resolvedAtStep] that are claimed lately, per series. */
export class RecentWindows {
  readonly #series = new Map<string, SeriesWindows>();

  static restore(snapshot: readonly RecentWindowsSnapshot[]): RecentWindows {
    const restored = new RecentWindows();
    for (const { seriesId, forgottenUntilStep, bounds } of snapshot) {
      restored.#series.set(seriesId, { forgottenUntilStep, bounds: [...bounds] });
    }
    return restored;
  }

  /** Claims a window, unless a part of it is claimed already or may have been. */
  claim(seriesId: string, issuedAtStep: number, resolvedAtStep: number): ClaimResult {
    const windows = this.#series.get(seriesId) ?? { forgottenUntilStep: 0, bounds: [] };
    const { bounds } = windows;
    if (issuedAtStep < windows.forgottenUntilStep) return 'beyondMemory';
    if (bounds.length === 0 && this.#series.size >= SERIES_MAX) return 'beyondMemory';
    // From the latest backwards: outcomes come nearly in order.
    let index = bounds.length;
    while (index > 0 && (bounds[index - 1] ?? 0) > issuedAtStep) index -= 2;
    const nextIssuedAtStep = bounds[index];
    if (nextIssuedAtStep !== undefined && nextIssuedAtStep < resolvedAtStep) return 'overlapping';
    bounds.splice(index, 0, issuedAtStep, resolvedAtStep);
    if (bounds.length > 2 * WINDOWS_PER_SERIES_MAX) {
      windows.forgottenUntilStep = bounds[1] ?? 0;
      bounds.splice(0, 2);
    }
    this.#series.set(seriesId, windows);
    return 'claimed';
  }

  snapshot(): RecentWindowsSnapshot[] {
    return [...this.#series].map(([seriesId, { forgottenUntilStep, bounds }]) => ({
      seriesId,
      forgottenUntilStep,
      bounds: [...bounds],
    }));
  }
}
