/**
 * When a turn that would send nothing but an acknowledgement does so. Sending a datagram costs far more than waiting: an
 * application often answers when its promises have run, and whoever is asked one thing after the other has the next
 * question soon; then both travel in one datagram. Pure.
 */

/** Far less than the 25 ms that QUIC allows by default (max_ack_delay, RFC 9000 §18.2). */
const ACKNOWLEDGE_WITHIN_MS = 2;

/** What to do: send now, look again in the next turn, or look again at {@link AcknowledgementDelay.dueAtMs}. */
export type AcknowledgementAdvice = 'now' | 'next turn' | 'later';

/** See the head of this file. */
export class AcknowledgementDelay {
  /** Datagrams that came since something was sent. */
  #received = 0;
  /** How many of them there were when a turn left their acknowledgement to the next one. */
  #postponedFor = 0;
  #dueAtMs = Infinity;

  /** Until when the acknowledgement of a single datagram waits for company; Infinity when none does. */
  get dueAtMs(): number {
    return this.#dueAtMs;
  }

  noteReceived(): void {
    this.#received += 1;
  }

  noteSent(): void {
    this.#received = 0;
    this.#postponedFor = 0;
    this.#dueAtMs = Infinity;
  }

  /** @param isIdle whether nothing of this side is on its way: else what came may have made room for more behind it */
  advise(isIdle: () => boolean, nowMs: () => number): AcknowledgementAdvice {
    if (this.#received === 0) return 'now';
    if (this.#postponedFor === 0 || (this.#postponedFor === 1 && this.#received === 2)) {
      this.#postponedFor = this.#received;
      return 'next turn';
    }
    // RFC 9000 §13.2.2: two are acknowledged at once.
    if (this.#received > 1 || !isIdle()) return 'now';
    const now = nowMs();
    if (this.#dueAtMs === Infinity) this.#dueAtMs = now + ACKNOWLEDGE_WITHIN_MS;
    return now >= this.#dueAtMs ? 'now' : 'later';
  }
}
