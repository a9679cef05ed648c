/**
 * Highest high and lowest low over a sliding window, in the way of mean.ts: the extremes of a tail of
 * one chunk and of a head of the next (van Herk 1992), three comparisons per row however long the
 * window is.
 *
 * In the state: a counter as in mean.ts, and a body of {@link extremesBodyLength} numbers: highest
 * and lowest of the head, one slot per row of a chunk for the highs, one for the lows.
 */
import type { WindowPlace } from './mean.ts';

/** Numbers that {@link advanceExtremes} needs beside its counter. */
export function extremesBodyLength(period: number): number {
  return 2 + 2 * period;
}

/** Writes the extremes of the last `period` rows at each of the rows [start, end), NaN before the first window. */
export function advanceExtremes(
  { period, counter, body }: WindowPlace,
  state: Float64Array,
  [highs, lows]: readonly [Float64Array, Float64Array],
  [start, end]: readonly [number, number],
  [highest, lowest]: readonly [Float64Array, Float64Array],
): void {
  let seen = state[counter] as number;
  let top = state[body] as number;
  let bottom = state[body + 1] as number;
  const slots = body + 2;
  for (let row = start; row < end;) {
    const filled = seen < period ? seen : seen - period;
    const headEnd = Math.min(end, row + period - 1 - filled);
    let slot = slots + filled;
    seen += headEnd - row;
    if (seen < period) {
      for (; row < headEnd; row += 1, slot += 1) {
        state[slot] = highs[row] as number;
        state[slot + period] = lows[row] as number;
        highest[row] = NaN;
        lowest[row] = NaN;
      }
    } else {
      for (; row < headEnd; row += 1, slot += 1) {
        const high = highs[row] as number;
        const low = lows[row] as number;
        const tailTop = state[slot] as number;
        const tailBottom = state[slot + period] as number;
        state[slot] = high;
        state[slot + period] = low;
        top = high > top ? high : top;
        bottom = low < bottom ? low : bottom;
        highest[row] = tailTop > top ? tailTop : top;
        lowest[row] = tailBottom < bottom ? tailBottom : bottom;
      }
    }
    if (row === end) break;
    // The head begins with the last row of the chunk before: every window that it serves holds it.
    top = highs[row] as number;
    bottom = lows[row] as number;
    highest[row] = turnHighs(state, slots, period, top);
    lowest[row] = turnLows(state, slots + period, period, bottom);
    seen = period;
    row += 1;
  }
  state[counter] = seen;
  state[body] = top;
  state[body + 1] = bottom;
}

function turnHighs(state: Float64Array, slots: number, period: number, last: number): number {
  let top = last;
  for (let slot = slots + period - 2; slot >= slots; slot -= 1) {
    const high = state[slot] as number;
    state[slot] = top;
    top = high > top ? high : top;
  }
  return top;
}

function turnLows(state: Float64Array, slots: number, period: number, last: number): number {
  let bottom = last;
  for (let slot = slots + period - 2; slot >= slots; slot -= 1) {
    const low = state[slot] as number;
    state[slot] = bottom;
    bottom = low < bottom ? low : bottom;
  }
  return bottom;
}
