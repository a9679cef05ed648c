/**
 * Small byte strings that are kept beside each other. An array of a hundred bytes with memory of its own takes several
 * times that, most of it for the memory's own record; and one that shares the memory of all that it was read with keeps
 * that from being given back. So some tens of them, which were read after each other and will mostly be needed no more
 * at about the same time, share a block that they fill.
 */

const BLOCK_BYTES = 8192;
/** Longer ones get memory of their own: what that costs beside is little then. */
const POOLED_BYTES_MAX = 1024;

/** See the head of this file. */
export class BytePool {
  #block = new Uint8Array(0);
  #used = 0;

  /** The same bytes in memory that is not that of `bytes`. */
  copy(bytes: Uint8Array): Uint8Array {
    const { length } = bytes;
    // Not `slice`: that of a Buffer, as a store gives them, copies nothing.
    if (length > POOLED_BYTES_MAX) return new Uint8Array(bytes);
    if (this.#used + length > this.#block.length) {
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#used = 0;
    }
    const copy = this.#block.subarray(this.#used, this.#used + length);
    copy.set(bytes);
    this.#used += length;
    return copy;
  }
}
