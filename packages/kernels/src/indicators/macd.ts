import { requireInteger } from '../check.ts';
import { KernelError } from '../problem.ts';
import { computeLines, type IndicatorMachine } from './machine.ts';
import { streamOf, type IndicatorStream } from './stream.ts';

/** The three lines of {@link macd}, each as long as the input. */
export interface MacdColumns {
  /** Fast EMA − slow EMA; NaN in the first slow − 1 rows of each finite run. */
  readonly macd: Float64Array;
  /** EMA of `macd`; NaN in the first slow + signal − 2 rows. */
  readonly signal: Float64Array;
  /** macd − signal; NaN where the signal is. */
  readonly histogram: Float64Array;
}

/** The three lines of {@link macd} at one row; NaN in their warm-ups. */
export interface MacdValue {
  readonly macd: number;
  readonly signal: number;
  readonly histogram: number;
}

/**
 * Moving average convergence/divergence (Appel 1979), in the unit of the values, in TA-Lib's
 * alignment: the fast EMA is seeded with the mean of rows slow − fast … slow − 1, so that both
 * averages begin at the same row; the signal is seeded with the mean of the first `signal` values of
 * macd.
 *
 * @throws KernelError BAD_PARAMETER unless 1 ≤ fast < slow and signal ≥ 1, all integers
 */
export function macd(
  values: Float64Array,
  fast: number = 12,
  slow: number = 26,
  signal: number = 9,
): MacdColumns {
  const [line, signalLine, histogram] = computeLines(macdMachine(fast, slow, signal), [values]);
  return {
    macd: line as Float64Array,
    signal: signalLine as Float64Array,
    histogram: histogram as Float64Array,
  };
}

/** {@link macd} value by value. */
export function streamMacd(
  fast: number = 12,
  slow: number = 26,
  signal: number = 9,
): IndicatorStream<[value: number], MacdValue> {
  return streamOf(macdMachine(fast, slow, signal), ([line, signalLine, histogram]) => ({
    macd: line?.[0] as number,
    signal: signalLine?.[0] as number,
    histogram: histogram?.[0] as number,
  }));
}

/** The three periods of {@link macd}. */
export interface MacdPeriods {
  readonly fast: number;
  readonly slow: number;
  readonly signal: number;
}

/**
 * {@link macd} as a state machine with the lines macd, signal, histogram. In its state: rows seen (up
 * to slow + signal − 1), and the averages fast, slow and signal, or the sums that will seed them.
 */
export function macdMachine(fast: number, slow: number, signal: number): IndicatorMachine {
  requireInteger('fast', fast, 1);
  requireInteger('slow', slow, 1);
  requireInteger('signal', signal, 1);
  if (fast >= slow) {
    throw new KernelError(
      'BAD_PARAMETER',
      `The fast period ${fast} is not shorter than the slow period ${slow}.`,
      'Set fast to less than slow, for example 12 and 26.',
    );
  }
  const periods = { fast, slow, signal };
  return {
    name: 'macd',
    parameters: [fast, slow, signal],
    inputs: ['close'],
    lines: 3,
    warmUp: slow - 1,
    counters: 1,
    stateLength: 4,
    advance(state, inputs, start, end, lines) {
      advanceMacd(periods, state, inputs[0] as Float64Array, start, end, lines);
    },
  };
}

function advanceMacd(
  periods: MacdPeriods,
  state: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  lines: readonly Float64Array[],
): void {
  const [line, signalLine, histogram] = lines as [Float64Array, Float64Array, Float64Array];
  const fastWeight = 2 / (periods.fast + 1);
  const slowWeight = 2 / (periods.slow + 1);
  const signalWeight = 2 / (periods.signal + 1);
  let row = warmUpMacd(periods, state, values, start, end, lines);
  let fast = state[1] as number;
  let slow = state[2] as number;
  let signal = state[3] as number;
  for (; row < end; row += 1) {
    const value = values[row] as number;
    fast += fastWeight * (value - fast);
    slow += slowWeight * (value - slow);
    const difference = fast - slow;
    signal += signalWeight * (difference - signal);
    line[row] = difference;
    signalLine[row] = signal;
    histogram[row] = difference - signal;
  }
  state[1] = fast;
  state[2] = slow;
  state[3] = signal;
}

/** Does the rows of both warm-ups and the seeds; returns the first row that is left. */
function warmUpMacd(
  periods: MacdPeriods,
  state: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  lines: readonly Float64Array[],
): number {
  const [line, signalLine, histogram] = lines as [Float64Array, Float64Array, Float64Array];
  const last = periods.slow + periods.signal - 1;
  if (state[0] === 0) state.fill(0);
  let seen = state[0] as number;
  let signal = state[3] as number;
  let row = start;
  for (; row < end && seen < last; row += 1) {
    seen += 1;
    const difference = advanceAverages(periods, state, seen, values[row] as number);
    if (seen >= periods.slow) signal += difference;
    if (seen === last) signal /= periods.signal;
    line[row] = difference;
    signalLine[row] = seen === last ? signal : NaN;
    histogram[row] = seen === last ? difference - signal : NaN;
  }
  state[0] = seen;
  state[3] = signal;
  return row;
}

/** Takes the `seen`-th value of a run and returns fast − slow, NaN while the averages are sums that will seed them. */
function advanceAverages(
  periods: MacdPeriods,
  state: Float64Array,
  seen: number,
  value: number,
): number {
  let fast = state[1] as number;
  let slow = state[2] as number;
  if (seen <= periods.slow) {
    slow += value;
    if (seen > periods.slow - periods.fast) fast += value;
    if (seen === periods.slow) {
      fast /= periods.fast;
      slow /= periods.slow;
    }
  } else {
    fast += (2 / (periods.fast + 1)) * (value - fast);
    slow += (2 / (periods.slow + 1)) * (value - slow);
  }
  state[1] = fast;
  state[2] = slow;
  return seen < periods.slow ? NaN : fast - slow;
}
