/**
 * Datagrams that carry the end of a stream, kept for a while to be sent again. quiche 0.18 repeats a lost RESET_STREAM only
 * while it still holds the stream, which it forgets when all that was sent before the reset is acknowledged, and never a
 * lost STOP_SENDING: the peer would wait for ever. A peer ignores a datagram that it has seen, by its number, so that
 * the same bytes can be sent again.
 *
 * A copy is forgotten when nothing awaits its acknowledgement and nothing was counted as lost since. Peers of quiche 0.18
 * take a datagram that comes more than 128 numbers late for one that they have seen: hence the copy after a millisecond
 * and those before quiche's probes, which would otherwise be the first to arrive after a hole.
 */

import type { QuicheConnection } from '../binding.ts';

/**
 * quiche writes resets before anything else, at most 42 bytes for each stream (RFC 9000 §19.4, §19.5): so many fit into a
 * datagram of 1,200 bytes beside an acknowledgement. The first datagram may be an acknowledgement alone, when the
 * congestion window is full.
 */
const RESETS_PER_DATAGRAM = 24;
const DATAGRAMS_MIN = 2;

/** What is kept of one connection: quiche's datagrams have at most 16 KiB. */
const COPIES_MAX = 64;

/** Soon after the datagram itself; from the second on at distances that double, as those of probes do. */
const FIRST_AFTER_MS = 1;
const REPEATS = 8;

/** How long a peer may take to acknowledge beyond the round trip (max_ack_delay, RFC 9000 §18.2). */
const ACKNOWLEDGEMENT_MS = 25;

/** Where datagrams are lost, quiche 0.18 may take the round trip for far longer than it is. */
const ROUND_TRIP_MAX_MS = 250;

interface Copy {
  readonly datagram: Uint8Array;
  /** How many datagrams were counted as lost when it was sent. */
  readonly lostBefore: number;
  repeated: number;
  dueAtMs: number;
}

/** See the head of this file. */
export class RepeatedResets {
  readonly #quiche: Pick<QuicheConnection, 'stats' | 'path'>;
  readonly #isAcknowledged: () => boolean;
  readonly #send: (datagram: Uint8Array) => void;
  #copies: Copy[] = [];
  /** How many of the next datagrams may carry resets, and how many resets there may be in them. */
  #datagramsAwaited = 0;
  #resetsAwaited = 0;
  #dueAtMs = Infinity;

  constructor(
    quiche: Pick<QuicheConnection, 'stats' | 'path'>,
    isAcknowledged: () => boolean,
    send: (datagram: Uint8Array) => void,
  ) {
    this.#quiche = quiche;
    this.#isAcknowledged = isAcknowledged;
    this.#send = send;
  }

  /** When the next copy is due; Infinity when none is kept. */
  get dueAtMs(): number {
    return this.#dueAtMs;
  }

  /** A stream was reset: one of the next datagrams says so. */
  noteReset(): void {
    this.#resetsAwaited += 1;
    this.#datagramsAwaited = DATAGRAMS_MIN + Math.floor(this.#resetsAwaited / RESETS_PER_DATAGRAM);
  }

  /** A datagram was sent; it is copied if it may carry a reset. */
  noteSent(datagram: Uint8Array, now: () => number): void {
    if (this.#datagramsAwaited === 0) return;
    const dueAtMs = now() + FIRST_AFTER_MS;
    this.#datagramsAwaited -= 1;
    if (this.#datagramsAwaited === 0) this.#resetsAwaited = 0;
    if (this.#copies.length === COPIES_MAX) this.#copies.shift();
    this.#copies.push({
      datagram: Uint8Array.from(datagram),
      lostBefore: this.#quiche.stats().lost,
      repeated: 0,
      dueAtMs,
    });
    this.#dueAtMs = Math.min(this.#dueAtMs, dueAtMs);
  }

  /** Sends what is due; everything that is kept if quiche is about to probe the path (`isProbing`). */
  tick(isProbing: boolean, nowMs: number): void {
    if (this.#copies.length === 0 || (!isProbing && nowMs < this.#dueAtMs)) return;
    const { lost } = this.#quiche.stats();
    const isIdle = this.#isAcknowledged();
    const { roundTripMs } = this.#quiche.path();
    const distanceMs = Math.min(roundTripMs, ROUND_TRIP_MAX_MS) + ACKNOWLEDGEMENT_MS;
    this.#copies = this.#copies.filter((copy) => {
      if (isIdle && lost === copy.lostBefore) return false;
      const isDue = nowMs >= copy.dueAtMs;
      if (isDue) {
        copy.dueAtMs = nowMs + distanceMs * 2 ** copy.repeated;
        copy.repeated += 1;
      }
      // A socket may keep what it is given.
      if (isDue || isProbing) this.#send(Uint8Array.from(copy.datagram));
      return copy.repeated < REPEATS;
    });
    this.#dueAtMs = Math.min(Infinity, ...this.#copies.map(({ dueAtMs }) => dueAtMs));
  }
}
