/** One client's way out of the proxy: a socket that the server sees as the client, and that can be exchanged. */
import { openDatagramSocket, type Address, type DatagramSocket } from '@quic-swarm/transport';

/** See the head of this file. */
export class ProxyFlow {
  readonly #server: Address;
  readonly #onDatagram: (datagram: Uint8Array) => void;
  #socket: DatagramSocket | undefined;
  /** What came while the first socket was being opened. */
  readonly #waiting: Uint8Array[] = [];
  #isClosed = false;

  constructor(server: Address, host: string, onDatagram: (datagram: Uint8Array) => void) {
    this.#server = server;
    this.#onDatagram = onDatagram;
    void this.rebind(host);
  }

  send(datagram: Uint8Array): void {
    if (this.#socket === undefined) this.#waiting.push(datagram);
    else this.#socket.send(datagram, this.#server.host, this.#server.port);
  }

  /** Opens another socket, uses it from then on and closes the one before. */
  async rebind(host: string): Promise<void> {
    const socket = await openDatagramSocket({
      localAddress: { host, port: 0 },
      onDatagram: (datagram) => {
        if (this.#socket === socket) this.#onDatagram(datagram);
      },
      onError: () => undefined,
    });
    const before = this.#socket;
    this.#socket = socket;
    for (const datagram of this.#waiting.splice(0)) this.send(datagram);
    if (this.#isClosed) await socket.close();
    await before?.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#socket?.close();
  }
}
