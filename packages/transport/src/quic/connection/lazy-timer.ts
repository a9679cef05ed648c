/**
 * A timer whose time moves with every datagram, almost always to later. It lets the system's timer fire early and
 * arms it again, instead of cancelling and creating one per datagram.
 */

/** Calls back at or soon after the time that was set last. */
export class LazyTimer {
  readonly #callback: () => void;
  #timeout: NodeJS.Timeout | undefined;
  #dueMs = Infinity;
  #firesAtMs = Infinity;

  constructor(callback: () => void) {
    this.#callback = callback;
  }

  /** The time that was set last. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Sets the time, on the clock of `performance.now()`; Infinity is never. */
  set(dueMs: number): void {
    this.#dueMs = dueMs;
    if (dueMs >= this.#firesAtMs) return;
    if (this.#timeout !== undefined) clearTimeout(this.#timeout);
    this.#arm();
  }

  /** Never calls back any more. */
  stop(): void {
    if (this.#timeout !== undefined) clearTimeout(this.#timeout);
    this.#timeout = undefined;
    this.#dueMs = Infinity;
    this.#firesAtMs = Infinity;
  }

  #arm(): void {
    const delayMs = Math.max(1, Math.ceil(this.#dueMs - performance.now()));
    this.#firesAtMs = this.#dueMs;
    this.#timeout = setTimeout(this.#fire, delayMs);
    // The socket, not the timer, decides whether the process lives.
    this.#timeout.unref();
  }

  readonly #fire = (): void => {
    this.#timeout = undefined;
    this.#firesAtMs = Infinity;
    if (this.#dueMs === Infinity) return;
    if (performance.now() < this.#dueMs) {
      this.#arm();
      return;
    }
    this.#callback();
  };
}
