/** The transport over QUIC: `listen` and `connect` of the contract, on top of endpoints and connections. */
import { randomBytes } from 'node:crypto';
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
import { fingerprintOf } from '../fingerprint.ts';
import { Acceptor, type ListenerLimits } from './acceptor.ts';
import { CONNECTION_ID_BYTES } from './arguments.ts';
import { QuicheConnection, type QuicheConfig } from './binding.ts';
import {
  buildConfig,
  LOOPBACK_PAYLOAD_BYTES,
  PATH_PAYLOAD_BYTES,
  type ConnectionSettings,
} from './config.ts';
import { QuicConnection } from './connection.ts';
import { attemptConnect } from './connect-attempt.ts';
import { QuicEndpoint, type EndpointEvents } from './endpoint.ts';
import {
  isLoopback,
  openDatagramSocket,
  resolveAddress,
  type DatagramSocketFactory,
} from './socket.ts';
import {
  certificateJudge,
  clientMaterial,
  serverMaterial,
  serverNameFor,
  type ClientTls,
  type ServerTls,
} from './trust.ts';

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
  /** Bytes of a UDP datagram: `auto` is 9000 over loopback and 1350 elsewhere. @default 'auto' */
  readonly maxUdpPayloadBytes?: 'auto' | number;
  /** How many streams the peer may have open at once. @default 20000 */
  readonly streamsMax?: number;
  /** What the peer may send on one stream before it is read. @default 16 MiB */
  readonly streamWindowBytes?: number;
  /** What the peer may send on all streams together before it is read. @default 64 MiB */
  readonly connectionWindowBytes?: number;
  /** @default 10,000 in all, 1,024 per address, Retry from 256 half-open ones, 5,000 ms */
  readonly limits?: Partial<ListenerLimits>;
  /** BoringSSL's signature algorithms; `ed25519` on both sides for Ed25519 certificates. @default BoringSSL's */
  readonly signatureAlgorithms?: string;
  /** Where sockets come from. @default node:dgram */
  readonly createSocket?: DatagramSocketFactory;
}

const ALPN = 'neural-trader-quic';
const CONNECT_TIMEOUT_MS = 3000;

const LIMITS: ListenerLimits = {
  connectionsMax: 10_000,
  connectionsPerAddressMax: 1024,
  halfOpenBeforeRetry: 256,
  handshakeTimeoutMs: 5000,
};

/**
 * Makes a transport that speaks QUIC.
 * @throws BAD_OPTION when an option has an impossible value.
 */
export function createQuicTransport(options: QuicTransportOptions): Transport {
  return new QuicTransport(options);
}

class QuicTransport implements Transport {
  readonly name = 'quic';
  readonly #options: QuicTransportOptions;
  readonly #settings: ConnectionSettings;
  readonly #createSocket: DatagramSocketFactory;
  /** One TLS context per side and datagram size; building one parses certificates. */
  readonly #configs = new Map<string, QuicheConfig>();

  constructor(options: QuicTransportOptions) {
    this.#options = options;
    this.#settings = settingsOf(options);
    this.#createSocket = options.createSocket ?? openDatagramSocket;
    // Certificates are looked at now rather than at the first connection.
    if (options.server !== undefined) this.#config('server', '127.0.0.1');
    if (options.client !== undefined) this.#config('client', '127.0.0.1');
  }

  async listen(options: ListenOptions): Promise<Listener> {
    const { server, limits } = this.#options;
    if (server === undefined) {
      throw new SwarmError('BAD_OPTION', 'A transport without a certificate cannot listen.', {
        hint: 'Pass server: { certificate, privateKey }.',
      });
    }
    const local = await resolveAddress(options.address);
    let acceptor: Acceptor | undefined;
    const endpoint = await openEndpoint(this.#createSocket, local, undefined, {
      onUnknown: (datagram, host, port) => acceptor?.receive(datagram, host, port),
      onEstablished: (connection) => {
        acceptor?.established(connection);
        callApplication(() => {
          options.onConnection(connection);
        });
      },
      onEnded: (connection) => acceptor?.ended(connection),
      onReleased: (connection) => acceptor?.ended(connection),
    });
    acceptor = new Acceptor(endpoint, {
      limits: { ...LIMITS, ...limits },
      idleTimeoutMs: this.#settings.idleTimeoutMs,
      keepAliveMs: this.#settings.keepAliveMs,
      configFor: (host) => this.#config('server', host),
      refuseCertificate: () => undefined,
    });
    return new QuicListener(endpoint, acceptor, fingerprintOf(server.certificate));
  }

  async connect(address: Address, options: ConnectOptions = {}): Promise<Connection> {
    const { client } = this.#options;
    if (client === undefined) {
      throw new SwarmError('BAD_OPTION', 'A transport without trust cannot connect.', {
        hint: 'Pass client: { trust: { fingerprints: [...] } } or an authority.',
      });
    }
    const { timeoutMs = CONNECT_TIMEOUT_MS, signal } = options;
    return attemptConnect({
      address,
      timeoutMs,
      signal,
      open: async (events) => {
        const remote = await resolveAddress(address);
        const endpoint = await this.#openClientEndpoint(remote, events);
        try {
          const connection = this.#createClient(endpoint, client, address, remote, timeoutMs);
          return { endpoint, connection };
        } catch (error) {
          await endpoint.close();
          throw error;
        }
      },
    });
  }

  async #openClientEndpoint(remote: Address, events: EndpointEvents): Promise<QuicEndpoint> {
    if (!isLoopback(remote.host)) {
      const host = remote.host.includes(':') ? '::' : '0.0.0.0';
      return openEndpoint(this.#createSocket, { host, port: 0 }, undefined, events);
    }
    // A socket that is connected tells when nobody listens; but it is bound to one interface, so that a machine that
    // changes its network would lose it. Over loopback only the former matters.
    const host = remote.host === '::1' ? '::1' : '127.0.0.1';
    return openEndpoint(this.#createSocket, { host, port: 0 }, remote, events);
  }

  #createClient(
    endpoint: QuicEndpoint,
    client: ClientTls,
    address: Address,
    remote: Address,
    handshakeTimeoutMs: number,
  ): QuicConnection {
    const connectionId = randomBytes(CONNECTION_ID_BYTES);
    const localAddress = endpoint.localAddress;
    const quiche = QuicheConnection.connect(
      serverNameFor(client.trust, address.host),
      connectionId,
      { local: { ...localAddress }, remote: { ...remote } },
      this.#config('client', remote.host),
    );
    const connection = new QuicConnection({
      quiche,
      host: endpoint,
      side: 'client',
      localAddress,
      remoteAddress: remote,
      idleTimeoutMs: this.#settings.idleTimeoutMs,
      keepAliveMs: this.#settings.keepAliveMs,
      handshakeTimeoutMs,
      refuseCertificate: certificateJudge(client.trust, address.host),
    });
    endpoint.route(connectionId, connection);
    return connection;
  }

  #config(side: 'client' | 'server', host: string): QuicheConfig {
    const { maxUdpPayloadBytes = 'auto', server, client, signatureAlgorithms } = this.#options;
    const auto = isLoopback(host) ? LOOPBACK_PAYLOAD_BYTES : PATH_PAYLOAD_BYTES;
    const payloadBytes = maxUdpPayloadBytes === 'auto' ? auto : maxUdpPayloadBytes;
    const key = `${side} ${payloadBytes}`;
    let config = this.#configs.get(key);
    if (config !== undefined) return config;
    const material =
      side === 'server'
        ? server && serverMaterial(server, signatureAlgorithms)
        : client && clientMaterial(client, signatureAlgorithms);
    if (material === undefined) throw new SwarmError('BAD_OPTION', `No TLS options: ${side}.`);
    config = buildConfig(material, this.#settings, payloadBytes);
    this.#configs.set(key, config);
    return config;
  }
}

class QuicListener implements Listener {
  readonly address: Address;
  readonly fingerprint: string;
  readonly #endpoint: QuicEndpoint;
  readonly #acceptor: Acceptor;
  #closing: Promise<void> | undefined;

  constructor(endpoint: QuicEndpoint, acceptor: Acceptor, fingerprint: string) {
    this.#endpoint = endpoint;
    this.#acceptor = acceptor;
    this.address = endpoint.localAddress;
    this.fingerprint = fingerprint;
  }

  /** How many entries the tables of connections have: what must not grow. */
  get tableSize(): number {
    return this.#endpoint.size + this.#acceptor.size;
  }

  async close(reason: CloseReason = NOTHING_WRONG): Promise<void> {
    this.#closing ??= this.#close(reason);
    await this.#closing;
  }

  async #close(reason: CloseReason): Promise<void> {
    this.#acceptor.close();
    await Promise.all(
      this.#endpoint.connections.map(async (connection) => connection.close(reason)),
    );
    await this.#endpoint.close();
  }
}

const OPEN_ERRORS: Readonly<Record<string, readonly ['ADDRESS_IN_USE' | 'BAD_ADDRESS', string]>> = {
  EADDRINUSE: ['ADDRESS_IN_USE', 'is in use by another process'],
  EADDRNOTAVAIL: ['BAD_ADDRESS', 'is no address of this machine'],
  EINVAL: ['BAD_ADDRESS', 'is not an address that can be bound'],
  EACCES: ['BAD_ADDRESS', 'needs more rights than this process has'],
};

async function openEndpoint(
  createSocket: DatagramSocketFactory,
  local: Address,
  peer: Address | undefined,
  events: EndpointEvents,
): Promise<QuicEndpoint> {
  try {
    return await QuicEndpoint.open(
      createSocket,
      peer === undefined ? { local } : { local, peer },
      events,
    );
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const [type, what] = OPEN_ERRORS[code] ?? ['CONNECT_FAILED', 'cannot be opened'];
    throw new SwarmError(type, `The UDP address ${formatAddress(local)} ${what} (${code}).`, {
      hint: 'Choose another port, or stop the process that has this one.',
      cause: error,
    });
  }
}

function settingsOf(options: QuicTransportOptions): ConnectionSettings {
  const { idleTimeoutMs = 10_000, maxUdpPayloadBytes = 'auto' } = options;
  const { keepAliveMs = Math.floor(idleTimeoutMs / 3) } = options;
  const { streamsMax = 20_000, alpn = ALPN } = options;
  const { streamWindowBytes = 16 * 1024 * 1024, connectionWindowBytes = 64 * 1024 * 1024 } =
    options;
  requireInteger('idleTimeoutMs', idleTimeoutMs, 100, 3_600_000);
  requireInteger('keepAliveMs', keepAliveMs, 0, 3_600_000);
  requireInteger('streamsMax', streamsMax, 1, 1_000_000);
  requireInteger('streamWindowBytes', streamWindowBytes, 1024, 2 ** 31);
  requireInteger('connectionWindowBytes', connectionWindowBytes, 1024, 2 ** 32);
  // 1200 is what every path of QUIC carries (RFC 9000 §14); 65,527 is the most that UDP can.
  if (maxUdpPayloadBytes !== 'auto') {
    requireInteger('maxUdpPayloadBytes', maxUdpPayloadBytes, 1200, 65_507);
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
  };
}

function requireInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new SwarmError('BAD_OPTION', `${name} is an integer from ${min} to ${max}, not ${value}.`);
}
