/** First in, first out, in constant time: a Set would walk over the places of those that left before it finds the first. */

/** Left places are cleared away once there are so many, and as many as entries. */
const LEFT_MAX = 1024;

/** A queue of entries that leave only in the order in which they came. */
export class Fifo<T> {
  #entries: (T | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#entries.length - this.#head;
  }

  push(entry: T): void {
    this.#entries.push(entry);
  }

  /** The first one; undefined when it is empty. */
  peek(): T | undefined {
    return this.#entries[this.#head];
  }

  /** Takes the first one out. */
  shift(): T | undefined {
    const first = this.#entries[this.#head];
    if (this.#head === this.#entries.length) return undefined;
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    if (this.#head >= LEFT_MAX && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }
}
