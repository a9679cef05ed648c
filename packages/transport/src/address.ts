/** Addresses as people write them: `HOST:PORT`, with brackets around IPv6. */
import { isIP, isIPv6 } from 'node:net';
import { SwarmError } from '@quic-swarm/protocol';
import type { Address } from './contract.ts';

const HINT = 'Write HOST:PORT, for example 127.0.0.1:5000, localhost:5000 or [::1]:5000.';

/** The labels of a DNS name (RFC 1123 §2.1). */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/**
 * Reads `127.0.0.1:5000`, `[::1]:5000`, `localhost:5000` or `coordinator.example:5000`.
 * @throws BAD_ADDRESS with a hint.
 */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text.trim());
  if (match === null) {
    throw new SwarmError('BAD_ADDRESS', `"${text}" is not an address.`, { hint: HINT });
  }
  const [, bracketed, plain = '', portText = ''] = match;
  const host = bracketed ?? plain;
  if (bracketed === undefined ? !isHost(plain) : !isIPv6(bracketed)) {
    throw new SwarmError('BAD_ADDRESS', `"${host}" in "${text}" is not a host.`, { hint: HINT });
  }
  const port = Number(portText);
  if (port > 65_535) {
    throw new SwarmError('BAD_ADDRESS', `The port ${port} in "${text}" is over 65535.`, {
      hint: HINT,
    });
  }
  return { host, port };
}

/** The text that {@link parseAddress} reads. */
export function formatAddress(address: Address): string {
  return isIPv6(address.host)
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}

function isHost(host: string): boolean {
  // Four numbers that are no IPv4 address are a slip, not a name.
  return isIP(host) === 4 || (HOST_NAME.test(host) && !/^[\d.]+$/.test(host));
}
