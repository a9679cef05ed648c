/**
 * Correlation of many columns with each other, with gaps.
 *
 * A value that is not finite is a gap. Each pair of columns is correlated over the rows where both
 * have a value (pairwise overlap), so that one short column does not cost all others their rows.
 * Pearson's coefficient is Σ(x−x̄)(y−ȳ) / sqrt(Σ(x−x̄)² Σ(y−ȳ)²); Spearman's is Pearson's over the
 * ranks, with average ranks for ties, ranked anew within each pair's overlap.
 *
 * Columns without gaps are centred once, after which a coefficient is one dot product over two norms;
 * only pairs with a gap take the slower two-pass way.
 */
import type { KernelEngine } from './engine.ts';
import { TYPESCRIPT_ENGINE } from './typescript/typescript-engine.ts';
import { averageRanks } from './typescript/ranks.ts';
import { KernelError } from './problem.ts';
import { ShrinkageEstimate, shrinkTowardsIdentity } from './shrinkage.ts';

/** Pearson: linear relation. Spearman: any monotone relation, robust against outliers. */
export type CorrelationMethod = 'pearson' | 'spearman';

/** Columns of equal length, for example the returns of one strategy each. */
export interface CorrelationOptions {
  readonly columns: readonly Float64Array[];
  /** @default 'pearson' */
  readonly method?: CorrelationMethod | undefined;
  /**
   * Shrinks the matrix towards the identity: λ from 0 to 1, or `auto` for the estimate of shrinkage.ts.
   * @default 0
   */
  readonly shrinkage?: number | 'auto' | undefined;
}

/** Two full square matrices of columns × columns, row by row. */
export interface CorrelationMatrix {
  /**
   * Coefficients in [−1, 1], symmetric. NaN where the overlap has under two rows or where one column
   * is constant over it. The diagonal is exactly 1, or NaN for a constant column.
   */
  readonly matrix: Float64Array;
  /** Rows in which both columns have a value; the diagonal counts the column's own values. */
  readonly overlap: Uint32Array;
  /** λ of the shrinkage that was applied, given or estimated; 0 for none. */
  readonly shrinkage: number;
}

/**
 * Correlates all pairs of columns. No columns give empty matrices.
 *
 * @throws KernelError LENGTH_MISMATCH when columns differ in length, BAD_PARAMETER for method and shrinkage
 */
export function correlate(
  options: CorrelationOptions,
  engine: KernelEngine = TYPESCRIPT_ENGINE,
): CorrelationMatrix {
  const method = options.method ?? 'pearson';
  requireMethod(method);
  requireShrinkage(options.shrinkage);
  const { columns } = options;
  const count = columns.length;
  const rows = columns[0]?.length ?? 0;
  requireSameLengths(columns, rows);
  const matrix = new Float64Array(count * count);
  const overlap = new Uint32Array(count * count);
  const complete = columns.map(isComplete);
  fillCompletePairs(columns, complete, method, matrix, overlap, engine);
  const pair = { x: new Float64Array(rows), y: new Float64Array(rows) };
  for (let i = 0; i < count; i += 1) {
    for (let j = i; j < count; j += 1) {
      if (complete[i] === true && complete[j] === true) continue;
      const shared = gatherOverlap(columns[i] as Float64Array, columns[j] as Float64Array, pair);
      const value = correlatePair(pair.x.subarray(0, shared), pair.y.subarray(0, shared), method);
      const coefficient = i === j && !Number.isNaN(value) ? 1 : value;
      matrix[i * count + j] = coefficient;
      matrix[j * count + i] = coefficient;
      overlap[i * count + j] = shared;
      overlap[j * count + i] = shared;
    }
  }
  const shrinkage =
    options.shrinkage === 'auto'
      ? estimateShrinkage(columns, complete, method, engine)
      : (options.shrinkage ?? 0);
  if (shrinkage > 0) shrinkTowardsIdentity(matrix, count, shrinkage);
  return { matrix, overlap, shrinkage };
}

function estimateShrinkage(
  columns: readonly Float64Array[],
  complete: readonly boolean[],
  method: CorrelationMethod,
  engine: KernelEngine,
): number {
  const estimate = new ShrinkageEstimate();
  const rows = columns[0]?.length ?? 0;
  const scaled = columns.map((column, index) => {
    if (complete[index] !== true) return undefined;
    return scaleColumn(method === 'spearman' ? engine.averageRanks(column) : column.slice());
  });
  const pair = { x: new Float64Array(rows), y: new Float64Array(rows) };
  for (let i = 0; i < columns.length; i += 1) {
    for (let j = i + 1; j < columns.length; j += 1) {
      const [a, b] = [scaled[i], scaled[j]];
      if (a !== undefined && b !== undefined) {
        if (rows >= 2) estimate.addPair(a, b);
        continue;
      }
      const shared = gatherOverlap(columns[i] as Float64Array, columns[j] as Float64Array, pair);
      if (shared < 2) continue;
      const x = pair.x.subarray(0, shared);
      const y = pair.y.subarray(0, shared);
      if (method === 'pearson') estimate.addPair(scaleColumn(x), scaleColumn(y));
      else estimate.addPair(scaleColumn(averageRanks(x)), scaleColumn(averageRanks(y)));
    }
  }
  return estimate.lambda;
}

/** Centres a column in place and divides it by its norm; undefined coefficients become NaN by a NaN column. */
function scaleColumn(column: Float64Array): Float64Array {
  const norm = centreColumn(column);
  for (let i = 0; i < column.length; i += 1) column[i] = (column[i] as number) / norm;
  return column;
}

/** Sums of squares between these are taken as they are: their products are far from overflow and from underflow. */
const PLAIN_SQUARES = { min: 1e-200, max: 1e200 };

/**
 * Puts the deviations from its mean in place of a column, or a multiple of them, and returns their norm, so that the
 * coefficient of two columns is their product over both norms; NaN where no correlation is defined.
 */
function centreColumn(column: Float64Array): number {
  if (isConstant(column)) return NaN;
  // Shifting by the first value keeps the digits of columns that sit at a high level.
  const first = column[0] as number;
  // Two sums side by side, since each addition waits for the one before. The last value of an odd length is by itself.
  const even = column.length - (column.length % 2);
  let sum = 0;
  let otherSum = 0;
  for (let i = 0; i < even; i += 2) {
    sum += (column[i] as number) - first;
    otherSum += (column[i + 1] as number) - first;
  }
  const last = even < column.length ? (column[even] as number) - first : 0;
  const mean = (sum + otherSum + last) / column.length;
  let squares = 0;
  let otherSquares = 0;
  for (let i = 0; i < even; i += 2) {
    const deviation = (column[i] as number) - first - mean;
    const next = (column[i + 1] as number) - first - mean;
    column[i] = deviation;
    column[i + 1] = next;
    squares += deviation * deviation;
    otherSquares += next * next;
  }
  squares += otherSquares;
  if (even < column.length) {
    column[even] = last - mean;
    squares += (last - mean) ** 2;
  }
  const isPlain = squares > PLAIN_SQUARES.min && squares < PLAIN_SQUARES.max;
  return Math.sqrt(isPlain ? squares : divideByLargest(column));
}

/** Keeps the squares of tiny and of huge deviations representable. Returns the sum of the new ones. */
function divideByLargest(column: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < column.length; i += 1) {
    const size = Math.abs(column[i] as number);
    if (size > largest) largest = size;
  }
  let squares = 0;
  for (let i = 0; i < column.length; i += 1) {
    const relative = (column[i] as number) / largest;
    column[i] = relative;
    squares += relative * relative;
  }
  return squares;
}

/** Whether all values are finite: a difference with itself is 0 for those and NaN for all others. */
function isComplete(column: Float64Array): boolean {
  for (let i = 0; i < column.length; i += 1) {
    if ((column[i] as number) - (column[i] as number) !== 0) return false;
  }
  return true;
}

/** Exactly constant, or under two rows: no correlation is defined. */
function isConstant(column: Float64Array): boolean {
  for (let i = 1; i < column.length; i += 1) if (column[i] !== column[0]) return false;
  return true;
}

/** The coefficient of two columns without gaps, which it uses up. */
function correlatePair(x: Float64Array, y: Float64Array, method: CorrelationMethod): number {
  if (x.length < 2) return NaN;
  const a = method === 'spearman' ? averageRanks(x) : x;
  const b = method === 'spearman' ? averageRanks(y) : y;
  const norms = centreColumn(a) * centreColumn(b);
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] as number) * (b[i] as number);
  return clamp(sum / norms);
}

function gatherOverlap(
  a: Float64Array,
  b: Float64Array,
  pair: { readonly x: Float64Array; readonly y: Float64Array },
): number {
  let shared = 0;
  for (let i = 0; i < a.length; i += 1) {
    const x = a[i] as number;
    const y = b[i] as number;
    // A difference with itself is 0 for every finite value and NaN for all others.
    if (x - x !== 0 || y - y !== 0) continue;
    pair.x[shared] = x;
    pair.y[shared] = y;
    shared += 1;
  }
  return shared;
}

/** All pairs of columns without gaps. */
function fillCompletePairs(
  columns: readonly Float64Array[],
  complete: readonly boolean[],
  method: CorrelationMethod,
  matrix: Float64Array,
  overlap: Uint32Array,
  engine: KernelEngine,
): void {
  const count = columns.length;
  const rows = columns[0]?.length ?? 0;
  const places = Uint32Array.from(complete.keys()).filter((place) => complete[place] === true);
  const norms = new Float64Array(places.length);
  const write = (target: Float64Array, index: number): void => {
    const column = columns[places[index] as number] as Float64Array;
    target.set(method === 'spearman' ? engine.averageRanks(column) : column);
    norms[index] = centreColumn(target);
  };
  // Without gaps products become coefficients where they are: from the first row on none is overwritten that is still to be read.
  const products = places.length === count ? matrix : new Float64Array(places.length ** 2);
  engine.addProducts(places.length, rows, write, products);
  for (let i = 0; i < places.length; i += 1) {
    const a = places[i] as number;
    for (let j = i; j < places.length; j += 1) {
      const b = places[j] as number;
      const product = products[i * places.length + j] as number;
      const value = clamp(product / ((norms[i] as number) * (norms[j] as number)));
      const coefficient = a === b && !Number.isNaN(value) ? 1 : value;
      matrix[a * count + b] = coefficient;
      matrix[b * count + a] = coefficient;
      overlap[a * count + b] = rows;
      overlap[b * count + a] = rows;
    }
  }
}

function clamp(value: number): number {
  if (value > 1) return 1;
  return value < -1 ? -1 : value;
}

function requireMethod(method: string): void {
  if (method === 'pearson' || method === 'spearman') return;
  throw new KernelError(
    'BAD_PARAMETER',
    `method is '${method}', but it must be pearson or spearman.`,
    'Set method to pearson or spearman.',
  );
}

function requireShrinkage(shrinkage: number | 'auto' | undefined): void {
  if (shrinkage === undefined || shrinkage === 'auto' || (shrinkage >= 0 && shrinkage <= 1)) return;
  throw new KernelError(
    'BAD_PARAMETER',
    `shrinkage is ${shrinkage}, but it must be a number from 0 to 1, or auto.`,
    'Set shrinkage to auto, or leave it out.',
  );
}

function requireSameLengths(columns: readonly Float64Array[], rows: number): void {
  const other = columns.findIndex((column) => column.length !== rows);
  if (other < 0) return;
  throw new KernelError(
    'LENGTH_MISMATCH',
    `Column ${other} has ${columns[other]?.length} rows, but column 0 has ${rows}.`,
    'Pass columns of equal length and mark missing values as NaN.',
  );
}
