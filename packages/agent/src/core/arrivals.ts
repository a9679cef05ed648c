/**
 * Which tasks of a connection have arrived. Dispatch sequences count 1, 2, 3 …, but a large task travels on a stream of
 * its own and may come after later small ones, so the highest number seen says nothing about those before it.
 */
export class Arrivals {
  #through = 0;
  readonly #ahead = new Set<number>();

  /** Every sequence up to this one has arrived; 0 before the first. */
  get through(): number {
    return this.#through;
  }

  note(dispatchSequence: number): void {
    if (dispatchSequence === this.#through + 1) this.#through = dispatchSequence;
    else if (dispatchSequence > this.#through) this.#ahead.add(dispatchSequence);
    // Nearly all come in order, and then this stays empty.
    if (this.#ahead.size === 0) return;
    while (this.#ahead.delete(this.#through + 1)) this.#through += 1;
  }

  /** A new connection counts from 1 again. */
  reset(): void {
    this.#through = 0;
    this.#ahead.clear();
  }
}
