import { requireAtLeast, requireInteger } from '../check.ts';
import { forKnownReturns, STRETCH_ROWS, stretchOfReturns } from './known-returns.ts';
import { computeLine, type IndicatorMachine } from './machine.ts';
import { streamOfLine, type IndicatorStream } from './stream.ts';
import { advanceMoments, momentsBodyLength } from './windows/moments.ts';

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
  return computeLine(volatilityMachine(period, periodsPerYear), values);
}

/** {@link rollingVolatility} value by value. */
export function streamRollingVolatility(
  period: number = 20,
  periodsPerYear: number = 1,
): IndicatorStream<[value: number], number> {
  return streamOfLine(volatilityMachine(period, periodsPerYear));
}

/**
 * {@link rollingVolatility} as a state machine. In its state: that of the returns, then the counter and
 * body of the window over them.
 */
export function volatilityMachine(period: number, periodsPerYear: number): IndicatorMachine {
  requireInteger('period', period, 2);
  requireAtLeast('periodsPerYear', periodsPerYear, 0);
  const place = { period, counter: 2, body: 3 };
  const scale = Math.sqrt(periodsPerYear);
  const returns = stretchOfReturns();
  const means = new Float64Array(STRETCH_ROWS);
  const squares = new Float64Array(STRETCH_ROWS);
  return {
    name: 'volatility',
    parameters: [period, periodsPerYear],
    inputs: ['close'],
    lines: 1,
    warmUp: period,
    counters: 3,
    stateLength: 3 + momentsBodyLength(period),
    advance(state, inputs, start, end, lines) {
      const [values, result] = [inputs[0] as Float64Array, lines[0] as Float64Array];
      forKnownReturns(state, values, [start, end], returns, result, (first, from, to) => {
        advanceMoments(place, state, returns, from, to, means, squares);
        for (let each = from; each < to; each += 1) {
          const squared = squares[each] as number;
          result[first + each] = scale * Math.sqrt((squared < 0 ? 0 : squared) / (period - 1));
        }
      });
    },
  };
}
