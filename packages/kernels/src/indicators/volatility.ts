import { requireAtLeast, requireInteger } from '../check.ts';
import { unknownColumn } from './finite-runs.ts';
import { logReturns } from './returns.ts';
import { forEachWindow } from './rolling.ts';

/**
 * Rolling volatility: the sample standard deviation (divided by period − 1) of the last `period`
 * logarithmic returns, times the square root of `periodsPerYear` (252 turns daily into yearly
 * volatility; the default 1 leaves it per row). NaN in the first `period` rows, and wherever a
 * return in the window is unknown (a gap, or a price of 0 or less).
 *
 * @throws KernelError BAD_PARAMETER when period is under 2 or no integer, or periodsPerYear negative
 */
export function rollingVolatility(
  values: Float64Array,
  period: number = 20,
  periodsPerYear: number = 1,
): Float64Array {
  requireInteger('period', period, 2);
  requireAtLeast('periodsPerYear', periodsPerYear, 0);
  const scale = Math.sqrt(periodsPerYear);
  const result = unknownColumn(values.length);
  forEachWindow(logReturns(values), period, (row, _mean, squaredDeviations) => {
    result[row] = scale * Math.sqrt(squaredDeviations / (period - 1));
  });
  return result;
}
