import { requireAtLeast, requireInteger } from '../check.ts';
import { unknownColumn } from './finite-runs.ts';
import { forEachWindow } from './rolling.ts';

/** The three lines of {@link bollinger}, each as long as the input. */
export interface BollingerColumns {
  readonly upper: Float64Array;
  readonly middle: Float64Array;
  readonly lower: Float64Array;
}

/**
 * Bollinger bands: the simple mean of the last `period` values, plus and minus `width` population
 * standard deviations (divided by period) of the same values. NaN in the first period − 1 rows of
 * each finite run.
 *
 * @throws KernelError BAD_PARAMETER when period is not an integer of 1 or more or width is negative
 */
export function bollinger(
  values: Float64Array,
  period: number = 20,
  width: number = 2,
): BollingerColumns {
  requireInteger('period', period, 1);
  requireAtLeast('width', width, 0);
  const upper = unknownColumn(values.length);
  const middle = unknownColumn(values.length);
  const lower = unknownColumn(values.length);
  forEachWindow(values, period, (row, mean, squaredDeviations) => {
    const reach = width * Math.sqrt(squaredDeviations / period);
    upper[row] = mean + reach;
    middle[row] = mean;
    lower[row] = mean - reach;
  });
  return { upper, middle, lower };
}
