/**
 * UDP behind a small contract, so that a test can put a faulty network between two endpoints and so that a socket
 * which sends in batches may come later. Also the only place where names become IP addresses.
 */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { once } from 'node:events';
import { SwarmError } from '@quic-swarm/protocol';
import { formatAddress } from '../address.ts';
import type { Address } from '../contract.ts';

/** Sends and receives datagrams. */
export interface DatagramSocket {
  /** The address in use; the port is never 0. */
  readonly localAddress: Address;
  /** Sends the bytes. True: they were taken, and the caller may use the buffer again; false: it must not be changed any
   *  more. A datagram that cannot be sent is lost, as on any network. */
  send(datagram: Uint8Array, host: string, port: number): boolean;
  /** Lets the process end although the socket is open. */
  unref(): void;
  /** Releases the port; resolves when it is free. Idempotent. */
  close(): Promise<void>;
}

/** How a socket is opened. */
export interface DatagramSocketOptions {
  /** An IP address and a port; port 0 lets the system choose. */
  readonly localAddress: Address;
  /** The only peer, where there is one: the system may then report that nobody listens there. */
  readonly peer?: Address;
  readonly onDatagram: (datagram: Uint8Array, host: string, port: number) => void;
  /** An error that the system reported after the socket was opened, such as ECONNREFUSED. */
  readonly onError: (error: Error) => void;
}

/** Opens a socket. Rejects with the system's error (`code` EADDRINUSE and so on). */
export type DatagramSocketFactory = (options: DatagramSocketOptions) => Promise<DatagramSocket>;

/** The kernel's usual maximum: bursts of a large transfer survive a turn of the event loop that takes 30 ms. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** Opens a socket of `node:dgram`. */
export async function openDatagramSocket(options: DatagramSocketOptions): Promise<DatagramSocket> {
  const { localAddress, peer } = options;
  const family = isIP(localAddress.host) === 6 ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    recvBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
    // Only IP addresses reach the socket: the detour over the resolver's threads is not needed.
    lookup: (host, _options, done) => {
      done(null, host, family);
    },
  });
  try {
    // With a lookup that answers at once, the events come before the calls return.
    const listening = once(socket, 'listening');
    socket.bind({ address: localAddress.host, port: localAddress.port });
    await listening;
    if (peer !== undefined) {
      const connected = once(socket, 'connect');
      socket.connect(peer.port, peer.host);
      await connected;
    }
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.on('message', (datagram, from) => {
    options.onDatagram(datagram, from.address, from.port);
  });
  socket.on('error', options.onError);
  const { address, port } = socket.address();
  let closing: Promise<unknown> | undefined;
  return {
    localAddress: { host: address, port },
    send: (datagram, host, toPort) => {
      if (closing !== undefined) return true;
      if (peer === undefined) socket.send(datagram, toPort, host);
      else socket.send(datagram);
      // Node hands the bytes to the system at once; only when the system's buffer is full they wait in a queue.
      return socket.getSendQueueCount() === 0;
    },
    unref: () => {
      if (closing === undefined) socket.unref();
    },
    close: async () => {
      if (closing === undefined) {
        closing = once(socket, 'close');
        socket.close();
      }
      await closing;
    },
  };
}

/**
 * The IP address behind a host: itself, 127.0.0.1 for `localhost`, or what the system's resolver says.
 * @throws BAD_ADDRESS when the name is not known.
 */
export async function resolveAddress(address: Address): Promise<Address> {
  if (isIP(address.host) !== 0) return address;
  if (address.host === 'localhost') return { host: '127.0.0.1', port: address.port };
  try {
    const { address: host } = await lookup(address.host);
    return { host, port: address.port };
  } catch (error) {
    throw new SwarmError('BAD_ADDRESS', `The host of ${formatAddress(address)} is not known.`, {
      hint: 'Check the spelling, or give an IP address.',
      cause: error,
    });
  }
}

/** Whether an IP address never leaves this machine. */
export function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.') || host.startsWith('::ffff:127.');
}
