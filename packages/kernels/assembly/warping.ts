/** The table of dynamic time warping along its antidiagonals. The cells are those of the plain table, to the last bit. */

/**
 * Squared banded DTW distance of `a` (n values) and a series of m values that is stored backwards. Cells with equal i + j do
 * not depend on each other, so a whole antidiagonal is computed two cells at a time; with the second series backwards, the
 * values that meet on it lie in a row. A row-wise table that leaves out dead cells (EAPrunedDTW, Herrmann & Webb, 2020)
 * computes fewer cells, but one after the other, and is slower here.
 *
 * `first`, `second` and `third` hold values for i from −1, at index i + 1, with room for n + 4.
 */
export function warp(
  a: usize,
  n: i32,
  backwards: usize,
  m: i32,
  band: i32,
  first: usize,
  second: usize,
  third: usize,
): f64 {
  let before = first;
  let current = second;
  let next = third;
  // Each antidiagonal puts Infinity around its cells, so only the neighbours of the first two must be set.
  store<f64>(before, Infinity);
  store<f64>(before, Infinity, 8);
  store<f64>(before, Infinity, 16);
  const corner = load<f64>(a) - load<f64>(backwards + ((<usize>(m - 1)) << 3));
  store<f64>(current, Infinity);
  store<f64>(current, corner * corner, 8);
  store<f64>(current, Infinity, 16);
  const diagonals = n + m - 1;
  for (let d = 1; d < diagonals; d++) {
    // |i − j| = |2i − d| ≤ band, 0 ≤ i < n, 0 ≤ j = d − i < m.
    const low = max(max(0, d - m + 1), d > band ? (d - band + 1) >> 1 : 0);
    const high = min(min(d, n - 1), (d + band) >> 1);
    const base = (<usize>low) << 3;
    const size = (<usize>(high - low + 1)) << 3;
    const x = a + base;
    const y = backwards + ((<usize>(m - 1 - d + low)) << 3);
    const sides = current + base;
    const corners = before + base;
    const target = next + base;
    store<f64>(target, Infinity);
    let at: usize = 0;
    // Four cells, so that two chains of operations run side by side.
    for (; at + 24 < size; at += 32) {
      const d0 = f64x2.sub(v128.load(x + at), v128.load(y + at));
      const d1 = f64x2.sub(v128.load(x + at, 16), v128.load(y + at, 16));
      const s0 = f64x2.pmin(v128.load(sides + at), v128.load(sides + at, 8));
      const s1 = f64x2.pmin(v128.load(sides + at, 16), v128.load(sides + at, 24));
      const b0 = f64x2.pmin(s0, v128.load(corners + at));
      const b1 = f64x2.pmin(s1, v128.load(corners + at, 16));
      v128.store(target + at, f64x2.add(b0, f64x2.mul(d0, d0)), 8);
      v128.store(target + at, f64x2.add(b1, f64x2.mul(d1, d1)), 24);
    }
    for (; at < size; at += 16) {
      const difference = f64x2.sub(v128.load(x + at), v128.load(y + at));
      const side = f64x2.pmin(v128.load(sides + at), v128.load(sides + at, 8));
      const best = f64x2.pmin(side, v128.load(corners + at));
      v128.store(target + at, f64x2.add(best, f64x2.mul(difference, difference)), 8);
    }
    // Behind the last cell: a lane too many may have been written there.
    store<f64>(target + size, Infinity, 8);
    const oldest = before;
    before = current;
    current = next;
    next = oldest;
  }
  return load<f64>(current + ((<usize>n) << 3));
}
