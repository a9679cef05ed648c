/**
 * Time in a simulation: it jumps to whatever is due next. What is due at the same time happens in the order in which it
 * was asked for, so that a run can be repeated.
 */
import { DeliveryQueue } from '../faults/delivery-queue.ts';

/** Something that will happen, unless it is cancelled before. */
export class Alarm {
  #action: (() => void) | undefined;

  constructor(action: () => void) {
    this.#action = action;
  }

  /** Harmless when it has happened. */
  cancel(): void {
    this.#action = undefined;
  }

  /** Happens now, once. */
  ring(): void {
    const action = this.#action;
    this.#action = undefined;
    action?.();
  }
}

/** See the head of this file. */
export class VirtualClock {
  readonly #alarms = new DeliveryQueue<Alarm>();
  #nowMs = 0;
  #rung = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many alarms have rung: the length of a run. */
  get rung(): number {
    return this.#rung;
  }

  /** Does it at that time, or as soon as possible when that is over. */
  at(atMs: number, action: () => void): Alarm {
    const alarm = new Alarm(action);
    this.#alarms.push(alarm, Math.max(this.#nowMs, atMs));
    return alarm;
  }

  after(delayMs: number, action: () => void): Alarm {
    return this.at(this.#nowMs + delayMs, action);
  }

  /** Lets time pass until then. Stops before when `isOver` says so; it is asked after each alarm. */
  runUntil(untilMs: number, isOver: () => boolean = () => false): void {
    while (this.#alarms.nextAtMs <= untilMs) {
      this.#nowMs = this.#alarms.nextAtMs;
      const alarm = this.#alarms.take(this.#nowMs);
      this.#rung += 1;
      alarm?.ring();
      if (isOver()) return;
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }
}
