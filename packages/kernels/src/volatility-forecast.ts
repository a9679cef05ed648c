/**
 * Forecasts volatility from analogues: what followed the stretches of the past that are most like the last one?
 *
 * With prices P and logarithmic returns r_t = log(P_t / P_(t−1)), a stretch is a window of x_t = log max(|r_t|, φ). The last
 * `window` values up to row `at` are looked for in the last `history` steps, by Euclidean distance (DTW with band 0), among
 * the windows whose following `horizon` steps lie at or before `at`: what came after `at` is never read. A window is
 * followed by v = log max(√(Σ r² / horizon), φ) over the returns of those steps. Where windows are compared by their shape
 * alone (`z`), the level that was normalised away comes back: v above the mean x of its own window, on top of the mean x
 * of the last one. The forecast is the mean of that over the best analogues, which {@link searchPattern} chooses greedily
 * with its default exclusion zone: so the best 30 begin with the best 5.
 *
 * The floor φ is a tenth of the root mean square of the returns in the history. A return of exactly 0 means that the
 * price moved by less than it is rounded to; its logarithm would be −∞, and with any tiny constant instead it would
 * outweigh all else in its window. A tenth (2.3 in the logarithm) keeps such a return in the low tail of the others,
 * whatever their unit: of normal ones eight in a hundred are smaller. It depends on nothing after `at`. Where nothing has
 * moved at all, {@link RETURN_FLOOR_MIN} takes its place.
 */
import { requireInteger } from './check.ts';
import type { KernelEngine } from './engine.ts';
import { searchPattern } from './pattern-search.ts';
import type { KernelRoute } from './pattern-result.ts';
import { KernelError } from './problem.ts';
import type { Normalisation } from './search-parameters.ts';
import { TYPESCRIPT_ENGINE } from './typescript/typescript-engine.ts';
import { windowMoments } from './znormalise.ts';

/** The floor φ as a share of the root mean square of the returns. */
export const RETURN_FLOOR_SHARE = 0.1;

/** The least floor: a return below it is lost in the rounding of prices as doubles. */
export const RETURN_FLOOR_MIN = 1e-12;

/** Where in a series of prices to stand, how far to look ahead and how far back. */
export interface VolatilityOutlook {
  readonly prices: Float64Array;
  /** The last row that is known. */
  readonly at: number;
  /** Steps ahead, 1 or more. */
  readonly horizon: number;
  /** Steps of the past that count, 1 or more; those before the first price do not exist. */
  readonly history: number;
}

/** What to look for. */
export interface VolatilityForecastOptions extends VolatilityOutlook {
  /** Steps of a window, 2 or more. */
  readonly window: number;
  /** `z`: windows are compared by their shape, `none`: by their level too. */
  readonly normalise: Normalisation;
  /** So many analogues, or as many as there are. */
  readonly topK: number;
  /** As for a search. */
  readonly shouldStop?: (() => boolean) | undefined;
}

/** A window of the past that resembles the last one. */
export interface VolatilityAnalogue {
  /** Row of its last price. */
  readonly end: number;
  readonly distance: number;
  /** The logarithm of the volatility of the steps after it; with `z` as it would be on the level of the last window. */
  readonly followed: number;
}

/** The analogues, best first: one at least. */
export interface VolatilityAnalogues {
  readonly analogues: readonly VolatilityAnalogue[];
  readonly route: KernelRoute;
}

/**
 * Finds the windows that a forecast is made of.
 *
 * @throws KernelError BAD_PARAMETER, BAD_RANGE when `at` is no row, VALUE_NOT_FINITE when a price that counts is missing
 *   or not above 0, HISTORY_TOO_SHORT when no window with its horizon lies in the history, CANCELLED
 */
export function findVolatilityAnalogues(
  options: VolatilityForecastOptions,
  engine: KernelEngine = TYPESCRIPT_ENGINE,
): VolatilityAnalogues {
  const { window, normalise, topK, horizon, at, shouldStop } = options;
  requireInteger('window', window, 2);
  requireInteger('topK', topK, 1);
  const { returns, floor } = knownReturns(options);
  const candidates = returns.length - window - horizon + 1;
  if (candidates < 1) {
    throw new KernelError(
      'HISTORY_TOO_SHORT',
      `A window of ${window} steps with the ${horizon} after it does not fit into the ${returns.length} steps up to row ${at}.`,
      'Shorten the window or the horizon, or forecast a later row of a longer history.',
    );
  }
  const series = returns.map((value) => Math.log(Math.max(Math.abs(value), floor)));
  const query = series.subarray(series.length - window);
  const range = { start: 0, end: candidates };
  const found = searchPattern(
    { series, query, algorithm: 'dtw', band: 0, normalise, topK, range, shouldStop },
    engine,
  );
  const first = at - returns.length + 1;
  const level = windowMoments(query).mean;
  const analogues = found.matches.map(({ start, distance, windowMean }) => {
    const next = start + window;
    const volatility = logVolatility(returns.subarray(next, next + horizon), floor);
    const followed = normalise === 'z' ? level + (volatility - windowMean) : volatility;
    return { end: first + next - 1, distance, followed };
  });
  return { analogues, route: engine.route };
}

/** The forecast of the best `topK` of the analogues: the mean of what followed them. */
export function meanFollowed(
  analogues: readonly VolatilityAnalogue[],
  topK: number = analogues.length,
): number {
  const best = analogues.slice(0, topK);
  return best.reduce((sum, { followed }) => sum + followed, 0) / best.length;
}

/**
 * What came: the logarithm of the root of the mean squared logarithmic return of the `horizon` steps after `at`, floored
 * like the forecast, to which it may be compared.
 *
 * @throws KernelError BAD_PARAMETER, BAD_RANGE when `at` is no row or the series ends before, VALUE_NOT_FINITE
 */
export function realisedLogVolatility(outlook: VolatilityOutlook): number {
  const { prices, at, horizon } = outlook;
  const { floor } = knownReturns(outlook);
  if (at + horizon >= prices.length) {
    throw new KernelError(
      'BAD_RANGE',
      `The ${horizon} steps after row ${at} end at row ${at + horizon}, but the last row is ${prices.length - 1}.`,
      'Wait until the prices are there.',
    );
  }
  return logVolatility(returnsOf(prices, at + 1, at + horizon), floor);
}

/** The returns of the history, and their floor. */
function knownReturns({ prices, at, horizon, history }: VolatilityOutlook): {
  readonly returns: Float64Array;
  readonly floor: number;
} {
  requireInteger('horizon', horizon, 1);
  requireInteger('history', history, 1);
  if (!Number.isInteger(at) || at < 0 || at >= prices.length) {
    throw new KernelError(
      'BAD_RANGE',
      `at is row ${at}, but the prices have the rows 0 to ${prices.length - 1}.`,
      'Name the last row that is known.',
    );
  }
  const returns = returnsOf(prices, Math.max(1, at - history + 1), at);
  return {
    returns,
    floor: Math.max(RETURN_FLOOR_MIN, RETURN_FLOOR_SHARE * rootMeanSquare(returns)),
  };
}

/** The logarithmic returns of the steps that end in rows `first` to `last`. */
function returnsOf(prices: Float64Array, first: number, last: number): Float64Array {
  const returns = new Float64Array(Math.max(0, last - first + 1));
  for (let i = 0; i < returns.length; i += 1) {
    const [before, after] = [requirePrice(prices, first + i - 1), requirePrice(prices, first + i)];
    returns[i] = Math.log(after / before);
  }
  return returns;
}

function requirePrice(prices: Float64Array, row: number): number {
  const price = prices[row] as number;
  if (price > 0 && price < Infinity) return price;
  throw new KernelError(
    'VALUE_NOT_FINITE',
    `The price in row ${row} is ${price}, but a return needs finite prices above 0.`,
    'Fill or cut the gaps first.',
  );
}

function logVolatility(returns: Float64Array, floor: number): number {
  return Math.log(Math.max(rootMeanSquare(returns), floor));
}

function rootMeanSquare(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return values.length === 0 ? 0 : Math.sqrt(sum / values.length);
}
