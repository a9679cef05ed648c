/**
 * The door of a listener: what happens to the first datagram of a client. Unknown versions are answered with ours;
 * while many handshakes are half open a client must first prove its address; when all places are taken it is refused.
 * Until a client has proved its address nothing larger than three times what it sent is sent to it (quiche sees to it).
 */
import { randomBytes } from 'node:crypto';
import type { SwarmError } from '@quic-swarm/protocol';
import { CONNECTION_ID_BYTES } from '../arguments.ts';
import {
  isInitial,
  isVersionSupported,
  parseHeader,
  QuicheConnection,
  retryPacket,
  versionNegotiationPacket,
  type PacketHeader,
  type QuicheConfig,
} from '../binding.ts';
import { QuicConnection } from '../connection/connection.ts';
import type { QuicEndpoint } from '../endpoint.ts';
import { parseInvariants } from './invariants.ts';
import type { PayloadRange } from '../path/path-probe.ts';
import { refusalPacket } from './refusal.ts';
import type { ResetTokens } from './reset-token.ts';
import { RetryTokens } from './retry-token.ts';

/** How much a listener takes on. */
export interface ListenerLimits {
  /** Connections in all, half-open ones included; more are refused. */
  readonly connectionsMax: number;
  /** Connections of one IP address; more are refused. */
  readonly connectionsPerAddressMax: number;
  /** While so many handshakes are half open, clients must prove their address first. */
  readonly halfOpenBeforeRetry: number;
  /** A handshake that takes longer is dropped. */
  readonly handshakeTimeoutMs: number;
}

/** How accepted connections behave. */
export interface AcceptSettings {
  readonly limits: ListenerLimits;
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly ageMaxMs: number;
  readonly abandonedStreamsMax: number;
  readonly acceptEarlyData: boolean;
  readonly resetTokens: ResetTokens;
  /** The settings for a client at an IP address. */
  readonly configFor: (host: string) => ListenerConfig;
  readonly refuseCertificate: (certificate: Uint8Array | undefined) => SwarmError | undefined;
}

/** The settings of quiche, and what of them the connection has to know. */
export interface ListenerConfig {
  readonly quiche: QuicheConfig;
  readonly payload: PayloadRange;
}

/** A client's first datagram has at least so many bytes (RFC 9000 §14.1); less is an attempt at amplification. */
const INITIAL_BYTES_MIN = 1200;

/** Accepts or turns away new clients. */
export class Acceptor {
  readonly #endpoint: QuicEndpoint;
  readonly #settings: AcceptSettings;
  readonly #tokens = new RetryTokens();
  readonly #countByAddress = new Map<string, number>();
  readonly #addressOf = new Map<QuicConnection, string>();
  readonly #halfOpen = new Set<QuicConnection>();
  #isClosed = false;

  constructor(endpoint: QuicEndpoint, settings: AcceptSettings) {
    this.#endpoint = endpoint;
    this.#settings = settings;
  }

  /** How many entries the tables have: what must not grow. */
  get size(): number {
    return this.#countByAddress.size + this.#addressOf.size + this.#halfOpen.size;
  }

  /** Takes a datagram with a long header that belongs to no connection. Never throws. */
  receive(datagram: Uint8Array, host: string, port: number): void {
    if (this.#isClosed || datagram.length < INITIAL_BYTES_MIN) return;
    const invariants = parseInvariants(datagram);
    if (invariants === undefined) return;
    // quiche would read an unknown version as if it were its own, and give up where it makes no sense.
    if (!isVersionSupported(invariants.version)) {
      if (invariants.version !== 0) {
        this.#answer(versionNegotiationPacket(invariants), host, port);
      }
      return;
    }
    const header = parseHeader(datagram);
    if (header === undefined) return;
    if (!isInitial(header) || header.dcid.length < 8) return;
    const token = header.token ?? new Uint8Array(0);
    if (token.length > 0) {
      const originalId = this.#tokens.check(token, host, port, Date.now());
      // A token that is not ours cannot be answered with another Retry: the client accepts one only.
      if (originalId === undefined || header.dcid.length !== CONNECTION_ID_BYTES) return;
      this.#accept(datagram, { host, port }, header, originalId);
    } else if (this.#halfOpen.size >= this.#settings.limits.halfOpenBeforeRetry) {
      this.#retry(header, host, port);
    } else {
      this.#accept(datagram, { host, port }, header, undefined);
    }
  }

  /** Answers a packet of a connection that is not known here, so that its sender need not wait in vain. */
  receiveStray(datagram: Uint8Array, host: string, port: number): void {
    if (this.#isClosed) return;
    const connectionId = datagram.subarray(1, 1 + CONNECTION_ID_BYTES);
    const { resetTokens } = this.#settings;
    this.#answer(resetTokens.packet(connectionId, datagram.length, performance.now()), host, port);
  }

  /** The handshake is complete: the client's address is proved. */
  established(connection: QuicConnection): void {
    this.#halfOpen.delete(connection);
  }

  /** The connection has ended: its place is free. */
  ended(connection: QuicConnection): void {
    this.#halfOpen.delete(connection);
    const host = this.#addressOf.get(connection);
    if (host === undefined) return;
    this.#addressOf.delete(connection);
    const count = (this.#countByAddress.get(host) ?? 1) - 1;
    if (count === 0) this.#countByAddress.delete(host);
    else this.#countByAddress.set(host, count);
  }

  /** Takes nobody any more. */
  close(): void {
    this.#isClosed = true;
  }

  #retry(header: PacketHeader, host: string, port: number): void {
    const token = this.#tokens.make(host, port, header.dcid, Date.now());
    this.#answer(retryPacket(header, randomBytes(CONNECTION_ID_BYTES), token), host, port);
  }

  #answer(packet: Uint8Array | undefined, host: string, port: number): void {
    if (packet !== undefined) this.#endpoint.send(packet, host, port);
  }

  #accept(
    datagram: Uint8Array,
    from: { readonly host: string; readonly port: number },
    header: PacketHeader,
    originalId: Uint8Array | undefined,
  ): void {
    const { limits } = this.#settings;
    const ofAddress = this.#countByAddress.get(from.host) ?? 0;
    if (this.#addressOf.size >= limits.connectionsMax) {
      this.#answer(refusalPacket(header, 'all places are taken'), from.host, from.port);
      return;
    }
    if (ofAddress >= limits.connectionsPerAddressMax) {
      this.#answer(refusalPacket(header, 'too many of one address'), from.host, from.port);
      return;
    }
    // After a Retry the client already uses the id that the Retry gave it (RFC 9000 §7.3).
    const connectionId = originalId === undefined ? randomBytes(CONNECTION_ID_BYTES) : header.dcid;
    const connection = this.#create(connectionId, originalId, from);
    if (connection === undefined) return;
    this.#endpoint.route(connectionId, connection);
    if (originalId === undefined) this.#endpoint.route(header.dcid, connection);
    connection.receive(datagram, from.host, from.port);
    this.#countByAddress.set(from.host, ofAddress + 1);
    this.#addressOf.set(connection, from.host);
    this.#halfOpen.add(connection);
  }

  #create(
    connectionId: Uint8Array,
    originalId: Uint8Array | undefined,
    remote: { readonly host: string; readonly port: number },
  ): QuicConnection | undefined {
    const { configFor, resetTokens, limits, ...settings } = this.#settings;
    const { idleTimeoutMs, keepAliveMs, ageMaxMs, refuseCertificate } = settings;
    const local = this.#endpoint.localAddress;
    const path = { local: { ...local }, remote: { ...remote } };
    const config = configFor(remote.host);
    let quiche: QuicheConnection;
    try {
      const resetToken = resetTokens.tokenOf(connectionId);
      quiche = QuicheConnection.accept(connectionId, originalId, path, config.quiche, resetToken);
    } catch {
      // An address that quiche cannot read, such as one with an IPv6 zone, is not worth the process.
      return undefined;
    }
    return new QuicConnection({
      quiche,
      host: this.#endpoint,
      side: 'server',
      localAddress: local,
      remoteAddress: remote,
      idleTimeoutMs,
      keepAliveMs,
      ageMaxMs,
      abandonedStreamsMax: settings.abandonedStreamsMax,
      handshakeTimeoutMs: limits.handshakeTimeoutMs,
      payload: config.payload,
      refuseCertificate,
      earlyData: settings.acceptEarlyData,
    });
  }
}
