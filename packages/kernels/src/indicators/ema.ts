import { requireInteger } from '../check.ts';
import { computeLine, type IndicatorMachine } from './machine.ts';
import { streamOfLine, type IndicatorStream } from './stream.ts';

/**
 * Exponential moving average with weight 2 / (period + 1), in the unit of the values, seeded with the
 * simple mean of the first `period` values (the convention of TA-Lib and R's TTR). NaN in the first
 * period − 1 rows of each finite run.
 *
 * @throws KernelError BAD_PARAMETER when period is not an integer of 1 or more
 */
export function ema(values: Float64Array, period: number): Float64Array {
  return computeLine(emaMachine(period), values);
}

/** {@link ema} value by value. */
export function streamEma(period: number): IndicatorStream<[value: number], number> {
  return streamOfLine(emaMachine(period));
}

/** {@link ema} as a state machine. In its state: rows seen (up to period), and their sum or the average. */
export function emaMachine(period: number): IndicatorMachine {
  requireInteger('period', period, 1);
  return {
    name: 'ema',
    parameters: [period],
    inputs: ['close'],
    lines: 1,
    warmUp: period - 1,
    counters: 1,
    stateLength: 2,
    advance(state, inputs, start, end, lines) {
      advanceEma(period, state, inputs[0] as Float64Array, start, end, lines[0] as Float64Array);
    },
  };
}

function advanceEma(
  period: number,
  state: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  result: Float64Array,
): void {
  const weight = 2 / (period + 1);
  let row = warmUpEma(period, state, values, start, end, result);
  let average = state[1] as number;
  for (; row < end; row += 1) {
    average += weight * ((values[row] as number) - average);
    result[row] = average;
  }
  state[1] = average;
}

/** Does the rows of the warm-up and the seed; returns the first row that is left. */
function warmUpEma(
  period: number,
  state: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  result: Float64Array,
): number {
  let seen = state[0] as number;
  if (seen === period) return start;
  let sum = seen === 0 ? 0 : (state[1] as number);
  let row = start;
  for (; row < end && seen < period; row += 1) {
    sum += values[row] as number;
    seen += 1;
    result[row] = NaN;
  }
  if (seen === period) {
    sum /= period;
    result[row - 1] = sum;
  }
  state[0] = seen;
  state[1] = sum;
  return row;
}
