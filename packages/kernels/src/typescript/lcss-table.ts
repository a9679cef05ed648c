/** The table of the longest common subsequence of two real-valued series, row by row, or 32 columns at a time. */
import { BIT_PARALLEL_DELTA_MIN, bitParallelLcss } from './bit-parallel-lcss.ts';

/**
 * The unchecked form for inner loops: the LCSS of the first values of `a` and `b`, or −1 as soon as
 * it is certain to stay below `needed`. `row` is scratch of at least columnCount + 1 entries.
 */
export function boundedLcss(
  a: Float64Array,
  rowCount: number,
  b: Float64Array,
  columnCount: number,
  epsilon: number,
  delta: number,
  needed: number,
  row: Int32Array,
): number {
  if (delta >= BIT_PARALLEL_DELTA_MIN) {
    return bitParallelLcss(a, rowCount, b, columnCount, epsilon, delta, needed, row);
  }
  // row[j + 1] is the LCSS of the rows so far with b[0..j]. Left of the band a row equals the row
  // above, because nothing can match there any more, so those entries simply stay. Right of the
  // band it equals the band's last entry, `reach`; the band's next column finds a 0 above itself
  // instead, which changes nothing, because its left neighbour is never smaller.
  row.fill(0, 0, columnCount + 1);
  let reach = 0;
  for (let i = 0; i < rowCount; i += 1) {
    const x = a[i] as number;
    const start = i - delta > 0 ? i - delta : 0;
    const end = i + delta + 1 < columnCount ? i + delta + 1 : columnCount;
    if (start < end) {
      let diagonal = row[start] as number;
      let left = diagonal;
      for (let j = start; j < end; j += 1) {
        const up = row[j + 1] as number;
        const difference = x - (b[j] as number);
        if (difference <= epsilon && -difference <= epsilon) left = diagonal + 1;
        else left = up > left ? up : left;
        row[j + 1] = left;
        diagonal = up;
      }
      reach = left;
    }
    if (reach + rowCount - 1 - i < needed) return -1;
  }
  return reach >= needed ? reach : -1;
}
