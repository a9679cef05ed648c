/** The transport over QUIC: `listen` and `connect` of the contract, on top of endpoints and connections. */
import { randomBytes } from 'node:crypto';
import { SwarmError } from '@quic-swarm/protocol';
import type {
  Address,
  Connection,
  ConnectOptions,
  Listener,
  ListenOptions,
  Transport,
} from '../contract.ts';
import { callApplication } from '../endings.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { Acceptor } from './listener/acceptor.ts';
import { CONNECTION_ID_BYTES } from './arguments.ts';
import { QuicheConnection } from './binding.ts';
import { ConfigTable, payloadRange } from './config-table.ts';
import type { ConnectionSettings } from './config.ts';
import { QuicConnection } from './connection/connection.ts';
import { attemptConnect } from './connect-attempt.ts';
import type { EndpointEvents, QuicEndpoint } from './endpoint.ts';
import { payloadBytesAt, payloadBytesTowards } from './path/interface-mtu.ts';
import { QuicListener } from './listener/listener.ts';
import { openEndpoint } from './open-endpoint.ts';
import { LIMITS, settingsOf, type QuicTransportOptions } from './options.ts';
import type { PayloadRange } from './path/path-probe.ts';
import { ResetTokens } from './listener/reset-token.ts';
import { MemorySessionStore, type SessionStore } from './sessions.ts';
import {
  isLoopback,
  openDatagramSocket,
  resolveAddress,
  type DatagramSocketFactory,
} from './socket.ts';
import { certificateJudge, serverNameFor, sessionKeyOf, type ClientTls } from './trust.ts';

const CONNECT_TIMEOUT_MS = 3000;

/** A listener does not give a connection up for fewer resets than this. */
const ABANDONED_STREAMS_MIN = 1000;

/**
 * Makes a transport that speaks QUIC.
 * @throws BAD_OPTION when an option has an impossible value.
 */
export function createQuicTransport(options: QuicTransportOptions): Transport {
  return new QuicTransport(options);
}

/** What is known of one attempt to connect. */
interface Attempt {
  readonly client: ClientTls;
  /** As the caller gave it, and with an IP address. */
  readonly address: Address;
  readonly remote: Address;
  readonly timeoutMs: number;
  readonly earlyData: boolean;
  readonly payload: PayloadRange;
}

class QuicTransport implements Transport {
  readonly name = 'quic';
  readonly #options: QuicTransportOptions;
  readonly #settings: ConnectionSettings;
  readonly #createSocket: DatagramSocketFactory;
  readonly #configs: ConfigTable;
  readonly #sessions: SessionStore;

  constructor(options: QuicTransportOptions) {
    this.#options = options;
    this.#settings = settingsOf(options);
    this.#createSocket = options.createSocket ?? openDatagramSocket;
    this.#configs = new ConfigTable(options, this.#settings);
    this.#sessions = options.sessions ?? new MemorySessionStore();
    // Certificates are looked at now rather than at the first connection.
    const { ceilingBytes } = payloadRange(options.maxUdpPayloadBytes, '127.0.0.1', undefined);
    if (options.server !== undefined) this.#configs.server(ceilingBytes, false);
    if (options.client !== undefined) this.#configs.client(ceilingBytes, false);
  }

  async listen(options: ListenOptions): Promise<Listener> {
    const { server, limits } = this.#options;
    if (server === undefined) {
      throw new SwarmError('BAD_OPTION', 'A transport without a certificate cannot listen.', {
        hint: 'Pass server: { certificate, privateKey }.',
      });
    }
    const announce = (connection: QuicConnection): void => {
      callApplication(() => {
        options.onConnection(connection);
      });
    };
    const announcedEarly = new WeakSet<QuicConnection>();
    let acceptor: Acceptor | undefined;
    let resetTokens: ResetTokens | undefined;
    const local = await resolveAddress(options.address);
    const endpoint = await openEndpoint(
      this.#createSocket,
      { local },
      {
        onUnknown: (datagram, host, port) => acceptor?.receive(datagram, host, port),
        onStray: (datagram, host, port) => acceptor?.receiveStray(datagram, host, port),
        onEarly: (connection) => {
          announcedEarly.add(connection);
          announce(connection);
        },
        onEstablished: (connection) => {
          acceptor?.established(connection);
          if (!announcedEarly.has(connection)) announce(connection);
        },
        onEnded: (connection) => acceptor?.ended(connection),
        onReleased: (connection) => acceptor?.ended(connection),
      },
      (connectionId) => resetTokens?.tokenOf(connectionId) ?? 0n,
    );
    resetTokens = new ResetTokens(server.privateKey, endpoint.localAddress.port);
    acceptor = this.#acceptor(endpoint, resetTokens, options.acceptEarlyData ?? false, {
      ...LIMITS,
      ...limits,
    });
    return new QuicListener(endpoint, acceptor, fingerprintOf(server.certificate));
  }

  async connect(address: Address, options: ConnectOptions = {}): Promise<Connection> {
    const { client, maxUdpPayloadBytes } = this.#options;
    if (client === undefined) {
      throw new SwarmError('BAD_OPTION', 'A transport without trust cannot connect.', {
        hint: 'Pass client: { trust: { fingerprints: [...] } } or an authority.',
      });
    }
    const { timeoutMs = CONNECT_TIMEOUT_MS, signal, earlyData = false } = options;
    return attemptConnect({
      address,
      timeoutMs,
      signal,
      open: async (events) => {
        const remote = await resolveAddress(address);
        const interfaceBytes = await this.#interfaceBytesTowards(remote.host);
        const payload = payloadRange(maxUdpPayloadBytes, remote.host, interfaceBytes);
        const endpoint = await this.#openClientEndpoint(remote, events);
        try {
          const attempt = { client, address, remote, timeoutMs, earlyData, payload };
          return { endpoint, connection: this.#createClient(endpoint, attempt) };
        } catch (error) {
          await endpoint.close();
          throw error;
        }
      },
    });
  }

  #acceptor(
    endpoint: QuicEndpoint,
    resetTokens: ResetTokens,
    acceptEarlyData: boolean,
    limits: typeof LIMITS,
  ): Acceptor {
    const interfaceBytes = payloadBytesAt(endpoint.localAddress.host);
    return new Acceptor(endpoint, {
      limits,
      idleTimeoutMs: this.#settings.idleTimeoutMs,
      keepAliveMs: this.#settings.keepAliveMs,
      ageMaxMs: this.#settings.connectionAgeMaxMs,
      abandonedStreamsMax: Math.max(ABANDONED_STREAMS_MIN, this.#settings.streamsMax / 2),
      acceptEarlyData,
      resetTokens,
      configFor: (host) => {
        const payload = payloadRange(this.#options.maxUdpPayloadBytes, host, interfaceBytes);
        return { quiche: this.#configs.server(payload.ceilingBytes, acceptEarlyData), payload };
      },
      refuseCertificate: () => undefined,
    });
  }

  async #interfaceBytesTowards(host: string): Promise<number | undefined> {
    const { maxUdpPayloadBytes = 'auto' } = this.#options;
    const matters = maxUdpPayloadBytes === 'auto' && !isLoopback(host);
    return matters ? payloadBytesTowards(host) : undefined;
  }

  async #openClientEndpoint(remote: Address, events: EndpointEvents): Promise<QuicEndpoint> {
    if (!isLoopback(remote.host)) {
      const host = remote.host.includes(':') ? '::' : '0.0.0.0';
      return openEndpoint(this.#createSocket, { local: { host, port: 0 } }, events);
    }
    // A socket that is connected tells when nobody listens; but it is bound to one interface, so that a machine that
    // changes its network would lose it. Over loopback only the former matters.
    const host = remote.host === '::1' ? '::1' : '127.0.0.1';
    return openEndpoint(this.#createSocket, { local: { host, port: 0 }, peer: remote }, events);
  }

  #createClient(endpoint: QuicEndpoint, attempt: Attempt): QuicConnection {
    const { client, address, remote, timeoutMs, earlyData, payload } = attempt;
    const connectionId = randomBytes(CONNECTION_ID_BYTES);
    const localAddress = endpoint.localAddress;
    const sessionKey = sessionKeyOf(client, address, this.#settings.alpn);
    const session = this.#sessions.get(sessionKey);
    const quiche = QuicheConnection.connect(
      serverNameFor(client.trust, address.host),
      connectionId,
      { local: { ...localAddress }, remote: { ...remote } },
      this.#configs.client(payload.ceilingBytes, earlyData),
      session,
    );
    // A ticket is used once: whoever watches could otherwise tell that two connections are of one client
    // (RFC 8446 §C.4), and one that the server refuses would cost every attempt its early data again.
    if (session !== undefined) this.#sessions.delete(sessionKey);
    const connection = new QuicConnection({
      quiche,
      host: endpoint,
      side: 'client',
      localAddress,
      remoteAddress: remote,
      idleTimeoutMs: this.#settings.idleTimeoutMs,
      keepAliveMs: this.#settings.keepAliveMs,
      ageMaxMs: 0,
      abandonedStreamsMax: Infinity,
      handshakeTimeoutMs: timeoutMs,
      payload,
      refuseCertificate: certificateJudge(client.trust, address.host),
      earlyData: earlyData && session !== undefined,
      onSession: (ticket) => {
        this.#sessions.set(sessionKey, ticket);
      },
    });
    endpoint.route(connectionId, connection);
    return connection;
  }
}
