/**
 * Whether dynamic time warping certainly exceeds a limit, on 32-bit floats: the last test before the exact table.
 *
 * The table is computed along its antidiagonals i + j = d, whose cells do not depend on each other. Numbered by i − j, the
 * cells of an antidiagonal lie at the same places as those of the next but one, so the band's edges are in the same lanes all
 * the way, and everything is read as it was written: whole vectors at the same addresses, of which the neighbours are
 * shifted into place. For a band r two arrays take turns: `outer` has i − j = −r, −r + 2, …, r, `inner` −r + 1, …, r − 1.
 * Cells beyond the ends of the series need no care: those before the beginning come from Infinity, and those behind the end
 * lead nowhere.
 */

/** Pairs of antidiagonals between two looks. */
const PAIRS_PER_LOOK = 4;

/** Vectors of `outer`, the last of which stays Infinity; `inner` and `edge` have one less. */
function vectorsOf(band: i32): usize {
  return <usize>((band + 4) >> 2);
}

/** Fills the array that keeps cells of `inner` outside of the band at Infinity, because an odd number of cells fits no vector. */
export function fillEdge(edge: usize, band: i32): void {
  const lanes = (<i32>vectorsOf(band)) << 2;
  for (let lane = 0; lane < lanes; lane++) {
    store<f32>(edge + ((<usize>lane) << 2), lane < band ? 0 : Infinity);
  }
}

/**
 * `rows` has `length` values and `backwards` as many of the other series from its end, both with `band` + 8 finite values
 * more on either side; `remaining` has what the rows from each one on cost at least.
 */
export function isWarpingOver(
  rows: usize,
  length: i32,
  backwards: usize,
  band: i32,
  limit: f32,
  remaining: usize,
  outer: usize,
  inner: usize,
  edge: usize,
): bool {
  const bytes = vectorsOf(band) << 4;
  const infinity = f32x4.splat(Infinity);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(outer + at, infinity);
    v128.store(inner + at, infinity);
  }
  v128.store(outer + bytes, infinity);
  // In front of the first cell lies one that costs nothing.
  const middle = (<usize>(band >> 1)) << 2;
  // Where the row of the first lane, and the value of the other series that it meets, lie.
  let x = rows - ((<usize>((band + 1) >> 1)) << 2);
  let y = backwards + ((<usize>(length - 1 - (band >> 1))) << 2);
  let costs = remaining - ((<usize>((band + 1) >> 1)) << 2) + 4;
  let diagonals = 2 * length - 1;
  if ((band & 1) == 0) {
    store<f32>(outer + middle, 0);
  } else {
    // The first antidiagonal is one of `inner`, which begins one row further down than the `outer` before it.
    store<f32>(inner + middle, 0);
    x += 4;
    costs += 4;
    advanceInner(x, y, outer, inner, edge, bytes);
    y -= 4;
    diagonals -= 1;
  }
  let look = PAIRS_PER_LOOK;
  for (; diagonals > 1; diagonals -= 2) {
    advanceOuter(x, y, outer, inner, bytes);
    x += 4;
    look -= 1;
    if (look == 0) {
      look = PAIRS_PER_LOOK;
      const isOver = isOverEverywhere(outer, costs, bytes, limit);
      advanceInner(x, y, outer, inner, edge, bytes);
      // Every path crosses an antidiagonal or steps over it onto the next one.
      if (isOver && isOverEverywhere(inner, costs + 4, bytes, limit)) return true;
    } else {
      advanceInner(x, y, outer, inner, edge, bytes);
    }
    costs += 4;
    y -= 4;
  }
  if (diagonals == 1) {
    advanceOuter(x, y, outer, inner, bytes);
    return load<f32>(outer + middle) > limit;
  }
  return load<f32>(inner + middle) > limit;
}

function advanceOuter(x: usize, y: usize, outer: usize, inner: usize, bytes: usize): void {
  let before = f32x4.splat(Infinity);
  for (let at: usize = 0; at < bytes; at += 16) {
    const side = v128.load(inner + at);
    const otherSide = v128.shuffle<f32>(before, side, 3, 4, 5, 6);
    const best = f32x4.pmin(f32x4.pmin(otherSide, side), v128.load(outer + at));
    const difference = f32x4.sub(v128.load(x + at), v128.load(y + at));
    v128.store(outer + at, f32x4.add(best, f32x4.mul(difference, difference)));
    before = side;
  }
}

function advanceInner(
  x: usize,
  y: usize,
  outer: usize,
  inner: usize,
  edge: usize,
  bytes: usize,
): void {
  let side = v128.load(outer);
  for (let at: usize = 0; at < bytes; at += 16) {
    const behind = v128.load(outer + at, 16);
    const otherSide = v128.shuffle<f32>(side, behind, 1, 2, 3, 4);
    const best = f32x4.pmin(f32x4.pmin(otherSide, side), v128.load(inner + at));
    const difference = f32x4.sub(v128.load(x + at), v128.load(y + at));
    const cell = f32x4.add(best, f32x4.mul(difference, difference));
    v128.store(inner + at, f32x4.pmax(cell, v128.load(edge + at)));
    side = behind;
  }
}

/** Whether each cell, with what the rows behind it cost at least, is over the limit. */
function isOverEverywhere(cells: usize, behind: usize, bytes: usize, limit: f32): bool {
  const limits = f32x4.splat(limit);
  for (let at: usize = 0; at < bytes; at += 16) {
    const sum = f32x4.add(v128.load(cells + at), v128.load(behind + at));
    if (!i32x4.all_true(f32x4.gt(sum, limits))) return false;
  }
  return true;
}
