/** Products of columns with each other: most of what a correlation is. */
import type { ColumnWriter } from '../engine.ts';

/** Rows of a column that stay in the cache while other columns pass by. */
const PANEL_ROWS = 1024;

/** The method of an engine: two columns meet two, so that each loaded value serves two products. */
export function addProducts(
  count: number,
  rows: number,
  write: ColumnWriter,
  square: Float64Array,
): void {
  const columns = Array.from({ length: count }, (_, index) => {
    const column = new Float64Array(rows);
    write(column, index);
    return column;
  });
  for (let start = 0; start < rows; start += PANEL_ROWS) {
    const end = Math.min(rows, start + PANEL_ROWS);
    for (let i = 0; i < count; i += 2) {
      for (let j = i; j < count; j += 2) addBlock(columns, i, j, start, end, square);
    }
  }
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
