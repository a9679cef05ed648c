/** Products of columns with each other: all that a correlation of scaled columns is. */

/** Rows of a column that stay in the cache while other columns pass by. */
const PANEL_ROWS = 1024;

/**
 * The products of all pairs of columns of `rows` values each: a square, row by row, of which the part on and above the
 * diagonal is set. Two columns meet two, so that each loaded value serves two products.
 */
export function productsOfColumns(columns: readonly Float64Array[], rows: number): Float64Array {
  const count = columns.length;
  const products = new Float64Array(count * count);
  for (let start = 0; start < rows; start += PANEL_ROWS) {
    const end = Math.min(rows, start + PANEL_ROWS);
    for (let i = 0; i < count; i += 2) {
      for (let j = i; j < count; j += 2) addBlock(columns, i, j, start, end, products);
    }
  }
  return products;
}

function addBlock(
  columns: readonly Float64Array[],
  i: number,
  j: number,
  start: number,
  end: number,
  products: Float64Array,
): void {
  const count = columns.length;
  // An odd last column stands in for its missing neighbour, whose products are then dropped.
  const hasSecondRow = i + 1 < count;
  const hasSecondColumn = j + 1 < count;
  const a = columns[i] as Float64Array;
  const b = hasSecondRow ? (columns[i + 1] as Float64Array) : a;
  const c = columns[j] as Float64Array;
  const d = hasSecondColumn ? (columns[j + 1] as Float64Array) : c;
  let ac = 0;
  let ad = 0;
  let bc = 0;
  let bd = 0;
  for (let row = start; row < end; row += 1) {
    const valueA = a[row] as number;
    const valueB = b[row] as number;
    const valueC = c[row] as number;
    const valueD = d[row] as number;
    ac += valueA * valueC;
    ad += valueA * valueD;
    bc += valueB * valueC;
    bd += valueB * valueD;
  }
  const first = i * count + j;
  const second = first + count;
  products[first] = (products[first] as number) + ac;
  if (hasSecondColumn) products[first + 1] = (products[first + 1] as number) + ad;
  if (!hasSecondRow) return;
  products[second] = (products[second] as number) + bc;
  if (hasSecondColumn) products[second + 1] = (products[second + 1] as number) + bd;
}
