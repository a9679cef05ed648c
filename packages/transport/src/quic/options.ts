/** What a transport over QUIC can be told, its defaults, and what is wrong with a value. */
import { SwarmError } from '@quic-swarm/protocol';
import type { ListenerLimits } from './listener/acceptor.ts';
import type { ConnectionSettings } from './config.ts';
import type { SessionStore } from './sessions.ts';
import type { DatagramSocketFactory } from './socket.ts';
import type { ClientTls, ServerTls } from './trust.ts';

/** Options of {@link createQuicTransport}. */
export interface QuicTransportOptions {
  /** Needed to listen. */
  readonly server?: ServerTls;
  /** Needed to connect. */
  readonly client?: ClientTls;
  /** The application protocol of TLS. @default 'neural-trader-quic' */
  readonly alpn?: string;
  /** A connection is lost when nothing was heard for so long; the lower value of both sides counts. @default 10000 */
  readonly idleTimeoutMs?: number;
  /** An idle connection is kept open by a sign of life this often; 0 is never. @default a third of idleTimeoutMs */
  readonly keepAliveMs?: number;
  /**
   * Bytes of the payload of a UDP datagram. `auto` is 9000 over loopback; elsewhere it begins with 1350 and uses more, up
   * to 9000 and to what this machine's interface takes, once a probe of that size came through to a peer that knows
   * our probes, until packets of that size vanish. `{ probeUpTo }` probes up to that size wherever the peer is. At least
   * 1200, which every path of QUIC carries (RFC 9000 §14), at most 16,383, because quiche 0.18 writes none that is larger.
   * @default 'auto'
   */
  readonly maxUdpPayloadBytes?: 'auto' | number | { readonly probeUpTo: number };
  /** How many streams the peer may have open at once. @default 20000 */
  readonly streamsMax?: number;
  /** What the peer may send on one stream before it is read. Keep it, and that of the connection, far above what the
   *  path holds at once: with quiche 0.18 a small window can stay closed for ever once the word that opened it was lost.
   *  @default 16 MiB */
  readonly streamWindowBytes?: number;
  /** What the peer may send on all streams together before it is read. @default 64 MiB */
  readonly connectionWindowBytes?: number;
  /** @default 10,000 in all, 1,024 per address, Retry from 256 half-open ones, 5,000 ms */
  readonly limits?: Partial<ListenerLimits>;
  /** A listener closes a connection of this age with CONNECTION_EXPIRED, so that what a peer made it remember for the
   *  connection's life has an end; 0 never does. @default 24 hours */
  readonly connectionAgeMaxMs?: number;
  /** Where a client keeps its session tickets; `undefined` for each transport has its own, in memory. */
  readonly sessions?: SessionStore;
  /** After so long a listener seals tickets with another key; those sealed before cost a full handshake then.
   *  @default 24 hours */
  readonly ticketKeyLifetimeMs?: number;
  /** BoringSSL's signature algorithms; `ed25519` on both sides for Ed25519 certificates. @default BoringSSL's */
  readonly signatureAlgorithms?: string;
  /** Where sockets come from. @default node:dgram */
  readonly createSocket?: DatagramSocketFactory;
}

/** The application protocol of the swarm (TLS ALPN). */
export const ALPN = 'neural-trader-quic';

const DAY_MS = 86_400_000;

const PAYLOAD_BYTES_MAX = 16_383;

/** Bounds of a listener that were not given. */
export const LIMITS: ListenerLimits = {
  connectionsMax: 10_000,
  connectionsPerAddressMax: 1024,
  halfOpenBeforeRetry: 256,
  handshakeTimeoutMs: 5000,
};

/** The checked options with their defaults. Throws BAD_OPTION. */
export function settingsOf(options: QuicTransportOptions): ConnectionSettings {
  const { idleTimeoutMs = 10_000, maxUdpPayloadBytes = 'auto' } = options;
  const { keepAliveMs = Math.floor(idleTimeoutMs / 3) } = options;
  const { streamsMax = 20_000, alpn = ALPN } = options;
  const { streamWindowBytes = 16 * 1024 * 1024, connectionWindowBytes = 64 * 1024 * 1024 } =
    options;
  requireInteger('idleTimeoutMs', idleTimeoutMs, 100, 3_600_000);
  requireInteger('keepAliveMs', keepAliveMs, 0, 3_600_000);
  const { connectionAgeMaxMs = DAY_MS, ticketKeyLifetimeMs = DAY_MS } = options;
  requireInteger('connectionAgeMaxMs', connectionAgeMaxMs, 0, 2 ** 31);
  requireInteger('ticketKeyLifetimeMs', ticketKeyLifetimeMs, 1, 2 ** 31);
  requireInteger('streamsMax', streamsMax, 1, 1_000_000);
  requireInteger('streamWindowBytes', streamWindowBytes, 1024, 2 ** 31);
  requireInteger('connectionWindowBytes', connectionWindowBytes, 1024, 2 ** 32);
  if (typeof maxUdpPayloadBytes === 'object') {
    const { probeUpTo } = maxUdpPayloadBytes;
    requireInteger('maxUdpPayloadBytes.probeUpTo', probeUpTo, 1350, PAYLOAD_BYTES_MAX);
  } else if (maxUdpPayloadBytes !== 'auto') {
    requireInteger('maxUdpPayloadBytes', maxUdpPayloadBytes, 1200, PAYLOAD_BYTES_MAX);
  }
  if (alpn.length === 0 || alpn.length > 255) {
    throw new SwarmError('BAD_OPTION', 'alpn has 1 to 255 characters.');
  }
  const trust = options.client?.trust;
  if (typeof trust === 'object' && 'fingerprints' in trust === 'authority' in trust) {
    throw new SwarmError('BAD_OPTION', 'trust has either fingerprints or an authority.');
  }
  for (const [name, value] of Object.entries(options.limits ?? {})) {
    requireInteger(`limits.${name}`, value, 0, 10_000_000);
  }
  return {
    alpn,
    idleTimeoutMs,
    keepAliveMs,
    streamsMax,
    streamWindowBytes,
    connectionWindowBytes,
    connectionAgeMaxMs,
    ticketKeyLifetimeMs,
  };
}

function requireInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new SwarmError('BAD_OPTION', `${name} is an integer from ${min} to ${max}, not ${value}.`);
}
