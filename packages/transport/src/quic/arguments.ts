/**
 * Checks of what is handed to the native binding. What they refuse would be a bug of ours: Rust would abort the process
 * or take it for something else.
 */
import { SwarmError } from '@quic-swarm/protocol';

/** Every connection id that this side issues has so many bytes, so that short headers can be parsed. */
export const CONNECTION_ID_BYTES = 20;

/** An IP address (no name) and a UDP port, as quiche wants them. */
export interface HostPort {
  host: string;
  port: number;
}

/** @throws INTERNAL unless it is a whole number that QUIC can write (RFC 9000 §2.1). */
export function assertStreamId(streamId: number): void {
  if (!Number.isSafeInteger(streamId) || streamId < 0) {
    throw new SwarmError('INTERNAL', `Not a stream id: ${streamId}.`);
  }
}

/** @throws INTERNAL unless it has as many bytes as every connection id of ours. */
export function assertConnectionId(connectionId: Uint8Array): void {
  if (connectionId.length !== CONNECTION_ID_BYTES) {
    throw new SwarmError('INTERNAL', `A connection id of ${connectionId.length} bytes.`);
  }
}

/** @throws INTERNAL unless it is a code that fits QUIC's variable-length integers and a double. */
export function assertWireCode(wireCode: number): void {
  if (!Number.isSafeInteger(wireCode) || wireCode < 0) {
    throw new SwarmError('INTERNAL', `Not a wire code: ${wireCode}.`);
  }
}

/** @throws INTERNAL unless the port is one. */
export function assertHostPort(address: HostPort): void {
  if (!Number.isInteger(address.port) || address.port < 0 || address.port > 65_535) {
    throw new SwarmError('INTERNAL', `Not a UDP port: ${address.port}.`);
  }
}

/** @throws INTERNAL when it has no bytes. */
export function assertNotEmpty(scratch: Uint8Array): void {
  if (scratch.length === 0) throw new SwarmError('INTERNAL', 'An empty scratch buffer.');
}
