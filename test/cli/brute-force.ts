/** The definitions of the results, written down once more in the plainest way. */

/** z-normalised with the population's standard deviation. */
function zNormalised(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return values.map((value) => (value - mean) / Math.sqrt(variance));
}

/** DTW: the root of the least sum of squared differences along a path with |i − j| ≤ band. */
function dtw(a: readonly number[], b: readonly number[], band: number): number {
  const cost = new Map<string, number>([['-1,-1', 0]]);
  const at = (i: number, j: number): number => cost.get(`${i},${j}`) ?? Number.POSITIVE_INFINITY;
  for (const [i, x] of a.entries()) {
    for (const [j, y] of b.entries()) {
      if (Math.abs(i - j) > band) continue;
      const before = Math.min(at(i - 1, j), at(i, j - 1), at(i - 1, j - 1));
      cost.set(`${i},${j}`, (x - y) ** 2 + before);
    }
  }
  return Math.sqrt(at(a.length - 1, b.length - 1));
}

export interface Match {
  readonly start: number;
  readonly distance: number;
}

/** The best windows by (distance, start), starts at least `zone` apart; windows with gaps or over `excluded` left out. */
export function searchByDtw(
  series: readonly number[],
  query: readonly number[],
  options: {
    readonly band: number;
    readonly top: number;
    readonly zone: number;
    readonly excluded?: { readonly start: number; readonly end: number };
  },
): Match[] {
  const { band, top, zone, excluded } = options;
  const shape = zNormalised(query);
  const all: Match[] = [];
  for (let start = 0; start + query.length <= series.length; start++) {
    const window = series.slice(start, start + query.length);
    const overlaps =
      excluded !== undefined && start < excluded.end && start + query.length > excluded.start;
    if (overlaps || window.some(Number.isNaN)) continue;
    all.push({ start, distance: dtw(shape, zNormalised(window), band) });
  }
  all.sort((a, b) => a.distance - b.distance || a.start - b.start);
  const chosen: Match[] = [];
  for (const match of all) {
    if (chosen.length === top) break;
    if (chosen.every(({ start }) => Math.abs(start - match.start) >= zone)) chosen.push(match);
  }
  return chosen;
}

/** Pearson over the rows that both have. */
export function pearson(a: readonly number[], b: readonly number[]): number {
  const rows = a.flatMap((x, row) => {
    const y = b[row] ?? Number.NaN;
    return Number.isNaN(x) || Number.isNaN(y) ? [] : [[x, y] as const];
  });
  const meanX = rows.reduce((sum, [x]) => sum + x, 0) / rows.length;
  const meanY = rows.reduce((sum, [, y]) => sum + y, 0) / rows.length;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (const [x, y] of rows) {
    xy += (x - meanX) * (y - meanY);
    xx += (x - meanX) ** 2;
    yy += (y - meanY) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}

/** Simple moving average, null in the warm-up. */
export function sma(values: readonly number[], period: number): (number | null)[] {
  return values.map((_, row) => {
    if (row < period - 1) return null;
    const window = values.slice(row - period + 1, row + 1);
    return window.reduce((sum, value) => sum + value, 0) / period;
  });
}

/** Wilder's RSI, seeded with the mean of the first changes. */
export function rsi(values: readonly number[], period: number): (number | null)[] {
  const result: (number | null)[] = values.map(() => null);
  let gain = 0;
  let loss = 0;
  for (let row = 1; row < values.length; row++) {
    const change = (values[row] ?? 0) - (values[row - 1] ?? 0);
    const up = Math.max(change, 0);
    const down = Math.max(-change, 0);
    const isSeed = row <= period;
    gain = isSeed ? gain + up / period : (gain * (period - 1) + up) / period;
    loss = isSeed ? loss + down / period : (loss * (period - 1) + down) / period;
    if (row >= period) result[row] = 100 - 100 / (1 + gain / loss);
  }
  return result;
}
