/** What correlations are made of: products of columns with each other, and ranks. */

/** Rows of a panel: four columns of it, and the four that pass by, stay in the first-level cache. */
const PANEL_ROWS: i32 = 256;

/**
 * Puts column `index` of `count` where `addProducts` reads it: panel by panel, and in a panel by groups of four columns,
 * whose rows lie two by two, two of the first column before the same two of the second. Thus a block of products reads
 * memory from one end to the other, with an address or two. `rows` is even and `count` a multiple of 4.
 */
export function packColumn(column: usize, index: i32, count: i32, rows: i32, packed: usize): void {
  for (let start = 0; start < rows; start += PANEL_ROWS) {
    const size = min(PANEL_ROWS, rows - start);
    let to = packed + ((<usize>(start * count + (index & ~3) * size + (index & 3) * 2)) << 3);
    for (let row = 0; row < size; row += 2) {
      v128.store(to, v128.load(column));
      column += 16;
      to += 64;
    }
  }
}

/**
 * Adds up the products of all pairs i ≤ j of packed columns into a square matrix of zeros, row by row. Four columns meet
 * two at a time, so that six loaded vectors serve eight products.
 */
export function addProducts(packed: usize, count: i32, rows: i32, matrix: usize): void {
  const width = (<usize>count) << 3;
  let panel = packed;
  for (let start = 0; start < rows; start += PANEL_ROWS) {
    const group = (<usize>min(PANEL_ROWS, rows - start)) << 5;
    const end = panel + group * (<usize>count >> 2);
    let diagonal = matrix;
    for (let left = panel; left < end; left += group) {
      let cell = diagonal;
      for (let right = left; right < end; right += group) {
        addBlock(left, right, group, cell, width);
        addBlock(left, right + 32, group, cell + 16, width);
        cell += 32;
      }
      diagonal += 4 * width + 32;
    }
    panel = end;
  }
}

function addBlock(left: usize, right: usize, bytes: usize, cell: usize, width: usize): void {
  let p00 = f64x2.splat(0);
  let p01 = f64x2.splat(0);
  let p10 = f64x2.splat(0);
  let p11 = f64x2.splat(0);
  let p20 = f64x2.splat(0);
  let p21 = f64x2.splat(0);
  let p30 = f64x2.splat(0);
  let p31 = f64x2.splat(0);
  const end = left + bytes;
  // Not unrolled: V8 moves all loads of a turn before its products, and those of two turns need more registers than there are.
  for (; left < end; left += 64) {
    const c0 = v128.load(right);
    const c1 = v128.load(right, 16);
    const r0 = v128.load(left);
    p00 = f64x2.add(p00, f64x2.mul(r0, c0));
    p01 = f64x2.add(p01, f64x2.mul(r0, c1));
    const r1 = v128.load(left, 16);
    p10 = f64x2.add(p10, f64x2.mul(r1, c0));
    p11 = f64x2.add(p11, f64x2.mul(r1, c1));
    const r2 = v128.load(left, 32);
    p20 = f64x2.add(p20, f64x2.mul(r2, c0));
    p21 = f64x2.add(p21, f64x2.mul(r2, c1));
    const r3 = v128.load(left, 48);
    p30 = f64x2.add(p30, f64x2.mul(r3, c0));
    p31 = f64x2.add(p31, f64x2.mul(r3, c1));
    right += 64;
  }
  addPair(cell, p00, p01);
  addPair(cell + width, p10, p11);
  addPair(cell + 2 * width, p20, p21);
  addPair(cell + 3 * width, p30, p31);
}

function addPair(cell: usize, first: v128, second: v128): void {
  const low = v128.shuffle<f64>(first, second, 0, 2);
  const high = v128.shuffle<f64>(first, second, 1, 3);
  v128.store(cell, f64x2.add(v128.load(cell), f64x2.add(low, high)));
}

/** Digits of a key, of 8 bits each. */
const DIGITS = 8;
const DIGIT_VALUES: usize = 256;

/**
 * Ranks of finite values, 1 for the smallest; equal values share the average of their ranks. A radix sort from the least
 * digit on: the bits of floats, with the sign turned, order like integers. `keys` and `otherKeys` have room for `count`
 * values, `places` and `otherPlaces` for as many 32-bit integers, `counts` for 8 × 256 of them.
 */
export function rankAverage(
  values: usize,
  count: i32,
  ranks: usize,
  keys: usize,
  otherKeys: usize,
  places: usize,
  otherPlaces: usize,
  counts: usize,
): void {
  memory.fill(counts, 0, <usize>DIGITS * DIGIT_VALUES * 4);
  for (let i = 0; i < count; i++) {
    // Adding 0 makes −0 equal to 0.
    const bits = reinterpret<u64>(load<f64>(values + ((<usize>i) << 3)) + 0.0);
    const key = bits ^ (<u64>(<i64>bits >> 63) | 0x8000000000000000);
    store<u64>(keys + ((<usize>i) << 3), key);
    store<u32>(places + ((<usize>i) << 2), i);
    for (let digit = 0; digit < DIGITS; digit++) {
      const value = <usize>((key >> ((<u64>digit) << 3)) & 255);
      const counter = counts + ((<usize>digit * DIGIT_VALUES + value) << 2);
      store<u32>(counter, load<u32>(counter) + 1);
    }
  }
  let fromKeys = keys;
  let toKeys = otherKeys;
  let fromPlaces = places;
  let toPlaces = otherPlaces;
  for (let digit = 0; digit < DIGITS; digit++) {
    const row = counts + ((<usize>digit * DIGIT_VALUES) << 2);
    const shift = (<u64>digit) << 3;
    const first = <usize>((load<u64>(fromKeys) >> shift) & 255);
    // All keys have this digit in common.
    if (load<u32>(row + (first << 2)) == count) continue;
    let sum: u32 = 0;
    for (let value: usize = 0; value < DIGIT_VALUES; value++) {
      const here = load<u32>(row + (value << 2));
      store<u32>(row + (value << 2), sum);
      sum += here;
    }
    for (let i = 0; i < count; i++) {
      const key = load<u64>(fromKeys + ((<usize>i) << 3));
      const counter = row + ((<usize>((key >> shift) & 255)) << 2);
      const target = <usize>load<u32>(counter);
      store<u32>(counter, <u32>target + 1);
      store<u64>(toKeys + (target << 3), key);
      store<u32>(toPlaces + (target << 2), load<u32>(fromPlaces + ((<usize>i) << 2)));
    }
    const sortedKeys = toKeys;
    toKeys = fromKeys;
    fromKeys = sortedKeys;
    const sortedPlaces = toPlaces;
    toPlaces = fromPlaces;
    fromPlaces = sortedPlaces;
  }
  for (let start = 0; start < count;) {
    const key = load<u64>(fromKeys + ((<usize>start) << 3));
    let end = start + 1;
    while (end < count && load<u64>(fromKeys + ((<usize>end) << 3)) == key) end += 1;
    const rank = <f64>(start + 1 + end) / 2;
    for (let i = start; i < end; i++) {
      const place = <usize>load<u32>(fromPlaces + ((<usize>i) << 2));
      store<f64>(ranks + (place << 3), rank);
    }
    start = end;
  }
}
