/**
 * Lets any number of tasks listen to one AbortSignal through a single listener: Node warns of a leak at the eleventh,
 * and a thousand tasks under one signal are normal here.
 */

import { ChurningMap } from '../core/churning-map.ts';

/** Hears of a signal. */
export interface AbortListener {
  readonly signalRaised: () => void;
}

interface Listened {
  readonly listeners: ChurningMap<AbortListener, AbortListener>;
  readonly onAbort: () => void;
}

/** The listeners of all signals of one client. */
export class AbortFanOut {
  readonly #signals = new Map<AbortSignal, Listened>();

  /** Calls the listener once when the signal is raised, until `release`. The signal must not be raised yet. */
  listen(signal: AbortSignal, listener: AbortListener): void {
    this.#listenersOf(signal).set(listener, listener);
  }

  /** Stops listening. Idempotent. */
  release(signal: AbortSignal, listener: AbortListener): void {
    const listened = this.#signals.get(signal);
    if (listened?.listeners.delete(listener) !== true || listened.listeners.size > 0) return;
    signal.removeEventListener('abort', listened.onAbort);
    this.#signals.delete(signal);
  }

  #listenersOf(signal: AbortSignal): Listened['listeners'] {
    const known = this.#signals.get(signal);
    if (known !== undefined) return known.listeners;
    const listeners = new ChurningMap<AbortListener, AbortListener>();
    const onAbort = (): void => {
      this.#signals.delete(signal);
      for (const listener of listeners.values()) listener.signalRaised();
      listeners.clear();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#signals.set(signal, { listeners, onAbort });
    return listeners;
  }
}
