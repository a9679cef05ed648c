/**
 * Symmetric matrices as their lower triangle, row by row: a₀₀, a₁₀, a₁₁, a₂₀, … Half the memory and half the work of
 * the whole matrix, and what is stored once cannot become asymmetric by rounding.
 */

/** Numbers in the triangle of a matrix of so many rows. */
export function trianglePlaces(rows: number): number {
  return (rows * (rows + 1)) / 2;
}

/** result = M x. The result must not be `vector` itself. */
export function timesVector(
  triangle: Float64Array,
  vector: Float64Array,
  result: Float64Array,
): void {
  let place = 0;
  for (let row = 0; row < vector.length; row += 1) {
    const own = vector[row] as number;
    let sum = 0;
    for (let column = 0; column < row; column += 1) {
      const entry = triangle[place] as number;
      sum += entry * (vector[column] as number);
      result[column] = (result[column] as number) + entry * own;
      place += 1;
    }
    result[row] = sum + (triangle[place] as number) * own;
    place += 1;
  }
}

/** xᵀ M x. */
export function quadraticForm(triangle: Float64Array, vector: Float64Array): number {
  let total = 0;
  let place = 0;
  for (let row = 0; row < vector.length; row += 1) {
    const own = vector[row] as number;
    // Of points that are measured from their mean, all features are 0 that their arms have in common.
    if (own === 0) {
      place += row + 1;
      continue;
    }
    // Four sums, because an addition that waits for the one before is most of the work.
    let first = 0;
    let second = 0;
    let third = 0;
    let fourth = 0;
    let column = 0;
    for (; column + 3 < row; column += 4) {
      const at = place + column;
      first += (triangle[at] as number) * (vector[column] as number);
      second += (triangle[at + 1] as number) * (vector[column + 1] as number);
      third += (triangle[at + 2] as number) * (vector[column + 2] as number);
      fourth += (triangle[at + 3] as number) * (vector[column + 3] as number);
    }
    for (; column < row; column += 1) {
      first += (triangle[place + column] as number) * (vector[column] as number);
    }
    place += row;
    total += own * (2 * (first + second + (third + fourth)) + (triangle[place] as number) * own);
    place += 1;
  }
  return total;
}

/**
 * inverse = (M + λI)⁻¹ of a positive semi-definite M and λ > 0, by Cholesky's L Lᵀ: the inverse is L⁻ᵀ L⁻¹ (Golub and
 * Van Loan, "Matrix computations", § 4.2). O(rows³).
 */
export function invertPositiveDefinite(
  triangle: Float64Array,
  lambda: number,
  rows: number,
  inverse: Float64Array,
): void {
  const root = choleskyRoot(triangle, lambda, rows);
  invertTriangle(root, rows);
  let place = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      let sum = 0;
      for (let below = row; below < rows; below += 1) {
        const start = trianglePlaces(below);
        sum += (root[start + row] as number) * (root[start + column] as number);
      }
      inverse[place] = sum;
      place += 1;
    }
  }
}

/** L with L Lᵀ = M + λI. */
function choleskyRoot(triangle: Float64Array, lambda: number, rows: number): Float64Array {
  const root = triangle.slice();
  for (let row = 0; row < rows; row += 1) {
    const start = trianglePlaces(row);
    for (let column = 0; column <= row; column += 1) {
      const other = trianglePlaces(column);
      let sum = (triangle[start + column] as number) + (row === column ? lambda : 0);
      for (let before = 0; before < column; before += 1) {
        sum -= (root[start + before] as number) * (root[other + before] as number);
      }
      root[start + column] =
        row === column
          ? Math.sqrt(Math.max(sum, Number.MIN_VALUE))
          : sum / (root[other + column] as number);
    }
  }
  return root;
}

/** L becomes L⁻¹, in its place. */
function invertTriangle(root: Float64Array, rows: number): void {
  for (let row = 0; row < rows; row += 1) {
    const start = trianglePlaces(row);
    const diagonal = 1 / (root[start + row] as number);
    for (let column = 0; column < row; column += 1) {
      let sum = 0;
      for (let between = column; between < row; between += 1) {
        sum +=
          (root[start + between] as number) * (root[trianglePlaces(between) + column] as number);
      }
      // Rows above are inverted already, and of this row only the entries from here on are still needed.
      root[start + column] = -diagonal * sum;
    }
    root[start + row] = diagonal;
  }
}
