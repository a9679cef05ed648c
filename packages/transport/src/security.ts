/** From what a person gives (a fingerprint, a CA file, or nothing on one machine) to a transport. */
import { isIP } from 'node:net';
import { SwarmError } from '@quic-swarm/protocol';
import { formatAddress } from './address.ts';
import type { Address, Transport } from './contract.ts';
import { developmentFingerprint, loadOrCreateDevelopmentIdentity } from './development-identity.ts';
import type { QuicTransportOptions } from './quic/options.ts';
import { createQuicTransport } from './quic/transport.ts';
import type { Identity, Trust } from './quic/trust.ts';

/** How an agent or a client knows its coordinator, and itself. */
export interface SecurityOptions {
  /** Believe a coordinator whose certificate has this fingerprint (one of these), `sha256:` and 64 hexadecimal digits. */
  readonly fingerprint?: string | readonly string[];
  /** Believe a coordinator whose certificate this authority issued (PEM). */
  readonly authority?: string;
  /** The name in the coordinator's certificate where it is not the host of the address. */
  readonly serverName?: string;
  /** Own certificate and key (PEM), for coordinators that ask for one. */
  readonly certificate?: string;
  readonly privateKey?: string;
  /** Where the development certificate lies. @default see defaultStateDirectory */
  readonly stateDirectory?: string;
}

/** How a coordinator presents itself. Without a certificate it uses the one of development. */
export interface CoordinatorSecurity {
  readonly certificate?: string;
  readonly privateKey?: string;
  /** Agents and clients must present a certificate that this authority issued (PEM). */
  readonly clientAuthority?: string;
  readonly stateDirectory?: string;
}

/** A transport that connects to `address`. Throws BAD_OPTION when nothing says which coordinator to believe. */
export function transportTo(
  address: Address,
  security: SecurityOptions = {},
  options: Omit<QuicTransportOptions, 'client' | 'server'> = {},
): Transport {
  const identity = identityOf(security);
  const trust = trustIn(address, security);
  return createQuicTransport({
    ...options,
    client: { trust, ...(identity === undefined ? {} : { identity }) },
  });
}

/** A transport that listens. */
export function listeningTransport(
  security: CoordinatorSecurity = {},
  options: Omit<QuicTransportOptions, 'client' | 'server'> = {},
): Transport {
  const { clientAuthority, stateDirectory } = security;
  const identity = identityOf(security) ?? loadOrCreateDevelopmentIdentity(stateDirectory);
  return createQuicTransport({
    ...options,
    server: { ...identity, ...(clientAuthority === undefined ? {} : { clientAuthority }) },
  });
}

function trustIn(address: Address, security: SecurityOptions): Trust {
  const { fingerprint, authority, serverName, stateDirectory } = security;
  if (fingerprint !== undefined && authority !== undefined) {
    throw new SwarmError('BAD_OPTION', 'A fingerprint and an authority were both given.', {
      hint: 'Give the one that should decide.',
    });
  }
  if (fingerprint !== undefined) return { fingerprints: listOf(fingerprint).map(checkFingerprint) };
  if (authority !== undefined)
    return { authority, ...(serverName === undefined ? {} : { serverName }) };
  if (isLoopbackHost(address.host)) {
    // Read when a coordinator answers: the certificate may be made after this process began to connect.
    return (given) => given === developmentFingerprint(stateDirectory);
  }
  throw new SwarmError(
    'BAD_OPTION',
    `Nothing says which coordinator to believe at ${formatAddress(address)}, which is another machine.`,
    {
      hint: 'Give the fingerprint that the coordinator printed when it started (--fingerprint sha256:…), or its authority (--ca FILE).',
    },
  );
}

function checkFingerprint(text: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text;
  throw new SwarmError('BAD_OPTION', `"${text}" is not a fingerprint.`, {
    hint: 'A fingerprint is "sha256:" and 64 hexadecimal digits in lower case.',
  });
}

function identityOf({
  certificate,
  privateKey,
}: {
  certificate?: string;
  privateKey?: string;
}): Identity | undefined {
  if (certificate !== undefined && privateKey !== undefined) return { certificate, privateKey };
  if (certificate === undefined && privateKey === undefined) return undefined;
  throw new SwarmError(
    'BAD_OPTION',
    'A certificate and its private key belong together; only one was given.',
    {
      hint: 'Give both --certificate and --private-key.',
    },
  );
}

function listOf(fingerprint: string | readonly string[]): readonly string[] {
  return typeof fingerprint === 'string' ? [fingerprint] : fingerprint;
}

function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
