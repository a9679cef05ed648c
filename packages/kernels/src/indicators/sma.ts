import { requireInteger } from '../check.ts';
import { computeLine, type IndicatorMachine } from './machine.ts';
import { streamOfLine, type IndicatorStream } from './stream.ts';
import { advanceMean, meanBodyLength } from './windows/mean.ts';

/**
 * Simple moving average: the mean of the last `period` values, in their unit. NaN in the first
 * period − 1 rows of each finite run. No rounding outlives its window (see windows/mean.ts).
 *
 * @throws KernelError BAD_PARAMETER when period is not an integer of 1 or more
 */
export function sma(values: Float64Array, period: number): Float64Array {
  return computeLine(smaMachine(period), values);
}

/** {@link sma} value by value. */
export function streamSma(period: number): IndicatorStream<[value: number], number> {
  return streamOfLine(smaMachine(period));
}

/** {@link sma} as a state machine. */
export function smaMachine(period: number): IndicatorMachine {
  requireInteger('period', period, 1);
  const place = { period, counter: 0, body: 1 };
  return {
    name: 'sma',
    parameters: [period],
    inputs: ['close'],
    lines: 1,
    warmUp: period - 1,
    counters: 1,
    stateLength: 1 + meanBodyLength(period),
    advance(state, inputs, start, end, lines) {
      const [values, result] = [inputs[0] as Float64Array, lines[0] as Float64Array];
      advanceMean(place, state, values, start, end, result);
    },
  };
}
