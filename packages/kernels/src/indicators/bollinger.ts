import { requireAtLeast, requireInteger } from '../check.ts';
import { computeLines, type IndicatorMachine } from './machine.ts';
import { streamOf, type IndicatorStream } from './stream.ts';
import { advanceMoments, momentsBodyLength } from './windows/moments.ts';

/** The three lines of {@link bollinger}, each as long as the input. */
export interface BollingerColumns {
  readonly upper: Float64Array;
  readonly middle: Float64Array;
  readonly lower: Float64Array;
}

/** The three lines of {@link bollinger} at one row; NaN in the warm-up. */
export interface BollingerValue {
  readonly upper: number;
  readonly middle: number;
  readonly lower: number;
}

/**
 * Bollinger bands (Bollinger 2001): the simple mean of the last `period` values (the bits of `sma`),
 * plus and minus `width` population standard deviations (divided by period) of the same values. NaN
 * in the first period − 1 rows of each finite run.
 *
 * @throws KernelError BAD_PARAMETER when period is not an integer of 1 or more or width is negative
 */
export function bollinger(
  values: Float64Array,
  period: number = 20,
  width: number = 2,
): BollingerColumns {
  const [upper, middle, lower] = computeLines(bollingerMachine(period, width), [values]);
  return {
    upper: upper as Float64Array,
    middle: middle as Float64Array,
    lower: lower as Float64Array,
  };
}

/** {@link bollinger} value by value. */
export function streamBollinger(
  period: number = 20,
  width: number = 2,
): IndicatorStream<[value: number], BollingerValue> {
  return streamOf(bollingerMachine(period, width), ([upper, middle, lower]) => ({
    upper: upper?.[0] as number,
    middle: middle?.[0] as number,
    lower: lower?.[0] as number,
  }));
}

/** {@link bollinger} as a state machine with the lines upper, middle, lower. */
export function bollingerMachine(period: number, width: number): IndicatorMachine {
  requireInteger('period', period, 1);
  requireAtLeast('width', width, 0);
  const place = { period, counter: 0, body: 1 };
  return {
    name: 'bollinger',
    parameters: [period, width],
    inputs: ['close'],
    lines: 3,
    warmUp: period - 1,
    counters: 1,
    stateLength: 1 + momentsBodyLength(period),
    advance(state, inputs, start, end, lines) {
      const upper = lines[0] as Float64Array;
      const middle = lines[1] as Float64Array;
      const lower = lines[2] as Float64Array;
      // The squared deviations stand in `upper` until the second loop has read them.
      advanceMoments(place, state, inputs[0] as Float64Array, start, end, middle, upper);
      for (let row = start; row < end; row += 1) {
        const squared = upper[row] as number;
        const reach = width * Math.sqrt((squared < 0 ? 0 : squared) / period);
        const mean = middle[row] as number;
        upper[row] = mean + reach;
        lower[row] = mean - reach;
      }
    },
  };
}
