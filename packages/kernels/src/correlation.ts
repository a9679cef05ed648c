/**
 * Correlation of many columns with each other, with gaps.
 *
 * A value that is not finite is a gap. Each pair of columns is correlated over the rows where both
 * have a value (pairwise overlap), so that one short column does not cost all others their rows.
 * Pearson's coefficient is Σ(x−x̄)(y−ȳ) / sqrt(Σ(x−x̄)² Σ(y−ȳ)²); Spearman's is Pearson's over the
 * ranks, with average ranks for ties, ranked anew within each pair's overlap.
 *
 * Columns without gaps are centred and scaled once, after which a coefficient is one dot product;
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
  const complete = columns.map((column) => column.every(Number.isFinite));
  const scaled = columns.map((column, index) =>
    complete[index] === true
      ? scaleColumn(method === 'spearman' ? engine.averageRanks(column) : column)
      : undefined,
  );
  fillCompletePairs(scaled, rows, matrix, overlap, engine);
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
      ? estimateShrinkage(columns, scaled, method)
      : (options.shrinkage ?? 0);
  if (shrinkage > 0) shrinkTowardsIdentity(matrix, count, shrinkage);
  return { matrix, overlap, shrinkage };
}

function estimateShrinkage(
  columns: readonly Float64Array[],
  scaled: readonly (Float64Array | undefined)[],
  method: CorrelationMethod,
): number {
  const estimate = new ShrinkageEstimate();
  const rows = columns[0]?.length ?? 0;
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

/** Centres a column and divides it by its norm; undefined coefficients become NaN by a NaN column. */
function scaleColumn(column: Float64Array): Float64Array {
  const scaled = new Float64Array(column.length);
  if (isConstant(column)) return scaled.fill(NaN);
  // Shifting by the first value keeps the digits of columns that sit at a high level.
  const first = column[0] as number;
  let sum = 0;
  for (let i = 0; i < column.length; i += 1) sum += (column[i] as number) - first;
  const mean = sum / column.length;
  let largest = 0;
  for (let i = 0; i < column.length; i += 1) {
    const deviation = (column[i] as number) - first - mean;
    scaled[i] = deviation;
    if (Math.abs(deviation) > largest) largest = Math.abs(deviation);
  }
  // Dividing by the largest first keeps the squares of tiny and of huge columns representable.
  let squares = 0;
  for (let i = 0; i < column.length; i += 1) {
    const relative = (scaled[i] as number) / largest;
    scaled[i] = relative;
    squares += relative * relative;
  }
  const norm = Math.sqrt(squares);
  for (let i = 0; i < column.length; i += 1) scaled[i] = (scaled[i] as number) / norm;
  return scaled;
}

/** Exactly constant, or under two rows: no correlation is defined. */
function isConstant(column: Float64Array): boolean {
  for (let i = 1; i < column.length; i += 1) if (column[i] !== column[0]) return false;
  return true;
}

function correlatePair(x: Float64Array, y: Float64Array, method: CorrelationMethod): number {
  if (x.length < 2) return NaN;
  const a = scaleColumn(method === 'spearman' ? averageRanks(x) : x);
  const b = scaleColumn(method === 'spearman' ? averageRanks(y) : y);
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] as number) * (b[i] as number);
  return clamp(sum);
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

/** All pairs of scaled columns. */
function fillCompletePairs(
  scaled: readonly (Float64Array | undefined)[],
  rows: number,
  matrix: Float64Array,
  overlap: Uint32Array,
  engine: KernelEngine,
): void {
  const count = scaled.length;
  const present = scaled.flatMap((column, index) =>
    column === undefined ? [] : [{ column, index }],
  );
  const products = engine.products(
    present.map(({ column }) => column),
    rows,
  );
  for (let i = 0; i < present.length; i += 1) {
    for (let j = i; j < present.length; j += 1) {
      const a = (present[i] as (typeof present)[number]).index;
      const b = (present[j] as (typeof present)[number]).index;
      const sum = rows === 0 ? NaN : clamp(products[i * present.length + j] as number);
      const coefficient = a === b && !Number.isNaN(sum) ? 1 : sum;
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
