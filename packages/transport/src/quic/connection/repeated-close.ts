/** The CONNECTION_CLOSE as it was sent, for a peer that goes on sending because it missed it (RFC 9000 §10.2.1). */

/** Answers ever fewer datagrams of a peer that should be quiet. */
export class RepeatedClose {
  readonly #datagram: Uint8Array;
  #received = 0;

  /** @param datagram is copied */
  constructor(datagram: Uint8Array) {
    this.#datagram = Uint8Array.from(datagram);
  }

  /** What to answer to one more datagram: the close for the first, second, fourth, eighth …, else nothing. */
  answer(): Uint8Array | undefined {
    this.#received += 1;
    const isPowerOfTwo = (this.#received & (this.#received - 1)) === 0;
    return isPowerOfTwo ? Uint8Array.from(this.#datagram) : undefined;
  }
}
