import { requireInteger } from '../check.ts';
import { computeLine, type IndicatorMachine } from './machine.ts';
import { streamOfLine, type IndicatorStream } from './stream.ts';

/**
 * Relative strength index (Wilder 1978), 0 … 100: 100 · gain / (gain + loss), where gain and loss
 * are Wilder averages of the up and down changes, (average · (period − 1) + change) / period, seeded
 * with the simple mean of the first `period` changes. Without any movement it is 50, the neutral
 * value. NaN in the first `period` rows of each finite run.
 *
 * @throws KernelError BAD_PARAMETER when period is not an integer of 1 or more
 */
export function rsi(values: Float64Array, period: number = 14): Float64Array {
  return computeLine(rsiMachine(period), values);
}

/** {@link rsi} value by value. */
export function streamRsi(period: number = 14): IndicatorStream<[value: number], number> {
  return streamOfLine(rsiMachine(period));
}

/**
 * {@link rsi} as a state machine. In its state: rows seen (up to period + 1), the value before, and
 * twice the averages of gain and loss (in the warm-up: twice their sums). Twice, because |c| + c is
 * twice the gain without a branch that half of all changes would mispredict; the ratio is the same.
 */
export function rsiMachine(period: number): IndicatorMachine {
  requireInteger('period', period, 1);
  return {
    name: 'rsi',
    parameters: [period],
    inputs: ['close'],
    lines: 1,
    warmUp: period,
    counters: 1,
    stateLength: 4,
    advance(state, inputs, start, end, lines) {
      advanceRsi(period, state, inputs[0] as Float64Array, start, end, lines[0] as Float64Array);
    },
  };
}

function advanceRsi(
  period: number,
  state: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  result: Float64Array,
): void {
  // Multiplying by 1/period instead of dividing changes the last bit and takes a third of the time.
  const [keep, weight] = [(period - 1) / period, 1 / period];
  let row = warmUpRsi(period, state, values, start, end, result);
  let before = state[1] as number;
  let gain = state[2] as number;
  let loss = state[3] as number;
  for (; row < end; row += 1) {
    const value = values[row] as number;
    const change = value - before;
    const size = Math.abs(change);
    before = value;
    gain = gain * keep + (size + change) * weight;
    loss = loss * keep + (size - change) * weight;
    // Written out here and not called: a call that is not inlined would box its numbers, row by row.
    const movement = gain + loss;
    result[row] = movement === 0 ? 50 : (100 * gain) / movement;
  }
  state[1] = before;
  state[2] = gain;
  state[3] = loss;
}

/** Does the rows of the warm-up and the seed; returns the first row that is left. */
function warmUpRsi(
  period: number,
  state: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  result: Float64Array,
): number {
  let seen = state[0] as number;
  if (seen > period) return start;
  let before = state[1] as number;
  let gain = seen === 0 ? 0 : (state[2] as number);
  let loss = seen === 0 ? 0 : (state[3] as number);
  let row = start;
  for (; row < end && seen <= period; row += 1) {
    const value = values[row] as number;
    // The first value of a run has nothing to differ from.
    const change = seen === 0 ? 0 : value - before;
    const size = Math.abs(change);
    before = value;
    gain += size + change;
    loss += size - change;
    seen += 1;
    if (seen > period) {
      gain /= period;
      loss /= period;
    }
    result[row] = seen > period ? strength(gain, loss) : NaN;
  }
  state[0] = seen;
  state[1] = before;
  state[2] = gain;
  state[3] = loss;
  return row;
}

/** The index from the averages, or from the same multiple of both. */
function strength(gain: number, loss: number): number {
  const movement = gain + loss;
  return movement === 0 ? 50 : (100 * gain) / movement;
}
