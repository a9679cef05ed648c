/**
 * Lets any number of tasks listen to one AbortSignal through a single listener: Node warns of a leak at the eleventh,
 * and a thousand tasks under one signal are normal here.
 */

/** The listeners of all signals of one client. */
export class AbortFanOut {
  readonly #signals = new Map<AbortSignal, { callbacks: Set<() => void>; listener: () => void }>();

  /** Calls back once when the signal is raised; returns how to stop listening. The signal must not be raised yet. */
  listen(signal: AbortSignal, callback: () => void): () => void {
    const callbacks = this.#callbacksOf(signal);
    callbacks.add(callback);
    return () => {
      callbacks.delete(callback);
      if (callbacks.size === 0) this.#release(signal, callbacks);
    };
  }

  #callbacksOf(signal: AbortSignal): Set<() => void> {
    const known = this.#signals.get(signal);
    if (known !== undefined) return known.callbacks;
    const callbacks = new Set<() => void>();
    const listener = (): void => {
      this.#signals.delete(signal);
      for (const callback of callbacks) callback();
      callbacks.clear();
    };
    signal.addEventListener('abort', listener, { once: true });
    this.#signals.set(signal, { callbacks, listener });
    return callbacks;
  }

  #release(signal: AbortSignal, callbacks: Set<() => void>): void {
    const known = this.#signals.get(signal);
    if (known?.callbacks !== callbacks) return;
    signal.removeEventListener('abort', known.listener);
    this.#signals.delete(signal);
  }
}
