/** What is forecast, and what the baselines look at: the logarithm of the volatility of a stretch of prices. */
import { realisedLogVolatility } from '@quic-swarm/kernels';

/** Steps of the stretches that a forecaster of volatility looks at: a week, a month and a quarter of trading days. */
export const STRETCHES = [5, 20, 60] as const;

/** A series, and how many steps of its past say what is usual. */
export interface PriceHistory {
  readonly prices: Float64Array;
  readonly history: number;
}

/** What comes after a row, as the task type VolatilityForecast forecasts it; known `horizon` rows later. */
export function outcomeAfter(series: PriceHistory, row: number, horizon: number): number {
  return realisedLogVolatility({ ...series, at: row, horizon });
}

/**
 * The volatilities of the last 5, 20 and 60 steps at every row, measured like what is forecast. Each depends on the rows up
 * to its own alone; NaN where there are not so many.
 */
export function pastVolatilities(series: PriceHistory): readonly Float64Array[] {
  return STRETCHES.map((steps) =>
    Float64Array.from({ length: series.prices.length }, (_, row) =>
      row < steps ? Number.NaN : outcomeAfter(series, row - steps, steps),
    ),
  );
}
