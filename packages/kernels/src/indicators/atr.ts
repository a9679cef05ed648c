import { requireInteger } from '../check.ts';
import { computeLine, type IndicatorMachine } from './machine.ts';
import { streamOfLine, type IndicatorStream } from './stream.ts';

/** Columns of equal length, one row per bar. */
export interface HighLowClose {
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
}

/**
 * Average true range (Wilder 1978), in the unit of the prices: the Wilder average, (average · (period
 * − 1) + range) / period, of the true ranges max(high, close before) − min(low, close before), seeded
 * with the simple mean of the first `period` of them. The first bar of a run has no close before and
 * so no true range (the convention of TA-Lib and R's TTR): NaN in the first `period` rows of each run
 * of bars that are finite in all three columns.
 *
 * @throws KernelError BAD_PARAMETER when period is not an integer of 1 or more, LENGTH_MISMATCH
 */
export function atr({ high, low, close }: HighLowClose, period: number = 14): Float64Array {
  return computeLine(atrMachine(period), high, low, close);
}

/** {@link atr} bar by bar. */
export function streamAtr(
  period: number = 14,
): IndicatorStream<[high: number, low: number, close: number], number> {
  return streamOfLine(atrMachine(period));
}

/**
 * {@link atr} as a state machine. In its state: bars seen (up to period + 1), the close before, and
 * the average, or the sum that will seed it.
 */
export function atrMachine(period: number): IndicatorMachine {
  requireInteger('period', period, 1);
  return {
    name: 'atr',
    parameters: [period],
    inputs: ['high', 'low', 'close'],
    lines: 1,
    warmUp: period,
    counters: 1,
    stateLength: 3,
    advance(state, inputs, start, end, lines) {
      advanceAtr(period, state, inputs, start, end, lines[0] as Float64Array);
    },
  };
}

function advanceAtr(
  period: number,
  state: Float64Array,
  inputs: readonly Float64Array[],
  start: number,
  end: number,
  result: Float64Array,
): void {
  const [high, low, close] = inputs as [Float64Array, Float64Array, Float64Array];
  const [keep, weight] = [(period - 1) / period, 1 / period];
  let seen = state[0] as number;
  let before = state[1] as number;
  let average = state[2] as number;
  let row = start;
  for (; row < end && seen <= period; row += 1) {
    if (seen === 0) average = 0;
    else average += trueRange(high[row] as number, low[row] as number, before);
    before = close[row] as number;
    seen += 1;
    if (seen > period) average /= period;
    result[row] = seen > period ? average : NaN;
  }
  for (; row < end; row += 1) {
    const top = high[row] as number;
    const bottom = low[row] as number;
    // Written out here and not called: a call that is not inlined would box its numbers, row by row.
    const range = (top > before ? top : before) - (bottom < before ? bottom : before);
    before = close[row] as number;
    average = average * keep + range * weight;
    result[row] = average;
  }
  state[0] = seen;
  state[1] = before;
  state[2] = average;
}

function trueRange(high: number, low: number, before: number): number {
  return (high > before ? high : before) - (low < before ? low : before);
}
