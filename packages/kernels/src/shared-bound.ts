/**
 * The best bound that any scan of one search has proved so far, in memory that all its threads share:
 * what one of them has found prunes all others. Why that is sound is said in greedy-selection.ts.
 *
 * One 64-bit word. Positive doubles are ordered like their bits read as integers, so a minimum of
 * distances is a minimum of integers, which Atomics can keep. The word holds the bits of Infinity
 * minus those of the distance: memory full of zeros then says that nothing is known yet, and the word
 * only rises.
 */

/** Bytes of memory that a shared bound needs, aligned to eight. */
export const SHARED_BOUND_BYTES = 8;

const bits = new BigInt64Array(1);
const value = new Float64Array(bits.buffer);
const INFINITY_BITS = bitsOf(Infinity);

function bitsOf(distance: number): bigint {
  value[0] = distance;
  return bits[0] as bigint;
}

/** See the head of the file. */
export class SharedBound {
  /** Whoever waits for a lower bound waits for this to change (index 0); see `wake`. */
  readonly word: BigInt64Array;

  /** @param memory zeros at first; what the other scans have. Without it nobody else sees the bound. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(SHARED_BOUND_BYTES)) {
    this.word = new BigInt64Array(memory, 0, 1);
  }

  /** No window above this distance matters to the search; Infinity while nothing is known. */
  get distance(): number {
    bits[0] = INFINITY_BITS - Atomics.load(this.word, 0);
    return value[0] as number;
  }

  /** Tells the others of a bound, which counts when it is lower than the one there is. */
  lower(distance: number): void {
    // Minus zero would have the bits of a negative number.
    const proved = INFINITY_BITS - bitsOf(distance === 0 ? 0 : distance);
    let known = Atomics.load(this.word, 0);
    while (proved > known) {
      const found = Atomics.compareExchange(this.word, 0, known, proved);
      if (found === known) {
        this.wake();
        return;
      }
      known = found;
    }
  }

  /** Lets everybody look who waits, in whatever thread. */
  wake(): void {
    Atomics.notify(this.word, 0);
  }
}
