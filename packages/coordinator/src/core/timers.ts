/**
 * All that the core waits for, ordered by time. A binary heap whose entries know their place, so that a timer can be
 * taken out when what it was for is over: every task has one, and almost none of them ever fires.
 */

/** What a timer is for. */
export type Timer =
  /** When an agent has been silent: look whether it is suspect or lost. */
  | { readonly kind: 'liveness'; readonly agentId: string }
  /** When a lost agent's time to come back is over. */
  | { readonly kind: 'session'; readonly agentId: string }
  /** When a delay or a back-off is over and the task may be queued. */
  | { readonly kind: 'release'; readonly taskId: string }
  /** When the task should have been started. */
  | { readonly kind: 'scheduleToStart'; readonly taskId: string }
  /** When the task should have ended for good. */
  | { readonly kind: 'scheduleToClose'; readonly taskId: string }
  /** When the attempt should have ended although its agent was to see to it. */
  | { readonly kind: 'startToClose'; readonly taskId: string };

/** A timer in the heap; keep it to cancel it. */
export interface Scheduled {
  readonly atMs: number;
  readonly timer: Timer;
  /** Place in the heap, −1 when it has fired or was cancelled. */
  index: number;
}

/** The timers of one core. */
export class TimerHeap {
  readonly #heap: Scheduled[] = [];

  /** Timers that are set. */
  get size(): number {
    return this.#heap.length;
  }

  /** The time of the earliest timer; undefined when there is none. */
  get nextMs(): number | undefined {
    return this.#heap[0]?.atMs;
  }

  schedule(atMs: number, timer: Timer): Scheduled {
    const entry: Scheduled = { atMs, timer, index: this.#heap.length };
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
  takeDue(nowMs: number): Scheduled | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    this.cancel(first);
    return first;
  }

  #rise(entry: Scheduled): void {
    while (entry.index > 0) {
      const parent = this.#heap[(entry.index - 1) >> 1] as Scheduled;
      if (parent.atMs <= entry.atMs) return;
      this.#swap(entry, parent);
    }
  }

  #sink(entry: Scheduled): void {
    for (;;) {
      const left = this.#heap[entry.index * 2 + 1];
      const right = this.#heap[entry.index * 2 + 2];
      if (left === undefined) return;
      const child = right !== undefined && right.atMs < left.atMs ? right : left;
      if (child.atMs >= entry.atMs) return;
      this.#swap(entry, child);
    }
  }

  #swap(a: Scheduled, b: Scheduled): void {
    const { index } = a;
    a.index = b.index;
    b.index = index;
    this.#heap[a.index] = a;
    this.#heap[b.index] = b;
  }
}
