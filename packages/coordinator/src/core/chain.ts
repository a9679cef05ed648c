/**
 * Entries in the order in which they came, any of which may leave at any time. The links are in the entries: that
 * costs no memory beside them, and whoever leaves leaves no hole. An entry can be in one chain at a time.
 */

/** What an entry of a chain has for it; only the chain touches it. */
export interface Link<T> {
  next: T | undefined;
  previous: T | undefined;
}

/** See the head of this file. */
export class Chain<T extends Link<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  /** The entry must not be in any chain. */
  push(entry: T): void {
    entry.previous = this.#last;
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.#size += 1;
  }

  /** Puts an entry in front of all others; it must not be in any chain. */
  unshift(entry: T): void {
    entry.next = this.#first;
    if (this.#first === undefined) this.#last = entry;
    else this.#first.previous = entry;
    this.#first = entry;
    this.#size += 1;
  }

  /** The entry must be in this chain. */
  remove(entry: T): void {
    const { next, previous } = entry;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    // One that is old and over would otherwise hold on to all younger ones until the whole memory is looked through.
    entry.next = undefined;
    entry.previous = undefined;
    this.#size -= 1;
  }

  /** The entry in hand may leave meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    let entry = this.#first;
    while (entry !== undefined) {
      const { next } = entry;
      yield entry;
      entry = next;
    }
  }
}
