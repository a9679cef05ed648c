/**
 * A timer that is right to some hundredths of a millisecond, where the system's is late by up to two: it waits with the
 * system's and spends the rest with turns of the event loop.
 */

/** The system's timers count whole milliseconds and fire after, never before, their time. */
const LATENESS_MS = 2;

/** Calls back at the time that was set last. */
export class ExactTimer {
  readonly #callback: () => void;
  #dueMs = Infinity;
  #timeout: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(callback: () => void) {
    this.#callback = callback;
  }

  /** Sets the time, on the clock of `performance.now()`; Infinity is never. */
  set(dueMs: number): void {
    if (dueMs === this.#dueMs) return;
    this.#dueMs = dueMs;
    this.#disarm();
    if (dueMs !== Infinity) this.#arm();
  }

  #arm(): void {
    const waitMs = this.#dueMs - performance.now();
    if (waitMs > LATENESS_MS) {
      this.#timeout = setTimeout(this.#fire, waitMs - LATENESS_MS);
    } else {
      this.#immediate = setImmediate(this.#fire);
    }
  }

  #disarm(): void {
    clearTimeout(this.#timeout);
    clearImmediate(this.#immediate);
  }

  readonly #fire = (): void => {
    if (performance.now() < this.#dueMs) {
      this.#arm();
      return;
    }
    this.#dueMs = Infinity;
    this.#callback();
  };
}
