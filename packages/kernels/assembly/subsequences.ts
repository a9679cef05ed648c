/**
 * Longest common subsequences, 64 cells at a time. Between neighbours of a row of the table the length grows by 0 or 1; a
 * word holds a 1 where it does not grow. With the bits M of a row where the two values match, the next row is
 * V′ = (V + (V & M)) | (V & ~M), the addition carrying over all words (Hyyrö, "Bit-parallel LCS-length computation
 * revisited", 2004). The length is the number of zeros.
 */

/** Bits of the last word that belong to columns. */
function lastMask(columns: i32): u64 {
  const used = columns & 63;
  return used == 0 ? -1 : ((<u64>1) << (<u64>used)) - 1;
}

function zeros(row: usize, columns: i32): i32 {
  const words = (columns + 63) >> 6;
  let length = 0;
  for (let word = 0; word < words; word++) {
    let grown = ~load<u64>(row + ((<usize>word) << 3));
    if (word == words - 1) grown &= lastMask(columns);
    length += <i32>popcnt(grown);
  }
  return length;
}

/** One word of a row; returns the carry. */
function advance(at: usize, matches: u64, carry: u64): u64 {
  const row = load<u64>(at);
  const sum = row + (row & matches);
  const total = sum + carry;
  store<u64>(at, total | (row & ~matches));
  return <u64>(sum < row) | <u64>(total < sum);
}

/**
 * The length for symbols: `symbols` are `rows` 32-bit numbers, the index of a symbol's mask or −1 where the other sequence
 * does not have it; `masks` has for each symbol the bits of the columns that hold it, and `row` room for as many words.
 */
export function lcsOfSymbols(
  symbols: usize,
  rows: i32,
  masks: usize,
  columns: i32,
  row: usize,
): i32 {
  const words = (columns + 63) >> 6;
  const wordBytes = (<usize>words) << 3;
  memory.fill(row, 255, wordBytes);
  for (let i = 0; i < rows; i++) {
    const symbol = load<i32>(symbols + ((<usize>i) << 2));
    if (symbol < 0) continue;
    const mask = masks + <usize>symbol * wordBytes;
    let carry: u64 = 0;
    for (let at: usize = 0; at < wordBytes; at += 8) {
      carry = advance(row + at, load<u64>(mask + at), carry);
    }
  }
  return zeros(row, columns);
}

/** Bits of the columns from … to − 1 of one word whose values are within epsilon of x; `b` is readable up to the 64th. */
function matchesOf(x: f64, b: usize, from: i32, to: i32, epsilon: f64): u64 {
  const xs = f64x2.splat(x);
  const epsilons = f64x2.splat(epsilon);
  let bits: u64 = 0;
  // Two columns at a time, from an even one on; what is too much is cut off below.
  for (let j = from & ~1; j < to; j += 2) {
    const distance = f64x2.abs(f64x2.sub(xs, v128.load(b + ((<usize>j) << 3))));
    const pair = <u64>i64x2.bitmask(f64x2.le(distance, epsilons));
    bits |= pair << (<u64>j);
  }
  const below = to == 64 ? <u64>-1 : ((<u64>1) << (<u64>to)) - 1;
  return bits & below & ((<u64>-1) << (<u64>from));
}

/** The length for real values that match when they are within `epsilon` and `delta` columns. */
export function lcsOfValues(
  a: usize,
  rows: i32,
  b: usize,
  columns: i32,
  epsilon: f64,
  delta: i32,
  row: usize,
): i32 {
  return lcsWithin(a, rows, b, columns, epsilon, delta, 0, row);
}

/**
 * The same, or −1 as soon as it is certain to stay below `needed`. Each row adds to the length the carry that leaves its last
 * word. Right of the band a row is still all ones, through which a carry runs unchanged, so that only the words of the band
 * are touched.
 */
export function lcsWithin(
  a: usize,
  rows: i32,
  b: usize,
  columns: i32,
  epsilon: f64,
  delta: i32,
  needed: i32,
  row: usize,
): i32 {
  const words = (columns + 63) >> 6;
  memory.fill(row, 255, (<usize>words) << 3);
  let length = 0;
  for (let i = 0; i < rows; i++) {
    const start = max(0, i - delta);
    const end = min(columns, i + delta + 1);
    if (start >= end) break;
    const x = load<f64>(a + ((<usize>i) << 3));
    let carry: u64 = 0;
    const lastWord = (end - 1) >> 6;
    for (let word = start >> 6; word <= lastWord; word++) {
      const base = word << 6;
      const from = max(0, start - base);
      const to = min(64, end - base);
      const matches = matchesOf(x, b + ((<usize>base) << 3), from, to, epsilon);
      carry = advance(row + ((<usize>word) << 3), matches, carry);
    }
    length += <i32>carry;
    if (length + rows - 1 - i < needed) return -1;
  }
  return length >= needed ? length : -1;
}
