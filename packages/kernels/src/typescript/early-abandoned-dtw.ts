/**
 * Dynamic time warping that gives up as soon as the answer is known to exceed a bound.
 *
 * The idea is EAPrunedDTW (Herrmann & Webb, "Early abandoning and pruning for elastic distances
 * including dynamic time warping", 2020): a cell of the cost table above the bound can never lie
 * on an answer below it. So each row is computed only from its first living cell (everything left
 * of it is dead for good) to just past the last living cell of the row above, and when a row has
 * no living cell the whole computation stops. At the left edge the left neighbour is dead, past
 * the edge of the row above both upper neighbours are dead, so most cells need two comparisons or
 * none instead of three. A lower bound on the rows still to come tightens the bound of each row.
 *
 * Living cells are computed by exactly the additions of the plain table, so that the answer is
 * equal to the last bit whenever it is within the bound.
 */

/** The two rows of a table with up to `columns` columns; made once, used for every window. */
export interface DtwScratch {
  readonly rowA: Float64Array;
  readonly rowB: Float64Array;
}

/** Allocates the scratch rows for tables of up to `columns` columns. */
export function createDtwScratch(columns: number): DtwScratch {
  return { rowA: new Float64Array(columns + 1), rowB: new Float64Array(columns + 1) };
}

/**
 * Squared banded DTW distance between `rows` and `columns`, or Infinity when it exceeds `bound`.
 * Unchecked: for inner loops.
 *
 * `remaining[i]` is a lower bound on the cost of rows i, i+1, …; it has one entry more than rows and
 * ends in 0. All zeros switch it off. It carries its own rounding, so a caller who fills it gives
 * `bound` a small slack.
 */
export function earlyAbandonedDtwSquared(
  rows: Float64Array,
  columns: Float64Array,
  band: number,
  bound: number,
  remaining: Float64Array,
  scratch: DtwScratch,
): number {
  // Column j of the table lives in slot j + 1; slot 0 is the border left of the table.
  const rowCount = rows.length;
  const columnCount = columns.length;
  let above = scratch.rowA;
  let current = scratch.rowB;
  let firstLiving = 0;
  // One past the last living cell of the row above. Only the corner lives above row 0.
  let livingEnd = 0;
  above[0] = 0;
  for (let i = 0; i < rowCount; i += 1) {
    const x = rows[i] as number;
    const limit = bound - (remaining[i + 1] as number);
    const bandStart = i - band;
    const bandEnd = i + band + 1 < columnCount ? i + band + 1 : columnCount;
    let j = firstLiving > bandStart ? firstLiving : bandStart;
    let left = Infinity;
    // One past the last living cell of this row; 0 means that none was met.
    let end = 0;
    current[j] = Infinity;
    const coveredEnd = livingEnd < bandEnd ? livingEnd : bandEnd;
    // Left edge: nothing to the left is alive.
    while (j < coveredEnd) {
      const diagonal = above[j] as number;
      const top = above[j + 1] as number;
      const difference = x - (columns[j] as number);
      const cost = (top < diagonal ? top : diagonal) + difference * difference;
      j += 1;
      if (cost <= limit) {
        left = cost;
        current[j] = cost;
        end = j;
        break;
      }
      current[j] = Infinity;
    }
    firstLiving = end > 0 ? end - 1 : j;
    // Below the living part of the row above: all three neighbours count.
    while (j < coveredEnd) {
      const diagonal = above[j] as number;
      const top = above[j + 1] as number;
      const difference = x - (columns[j] as number);
      const best = top < diagonal ? top : diagonal;
      left = (left < best ? left : best) + difference * difference;
      j += 1;
      current[j] = left;
      if (left <= limit) end = j;
    }
    // One past it: the diagonal is the last living cell above.
    if (j === livingEnd && j < bandEnd) {
      const diagonal = above[j] as number;
      const difference = x - (columns[j] as number);
      left = (left < diagonal ? left : diagonal) + difference * difference;
      if (left <= limit) end = j + 1;
      j += 1;
      current[j] = left;
      // Right of it only the left neighbour can be alive.
      while (j < bandEnd && left <= limit) {
        const step = x - (columns[j] as number);
        left += step * step;
        j += 1;
        current[j] = left;
        if (left <= limit) end = j;
      }
    }
    if (end === 0) return Infinity;
    livingEnd = end;
    const swap = above;
    above = current;
    current = swap;
  }
  if (livingEnd < columnCount) return Infinity;
  const answer = above[columnCount] as number;
  return answer <= bound ? answer : Infinity;
}
