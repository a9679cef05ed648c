/**
 * The token of a Retry (RFC 9000 §8.1.2): it lets a client prove that it receives at its address, while this side
 * keeps nothing. Layout: expiry (8 bytes, milliseconds), the client's first destination id, HMAC-SHA256 (32 bytes) over
 * both and the client's address.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Long enough for a slow handshake, short enough to be worth little to a thief. */
const LIFETIME_MS = 30_000;

const EXPIRY_BYTES = 8;
const MAC_BYTES = 32;

/** Makes and checks tokens with a secret that lives as long as the process. */
export class RetryTokens {
  readonly #secret = randomBytes(32);

  /** A token for a client at an address whose first packet went to the connection id. */
  make(host: string, port: number, originalId: Uint8Array, nowMs: number): Uint8Array {
    const head = Buffer.alloc(EXPIRY_BYTES + originalId.length);
    head.writeDoubleBE(nowMs + LIFETIME_MS);
    head.set(originalId, EXPIRY_BYTES);
    return Buffer.concat([head, this.#mac(host, port, head)]);
  }

  /** The client's first destination id, or undefined when the token is not ours, too old or of another address. */
  check(token: Uint8Array, host: string, port: number, nowMs: number): Uint8Array | undefined {
    if (token.length < EXPIRY_BYTES + 8 + MAC_BYTES || token.length > EXPIRY_BYTES + 20 + MAC_BYTES)
      return undefined;
    const bytes = Buffer.from(token);
    const head = bytes.subarray(0, bytes.length - MAC_BYTES);
    const mac = bytes.subarray(bytes.length - MAC_BYTES);
    if (!timingSafeEqual(mac, this.#mac(host, port, head))) return undefined;
    if (head.readDoubleBE() < nowMs) return undefined;
    return head.subarray(EXPIRY_BYTES);
  }

  #mac(host: string, port: number, head: Uint8Array): Buffer {
    return createHmac('sha256', this.#secret).update(`${host} ${port} `).update(head).digest();
  }
}
