import { requireAtLeast, requireInteger } from '../check.ts';
import { forKnownReturns, stretchOfReturns } from './known-returns.ts';
import { computeLine, type IndicatorMachine } from './machine.ts';
import { streamOfLine, type IndicatorStream } from './stream.ts';
import { advanceSum, sumBodyLength } from './windows/sum.ts';

/**
 * Realised volatility (Andersen & Bollerslev 1998): the square root of the sum of the last `period`
 * squared logarithmic returns r, √(Σ r²), the volatility over the whole window. No mean is
 * subtracted; that is what sets it apart from `rollingVolatility`. With `periodsPerYear` it is the
 * annualised mean instead, √(periodsPerYear · Σ r² / period). NaN in the first `period` rows, and
 * wherever a return in the window is unknown (a gap, or a price of 0 or less).
 *
 * @throws KernelError BAD_PARAMETER when period is not an integer of 1 or more or periodsPerYear is negative
 */
export function realisedVolatility(
  values: Float64Array,
  period: number = 20,
  periodsPerYear?: number,
): Float64Array {
  return computeLine(realisedVolatilityMachine(period, periodsPerYear), values);
}

/** {@link realisedVolatility} value by value. */
export function streamRealisedVolatility(
  period: number = 20,
  periodsPerYear?: number,
): IndicatorStream<[value: number], number> {
  return streamOfLine(realisedVolatilityMachine(period, periodsPerYear));
}

/**
 * {@link realisedVolatility} as a state machine. In its state: that of the returns, then the counter
 * and body of the window over their squares.
 */
export function realisedVolatilityMachine(
  period: number,
  periodsPerYear?: number,
): IndicatorMachine {
  requireInteger('period', period, 1);
  if (periodsPerYear !== undefined) requireAtLeast('periodsPerYear', periodsPerYear, 0);
  const place = { period, counter: 2, body: 3 };
  const factor = periodsPerYear === undefined ? 1 : periodsPerYear / period;
  const returns = stretchOfReturns();
  return {
    name: 'realised',
    parameters: periodsPerYear === undefined ? [period] : [period, periodsPerYear],
    inputs: ['close'],
    lines: 1,
    warmUp: period,
    counters: 3,
    stateLength: 3 + sumBodyLength(period),
    advance(state, inputs, start, end, lines) {
      const [values, result] = [inputs[0] as Float64Array, lines[0] as Float64Array];
      forKnownReturns(state, values, [start, end], returns, result, (first, from, to) => {
        const sums = returns.subarray(from, to);
        for (let each = 0; each < sums.length; each += 1) {
          sums[each] = (sums[each] as number) * (sums[each] as number);
        }
        advanceSum(place, state, sums, sums.length);
        for (let each = 0; each < sums.length; each += 1) {
          result[first + from + each] = Math.sqrt(factor * (sums[each] as number));
        }
      });
    },
  };
}
