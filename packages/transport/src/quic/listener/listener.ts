/** A socket that accepts connections until it is closed. */
import type { Address, CloseReason, Listener } from '../../contract.ts';
import { NOTHING_WRONG } from '../../endings.ts';
import type { Acceptor } from './acceptor.ts';
import type { QuicEndpoint } from '../endpoint.ts';

/** A listener over QUIC. */
export class QuicListener implements Listener {
  readonly address: Address;
  readonly fingerprint: string;
  readonly #endpoint: QuicEndpoint;
  readonly #acceptor: Acceptor;
  #closing: Promise<void> | undefined;

  constructor(endpoint: QuicEndpoint, acceptor: Acceptor, fingerprint: string) {
    this.#endpoint = endpoint;
    this.#acceptor = acceptor;
    this.address = endpoint.localAddress;
    this.fingerprint = fingerprint;
  }

  /** How many entries the tables of connections have: what must not grow. */
  get tableSize(): number {
    return this.#endpoint.size + this.#acceptor.size;
  }

  async close(reason: CloseReason = NOTHING_WRONG): Promise<void> {
    this.#closing ??= this.#close(reason);
    await this.#closing;
  }

  async #close(reason: CloseReason): Promise<void> {
    this.#acceptor.close();
    await Promise.all(
      this.#endpoint.connections.map(async (connection) => connection.close(reason)),
    );
    await this.#endpoint.close();
  }
}
