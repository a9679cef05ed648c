import { requireInteger } from '../check.ts';
import { unknownColumn } from './finite-runs.ts';
import { forEachWindow } from './rolling.ts';

/**
 * Simple moving average: the mean of the last `period` values. NaN in the first period − 1 rows of
 * each finite run.
 *
 * @throws KernelError BAD_PARAMETER when period is not an integer of 1 or more
 */
export function sma(values: Float64Array, period: number): Float64Array {
  requireInteger('period', period, 1);
  const result = unknownColumn(values.length);
  forEachWindow(values, period, (row, mean) => {
    result[row] = mean;
  });
  return result;
}
