/**
 * What others than the analogues would have forecast for the same tasks. At each task they know the rows up to its own, of
 * all series, and nothing else.
 */
import { HarRegression } from './har-regression.ts';
import { outcomeAfter, pastVolatilities, type PriceHistory } from './volatility.ts';
import type { PlannedTask, WalkStep } from './walk-plan.ts';

/** Two forecasts for one task. */
export interface BaselineForecast {
  /** It goes on as in the last 20 steps. */
  readonly persistence: number;
  /** A regression over all rows whose outcome is known, refitted at each step. */
  readonly har: number;
}

/** The forecasts of each task of a plan. */
export function baselineForecasts(
  series: readonly PriceHistory[],
  steps: readonly WalkStep[],
  horizon: number,
): (task: PlannedTask) => BaselineForecast {
  const volatilities = series.map(pastVolatilities);
  const inputsAt = ({ series: which, row }: PlannedTask): number[] =>
    (volatilities[which] ?? []).map((values) => values[row] ?? Number.NaN);
  const forecasts = series.map(() => new Map<number, BaselineForecast>());
  const regression = new HarRegression(volatilities[0]?.length ?? 0);
  let nextRow = 0;
  for (const { row, tasks } of steps) {
    // All rows that have an outcome by now, those between two steps and before the first one included.
    for (; nextRow + horizon <= row; nextRow += 1) {
      for (const [which, each] of series.entries()) {
        if (nextRow + horizon >= each.prices.length) continue;
        const inputs = inputsAt({ series: which, row: nextRow });
        regression.learn(inputs, outcomeAfter(each, nextRow, horizon));
      }
    }
    for (const task of tasks) {
      const inputs = inputsAt(task);
      const har = regression.forecast(inputs);
      forecasts[task.series]?.set(task.row, { persistence: inputs[1] ?? Number.NaN, har });
    }
  }
  return ({ series: which, row }) =>
    forecasts[which]?.get(row) ?? { persistence: Number.NaN, har: Number.NaN };
}
