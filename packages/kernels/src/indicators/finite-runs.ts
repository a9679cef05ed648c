/**
 * The rule for gaps that all indicators share: each longest run of finite values is computed as if
 * it were a series of its own. A gap (NaN or Infinity) is NaN in the output, and after it the
 * warm-up begins anew, because no indicator may pretend that the days before and after a gap are
 * neighbours.
 */

/** Calls `visit` with each longest finite run [start, end) of `values`, in ascending order. */
export function forEachFiniteRun(
  values: Float64Array,
  visit: (start: number, end: number) => void,
): void {
  let start = 0;
  for (let i = 0; i <= values.length; i += 1) {
    if (i < values.length && Number.isFinite(values[i])) continue;
    if (i > start) visit(start, i);
    start = i + 1;
  }
}

/** An output column of the input's length in which nothing is known yet. */
export function unknownColumn(length: number): Float64Array {
  return new Float64Array(length).fill(NaN);
}
