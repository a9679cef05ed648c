/**
 * Windows over logarithmic returns, for indicators that are computed of them: stretch by stretch of
 * returns that are all known. One that is not known (the first of a run, or beside a price of 0 or
 * less) is a gap for a window over returns, though the price itself is none.
 */
import { fillLogReturns } from './returns.ts';

/** Rows of a stretch at most: what is computed in between stays in the fastest cache. */
export const STRETCH_ROWS = 256;

/** Where the returns of a stretch are kept between two steps; one per machine. */
export function stretchOfReturns(): Float64Array {
  return new Float64Array(STRETCH_ROWS);
}

/**
 * Goes through the rows [start, end). `visit` finds the returns of each stretch in `returns`, from its
 * first row on; other rows are NaN in `result`. Of the state, entries 0 and 1 are those of
 * `fillLogReturns`, and entry 2 is the counter of the window, which begins anew after an unknown
 * return.
 */
export function forKnownReturns(
  state: Float64Array,
  values: Float64Array,
  [start, end]: readonly [number, number],
  returns: Float64Array,
  result: Float64Array,
  visit: (firstRow: number, from: number, to: number) => void,
): void {
  for (let first = start; first < end; first += STRETCH_ROWS) {
    const rows = Math.min(STRETCH_ROWS, end - first);
    fillLogReturns(state, values.subarray(first, first + rows), 0, rows, returns);
    for (let from = 0; from < rows;) {
      let to = from;
      while (to < rows && (returns[to] as number) - (returns[to] as number) === 0) to += 1;
      if (to > from) visit(first, from, to);
      if (to < rows) {
        result[first + to] = NaN;
        state[2] = 0;
      }
      from = to + 1;
    }
  }
}
