/**
 * Holds back what must not be acted on before the handshake of a connection is complete: until then its bytes may be a
 * recording that somebody plays again. Messages keep their order.
 */
import { EARLY_DATA_MESSAGES, SwarmError, type MessageType } from '@quic-swarm/protocol';
import type { Connection } from '@quic-swarm/transport';

/** Early data is a few packets; whoever sends more has to complete the handshake first. */
const HELD_MESSAGES_MAX = 1024;

/** The gate of one connection. */
export class EarlyGate {
  readonly #connection: Connection;
  #held: (() => void)[] = [];
  #isWaiting = false;
  #isDone = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The handshake is complete and nothing is held back: messages need not pass the gate any more. */
  get isOpen(): boolean {
    if (this.#isDone) return true;
    this.#isDone = !this.#isWaiting && this.#connection.isHandshakeComplete;
    return this.#isDone;
  }

  /** Calls `deliver` now, or when the handshake is complete; never when it fails. Throws QUEUE_FULL. */
  pass(type: MessageType, deliver: () => void): void {
    const mustWait = !this.#connection.isHandshakeComplete && !EARLY_DATA_MESSAGES.has(type);
    if (!this.#isWaiting && !mustWait) {
      deliver();
      return;
    }
    if (this.#held.length >= HELD_MESSAGES_MAX) {
      throw new SwarmError(
        'QUEUE_FULL',
        'Too many messages came before the handshake was complete.',
      );
    }
    this.#held.push(deliver);
    if (!this.#isWaiting) void this.#release();
    this.#isWaiting = true;
  }

  async #release(): Promise<void> {
    const isComplete = await this.#connection.handshakeComplete;
    const held = this.#held;
    this.#held = [];
    this.#isWaiting = false;
    if (isComplete) for (const deliver of held) deliver();
  }
}
