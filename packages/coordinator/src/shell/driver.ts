/** Runs the core: events in, effects out, one timer. Effects about peers go to the peers, the rest to observers. */
import { performance } from 'node:perf_hooks';
import type { CoordinatorCore } from '../core/coordinator.ts';
import type { CoordinatorEffect } from '../core/effects.ts';
import type { CoordinatorEvent } from '../core/events.ts';

/** Node's timers hold at most 2^31 − 1 ms. */
const TIMER_MS_MAX = 2_147_483_647;

/** See the head of this file. */
export class Driver {
  readonly #core: CoordinatorCore;
  readonly #act: (effect: CoordinatorEffect) => void;
  readonly #pending: CoordinatorEvent[] = [];
  #running = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(core: CoordinatorCore, act: (effect: CoordinatorEffect) => void) {
    this.#core = core;
    this.#act = act;
  }

  /** Milliseconds on a clock that never goes back. */
  now(): number {
    return performance.now();
  }

  /** Feeds an event. Events that effects cause are handled after the effects of the event before. */
  feed(event: CoordinatorEvent): void {
    this.#pending.push(event);
    if (this.#running || this.#stopped) return;
    this.#running = true;
    try {
      for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
        for (const effect of this.#core.handle(next, this.now())) this.#act(effect);
      }
    } finally {
      this.#running = false;
      this.#arm();
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    const atMs = this.#core.nextTimeoutMs() ?? Number.POSITIVE_INFINITY;
    // A timer that fires too early is harmless, and cheaper than setting it anew with each message.
    if (this.#stopped || (this.#timer !== undefined && this.#timerAtMs <= atMs)) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timerAtMs = atMs;
    const delayMs = Math.min(TIMER_MS_MAX, Math.max(1, Math.ceil(atMs - this.now())));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.feed({ type: 'TimePassed' });
    }, delayMs);
  }
}
