/**
 * Mean and sum of squared deviations over a sliding window, in the way of mean.ts: tails and heads
 * of chunks, counted from a pivot that lies in the window.
 *
 *   u = x − pivot        mean = pivot + Σu/p        Σ(x − mean)² = Σu² − (Σu)²/p
 *
 * The subtraction is safe here because the pivot is one of the window's own values: no value of p
 * lies further than √(p − 1) standard deviations from their mean, so Σu² is at most p times the
 * result, and the relative error of the result stays within a small multiple of p² × 2⁻⁵³ in the
 * worst case and near p × 2⁻⁵³ in practice. A constant window has exactly 0.
 *
 * In the state: a counter as in mean.ts, and a body of {@link momentsBodyLength} numbers: pivot, sum
 * and sum of squares of the head, one slot per row of a chunk for the sums, one for the squares.
 */
import type { WindowPlace } from './mean.ts';

/** Numbers that {@link advanceMoments} needs beside its counter. */
export function momentsBodyLength(period: number): number {
  return 3 + 2 * period;
}

/**
 * Writes mean and Σ(x − mean)² of the last `period` values at each of the rows [start, end), NaN
 * before the first window. Values beyond 1e150 have squares that overflow: NaN or Infinity, in the
 * windows that hold them.
 */
export function advanceMoments(
  { period, counter, body }: WindowPlace,
  state: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  means: Float64Array,
  squaredDeviations: Float64Array,
): void {
  let seen = state[counter] as number;
  let pivot = state[body] as number;
  let head = state[body + 1] as number;
  let headSquares = state[body + 2] as number;
  const slots = body + 3;
  for (let row = start; row < end;) {
    const filled = seen < period ? seen : seen - period;
    const headEnd = Math.min(end, row + period - 1 - filled);
    let slot = slots + filled;
    seen += headEnd - row;
    if (seen < period) {
      for (; row < headEnd; row += 1, slot += 1) {
        state[slot] = values[row] as number;
        means[row] = NaN;
        squaredDeviations[row] = NaN;
      }
    } else {
      for (; row < headEnd; row += 1, slot += 1) {
        const value = values[row] as number;
        const offset = value - pivot;
        head += offset;
        headSquares += offset * offset;
        const sum = head + (state[slot] as number);
        means[row] = pivot + sum / period;
        squaredDeviations[row] =
          headSquares + (state[slot + period] as number) - (sum * sum) / period;
        state[slot] = value;
      }
    }
    if (row === end) break;
    pivot = values[row] as number;
    turn(state, slots, period, pivot, row, means, squaredDeviations);
    head = 0;
    headSquares = 0;
    seen = period;
    row += 1;
  }
  state[counter] = seen;
  state[body] = pivot;
  state[body + 1] = head;
  state[body + 2] = headSquares;
}

/** Turns the values of a chunk into the sums of what follows each of them, and writes the whole chunk's moments. */
function turn(
  state: Float64Array,
  slots: number,
  period: number,
  pivot: number,
  row: number,
  means: Float64Array,
  squaredDeviations: Float64Array,
): void {
  let sum = 0;
  let squares = 0;
  for (let slot = slots + period - 2; slot >= slots; slot -= 1) {
    const offset = (state[slot] as number) - pivot;
    state[slot] = sum;
    state[slot + period] = squares;
    sum += offset;
    squares += offset * offset;
  }
  means[row] = pivot + sum / period;
  squaredDeviations[row] = squares - (sum * sum) / period;
}
