/** The answers of the examples, computed again the slow way, from the definitions and without any of the packages. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/program.ts';

/** Closing prices by index. */
export function readCloses(): Record<'DAX' | 'SMI' | 'CAC' | 'FTSE', number[]> {
  const text = readFileSync(join(ROOT, 'examples/data/eu-stock-markets.csv'), 'utf8');
  const rows = text.trim().split('\n').slice(1);
  const column = (at: number): number[] => rows.map((row) => Number(row.split(',')[at]));
  return { DAX: column(1), SMI: column(2), CAC: column(3), FTSE: column(4) };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Population standard deviation. */
export function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
}

/** Minus its mean, by its deviation. */
export function standardised(values: readonly number[]): number[] {
  const centre = mean(values);
  const scale = deviation(values);
  return values.map((value) => (value - centre) / scale);
}

/** Dynamic time warping by its recurrence: squared differences, |i − j| ≤ band, root of the sum. */
export function warpedDistance(a: readonly number[], b: readonly number[], band: number): number {
  const cost = Array.from({ length: a.length + 1 }, () =>
    Array.from({ length: b.length + 1 }, () => Infinity),
  );
  const at = (i: number, j: number): number => cost[i]?.[j] ?? Infinity;
  (cost[0] as number[])[0] = 0;
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = Math.max(1, i - band); j <= Math.min(b.length, i + band); j += 1) {
      const difference = (a[i - 1] ?? NaN) - (b[j - 1] ?? NaN);
      (cost[i] as number[])[j] =
        difference ** 2 + Math.min(at(i - 1, j), at(i, j - 1), at(i - 1, j - 1));
    }
  }
  return Math.sqrt(at(a.length, b.length));
}

/** Pearson's correlation coefficient. */
export function pearson(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [standardised(a), standardised(b)];
  return mean(x.map((value, i) => value * (y[i] ?? NaN)));
}

/** Ranks from 1; equal values share the mean of theirs. */
export function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const less = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return less + (equal + 1) / 2;
  });
}

/** Logarithmic returns; one fewer than prices. */
export function logReturns(prices: readonly number[]): number[] {
  return prices.slice(1).map((price, day) => Math.log(price / (prices[day] ?? NaN)));
}

/** Wilder's relative strength index at the last price. */
export function lastRsi(prices: readonly number[], period: number): number {
  const changes = prices.slice(1).map((price, day) => price - (prices[day] ?? NaN));
  const ups = changes.map((change) => Math.max(change, 0));
  const downs = changes.map((change) => Math.max(-change, 0));
  const smoothed = (values: readonly number[]): number =>
    values
      .slice(period)
      .reduce(
        (average, value) => (average * (period - 1) + value) / period,
        mean(values.slice(0, period)),
      );
  return 100 - 100 / (1 + smoothed(ups) / smoothed(downs));
}

/** Annualised Sharpe ratio of daily returns. */
export function sharpe(returns: readonly number[]): number {
  return (mean(returns) / deviation(returns)) * Math.sqrt(252);
}

/** All windows within a distance of the query, the best first, no two nearer than a quarter of it. */
export function windowsWithin(
  series: readonly number[],
  query: readonly number[],
  { band, distanceMax }: { band: number; distanceMax: number },
): { start: number; distance: number }[] {
  const { length } = query;
  const shape = standardised(query);
  const windows = Array.from({ length: series.length - length + 1 }, (_, start) => {
    const window = standardised(series.slice(start, start + length));
    return { start, distance: warpedDistance(window, shape, band) };
  });
  const found: { start: number; distance: number }[] = [];
  const near = windows.filter(({ distance }) => distance <= distanceMax);
  for (const each of near.sort((a, b) => a.distance - b.distance || a.start - b.start)) {
    const zone = Math.ceil(length / 4);
    if (found.every(({ start }) => Math.abs(start - each.start) >= zone)) found.push(each);
  }
  return found;
}

/** The windows most like rows start … end − 1 of the series itself, none over them, no two nearer than a quarter of it. */
export function nearestWindows(
  series: readonly number[],
  { start: from, end, band, top }: { start: number; end: number; band: number; top: number },
): { start: number; distance: number }[] {
  const length = end - from;
  const query = standardised(series.slice(from, end));
  let windows = Array.from({ length: series.length - length + 1 }, (_, start) => start)
    .filter((start) => start + length <= from || start >= end)
    .map((start) => {
      const window = standardised(series.slice(start, start + length));
      return { start, distance: warpedDistance(window, query, band) };
    })
    .sort((a, b) => a.distance - b.distance || a.start - b.start);
  const found: { start: number; distance: number }[] = [];
  while (found.length < top && windows[0] !== undefined) {
    const [best] = windows;
    found.push(best);
    const zone = Math.ceil(length / 4);
    windows = windows.filter(({ start }) => Math.abs(start - best.start) >= zone);
  }
  return found;
}
