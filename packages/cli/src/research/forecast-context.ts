/**
 * What is told to the learner of the day of a forecast, as six numbers that are about standardised for daily prices of any
 * market: how volatile the last 5, 20 and 60 steps were beside longer ones, how far the last 20 are from what is usual, how
 * uneven their |returns| were, and how many of them hardly moved. The same as in the experiment by which the learner was
 * tuned, on other series.
 */
import { RETURN_FLOOR_SHARE, logReturns } from '@quic-swarm/kernels';
import { STRETCHES, outcomeAfter, pastVolatilities, type PriceHistory } from './volatility.ts';

const [, MONTH] = STRETCHES;

/** The contexts of all rows of a series. */
export class ForecastContexts {
  readonly #series: PriceHistory;
  readonly #returns: Float64Array;
  readonly #volatilities: readonly Float64Array[];

  constructor(series: PriceHistory) {
    this.#series = series;
    this.#returns = logReturns(series.prices);
    this.#volatilities = pastVolatilities(series);
  }

  /** What is known at a row that has a whole history before it. */
  at(row: number): number[] {
    const { history } = this.#series;
    const [week = 0, month = 0, quarter = 0] = this.#volatilities.map((values) => values[row]);
    const usual = outcomeAfter(this.#series, row - history, history);
    const floor = Math.log(RETURN_FLOOR_SHARE) + usual;
    const moves = [...this.#returns.subarray(row + 1 - MONTH, row + 1)].map((change) =>
      Math.max(Math.log(Math.abs(change)), floor),
    );
    const mean = meanOf(moves);
    const deviation = Math.sqrt(meanOf(moves.map((move) => (move - mean) ** 2)));
    return [
      2 * (week - month),
      3 * (month - quarter),
      3 * (quarter - usual),
      3 * Math.abs(month - usual) - 1,
      2 * (deviation - 1),
      2 * (month - mean - 0.6),
    ];
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
