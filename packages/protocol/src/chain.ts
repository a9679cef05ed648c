/**
 * A list whose entries hold its links. Whoever leaves leaves no hole and costs no search. It is there instead of a Set for
 * what comes and goes with every task: V8 makes a Set or Map that many entries pass through a new table again and again,
 * and the tables that it left keep each other, and all that was ever in them, until the next full collection. Measured on
 * entries of 300 bytes that come and go: 0.8 µs each with a Set, 0.15 µs with this.
 *
 * It is no part of the protocol: coordinator and agent both keep their tasks in such lists, and this is the floor below both.
 */

/** What an entry of a chain has for it; only the chain touches it. */
export interface Link<T> {
  next: T | undefined;
  previous: T | undefined;
}

/** Entries in their order, which is that of coming but for `unshift`. An entry is in one chain at a time. */
export class Chain<T extends Link<T>> implements Iterable<T> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first entry; its `next` leads on. */
  get first(): T | undefined {
    return this.#first;
  }

  /** Puts an entry behind all others; it must not be in any chain. */
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

  /** Takes an entry out; it must be in this chain. */
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

  /** The entry in hand may leave meanwhile, others may not. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    let entry = this.#first;
    while (entry !== undefined) {
      const { next }: Link<T> = entry;
      yield entry;
      entry = next;
    }
  }
}
