/**
 * Shrinks a correlation matrix towards the identity, R* = (1 − λ) R + λ I: with few rows for many columns the sample's
 * coefficients are too extreme, and the matrix is hardly or not at all invertible.
 *
 * λ may be given, or estimated as the one with the least expected squared error (Schäfer & Strimmer 2005, "A shrinkage
 * approach to large-scale covariance matrix estimation and implications for functional genomics", after Ledoit & Wolf
 * 2003):
 *
 *   λ* = Σ_{i≠j} Var(r_ij) / Σ_{i≠j} r_ij²,  at most 1
 *   Var(r) = n/(n−1) · Σ_k (x_k y_k − r/n)²   with x, y centred and scaled to Σx² = Σy² = 1
 */

/** Sums over pairs that give λ*. */
export class ShrinkageEstimate {
  #variances = 0;
  #squares = 0;

  /** Adds a pair of columns of equal length n ≥ 2, centred and scaled to norm 1. */
  addPair(x: Float64Array, y: Float64Array): void {
    const n = x.length;
    let coefficient = 0;
    for (let k = 0; k < n; k += 1) coefficient += (x[k] as number) * (y[k] as number);
    // A constant column has no coefficient with anything.
    if (Number.isNaN(coefficient)) return;
    let sum = 0;
    for (let k = 0; k < n; k += 1) {
      const deviation = (x[k] as number) * (y[k] as number) - coefficient / n;
      sum += deviation * deviation;
    }
    this.#variances += (n / (n - 1)) * sum;
    this.#squares += coefficient * coefficient;
  }

  /** λ*, in [0, 1]; 1 when nothing is correlated at all. */
  get lambda(): number {
    if (this.#squares === 0) return this.#variances > 0 ? 1 : 0;
    return Math.min(1, this.#variances / this.#squares);
  }
}

/** Shrinks a full square matrix in place. Its diagonal stays, NaN stays NaN. */
export function shrinkTowardsIdentity(matrix: Float64Array, count: number, lambda: number): void {
  for (let i = 0; i < count; i += 1) {
    for (let j = 0; j < count; j += 1) {
      if (i !== j) matrix[i * count + j] = (1 - lambda) * (matrix[i * count + j] as number);
    }
  }
}
