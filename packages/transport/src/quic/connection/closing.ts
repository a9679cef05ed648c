/**
 * How one side ends a connection, without loss where the peer lets it: what was written is flushed and acknowledged before
 * CONNECTION_CLOSE is sent, unless the time for it is over. Pure: told the time and what is still under way.
 */
import type { ConnectionClosed } from '../../contract.ts';

/** A peer that is there acknowledges within this. */
const ROOM_WITHIN_MS = 500;

/** What is known when it is asked for the next step. */
export interface ClosingSituation {
  /** Whether streams hold bytes that quiche has not taken. */
  readonly hasWrites: boolean;
  /** Whether what quiche has sent awaits its acknowledgement. */
  readonly isAcknowledged: boolean;
  readonly lastReceivedMs: number;
  readonly nowMs: number;
}

/** What to do: nothing yet, write no more, or say that the connection is closed. */
export type ClosingStep = 'wait' | 'cut' | 'close';

/** See the head of this file. */
export class Closing {
  /** What the application will be told. */
  readonly ending: ConnectionClosed;
  #untilMs: number;
  #cutAtMs = Infinity;

  /** @param untilMs when the time to flush is over */
  constructor(ending: ConnectionClosed, untilMs: number) {
    this.ending = ending;
    this.#untilMs = untilMs;
  }

  /** When to ask for the next step at the latest. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /** Nothing more is sent: room in the congestion window is for CONNECTION_CLOSE. */
  get isCut(): boolean {
    return this.#cutAtMs !== Infinity;
  }

  /** The time to flush is over at `untilMs`, if it was not before. */
  hurry(untilMs: number): void {
    this.#untilMs = Math.min(this.#untilMs, untilMs);
  }

  /**
   * The next step. Once it was told to close, quiche hears nothing of the peer any more; and with a full congestion window
   * it cannot say that it closes. So where bytes are left over no more is written, and an acknowledgement that makes room
   * is awaited for a while.
   */
  next({ hasWrites, isAcknowledged, lastReceivedMs, nowMs }: ClosingSituation): ClosingStep {
    if (!hasWrites && isAcknowledged) return 'close';
    if (nowMs < this.#untilMs && lastReceivedMs <= this.#cutAtMs) return 'wait';
    if (this.isCut || !hasWrites) return 'close';
    this.#cutAtMs = nowMs;
    this.#untilMs = nowMs + ROOM_WITHIN_MS;
    return 'cut';
  }
}
