import { requireInteger } from '../check.ts';
import { isFlat } from '../znormalise.ts';
import { unknownColumn } from './finite-runs.ts';
import { forEachWindow } from './rolling.ts';

/**
 * Rolling z-score: how many population standard deviations the value lies from the mean of the last
 * `period` values (itself included). 0 over a flat window (see znormalise.ts). NaN in the first
 * period − 1 rows of each finite run.
 *
 * @throws KernelError BAD_PARAMETER when period is not an integer of 2 or more
 */
export function zscore(values: Float64Array, period: number = 20): Float64Array {
  requireInteger('period', period, 2);
  const result = unknownColumn(values.length);
  forEachWindow(values, period, (row, mean, squaredDeviations) => {
    const deviation = Math.sqrt(squaredDeviations / period);
    result[row] = isFlat(mean, deviation) ? 0 : ((values[row] as number) - mean) / deviation;
  });
  return result;
}
