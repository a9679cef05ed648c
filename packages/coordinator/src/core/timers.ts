/**
 * All that the core waits for, ordered by time. A binary heap whose entries know their place, so that a timer can be
 * taken out when what it was for is over: every running task has one, and almost none of them ever fires.
 */

/** What the heap needs of a timer; keep it to cancel it. */
export interface Scheduled {
  readonly atMs: number;
  /** Place in the heap, −1 when it is in none: it has fired, was cancelled or not yet scheduled. */
  index: number;
}

/** The timers of one core. */
export class TimerHeap<T extends Scheduled> {
  readonly #heap: T[] = [];

  /** Timers that are set. */
  get size(): number {
    return this.#heap.length;
  }

  /** The time of the earliest timer; undefined when there is none. */
  get nextMs(): number | undefined {
    return this.#heap[0]?.atMs;
  }

  schedule(entry: T): T {
    entry.index = this.#heap.length;
    this.#heap.push(entry);
    this.#rise(entry);
    return entry;
  }

  /** Takes a timer out. Harmless when it has fired or was cancelled before. */
  cancel(entry: Scheduled | undefined): void {
    if (entry === undefined || entry.index < 0) return;
    const { index } = entry;
    entry.index = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    last.index = index;
    this.#heap[index] = last;
    this.#rise(last);
    this.#sink(last);
  }

  /** Takes out the earliest timer that is due; undefined when none is. */
  takeDue(nowMs: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    this.cancel(first);
    return first;
  }

  #rise(entry: T): void {
    while (entry.index > 0) {
      const parent = this.#heap[(entry.index - 1) >> 1] as T;
      if (parent.atMs <= entry.atMs) return;
      this.#swap(entry, parent);
    }
  }

  #sink(entry: T): void {
    for (;;) {
      const left = this.#heap[entry.index * 2 + 1];
      const right = this.#heap[entry.index * 2 + 2];
      if (left === undefined) return;
      const child = right !== undefined && right.atMs < left.atMs ? right : left;
      if (child.atMs >= entry.atMs) return;
      this.#swap(entry, child);
    }
  }

  #swap(a: T, b: T): void {
    const { index } = a;
    a.index = b.index;
    b.index = index;
    this.#heap[a.index] = a;
    this.#heap[b.index] = b;
  }
}
