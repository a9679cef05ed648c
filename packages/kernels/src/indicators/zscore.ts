import { requireInteger } from '../check.ts';
import { FLAT_TOLERANCE } from '../znormalise.ts';
import { computeLine, type IndicatorMachine } from './machine.ts';
import { streamOfLine, type IndicatorStream } from './stream.ts';
import { advanceMoments, momentsBodyLength } from './windows/moments.ts';

/**
 * Rolling z-score: how many population standard deviations (divided by period) the value lies from
 * the mean of the last `period` values (itself included). 0 over a flat window (see znormalise.ts).
 * NaN in the first period − 1 rows of each finite run.
 *
 * @throws KernelError BAD_PARAMETER when period is not an integer of 2 or more
 */
export function zscore(values: Float64Array, period: number = 20): Float64Array {
  return computeLine(zscoreMachine(period), values);
}

/** {@link zscore} value by value. */
export function streamZscore(period: number = 20): IndicatorStream<[value: number], number> {
  return streamOfLine(zscoreMachine(period));
}

/** Rows whose moments are computed before their scores: they stay in the fastest cache. */
const STRIDE_ROWS = 256;

/** {@link zscore} as a state machine: a counter and the body of a window. */
export function zscoreMachine(period: number): IndicatorMachine {
  requireInteger('period', period, 2);
  const place = { period, counter: 0, body: 1 };
  const means = new Float64Array(STRIDE_ROWS);
  const squares = new Float64Array(STRIDE_ROWS);
  return {
    name: 'zscore',
    parameters: [period],
    inputs: ['close'],
    lines: 1,
    warmUp: period - 1,
    counters: 1,
    stateLength: 1 + momentsBodyLength(period),
    advance(state, inputs, start, end, lines) {
      const [values, result] = [inputs[0] as Float64Array, lines[0] as Float64Array];
      for (let from = start; from < end; from += STRIDE_ROWS) {
        const rows = Math.min(STRIDE_ROWS, end - from);
        advanceMoments(place, state, values.subarray(from, from + rows), 0, rows, means, squares);
        for (let each = 0; each < rows; each += 1) {
          const mean = means[each] as number;
          const squared = squares[each] as number;
          const deviation = Math.sqrt((squared < 0 ? 0 : squared) / period);
          const distance = (values[from + each] as number) - mean;
          // The rule of `isFlat`, written out: a call that is not inlined would box its numbers.
          const level = Math.abs(mean);
          const isFlat = deviation < FLAT_TOLERANCE * (level > 1 ? level : 1);
          result[from + each] = isFlat ? 0 : distance / deviation;
        }
      }
    },
  };
}
