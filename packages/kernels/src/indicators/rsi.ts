import { requireInteger } from '../check.ts';
import { forEachFiniteRun, unknownColumn } from './finite-runs.ts';

/**
 * Relative strength index (Wilder 1978), 0 … 100: 100 · gain / (gain + loss), where gain and loss
 * are Wilder averages of the up and down changes, (average · (period − 1) + change) / period, seeded
 * with the simple mean of the first `period` changes. Without any movement it is 50, the neutral
 * value. NaN in the first `period` rows of each finite run.
 *
 * @throws KernelError BAD_PARAMETER when period is not an integer of 1 or more
 */
export function rsi(values: Float64Array, period: number = 14): Float64Array {
  requireInteger('period', period, 1);
  const result = unknownColumn(values.length);
  forEachFiniteRun(values, (start, end) => {
    if (end - start <= period) return;
    let gain = 0;
    let loss = 0;
    for (let i = start + 1; i <= start + period; i += 1) {
      const change = (values[i] as number) - (values[i - 1] as number);
      if (change > 0) gain += change;
      else loss -= change;
    }
    gain /= period;
    loss /= period;
    result[start + period] = strength(gain, loss);
    for (let i = start + period + 1; i < end; i += 1) {
      const change = (values[i] as number) - (values[i - 1] as number);
      gain = (gain * (period - 1) + (change > 0 ? change : 0)) / period;
      loss = (loss * (period - 1) + (change < 0 ? -change : 0)) / period;
      result[i] = strength(gain, loss);
    }
  });
  return result;
}

function strength(gain: number, loss: number): number {
  const movement = gain + loss;
  return movement === 0 ? 50 : (100 * gain) / movement;
}
