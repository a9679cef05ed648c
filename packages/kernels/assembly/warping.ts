/** Tables of dynamic time warping. The cells are those of the plain table, to the last bit. */

/**
 * Squared banded DTW distance of two series of `points` values, or Infinity above `bound`: EAPrunedDTW (Herrmann & Webb,
 * 2020), as in `src/early-abandoned-dtw.ts`, which explains it. `rowA` and `rowB` hold points + 1 values.
 */
export function earlyAbandonedSquared(
  rows: usize,
  columns: usize,
  points: i32,
  band: i32,
  bound: f64,
  remaining: usize,
  rowA: usize,
  rowB: usize,
): f64 {
  let above = rowA;
  let current = rowB;
  let firstLiving = 0;
  let livingEnd = 0;
  store<f64>(above, 0);
  for (let i = 0; i < points; i++) {
    const x = load<f64>(rows + ((<usize>i) << 3));
    const limit = bound - load<f64>(remaining + ((<usize>i) << 3), 8);
    const bandEnd = min(i + band + 1, points);
    let j = max(firstLiving, i - band);
    let left: f64 = Infinity;
    let end = 0;
    store<f64>(current + ((<usize>j) << 3), Infinity);
    const coveredEnd = min(livingEnd, bandEnd);
    while (j < coveredEnd) {
      const at = (<usize>j) << 3;
      const diagonal = load<f64>(above + at);
      const top = load<f64>(above + at, 8);
      const difference = x - load<f64>(columns + at);
      const cost = (top < diagonal ? top : diagonal) + difference * difference;
      j += 1;
      if (cost <= limit) {
        left = cost;
        store<f64>(current + at, cost, 8);
        end = j;
        break;
      }
      store<f64>(current + at, Infinity, 8);
    }
    firstLiving = end > 0 ? end - 1 : j;
    if (j < coveredEnd) {
      let diagonal = load<f64>(above + ((<usize>j) << 3));
      while (j < coveredEnd) {
        const at = (<usize>j) << 3;
        const top = load<f64>(above + at, 8);
        const difference = x - load<f64>(columns + at);
        const best = top < diagonal ? top : diagonal;
        left = (left < best ? left : best) + difference * difference;
        diagonal = top;
        j += 1;
        store<f64>(current + at, left, 8);
        end = left <= limit ? j : end;
      }
    }
    if (j == livingEnd && j < bandEnd) {
      const at = (<usize>j) << 3;
      const diagonal = load<f64>(above + at);
      const difference = x - load<f64>(columns + at);
      left = (left < diagonal ? left : diagonal) + difference * difference;
      j += 1;
      if (left <= limit) end = j;
      store<f64>(current + at, left, 8);
      while (j < bandEnd && left <= limit) {
        const next = (<usize>j) << 3;
        const step = x - load<f64>(columns + next);
        left += step * step;
        j += 1;
        store<f64>(current + next, left, 8);
        if (left <= limit) end = j;
      }
    }
    if (end == 0) return Infinity;
    livingEnd = end;
    const swap = above;
    above = current;
    current = swap;
  }
  if (livingEnd < points) return Infinity;
  const answer = load<f64>(above + ((<usize>points) << 3));
  return answer <= bound ? answer : Infinity;
}

/**
 * Squared banded DTW distance of a series of `n` values and one of `m` values that is stored backwards. Cells with equal
 * i + j do not depend on each other, so a whole antidiagonal is computed two cells at a time; with the second series
 * backwards, the values that meet on it lie in a row. `a`, `before`, `current` and `next` hold values for i from −1, at
 * index i + 1, with room for n + 4.
 */
export function warpSquared(
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
  const width = (<usize>n + 4) << 3;
  for (let at: usize = 0; at < width; at += 8) {
    store<f64>(before + at, Infinity);
    store<f64>(current + at, Infinity);
    store<f64>(next + at, Infinity);
  }
  const corner = load<f64>(a) - load<f64>(backwards + ((<usize>(m - 1)) << 3));
  store<f64>(current, corner * corner, 8);
  const diagonals = n + m - 1;
  for (let d = 1; d < diagonals; d++) {
    // |i − j| = |2i − d| ≤ band, 0 ≤ i < n, 0 ≤ j = d − i < m.
    const low = max(max(0, d - m + 1), d > band ? (d - band + 1) >> 1 : 0);
    const high = min(min(d, n - 1), (d + band) >> 1);
    const ahead = backwards + ((<usize>(m - 1 - d + low)) << 3);
    const size = (<usize>(high - low + 1)) << 3;
    const base = (<usize>low) << 3;
    const x = a + base;
    const left = current + base;
    const corners = before + base;
    const target = next + base;
    store<f64>(target, Infinity);
    let at: usize = 0;
    // Four cells, so that two chains of additions run side by side.
    for (; at + 24 < size; at += 32) {
      const d0 = f64x2.sub(v128.load(x + at), v128.load(ahead + at));
      const d1 = f64x2.sub(v128.load(x + at, 16), v128.load(ahead + at, 16));
      const s0 = f64x2.pmin(v128.load(left + at), v128.load(left + at, 8));
      const s1 = f64x2.pmin(v128.load(left + at, 16), v128.load(left + at, 24));
      const b0 = f64x2.pmin(s0, v128.load(corners + at));
      const b1 = f64x2.pmin(s1, v128.load(corners + at, 16));
      v128.store(target + at, f64x2.add(b0, f64x2.mul(d0, d0)), 8);
      v128.store(target + at, f64x2.add(b1, f64x2.mul(d1, d1)), 24);
    }
    for (; at < size; at += 16) {
      const difference = f64x2.sub(v128.load(x + at), v128.load(ahead + at));
      const sides = f64x2.pmin(v128.load(left + at), v128.load(left + at, 8));
      const best = f64x2.pmin(sides, v128.load(corners + at));
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
