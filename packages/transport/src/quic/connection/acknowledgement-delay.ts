/**
 * When a turn that would send nothing but an acknowledgement does so. Sending a datagram costs far more than waiting: an
 * application often answers when its promises have run, and whoever is asked one thing after the other has the next
 * question soon; then both travel in one datagram. Pure.
 */

/** Far less than the 25 ms that QUIC allows by default (max_ack_delay, RFC 9000 §18.2). */
const ACKNOWLEDGE_WITHIN_MS = 2;

/** RFC 9002 §7.2: ten datagrams of 1,200 bytes. */
const INITIAL_WINDOW_BYTES = 12_000;

/** Shorter datagrams are acknowledgements themselves, which are not acknowledged, or a sign of life. */
const DATA_BYTES_MIN = 64;

/** What to do: send now, look again in the next turn, or look again at {@link AcknowledgementDelay.dueAtMs}. */
export type AcknowledgementAdvice = 'now' | 'next turn' | 'later';

/** See the head of this file. */
export class AcknowledgementDelay {
  /** Datagrams with data that came since something was sent. */
  #received = 0;
  /** How many of them there were when a turn left their acknowledgement to the next one. */
  #postponedFor = 0;
  #dueAtMs = Infinity;
  /** Sent since nothing was on its way, as far as is known; more than what is on its way now. */
  #sentBytes = 0;

  /** Until when the acknowledgement of a single datagram waits for company; Infinity when none does. */
  get dueAtMs(): number {
    return this.#dueAtMs;
  }

  /** A datagram of so many bytes came. */
  noteReceived(bytes: number): void {
    if (bytes >= DATA_BYTES_MIN) this.#received += 1;
  }

  /** A turn is about to send. */
  noteTurn(): void {
    this.#received = 0;
    this.#postponedFor = 0;
    this.#dueAtMs = Infinity;
  }

  /** A datagram of so many bytes was sent. */
  noteSent(bytes: number): void {
    this.#sentBytes += bytes;
  }

  /** @param isIdle whether nothing of this side is on its way to the peer */
  advise(isIdle: () => boolean, nowMs: () => number): AcknowledgementAdvice {
    if (this.#received === 0) return 'now';
    if (this.#postponedFor === 0 || (this.#postponedFor === 1 && this.#received === 2)) {
      this.#postponedFor = this.#received;
      return 'next turn';
    }
    // RFC 9000 §13.2.2: two are acknowledged at once.
    if (this.#received > 1) return 'now';
    // What is on its way may be all that the congestion window takes, with more behind it in quiche, for which any word of
    // the peer makes room. It is not while it is less than the smallest window that a connection begins with.
    if (this.#sentBytes > INITIAL_WINDOW_BYTES) {
      if (!isIdle()) return 'now';
      this.#sentBytes = 0;
    }
    const now = nowMs();
    if (this.#dueAtMs === Infinity) this.#dueAtMs = now + ACKNOWLEDGE_WITHIN_MS;
    return now >= this.#dueAtMs ? 'now' : 'later';
  }
}
