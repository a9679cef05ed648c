/**
 * Sum over a sliding window in the way of mean.ts, but without a pivot: for terms of one sign, such
 * as volumes and squares, which lose no digits when they are added, and whose sum must not turn
 * negative.
 *
 * In the state: a counter as in mean.ts, and a body of {@link sumBodyLength} numbers: sum of the
 * head, one slot per row of a chunk.
 */
import type { WindowPlace } from './mean.ts';

/** Numbers that {@link pushSum} needs beside its counter. */
export function sumBodyLength(period: number): number {
  return 1 + period;
}

/** Takes one more value and returns the sum of the last `period`, NaN before the first window. */
export function pushSum(
  { period, counter, body }: WindowPlace,
  state: Float64Array,
  value: number,
): number {
  const seen = state[counter] as number;
  const filled = seen < period ? seen : seen - period;
  const slot = body + 1 + filled;
  if (filled === period - 1) {
    state[counter] = period;
    state[body] = 0;
    return turn(state, body + 1, period, value);
  }
  state[counter] = seen + 1;
  if (seen < period) {
    state[slot] = value;
    return NaN;
  }
  const head = (state[body] as number) + value;
  const sum = head + (state[slot] as number);
  state[body] = head;
  state[slot] = value;
  return sum;
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
