/**
 * LCSS under epsilon and delta, 32 columns per word: the recurrence of symbolic-lcs.ts, with the bits of the points that
 * match computed per row, in the words that the band touches and no others. Left of the band nothing can match any more
 * and the words stay; right of it they are still ones, through which a carry runs unchanged.
 */
import { advanceWord } from './symbolic-lcs.ts';

/** Below this the plain table is as fast: a row would still touch one or two words for its few points. */
export const BIT_PARALLEL_DELTA_MIN = 6;

/** As `boundedLcss`; `words` is scratch of at least ⌈columnCount / 32⌉ entries. */
export function bitParallelLcss(
  a: Float64Array,
  rowCount: number,
  b: Float64Array,
  columnCount: number,
  epsilon: number,
  delta: number,
  needed: number,
  words: Int32Array,
): number {
  words.fill(-1, 0, (columnCount + 31) >>> 5);
  let length = 0;
  for (let i = 0; i < rowCount; i += 1) {
    const x = a[i] as number;
    const start = i - delta > 0 ? i - delta : 0;
    const end = i + delta + 1 < columnCount ? i + delta + 1 : columnCount;
    let carry = 0;
    let j = start;
    while (j < end) {
      const word = j >>> 5;
      const wordEnd = (word + 1) << 5;
      const stop = wordEnd < end ? wordEnd : end;
      let mask = 0;
      for (; j < stop; j += 1) {
        const difference = x - (b[j] as number);
        // A comparison as 0 or 1 costs no branch that the processor could guess wrong.
        mask |= Number(difference <= epsilon && -difference <= epsilon) << (j & 31);
      }
      carry = advanceWord(words, word, mask, carry);
    }
    length += carry;
    if (length + rowCount - 1 - i < needed) return -1;
  }
  return length >= needed ? length : -1;
}
