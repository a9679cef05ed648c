/**
 * Real work whose parameters can be learnt: a forecast of volatility by historical analogues. On day t the last w days
 * of log |return| are searched in the past; the matches' own futures say how volatile the next days will be. Which w,
 * how many matches and whether to normalise is what a learner has to find out.
 *
 * A task is done with *every* arm here, so that policies can be compared on the same tasks; what a policy gets to see of
 * that is up to `runPolicy`.
 */
import { Ridge, type Tunable } from '@quic-swarm/reasoning';
import { Windows } from './analogues.ts';

/** Days ahead of a forecast. */
export const HORIZON_DAYS = 5;

/** Days that a search looks back. */
const HISTORY_DAYS = 750;

/** Days between two forecasts of a series. */
const STRIDE_DAYS = 3;

/** |return| under which the logarithm is cut off: prices that did not move have no logarithm. */
const RETURN_FLOOR = 1e-3;

const WINDOWS_DAYS = [20, 5, 10, 40];
const MATCHES = [5, 30];
const MATCHES_MAX = Math.max(...MATCHES);

/**
 * The arms: the first is a guess. `k` is free, because the search is always for the largest k: matches are chosen
 * greedily, so that the best 30 begin with the best 5, and whoever has the 30 can say what 5 would have said.
 */
export const volatilityArms: Tunable = {
  taskType: 'PatternMatch',
  arms: WINDOWS_DAYS.flatMap((window) =>
    [true, false].flatMap((zNormalise) => MATCHES.map((k) => ({ window, zNormalise, k }))),
  ),
  freeParameters: ['k'],
};

/** One forecast of one series. */
export interface VolatilityTask {
  readonly seriesIndex: number;
  /** The last day that is known: an index of prices. */
  readonly day: number;
  /** The last day of the outcome: nothing can be learnt from the task before it. */
  readonly resolvedOnDay: number;
  /** What is known on the day; see `contextOf`. */
  readonly context: Float64Array;
  /** Forecast of each arm: ln of the root mean square of the next returns. */
  readonly forecasts: Float64Array;
  /** What it came to be. */
  readonly actual: number;
  /** Forecasts that no learner makes: the past 20 days go on, and a regression on 5, 20 and 60 days. */
  readonly persistence: number;
  readonly regression: number;
}

/** Numbers in a context. */
export const CONTEXT_LENGTH = 6;

/**
 * All tasks of some series, day by day and, within a day, in the order of the series.
 *
 * @param series daily prices over 0, of the same length
 */
export function volatilityTasks(series: readonly Float64Array[]): VolatilityTask[] {
  return series
    .flatMap((prices, seriesIndex) => tasksOf(prices, seriesIndex))
    .sort((a, b) => a.day - b.day || a.seriesIndex - b.seriesIndex);
}

function tasksOf(prices: Float64Array, seriesIndex: number): VolatilityTask[] {
  const history = new VolatilityHistory(prices);
  const regression = new VolatilityRegression();
  const tasks: VolatilityTask[] = [];
  for (let day = HISTORY_DAYS; day + HORIZON_DAYS < prices.length; day += STRIDE_DAYS) {
    const actual = history.ahead(day);
    tasks.push({
      seriesIndex,
      day,
      resolvedOnDay: day + HORIZON_DAYS,
      context: contextOf(history, day),
      forecasts: forecastsOf(history, day),
      actual,
      persistence: history.past(day, 20),
      regression: regression.forecast(history, day),
    });
  }
  return tasks;
}

/** ln |return| and ln of the root mean square of returns, of one series. */
class VolatilityHistory {
  /** At index i what happened from day i − 1 to day i; index 0 is not used. */
  readonly logReturns: Float64Array;
  /** Of each length. */
  readonly windows: readonly Windows[];
  readonly #squaresBefore: Float64Array;

  constructor(prices: Float64Array) {
    this.logReturns = new Float64Array(prices.length);
    this.#squaresBefore = new Float64Array(prices.length + 1);
    for (let day = 1; day < prices.length; day += 1) {
      const change = Math.log((prices[day] as number) / (prices[day - 1] as number));
      this.logReturns[day] = Math.log(Math.max(Math.abs(change), RETURN_FLOOR));
      this.#squaresBefore[day + 1] = (this.#squaresBefore[day] as number) + change * change;
    }
    this.windows = WINDOWS_DAYS.map((days) => new Windows(this.logReturns, days));
  }

  /** Of the `days` returns up to `day`. */
  past(day: number, days: number): number {
    const before = this.#squaresBefore;
    const squares = (before[day + 1] as number) - (before[day + 1 - days] as number);
    return Math.log(Math.max(Math.sqrt(Math.max(0, squares) / days), RETURN_FLOOR));
  }

  /** Of the returns after `day`: what is to be forecast. */
  ahead(day: number): number {
    return this.past(day + HORIZON_DAYS, HORIZON_DAYS);
  }
}

function forecastsOf(history: VolatilityHistory, day: number): Float64Array {
  const forecasts: number[] = [];
  for (const windows of history.windows) {
    for (const zNormalise of [true, false]) {
      const found = windows.nearest(day, {
        from: day - HISTORY_DAYS + 1,
        // So that its own future has happened.
        to: day - HORIZON_DAYS,
        zNormalise,
        count: MATCHES_MAX,
      });
      const futures = found.map((analogue) => {
        const future = history.ahead(analogue.day);
        // What was normalised away comes back: the future as it was above its window, above today's window.
        return zNormalise ? windows.meanOn(day) + future - analogue.windowMean : future;
      });
      for (const k of MATCHES) forecasts.push(meanOf(futures.slice(0, k)));
    }
  }
  return Float64Array.from(forecasts);
}

/**
 * What is known on a day, about standardised: how volatile the last 5, 20 and 60 days were beside longer ones, how far
 * the last 20 are from what is usual, how uneven |returns| were, and how many hardly moved.
 */
function contextOf(history: VolatilityHistory, day: number): Float64Array {
  const [days5, days20, days60, usual] = [5, 20, 60, HISTORY_DAYS].map((days) =>
    history.past(day, days),
  ) as [number, number, number, number];
  const recent = history.logReturns.subarray(day - 19, day + 1);
  const mean = recent.reduce((sum, value) => sum + value, 0) / recent.length;
  const variance = recent.reduce((sum, value) => sum + (value - mean) ** 2, 0) / recent.length;
  return Float64Array.of(
    2 * (days5 - days20),
    3 * (days20 - days60),
    3 * (days60 - usual),
    3 * Math.abs(days20 - usual) - 1,
    2 * (Math.sqrt(variance) - 1),
    2 * (days20 - mean - 0.6),
  );
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The forecast that a statistician would make: a regression of the outcome on the past 5, 20 and 60 days, learnt from
 * the outcomes that are known (a "heterogeneous autoregressive" model; Corsi, "A simple approximate long-memory model of
 * realized volatility", J. Financial Econometrics 7, 2009).
 */
class VolatilityRegression {
  readonly #ridge = new Ridge({ lambda: 1e-3, mean: Float64Array.of(0, 0, 1, 0) });
  #nextDay = 60;

  forecast(history: VolatilityHistory, day: number): number {
    for (; this.#nextDay + HORIZON_DAYS <= day; this.#nextDay += 1) {
      this.#ridge.learn(pointOf(history, this.#nextDay), history.ahead(this.#nextDay));
    }
    return this.#ridge.mean(pointOf(history, day));
  }
}

function pointOf(history: VolatilityHistory, day: number): Float64Array {
  return Float64Array.of(1, history.past(day, 5), history.past(day, 20), history.past(day, 60));
}
