/**
 * The longest common subsequence of two series of symbols, 32 symbols per machine word.
 *
 * Rows of the classic table differ by 0 or 1 from cell to cell, so a row fits a bit vector: bit j of V is 0 where the
 * LCS grows at column j. With M the bits of the columns that match the row, the next row is
 *
 *   U = V & M        V' = (V + U) | (V & ~M)
 *
 * (Crochemore, Iliopoulos, Pinzon & Reid 2001, "A fast and practical bit-vector algorithm for the longest common
 * subsequence problem"; this form by Hyyrö 2004, "Bit-parallel LCS-length computation revisited"). The carry of the
 * addition runs through the words from low to high. V starts as ones, and the bits behind the last column stay ones,
 * so that a carry leaves the last word exactly when the row adds 1 to the LCS: the answer is the sum of these carries.
 *
 * Cost: O(n · ⌈m / 32⌉) time; the masks take ⌈m / 32⌉ words for each symbol that both series have.
 */
import { KernelError } from '../problem.ts';

/** Words of all match masks together: 16 MiB. */
const MASK_WORDS_MAX = 2 ** 22;

/** The table for symbols; see {@link lcsLength} for what it means. */
export function lcsOfSymbols(rows: Int32Array, columns: Int32Array): number {
  const words = (columns.length + 31) >>> 5;
  const { masks, offsets } = masksOf(rows, columns, words);
  const row = new Int32Array(words).fill(-1);
  let length = 0;
  for (let i = 0; i < rows.length; i += 1) {
    const offset = offsets.get(rows[i] as number);
    // A symbol that the other series does not have matches nothing: the row equals the one above.
    if (offset === undefined) continue;
    let carry = 0;
    for (let word = 0; word < words; word += 1) {
      carry = advanceWord(row, word, masks[offset + word] as number, carry);
    }
    length += carry;
  }
  return length;
}

/** One word of the next row: stores V' and returns the carry into the next word, 0 or 1. */
export function advanceWord(row: Int32Array, word: number, mask: number, carry: number): number {
  const v = row[word] as number;
  const u = v & mask;
  const sum = (v + u + carry) | 0;
  row[word] = sum | (v & ~mask);
  // A sum overflows where both addends have the top bit, or one has it and the sum lost it.
  return ((v & u) | ((v | u) & ~sum)) >>> 31;
}

/** For each symbol that both series have, the bits of the columns that hold it, in so many words of 32 bits. */
export function masksOf(
  rows: Int32Array,
  columns: Int32Array,
  words: number,
): { masks: Int32Array; offsets: Map<number, number> } {
  const wanted = new Set(rows);
  const offsets = new Map<number, number>();
  for (const symbol of columns) {
    if (wanted.has(symbol) && !offsets.has(symbol)) offsets.set(symbol, offsets.size * words);
  }
  const needed = offsets.size * words;
  if (needed > MASK_WORDS_MAX) {
    throw new KernelError(
      'TOO_LARGE',
      `${offsets.size} symbols that both series have need ${needed} words, more than ${MASK_WORDS_MAX}.`,
      'Use fewer symbols (see symbolise) or shorter series.',
    );
  }
  const masks = new Int32Array(needed);
  for (let column = 0; column < columns.length; column += 1) {
    const offset = offsets.get(columns[column] as number);
    if (offset === undefined) continue;
    const word = offset + (column >>> 5);
    masks[word] = (masks[word] as number) | (1 << (column & 31));
  }
  return { masks, offsets };
}
