/**
 * Bounds what a connection waits for. quiche probes the path after a time that follows from the round trip it believes in
 * (RFC 9002 §6.2), and that belief can be seconds from the truth: a lost datagram of the handshake counts as a round trip
 * of a second, and until ten of the largest datagrams were sent, quiche 0.18 may take the time at which a burst began, up
 * to four believed round trips ago, for the time at which a datagram left. So whoever awaits an acknowledgement and hears
 * nothing at all sends pings of its own, after a time that doubles with each silence: a datagram counts as lost when one that
 * was sent three later is acknowledged (kPacketThreshold, RFC 9002 §6.1.1), whatever the round trip.
 */
import type { QuicheConnection } from '../binding.ts';

/** Three pings make quiche send again what was lost before them; two more, because pings are lost as well. */
export const PINGS_PER_PROBE = 5;

/** The shortest silence that is broken: more than a peer on a near path takes, however busy it is. */
const SILENCE_MIN_MS = 250;

/** The first silence is broken after this at the latest: as long as the longest round trips of this world. */
const SILENCE_FIRST_MAX_MS = 1000;

/** A peer that is gone is asked no more often than this. */
const SILENCE_MAX_MS = 4000;

/** An answer may be late by as much as it usually takes. */
const ROUND_TRIPS = 2;

/** Who believes in longer round trips than this is not asked any more whether something awaits its acknowledgement. */
const BELIEVABLE_MS = 500;

/** See the head of this file. */
export class TailProbe {
  readonly #quiche: Pick<QuicheConnection, 'stats' | 'path'>;
  /** The shortest time from a word of this side to one of the peer. */
  #roundTripMs = Infinity;
  #silenceMs = SILENCE_FIRST_MAX_MS;
  #dueAtMs = Infinity;
  /** When the silence began in which an answer is awaited. */
  #sinceMs = 0;
  #hasHeard = false;
  /** quiche's timer is seconds long whether or not it waits: only an answer to pings proves that everything arrived. */
  #isDoubtful = false;
  /** Turns that wrote, of these those before the last pings, and those before pings that were answered. */
  #written = 0;
  #probed = 0;
  #proven = 0;
  #lost = 0;

  constructor(quiche: Pick<QuicheConnection, 'stats' | 'path'>) {
    this.#quiche = quiche;
  }

  /** When to call {@link tick}; Infinity while nothing awaits its acknowledgement. */
  get dueAtMs(): number {
    return this.#dueAtMs;
  }

  /** Bytes of streams are sent in this turn. */
  noteWritten(): void {
    this.#written += 1;
  }

  /** A datagram of the peer came. */
  noteReceived(nowMs: number): void {
    if (this.#dueAtMs === Infinity || this.#hasHeard) return;
    this.#hasHeard = true;
    this.#roundTripMs = Math.min(this.#roundTripMs, nowMs - this.#sinceMs);
  }

  /**
   * A turn is over, and what quiche had to send was sent.
   * @param isAcknowledged whether nothing awaits its acknowledgement, as far as the length of quiche's timer tells
   */
  noteTurn(isAcknowledged: boolean, nowMs: number): void {
    const isWaiting = this.#dueAtMs !== Infinity;
    if (isWaiting && !this.#hasHeard) return;
    if (this.#hasHeard && this.#isDoubtful) this.#judgeAnswer();
    this.#hasHeard = false;
    const mayWait = !isAcknowledged || (this.#isDoubtful && this.#written > this.#proven);
    const patienceMs = Math.max(ROUND_TRIPS * this.#roundTripMs, SILENCE_MIN_MS);
    this.#silenceMs = Math.min(patienceMs, SILENCE_FIRST_MAX_MS);
    this.#sinceMs = nowMs;
    this.#dueAtMs = mayWait ? nowMs + this.#silenceMs : Infinity;
  }

  /** True: pings are to be sent now. */
  tick(nowMs: number): boolean {
    if (nowMs < this.#dueAtMs) return false;
    this.#isDoubtful = this.#quiche.path().roundTripMs > BELIEVABLE_MS;
    this.#probed = this.#written;
    this.#silenceMs = Math.min(2 * this.#silenceMs, SILENCE_MAX_MS);
    this.#sinceMs = nowMs;
    this.#dueAtMs = nowMs + this.#silenceMs;
    return true;
  }

  /** After pings were answered all that was written before them has arrived, or it was found lost and was sent again. */
  #judgeAnswer(): void {
    const { lost } = this.#quiche.stats();
    this.#proven = this.#probed;
    if (lost !== this.#lost) this.#written += 1;
    this.#lost = lost;
  }
}
