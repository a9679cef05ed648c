/** Which server a client believes. Verification is never off: there is always a pin, an authority or a question. */
import { createHash, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { SwarmError } from '@quic-swarm/protocol';
import { formatAddress } from '../address.ts';
import type { Address } from '../contract.ts';
import { fingerprintOf } from '../fingerprint.ts';
import type { TlsMaterial } from './binding.ts';

/** A certificate with its private key, both PEM. */
export interface Identity {
  readonly certificate: string;
  readonly privateKey: string;
}

/**
 * What makes a server's certificate good: its fingerprint is one of a list; an authority issued it for the server's
 * name (default: the host that is connected to); or a function says so, given the fingerprint.
 */
export type Trust =
  | { readonly fingerprints: readonly string[] }
  | { readonly authority: string; readonly serverName?: string }
  | ((fingerprint: string) => boolean);

/** How a client presents itself and what it believes. */
export interface ClientTls {
  readonly trust: Trust;
  /** Presented to servers that ask for a certificate (mutual TLS). */
  readonly identity?: Identity;
}

/** How a server presents itself. */
export interface ServerTls extends Identity {
  /** Clients must present a certificate that this authority issued (PEM). Default: clients present none. */
  readonly clientAuthority?: string;
}

/** What TLS itself is to check. Pins are compared by {@link certificateJudge} once the handshake is complete. */
export function clientMaterial(
  { trust, identity }: ClientTls,
  signatureAlgorithms: string | undefined,
): TlsMaterial {
  const authority = 'authority' in trust ? trust.authority : undefined;
  return {
    verifyPeer: true,
    acceptUnverified: authority === undefined,
    authority,
    identity,
    signatureAlgorithms,
  };
}

/** What TLS of a server needs. */
export function serverMaterial(
  server: ServerTls,
  signatureAlgorithms: string | undefined,
): TlsMaterial {
  return {
    verifyPeer: server.clientAuthority !== undefined,
    acceptUnverified: false,
    authority: server.clientAuthority,
    identity: server,
    signatureAlgorithms,
  };
}

/** The name that TLS compares with the certificate; undefined where {@link certificateJudge} compares instead. */
export function serverNameFor(trust: Trust, host: string): string | undefined {
  if ('authority' in trust && trust.serverName !== undefined) return trust.serverName;
  // BoringSSL's check of names does not know IP addresses.
  return isIP(host) === 0 ? host : undefined;
}

/**
 * The key under which a session with a server is kept: a ticket of one server, of one identity, or of a server that was
 * believed for another reason must never serve for another.
 */
export function sessionKeyOf(
  { trust, identity }: ClientTls,
  address: Address,
  alpn: string,
): string {
  const belief =
    typeof trust === 'function'
      ? 'asked'
      : 'authority' in trust
        ? [digestOf(trust.authority), trust.serverName ?? '']
        : trust.fingerprints;
  const self = identity === undefined ? '' : fingerprintOf(identity.certificate);
  return JSON.stringify([formatAddress(address), alpn, belief, self]);
}

/** Says why a server's certificate is not good, or undefined when it is. */
export function certificateJudge(
  trust: Trust,
  host: string,
): (certificate: Uint8Array | undefined) => SwarmError | undefined {
  if ('authority' in trust) {
    if (serverNameFor(trust, host) !== undefined) return () => undefined;
    return (certificate) => refuseOtherIp(certificate, host);
  }
  const isTrusted =
    typeof trust === 'function' ? trust : (given: string) => trust.fingerprints.includes(given);
  const expected =
    typeof trust === 'function' ? 'another one' : trust.fingerprints.join(' or ') || 'none';
  return (certificate) => {
    const got = certificate === undefined ? undefined : fingerprintOf(certificate);
    if (got !== undefined && isTrusted(got)) return undefined;
    return new SwarmError(
      'BAD_CERTIFICATE',
      `The server's certificate has the fingerprint ${got ?? '(none)'}; expected was ${expected}.`,
      { hint: 'Compare with the fingerprint that the coordinator printed when it started.' },
    );
  };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function refuseOtherIp(certificate: Uint8Array | undefined, ip: string): SwarmError | undefined {
  const isOfIp =
    certificate !== undefined && new X509Certificate(certificate).checkIP(ip) !== undefined;
  if (isOfIp) return undefined;
  return new SwarmError('BAD_CERTIFICATE', `The server's certificate is not for ${ip}.`, {
    hint: 'Connect by a name that the certificate has, or give serverName.',
  });
}
