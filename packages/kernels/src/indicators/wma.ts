import { requireInteger } from '../check.ts';
import { computeLine, type IndicatorMachine } from './machine.ts';
import { streamOfLine, type IndicatorStream } from './stream.ts';

/**
 * Linearly weighted moving average of the last `period` values, in their unit: weights 1 for the
 * oldest to `period` for the newest, divided by their sum period · (period + 1) / 2 (as in TA-Lib and
 * R's TTR). NaN in the first period − 1 rows of each finite run.
 *
 * @throws KernelError BAD_PARAMETER when period is not an integer of 1 or more
 */
export function wma(values: Float64Array, period: number): Float64Array {
  return computeLine(wmaMachine(period), values);
}

/** {@link wma} value by value. */
export function streamWma(period: number): IndicatorStream<[value: number], number> {
  return streamOfLine(wmaMachine(period));
}

/**
 * {@link wma} as a state machine, in the way of windows/mean.ts: tails and heads of chunks, counted
 * from a pivot in the window. A tail of t values has its weights 1 … t from the start; the head's
 * k-th value weighs t + k, so the head is Σ k·u + t·Σ u.
 *
 * In its state: the counter, pivot, Σ u and Σ k·u of the head, one slot per row of a chunk.
 */
export function wmaMachine(period: number): IndicatorMachine {
  requireInteger('period', period, 1);
  return {
    name: 'wma',
    parameters: [period],
    inputs: ['close'],
    lines: 1,
    warmUp: period - 1,
    counters: 1,
    stateLength: SLOTS + period,
    advance(state, inputs, start, end, lines) {
      advanceWma(period, state, inputs[0] as Float64Array, start, end, lines[0] as Float64Array);
    },
  };
}

/** Index of the first slot in the state. */
const SLOTS = 4;

function advanceWma(
  period: number,
  state: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  result: Float64Array,
): void {
  const divisor = (period * (period + 1)) / 2;
  let seen = state[0] as number;
  let pivot = state[1] as number;
  let head = state[2] as number;
  let weighted = state[3] as number;
  for (let row = start; row < end;) {
    const filled = seen < period ? seen : seen - period;
    const headEnd = Math.min(end, row + period - 1 - filled);
    let slot = SLOTS + filled;
    seen += headEnd - row;
    if (seen < period) {
      for (; row < headEnd; row += 1, slot += 1) {
        state[slot] = values[row] as number;
        result[row] = NaN;
      }
    } else {
      for (let rank = filled + 1; row < headEnd; row += 1, slot += 1, rank += 1) {
        const value = values[row] as number;
        const offset = value - pivot;
        head += offset;
        weighted += rank * offset;
        const sum = (state[slot] as number) + weighted + (period - rank) * head;
        result[row] = pivot + sum / divisor;
        state[slot] = value;
      }
    }
    if (row === end) break;
    pivot = values[row] as number;
    result[row] = pivot + turn(state, period, pivot) / divisor;
    head = 0;
    weighted = 0;
    seen = period;
    row += 1;
  }
  state[0] = seen;
  state[1] = pivot;
  state[2] = head;
  state[3] = weighted;
}

/** Turns the values of a chunk into the weighted sums of what follows each of them; returns that of all. */
function turn(state: Float64Array, period: number, pivot: number): number {
  let sum = 0;
  let weighted = 0;
  for (let slot = SLOTS + period - 2; slot >= SLOTS; slot -= 1) {
    const value = state[slot] as number;
    state[slot] = weighted;
    // An older value gets the weight 1, and every younger one weighs 1 more than before.
    sum += value - pivot;
    weighted += sum;
  }
  return weighted;
}
