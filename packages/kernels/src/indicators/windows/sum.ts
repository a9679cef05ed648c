/**
 * Sum over a sliding window in the way of mean.ts, but without a pivot: for terms of one sign, such
 * as volumes and squares, which lose no digits when they are added, and whose sum must not turn
 * negative.
 *
 * In the state: a counter as in mean.ts, and a body of {@link sumBodyLength} numbers: sum of the
 * head, one slot per row of a chunk.
 */
import type { WindowPlace } from './mean.ts';

/** Numbers that {@link advanceSum} needs beside its counter. */
export function sumBodyLength(period: number): number {
  return 1 + period;
}

/** Replaces each of `values[0 … rows)` by the sum of the last `period`, NaN before the first window. */
export function advanceSum(
  { period, counter, body }: WindowPlace,
  state: Float64Array,
  values: Float64Array,
  rows: number,
): void {
  let seen = state[counter] as number;
  let head = state[body] as number;
  const slots = body + 1;
  for (let row = 0; row < rows;) {
    const filled = seen < period ? seen : seen - period;
    const headEnd = Math.min(rows, row + period - 1 - filled);
    let slot = slots + filled;
    seen += headEnd - row;
    if (seen < period) {
      for (; row < headEnd; row += 1, slot += 1) {
        state[slot] = values[row] as number;
        values[row] = NaN;
      }
    } else {
      for (; row < headEnd; row += 1, slot += 1) {
        const value = values[row] as number;
        head += value;
        values[row] = head + (state[slot] as number);
        state[slot] = value;
      }
    }
    if (row === rows) break;
    values[row] = turn(state, slots, period, values[row] as number);
    head = 0;
    seen = period;
    row += 1;
  }
  state[counter] = seen;
  state[body] = head;
}

/** Turns the values of a chunk, of which `last` is not stored, into the sums of what follows each; returns the sum of all. */
function turn(state: Float64Array, slots: number, period: number, last: number): number {
  let sum = last;
  for (let slot = slots + period - 2; slot >= slots; slot -= 1) {
    const value = state[slot] as number;
    state[slot] = sum;
    sum += value;
  }
  return sum;
}
