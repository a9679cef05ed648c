/**
 * Indicators as their definitions word them, written without a look at the kernels: every row from
 * scratch out of its own window or its own run, recursive averages as the weighted sums that they
 * stand for. Slow, and that is the point.
 */
import { at } from './reference.ts';

/** The columns of bars, and a second opinion on what a gap is. */
export interface Bars {
  readonly high: readonly number[];
  readonly low: readonly number[];
  readonly close: readonly number[];
  readonly volume: readonly number[];
}

/** Applies a definition to the last `period` rows, NaN unless all of them are finite. */
export function overWindows(
  values: readonly number[],
  period: number,
  define: (window: number[]) => number,
): number[] {
  return values.map((_value, i) => {
    const window = values.slice(Math.max(0, i - period + 1), i + 1);
    return window.length === period && window.every(Number.isFinite) ? define(window) : NaN;
  });
}

/** Applies a definition to all rows of the finite run so far, NaN at a gap. */
function overRuns(values: readonly number[], define: (run: number[]) => number): number[] {
  return values.map((value, i) => {
    if (!Number.isFinite(value)) return NaN;
    let start = i;
    while (start > 0 && Number.isFinite(values[start - 1])) start -= 1;
    return define(values.slice(start, i + 1));
  });
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** Root of Σ(x − mean)² / divisor, about the first value so that a high level costs no digits. */
export function deviation(values: readonly number[], divisor: number): number {
  const shifted = values.map((value) => value - at(values, 0));
  const centre = mean(shifted);
  return Math.sqrt(sum(shifted.map((value) => (value - centre) ** 2)) / divisor);
}

/** What a recursive average with this weight, seeded with the mean of the first `period`, adds up to. */
function smoothed(values: readonly number[], period: number, weight: number): number {
  if (values.length < period) return NaN;
  const later = values.slice(period);
  const seed = mean(values.slice(0, period)) * (1 - weight) ** later.length;
  return seed + sum(later.map((x, i) => x * weight * (1 - weight) ** (later.length - 1 - i)));
}

export function referenceEma(values: readonly number[], period: number): number[] {
  return overRuns(values, (run) => smoothed(run, period, 2 / (period + 1)));
}

export function referenceWma(values: readonly number[], period: number): number[] {
  return overWindows(values, period, (window) => {
    const weights = window.map((_, i) => i + 1);
    return sum(window.map((value, i) => value * (i + 1))) / sum(weights);
  });
}

export function referenceRsi(values: readonly number[], period: number): number[] {
  return overRuns(values, (run) => {
    const changes = run.slice(1).map((value, i) => value - at(run, i));
    const gain = smoothed(
      changes.map((change) => Math.max(0, change)),
      period,
      1 / period,
    );
    const loss = smoothed(
      changes.map((change) => Math.max(0, -change)),
      period,
      1 / period,
    );
    return gain === 0 && loss === 0 ? 50 : 100 - 100 / (1 + gain / loss);
  });
}

export function referenceMacd(
  values: readonly number[],
  fast: number,
  slow: number,
  signal: number,
): { macd: number[]; signal: number[]; histogram: number[] } {
  const lineOf = (run: readonly number[]): number =>
    smoothed(run.slice(slow - fast), fast, 2 / (fast + 1)) - smoothed(run, slow, 2 / (slow + 1));
  const macd = overRuns(values, (run) => (run.length < slow ? NaN : lineOf(run)));
  const signals = overRuns(values, (run) => {
    const line = run.slice(slow - 1).map((_, i) => lineOf(run.slice(0, slow + i)));
    return smoothed(line, signal, 2 / (signal + 1));
  });
  return { macd, signal: signals, histogram: macd.map((value, i) => value - at(signals, i)) };
}

export function referenceLogReturns(prices: readonly number[]): number[] {
  return prices.map((price, i) => {
    const before = i === 0 ? NaN : at(prices, i - 1);
    const isUsable = price > 0 && before > 0 && price < Infinity && before < Infinity;
    return isUsable ? Math.log(price / before) : NaN;
  });
}

/** Each row of several columns as one number of a run: the row where all are finite, else NaN. */
function rowsOf(...columns: readonly (readonly number[])[]): number[] {
  return at0(columns).map((_, i) => (columns.every((c) => Number.isFinite(c[i])) ? i : NaN));
}

function at0<T>(values: readonly T[]): T {
  const [first] = values;
  if (first === undefined) throw new RangeError('empty');
  return first;
}

export function referenceAtr({ high, low, close }: Bars, period: number): number[] {
  return overRuns(rowsOf(high, low, close), (run) => {
    const ranges = run.slice(1).map((i) => {
      const before = at(close, i - 1);
      return Math.max(
        at(high, i) - at(low, i),
        Math.abs(at(high, i) - before),
        Math.abs(at(low, i) - before),
      );
    });
    return smoothed(ranges, period, 1 / period);
  });
}

export function referenceStochastic(
  { high, low, close }: Bars,
  period: number,
  smoothing: number,
): { k: number[]; d: number[] } {
  const k = overWindows(rowsOf(high, low, close), period, (rows) => {
    const top = Math.max(...rows.map((i) => at(high, i)));
    const bottom = Math.min(...rows.map((i) => at(low, i)));
    const last = at(close, at(rows, rows.length - 1));
    return top === bottom ? 50 : (100 * (last - bottom)) / (top - bottom);
  });
  return { k, d: overWindows(k, smoothing, mean) };
}

export function referenceObv({ close, volume }: Bars): number[] {
  return overRuns(rowsOf(close, volume), (run) =>
    sum(
      run.map((i, k) => {
        const change = k === 0 ? 1 : Math.sign(at(close, i) - at(close, i - 1));
        return change * at(volume, i);
      }),
    ),
  );
}

export function referenceVwap({ high, low, close, volume }: Bars, period?: number): number[] {
  const rows = rowsOf(high, low, close, volume);
  const define = (run: readonly number[]): number => {
    const paid = run.map((i) => (at(volume, i) * (at(high, i) + at(low, i) + at(close, i))) / 3);
    const traded = sum(run.map((i) => at(volume, i)));
    return traded === 0 ? NaN : sum(paid) / traded;
  };
  return period === undefined ? overRuns(rows, define) : overWindows(rows, period, define);
}

export function referenceLag(values: readonly number[], lag: number): number[] {
  return overWindows(values, lag + 1, (window) => at(window, 0));
}
