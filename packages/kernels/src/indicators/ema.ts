import { requireInteger } from '../check.ts';
import { forEachFiniteRun, unknownColumn } from './finite-runs.ts';

/**
 * Exponential moving average with weight 2 / (period + 1), seeded with the simple mean of the first
 * `period` values (the convention of TA-Lib and R's TTR). NaN in the first period − 1 rows of each
 * finite run.
 *
 * @throws KernelError BAD_PARAMETER when period is not an integer of 1 or more
 */
export function ema(values: Float64Array, period: number): Float64Array {
  requireInteger('period', period, 1);
  const result = unknownColumn(values.length);
  forEachFiniteRun(values, (start, end) => fillEma(values, start, end, period, result));
  return result;
}

/** Writes the average of the run [start, end) to `result`, first at row start + period − 1. */
export function fillEma(
  values: Float64Array,
  start: number,
  end: number,
  period: number,
  result: Float64Array,
): void {
  if (end - start < period) return;
  let average = 0;
  for (let i = start; i < start + period; i += 1) average += values[i] as number;
  average /= period;
  result[start + period - 1] = average;
  const weight = 2 / (period + 1);
  for (let i = start + period; i < end; i += 1) {
    average += weight * ((values[i] as number) - average);
    result[i] = average;
  }
}
