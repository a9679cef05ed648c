/**
 * A transport inside one process, for tests and for swarms without a network. It keeps the promises of the contract
 * the way QUIC does: nothing is delivered inside the call that caused it, bytes are copied when they leave, the
 * buffer given to `onData` is overwritten afterwards, and the same water marks hold a writer back.
 */
import { SwarmError } from '@quic-swarm/protocol';
import { formatAddress } from '../address.ts';
import type {
  Address,
  CloseReason,
  Connection,
  ConnectOptions,
  Listener,
  ListenOptions,
  Transport,
} from '../contract.ts';
import { callApplication, NOTHING_WRONG } from '../endings.ts';
import { MemoryConnection } from './connection.ts';

const CONNECT_TIMEOUT_MS = 3000;
const FIRST_FREE_PORT = 49_152;

/** The listeners that can reach each other. Transports of two networks never meet. */
export class MemoryNetwork {
  readonly #listeners = new Map<number, MemoryListener>();
  #nextPort = FIRST_FREE_PORT;

  /** A transport on this network; any number may exist. */
  transport(): Transport {
    return {
      name: 'memory',
      listen: async (options) => this.#listen(options),
      connect: async (address, options = {}) => this.#connect(address, options),
    };
  }

  async #listen(options: ListenOptions): Promise<Listener> {
    await turn();
    const { host } = options.address;
    const port = options.address.port === 0 ? this.#freePort() : options.address.port;
    if (this.#listeners.has(port)) {
      const where = formatAddress({ host, port });
      throw new SwarmError('ADDRESS_IN_USE', `The address ${where} is in use.`, {
        hint: 'Choose another port, or close the listener that has this one.',
      });
    }
    const listener = new MemoryListener({ host, port }, options.onConnection, () => {
      this.#listeners.delete(port);
    });
    this.#listeners.set(port, listener);
    return listener;
  }

  async #connect(address: Address, options: ConnectOptions): Promise<Connection> {
    const { signal, timeoutMs = CONNECT_TIMEOUT_MS } = options;
    throwIfAborted(signal, address);
    await turn();
    throwIfAborted(signal, address);
    const listener = this.#listeners.get(address.port);
    if (listener === undefined) {
      const where = formatAddress(address);
      throw new SwarmError(
        'CONNECT_FAILED',
        `Nobody listens at ${where} (looked for within ${timeoutMs} ms).`,
        { hint: 'Start the coordinator there, or check the address.' },
      );
    }
    const local = { host: '127.0.0.1', port: this.#freePort() };
    const [client, server] = MemoryConnection.pair(local, listener.address);
    listener.accept(server);
    await turn();
    return client;
  }

  #freePort(): number {
    do {
      this.#nextPort = this.#nextPort === 65_535 ? FIRST_FREE_PORT : this.#nextPort + 1;
    } while (this.#listeners.has(this.#nextPort));
    return this.#nextPort;
  }
}

class MemoryListener implements Listener {
  readonly address: Address;
  readonly fingerprint = undefined;
  readonly #onConnection: (connection: Connection) => void;
  readonly #release: () => void;
  readonly #connections = new Set<MemoryConnection>();
  #closing: Promise<void> | undefined;

  constructor(
    address: Address,
    onConnection: (connection: Connection) => void,
    release: () => void,
  ) {
    this.address = address;
    this.#onConnection = onConnection;
    this.#release = release;
  }

  accept(connection: MemoryConnection): void {
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    callApplication(() => {
      this.#onConnection(connection);
    });
  }

  async close(reason: CloseReason = NOTHING_WRONG): Promise<void> {
    this.#closing ??= this.#close(reason);
    await this.#closing;
  }

  async #close(reason: CloseReason): Promise<void> {
    this.#release();
    await Promise.all([...this.#connections].map(async (connection) => connection.close(reason)));
    await turn();
  }
}

function throwIfAborted(signal: AbortSignal | undefined, address: Address): void {
  if (signal?.aborted === true) {
    const where = formatAddress(address);
    throw new SwarmError('CLOSED_LOCALLY', `The attempt to connect to ${where} was aborted.`, {
      cause: signal.reason,
    });
  }
}

async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
