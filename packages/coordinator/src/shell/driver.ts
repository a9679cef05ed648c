/** Runs the core: events in, effects out, one timer. Effects about peers go to the peers, the rest to observers. */
import { performance } from 'node:perf_hooks';
import type { CoordinatorCore } from '../core/coordinator.ts';
import type { CoordinatorEffect } from '../core/effects.ts';
import type { CoordinatorEvent } from '../core/events.ts';

/** Node's timers hold at most 2^31 − 1 ms. */
const TIMER_MS_MAX = 2_147_483_647;

/** What the driver does with what the core wants. */
export interface DriverActions {
  /** The core was told of an event. */
  took?(event: CoordinatorEvent, atMs: number): void;
  /** The core has said what to do. */
  settling?(effects: readonly CoordinatorEffect[]): void;
  act(effect: CoordinatorEffect): void;
  /** All effects so far were given to `act`. */
  settled(): void;
}

/** See the head of this file. */
export class Driver {
  readonly #core: CoordinatorCore;
  readonly #actions: DriverActions;
  /** Events that effects caused. */
  #caused: CoordinatorEvent[] = [];
  #acting = false;
  /** How many times it is held; events wait for the last release to be settled. */
  #holds = 0;
  /** The time of all events while it is held: they came together, and asking costs. */
  #heldAtMs = 0;
  #hasNews = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(core: CoordinatorCore, actions: DriverActions) {
    this.#core = core;
    this.#actions = actions;
  }

  /** Milliseconds on a clock that never goes back. */
  now(): number {
    return performance.now();
  }

  /** Feeds an event and carries out what follows from it; while held, only with the release. */
  feed(event: CoordinatorEvent): void {
    if (this.#stopped) return;
    if (this.#acting) {
      this.#caused.push(event);
      return;
    }
    this.#take(event, this.#holds > 0 ? this.#heldAtMs : this.now());
    this.#hasNews = true;
    if (this.#holds === 0) this.settle();
  }

  /** Several events are about to come together. Every call needs its {@link Driver.release}. */
  hold(): void {
    if (this.#holds === 0) this.#heldAtMs = this.now();
    this.#holds += 1;
  }

  /** They have come: what follows from them is carried out. */
  release(): void {
    this.#holds -= 1;
    if (this.#holds === 0) this.settle();
  }

  /** Carries out what follows from the events so far, also while held. Events that effects cause come after those effects. */
  settle(): void {
    if (!this.#hasNews || this.#acting || this.#stopped) return;
    this.#acting = true;
    try {
      do {
        this.#hasNews = false;
        const effects = this.#core.settle();
        this.#actions.settling?.(effects);
        for (const effect of effects) this.#actions.act(effect);
      } while (this.#takeCaused());
    } finally {
      this.#acting = false;
      this.#actions.settled();
      this.#arm();
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** False: effects have caused no events. */
  #takeCaused(): boolean {
    if (this.#caused.length === 0) return false;
    const caused = this.#caused;
    this.#caused = [];
    for (const event of caused) this.#take(event, this.now());
    return true;
  }

  #take(event: CoordinatorEvent, atMs: number): void {
    // First, since the core may change what the event holds.
    this.#actions.took?.(event, atMs);
    this.#core.take(event, atMs);
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
