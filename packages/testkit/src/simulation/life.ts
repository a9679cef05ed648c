/**
 * One life of a process, from its start to its end. Whatever happens to it later goes through here: nothing does once it
 * is dead, and while it is frozen (SIGSTOP) all waits, to come at once when it goes on and sees that time has passed.
 */
import type { Alarm, VirtualClock } from './virtual-clock.ts';

/** See the head of this file. */
export class Life {
  readonly #clock: VirtualClock;
  #isAlive = true;
  #isFrozen = false;
  #lateTimers: (() => void)[] = [];
  #unread: (() => void)[] = [];

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** A process that answers: it is there and has its turns. */
  get isAwake(): boolean {
    return this.#isAlive && !this.#isFrozen;
  }

  /** Something comes from outside. */
  receive(action: () => void): void {
    if (this.#isFrozen) this.#unread.push(action);
    else if (this.#isAlive) action();
  }

  /** A timer of its own. */
  after(delayMs: number, action: () => void): Alarm {
    return this.#clock.after(delayMs, () => {
      if (this.#isFrozen) this.#lateTimers.push(action);
      else if (this.#isAlive) action();
    });
  }

  /** Everything ends where it is. */
  kill(): void {
    this.#isAlive = false;
    this.#isFrozen = false;
    this.#lateTimers = [];
    this.#unread = [];
  }

  freeze(): void {
    if (this.#isAlive) this.#isFrozen = true;
  }

  /** It goes on. A loop looks at its timers before it reads what has come. */
  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    const waiting = [...this.#lateTimers, ...this.#unread];
    this.#lateTimers = [];
    this.#unread = [];
    for (const action of waiting) if (this.#isAlive) action();
  }
}
