/**
 * The addresses that the peer has left. quiche 0.18 repeats only two of the datagrams that were on their way to one of
 * them: to find the others lost it wants to probe that path, and it gets no answer from there. So its probes go where the
 * peer is now.
 */
import type { Address } from '../../contract.ts';
import type { HostPort } from '../arguments.ts';
import type { QuicheConnection } from '../binding.ts';

/** quiche sends two probes at a time (RFC 9002 §6.2.4). */
const PROBES_PER_TURN = 4;

const scratch = Buffer.allocUnsafeSlow(65_536);

/** The paths of one connection on which nobody answers any more. */
export class LeftPaths {
  readonly #quiche: QuicheConnection;
  readonly #local: HostPort;
  readonly #send: (datagram: Uint8Array, to: Address) => void;
  readonly #left: HostPort[] = [];

  constructor(
    quiche: QuicheConnection,
    local: Address,
    send: (datagram: Uint8Array, to: Address) => void,
  ) {
    this.#quiche = quiche;
    this.#local = { ...local };
    this.#send = send;
  }

  /** The peer was there before. */
  add(address: Address): void {
    this.#left.push({ ...address });
  }

  /** Sends what quiche has for these paths to where the peer is, in datagrams of at most so many bytes. */
  transmit(peer: Address, payloadBytes: number): void {
    for (const left of this.#left) {
      for (let count = 0; count < PROBES_PER_TURN; count += 1) {
        const length = this.#quiche.sendOnPath(
          scratch.subarray(0, payloadBytes),
          this.#local,
          left,
        );
        if (length === undefined) break;
        this.#send(Uint8Array.from(scratch.subarray(0, length)), peer);
      }
    }
  }
}
