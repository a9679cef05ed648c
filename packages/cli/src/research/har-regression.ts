/**
 * The heterogeneous autoregressive model of realised volatility (Corsi 2009) in logarithms: a linear regression of what
 * came on the volatilities of the last 5, 20 and 60 steps. It learns one case after another.
 */

/** Keeps the equations solvable before there are as many cases as coefficients; next to nothing beside any more. */
const RIDGE = 1e-6;

/** A regression that knows the cases that it was told, and no others. */
export class HarRegression {
  readonly #size: number;
  /** Sums of x xᵀ, row by row, and of x y; x begins with a 1. */
  readonly #squares: Float64Array;
  readonly #products: Float64Array;
  #coefficients: Float64Array | undefined;

  /** @param inputs numbers that a case is explained by */
  constructor(inputs: number) {
    this.#size = inputs + 1;
    this.#squares = new Float64Array(this.#size ** 2);
    this.#products = new Float64Array(this.#size);
    for (let index = 0; index < this.#size; index += 1) {
      this.#squares[index * this.#size + index] = RIDGE;
    }
  }

  /** Learns how a case turned out; a gap in it says nothing. */
  learn(inputs: readonly number[], outcome: number): void {
    if (![...inputs, outcome].every(Number.isFinite)) return;
    const point = [1, ...inputs];
    for (const [row, left] of point.entries()) {
      for (const [column, right] of point.entries()) {
        const at = row * this.#size + column;
        this.#squares[at] = (this.#squares[at] ?? 0) + left * right;
      }
      this.#products[row] = (this.#products[row] ?? 0) + left * outcome;
    }
    this.#coefficients = undefined;
  }

  /** What is to be expected of a case. */
  forecast(inputs: readonly number[]): number {
    this.#coefficients ??= solved(this.#squares, this.#products);
    const coefficients = this.#coefficients;
    return [1, ...inputs].reduce(
      (sum, value, index) => sum + value * (coefficients[index] ?? Number.NaN),
      0,
    );
  }
}

/** Gauss's elimination with the largest pivot: four equations, once for each step. */
function solved(matrix: Float64Array, right: Float64Array): Float64Array {
  const size = right.length;
  const rows = Array.from({ length: size }, (_, row) => [
    ...matrix.subarray(row * size, (row + 1) * size),
    right[row] ?? 0,
  ]);
  const entry = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let pivot = 0; pivot < size; pivot += 1) {
    let best = pivot;
    for (let row = pivot + 1; row < size; row += 1) {
      if (Math.abs(entry(row, pivot)) > Math.abs(entry(best, pivot))) best = row;
    }
    [rows[pivot], rows[best]] = [rows[best] ?? [], rows[pivot] ?? []];
    for (let row = 0; row < size; row += 1) {
      if (row === pivot) continue;
      const share = entry(row, pivot) / entry(pivot, pivot);
      rows[row] = (rows[row] ?? []).map((value, column) => value - share * entry(pivot, column));
    }
  }
  return Float64Array.from({ length: size }, (_, row) => entry(row, size) / entry(row, row));
}
