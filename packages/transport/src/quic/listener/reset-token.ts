/**
 * Stateless resets (RFC 9000 §10.3): how a server that has forgotten a connection, most often because it was started
 * again, tells the other side so at once instead of leaving it to a time-out. The token follows from the connection id
 * and from a secret that outlives the process, so that the next process knows it too.
 */
import { createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** RFC 9000 §10.3: anything shorter is not taken for a packet. */
const RESET_BYTES_MIN = 21;
/** Long enough to look like any packet, short enough to amplify nothing. */
const RESET_BYTES_MAX = 43;
const TOKEN_BYTES = 16;

/** So many resets are sent per second: floods of stray packets are not worth an answer each. */
const RESETS_PER_SECOND = 1000;

/** Makes the tokens of one listener and the packets that carry them. */
export class ResetTokens {
  readonly #key: Buffer;
  #secondMs = 0;
  #sentInSecond = 0;

  /**
   * @param secret known only to the server, the same after a restart: its private key
   * @param port distinguishes servers with one certificate: none must give away the tokens of another (§10.3.2)
   */
  constructor(secret: string, port: number) {
    const purpose = `quic-swarm stateless reset ${port}`;
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
  }

  /** The token of a connection id, as the number that QUIC's sixteen bytes are. */
  tokenOf(connectionId: Uint8Array): bigint {
    return BigInt(`0x${this.#tokenBytes(connectionId).toString('hex')}`);
  }

  /**
   * The packet that answers one of `receivedBytes` for an unknown connection id; undefined where none may be sent.
   * It is shorter than what it answers, so that two servers cannot keep each other busy (RFC 9000 §10.3.3).
   */
  packet(connectionId: Uint8Array, receivedBytes: number, nowMs: number): Uint8Array | undefined {
    const length = Math.min(RESET_BYTES_MAX, receivedBytes - 1);
    if (length < RESET_BYTES_MIN || !this.#isAllowed(nowMs)) return undefined;
    const packet = randomBytes(length);
    // RFC 9000 §10.3: the first two bits are those of a packet with a short header.
    packet[0] = ((packet[0] ?? 0) & 0x3f) | 0x40;
    packet.set(this.#tokenBytes(connectionId), length - TOKEN_BYTES);
    return packet;
  }

  #isAllowed(nowMs: number): boolean {
    if (nowMs - this.#secondMs >= 1000) {
      this.#secondMs = nowMs;
      this.#sentInSecond = 0;
    }
    this.#sentInSecond += 1;
    return this.#sentInSecond <= RESETS_PER_SECOND;
  }

  #tokenBytes(connectionId: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(connectionId).digest().subarray(0, TOKEN_BYTES);
  }
}
