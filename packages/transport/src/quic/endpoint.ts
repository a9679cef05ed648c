/**
 * One UDP socket and the connections behind it. A datagram belongs to the connection whose id it carries, never to
 * an address or port: a client may change its address, and a port may be used again by somebody else.
 */
import { randomBytes } from 'node:crypto';
import type { Address } from '../contract.ts';
import { CONNECTION_ID_BYTES } from './arguments.ts';
import type { QuicConnection } from './connection/connection.ts';
import type { ConnectionHost } from './connection/parts.ts';
import { isProbe } from './path/probe-packet.ts';
import type { DatagramSocket, DatagramSocketFactory } from './socket.ts';

/** What happens to datagrams and connections; a listener and a client differ only in this. */
export interface EndpointEvents {
  /** A datagram with a long header for a connection id that is not known. */
  readonly onUnknown?: (datagram: Uint8Array, host: string, port: number) => void;
  /** A datagram with a short header for a connection id that is not known: somebody believes in a connection. */
  readonly onStray?: (datagram: Uint8Array, host: string, port: number) => void;
  /** Early data may flow on the connection, which wanted it. */
  readonly onEarly?: (connection: QuicConnection) => void;
  readonly onEstablished: (connection: QuicConnection) => void;
  readonly onEnded?: (connection: QuicConnection) => void;
  readonly onReleased?: (connection: QuicConnection) => void;
  /** The socket reported an error, such as ECONNREFUSED. */
  readonly onSocketError?: (error: Error) => void;
}

/** A socket with its table of connection ids. */
export class QuicEndpoint implements ConnectionHost<QuicConnection> {
  readonly #events: EndpointEvents;
  /** Keys are connection ids as Latin-1 strings: the cheapest key that a Map compares by value. */
  readonly #routes = new Map<string, QuicConnection>();
  /** The keys of each connection, so that all can be removed. */
  readonly #keys = new Map<QuicConnection, string[]>();
  readonly #resetTokenOf: (connectionId: Uint8Array) => bigint;
  #socket: DatagramSocket | undefined;

  private constructor(events: EndpointEvents, resetTokenOf: (id: Uint8Array) => bigint) {
    this.#events = events;
    this.#resetTokenOf = resetTokenOf;
  }

  /**
   * Opens the socket. Rejects with the system's error.
   * @param resetTokenOf what makes a peer believe a stateless reset; the default is for those who send none
   */
  static async open(
    createSocket: DatagramSocketFactory,
    address: { readonly local: Address; readonly peer?: Address },
    events: EndpointEvents,
    resetTokenOf: (connectionId: Uint8Array) => bigint = randomToken,
  ): Promise<QuicEndpoint> {
    const endpoint = new QuicEndpoint(events, resetTokenOf);
    endpoint.#socket = await createSocket({
      localAddress: address.local,
      ...(address.peer === undefined ? {} : { peer: address.peer }),
      onDatagram: (datagram, host, port) => {
        endpoint.#receive(datagram, host, port);
      },
      onError: (error) => events.onSocketError?.(error),
    });
    return endpoint;
  }

  get localAddress(): Address {
    return this.#open().localAddress;
  }

  /** The connections that were not released yet. */
  get connections(): QuicConnection[] {
    return [...this.#keys.keys()];
  }

  /** How many connections and connection ids are held: what must not grow. */
  get size(): number {
    return this.#keys.size + this.#routes.size;
  }

  send(datagram: Uint8Array, host: string, port: number): boolean {
    return this.#socket?.send(datagram, host, port) ?? true;
  }

  route(connectionId: Uint8Array, connection: QuicConnection): void {
    const key = Buffer.from(connectionId).toString('latin1');
    this.#routes.set(key, connection);
    const keys = this.#keys.get(connection);
    if (keys === undefined) this.#keys.set(connection, [key]);
    else keys.push(key);
  }

  unroute(connectionId: Uint8Array): void {
    const key = Buffer.from(connectionId).toString('latin1');
    const connection = this.#routes.get(key);
    if (connection === undefined) return;
    this.#routes.delete(key);
    const keys = this.#keys.get(connection)?.filter((other) => other !== key) ?? [];
    this.#keys.set(connection, keys);
  }

  /** Whether datagrams for a connection id are routed. */
  isRouted(connectionId: Uint8Array): boolean {
    return this.#routes.has(Buffer.from(connectionId).toString('latin1'));
  }

  resetTokenOf(connectionId: Uint8Array): bigint {
    return this.#resetTokenOf(connectionId);
  }

  early(connection: QuicConnection): void {
    this.#events.onEarly?.(connection);
  }

  established(connection: QuicConnection): void {
    this.#events.onEstablished(connection);
  }

  ended(connection: QuicConnection): void {
    this.#events.onEnded?.(connection);
  }

  released(connection: QuicConnection): void {
    for (const key of this.#keys.get(connection) ?? []) this.#routes.delete(key);
    this.#keys.delete(connection);
    this.#events.onReleased?.(connection);
  }

  /** Lets the process end although the socket is open. */
  unref(): void {
    this.#socket?.unref();
  }

  /** Drops what is left of the connections and releases the port. */
  async close(): Promise<void> {
    for (const connection of this.connections) connection.drop();
    await this.#socket?.close();
  }

  #receive(datagram: Uint8Array, host: string, port: number): void {
    const key = destinationKey(datagram);
    if (key === undefined) return;
    const connection = this.#routes.get(key);
    if (isProbe(datagram)) connection?.receiveProbe(datagram, host, port);
    else if (connection !== undefined) connection.receive(datagram, host, port);
    else if (isLongHeader(datagram)) this.#events.onUnknown?.(datagram, host, port);
    else this.#events.onStray?.(datagram, host, port);
  }

  #open(): DatagramSocket {
    if (this.#socket === undefined) throw new Error('The endpoint has no socket.');
    return this.#socket;
  }
}

function randomToken(): bigint {
  return randomBytes(16).readBigUInt64BE();
}

/** The destination connection id of a packet (RFC 8999 §5.1, §5.2), read here because a call into quiche costs more. */
function destinationKey(datagram: Uint8Array): string | undefined {
  const bytes = Buffer.isBuffer(datagram)
    ? datagram
    : Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length);
  if (!isLongHeader(bytes)) {
    if (bytes.length <= CONNECTION_ID_BYTES) return undefined;
    return bytes.toString('latin1', 1, 1 + CONNECTION_ID_BYTES);
  }
  const length = bytes[5];
  if (length === undefined || bytes.length < 6 + length) return undefined;
  return bytes.toString('latin1', 6, 6 + length);
}

function isLongHeader(datagram: Uint8Array): boolean {
  return ((datagram[0] ?? 0) & 0x80) !== 0;
}
