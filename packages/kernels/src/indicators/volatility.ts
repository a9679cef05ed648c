import { requireAtLeast, requireInteger } from '../check.ts';
import { computeLine, type IndicatorMachine } from './machine.ts';
import { logReturn } from './returns.ts';
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

/** Rows whose returns are computed before their moments: they stay in the fastest cache. */
const STRIDE_ROWS = 256;

/**
 * {@link rollingVolatility} as a state machine. In its state: whether there was a price before, the
 * counter and body of the window over returns, and between them the price before.
 */
export function volatilityMachine(period: number, periodsPerYear: number): IndicatorMachine {
  requireInteger('period', period, 2);
  requireAtLeast('periodsPerYear', periodsPerYear, 0);
  const place = { period, counter: 1, body: 3 };
  const scale = Math.sqrt(periodsPerYear);
  const returns = new Float64Array(STRIDE_ROWS);
  const means = new Float64Array(STRIDE_ROWS);
  const squares = new Float64Array(STRIDE_ROWS);
  return {
    name: 'volatility',
    parameters: [period, periodsPerYear],
    inputs: ['close'],
    lines: 1,
    warmUp: period,
    counters: 2,
    stateLength: 3 + momentsBodyLength(period),
    advance(state, inputs, start, end, lines) {
      const [values, result] = [inputs[0] as Float64Array, lines[0] as Float64Array];
      for (let from = start; from < end;) {
        const known = fillReturns(state, values, from, Math.min(end, from + STRIDE_ROWS), returns);
        advanceMoments(place, state, returns, 0, known, means, squares);
        for (let each = 0; each < known; each += 1) {
          const squared = squares[each] as number;
          result[from + each] = scale * Math.sqrt((squared < 0 ? 0 : squared) / (period - 1));
        }
        from += known;
        if (known === STRIDE_ROWS || from === end) continue;
        // A return that is not known: the window over returns begins anew behind it.
        result[from] = NaN;
        state[1] = 0;
        from += 1;
      }
    },
  };
}

/**
 * Puts the returns of the rows [start, end) into `returns` up to the first that is not finite, whose
 * price is taken note of as well; returns how many were put there.
 */
function fillReturns(
  state: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  returns: Float64Array,
): number {
  let before = state[0] === 0 ? NaN : (state[2] as number);
  let row = start;
  for (; row < end; row += 1) {
    const now = values[row] as number;
    const change = logReturn(before, now);
    before = now;
    if (change - change !== 0) break;
    returns[row - start] = change;
  }
  state[0] = 1;
  state[2] = before;
  return row - start;
}
