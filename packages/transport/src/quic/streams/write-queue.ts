/**
 * The bytes that a stream has accepted and quiche has not. Small neighbours are copied together, because a call into
 * quiche costs as much as copying a few kilobytes; large ones are handed over as they are.
 */

/** Shared by all queues: what `head` returns is used up before the next call. */
const joined = Buffer.allocUnsafeSlow(64 * 1024);

/** Chunks of at least so many bytes are worth a call of their own. */
const LARGE_BYTES = 16 * 1024;

const NOTHING = new Uint8Array(0);

/** A queue of bytes. */
export class WriteQueue {
  #chunks: Uint8Array[] = [];
  /** Index of the first chunk that is still queued; those before are dropped now and then. */
  #first = 0;
  #bytes = 0;

  /** How many bytes are queued. */
  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next bytes in order, valid until the next call on any queue; empty when nothing is queued. */
  head(): Uint8Array {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined) return NOTHING;
    if (chunk.length >= LARGE_BYTES || this.#first + 1 === this.#chunks.length) return chunk;
    let length = 0;
    for (let index = this.#first; index < this.#chunks.length; index += 1) {
      const next = this.#chunks[index];
      if (next === undefined || length + next.length > joined.length) break;
      joined.set(next, length);
      length += next.length;
    }
    return joined.subarray(0, length);
  }

  /** Removes the first `count` bytes. */
  drop(count: number): void {
    this.#bytes -= count;
    let rest = count;
    while (rest > 0) {
      const chunk = this.#chunks[this.#first];
      if (chunk === undefined) return;
      if (rest < chunk.length) {
        this.#chunks[this.#first] = chunk.subarray(rest);
        return;
      }
      rest -= chunk.length;
      // A reference to a chunk that left would keep its memory.
      this.#chunks[this.#first] = NOTHING;
      this.#first += 1;
    }
    if (this.#first === this.#chunks.length) {
      this.#chunks = [];
      this.#first = 0;
    } else if (this.#first > 1024) {
      this.#chunks.splice(0, this.#first);
      this.#first = 0;
    }
  }

  clear(): void {
    this.#chunks = [];
    this.#first = 0;
    this.#bytes = 0;
  }
}
