/**
 * Mean over a sliding window, without the drift of running sums.
 *
 * A running sum that adds the new value and subtracts the old one keeps the rounding of every value
 * it ever held: one spike spoils all later rows. Here the run is cut into chunks of one window
 * length; every window is the tail of one chunk and the head of the next (van Herk 1992), and both
 * grow by additions only. So no window's error depends on what came before it. O(1) per row: a
 * chunk that is complete is turned into the sums of its tails, in place, because the head needs the
 * slot of a tail exactly when that tail has served.
 *
 * All values count from a pivot, the last value of the chunk before, which lies in every window that
 * reaches into that chunk. So a level far above the movement costs no digits, and a constant window
 * has exactly the constant as its mean.
 *
 * In the state: a counter (rows seen in the first chunk, then period + rows of the head), and a body
 * of {@link meanBodyLength} numbers: pivot, sum of the head, one slot per row of a chunk.
 */

/** Numbers that {@link advanceMean} needs beside its counter. */
export function meanBodyLength(period: number): number {
  return 2 + period;
}

/** Where a window keeps its numbers, and how long it is. */
export interface WindowPlace {
  readonly period: number;
  /** Index of its counter. */
  readonly counter: number;
  /** Index of the first number of its body. */
  readonly body: number;
}

/** Writes the mean of the last `period` values at each of the rows [start, end), NaN before the first window. */
export function advanceMean(
  { period, counter, body }: WindowPlace,
  state: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  result: Float64Array,
): void {
  let seen = state[counter] as number;
  let pivot = state[body] as number;
  let head = state[body + 1] as number;
  const slots = body + 2;
  for (let row = start; row < end;) {
    const filled = seen < period ? seen : seen - period;
    const headEnd = Math.min(end, row + period - 1 - filled);
    let slot = slots + filled;
    seen += headEnd - row;
    if (seen < period) {
      for (; row < headEnd; row += 1, slot += 1) {
        state[slot] = values[row] as number;
        result[row] = NaN;
      }
    } else {
      for (; row < headEnd; row += 1, slot += 1) {
        const value = values[row] as number;
        head += value - pivot;
        result[row] = pivot + (head + (state[slot] as number)) / period;
        state[slot] = value;
      }
    }
    if (row === end) break;
    pivot = values[row] as number;
    result[row] = pivot + turn(state, slots, period, pivot) / period;
    head = 0;
    seen = period;
    row += 1;
  }
  state[counter] = seen;
  state[body] = pivot;
  state[body + 1] = head;
}

/** Turns the values of a chunk into the sums of what follows each of them; returns the sum of all. */
function turn(state: Float64Array, slots: number, period: number, pivot: number): number {
  let sum = 0;
  for (let slot = slots + period - 2; slot >= slots; slot -= 1) {
    const value = state[slot] as number;
    state[slot] = sum;
    sum += value - pivot;
  }
  return sum;
}
