/** Opens the socket of an endpoint and says in our words why it could not be opened. */
import { SwarmError } from '@quic-swarm/protocol';
import { formatAddress } from '../address.ts';
import type { Address } from '../contract.ts';
import { QuicEndpoint, type EndpointEvents } from './endpoint.ts';
import type { DatagramSocketFactory } from './socket.ts';

const OPEN_ERRORS: Readonly<Record<string, readonly ['ADDRESS_IN_USE' | 'BAD_ADDRESS', string]>> = {
  EADDRINUSE: ['ADDRESS_IN_USE', 'is in use by another process'],
  EADDRNOTAVAIL: ['BAD_ADDRESS', 'is no address of this machine'],
  EINVAL: ['BAD_ADDRESS', 'is not an address that can be bound'],
  EACCES: ['BAD_ADDRESS', 'needs more rights than this process has'],
};

/** Where an endpoint is bound, and its only peer where there is one. */
export interface EndpointAddress {
  readonly local: Address;
  readonly peer?: Address;
}

/**
 * Opens an endpoint. Rejects with ADDRESS_IN_USE, BAD_ADDRESS or CONNECT_FAILED.
 * @param resetTokenOf what makes a peer believe a stateless reset; undefined for those who send none
 */
export async function openEndpoint(
  createSocket: DatagramSocketFactory,
  { local, peer }: EndpointAddress,
  events: EndpointEvents,
  resetTokenOf?: (connectionId: Uint8Array) => bigint,
): Promise<QuicEndpoint> {
  const address = peer === undefined ? { local } : { local, peer };
  try {
    return await QuicEndpoint.open(createSocket, address, events, resetTokenOf);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const [type, what] = OPEN_ERRORS[code] ?? ['CONNECT_FAILED', 'cannot be opened'];
    throw new SwarmError(type, `The UDP address ${formatAddress(local)} ${what} (${code}).`, {
      hint: 'Choose another port, or stop the process that has this one.',
      cause: error,
    });
  }
}
