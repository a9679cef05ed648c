/**
 * One connection. Datagrams go into quiche as they arrive; everything else happens in one turn per batch of them, in
 * a `setImmediate`: read streams, drain write queues, send datagrams, re-arm the one timer. A turn does a bounded
 * amount of work and asks for another one if there is more, so that no connection starves the others.
 *
 * The life of a connection: handshake → established → closing (what was written is flushed) → draining (a
 * CONNECTION_CLOSE was sent or received: the application learns of it now) → released (quiche says closed).
 */
import { randomBytes } from 'node:crypto';
import type { SwarmError } from '@quic-swarm/protocol';
import type {
  Address,
  CloseReason,
  Connection,
  ConnectionClosed,
  ConnectionStatistics,
  Stream,
  StreamOptions,
} from '../contract.ts';
import {
  boundReason,
  endedByPeer,
  endedByTransport,
  endedInSilence,
  endedLocally,
  NOTHING_WRONG,
} from '../endings.ts';
import { BAD_CERTIFICATE_ALERT, endedByFrame } from './alerts.ts';
import { CONNECTION_ID_BYTES, type HostPort } from './arguments.ts';
import { type DatagramPath, type QuicheConnection } from './binding.ts';
import { StreamTable } from './stream-table.ts';
import { LazyTimer } from './lazy-timer.ts';

/** What a connection needs from the endpoint that holds it. */
export interface ConnectionHost {
  send(datagram: Uint8Array, host: string, port: number): void;
  /** Datagrams for the connection id belong to the connection from now on. */
  route(connectionId: Uint8Array, connection: QuicConnection): void;
  unroute(connectionId: Uint8Array): void;
  /** The handshake is complete and the peer's certificate was accepted. */
  established(connection: QuicConnection): void;
  /** The connection has ended; the application was told. */
  ended(connection: QuicConnection): void;
  /** Nothing more will be sent or understood: forget the connection. */
  released(connection: QuicConnection): void;
}

/** What a connection is made of. */
export interface ConnectionParts {
  readonly quiche: QuicheConnection;
  readonly host: ConnectionHost;
  readonly side: 'client' | 'server';
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly handshakeTimeoutMs: number;
  /** Judges the peer's certificate once the handshake is complete, before anything is sent: why not, if not. */
  readonly refuseCertificate: (certificate: Uint8Array | undefined) => SwarmError | undefined;
}

/** One buffer for all connections: a datagram is copied out of it in its exact size. */
const scratch = Buffer.allocUnsafeSlow(65_536);

/** So many datagrams are sent per turn: about 1 MiB over loopback, a quarter of the socket's buffer. */
const DATAGRAMS_PER_TURN = 112;

/** quiche sends two probes at a time (RFC 9002 §6.2.4). */
const PROBES_PER_TURN = 4;

/** Streams beyond those that a turn asks are asked again after so long. */
const STOP_CHECK_MS = 50;

const DEFAULT_GRACE_MS = 1000;

let connectionsMade = 0;

/** A connection over quiche. */
export class QuicConnection implements Connection {
  readonly id: string;
  readonly side: 'client' | 'server';
  readonly localAddress: Address;
  readonly closed: Promise<ConnectionClosed>;
  readonly streams: StreamTable;
  readonly #quiche: QuicheConnection;
  readonly #parts: ConnectionParts;
  readonly #timer: LazyTimer;
  #remoteAddress: Address;
  /** Where the peer was before. */
  readonly #leftAddresses: HostPort[] = [];
  #path: DatagramPath;
  #peerCertificate: Uint8Array | undefined;
  #onStream: ((stream: Stream) => void) | undefined;
  #settleClosed: (closed: ConnectionClosed) => void;
  #isTurnPlanned = false;
  #isEstablished = false;
  /** Set when this side ends the connection, with the time at which it stops waiting for the flush. */
  #closing: { readonly ending: ConnectionClosed; untilMs: number } | undefined;
  #ending: ConnectionClosed | undefined;
  #isReleased = false;
  #lastReceivedMs: number;
  #lastPingMs = 0;
  readonly #handshakeUntilMs: number;
  /** The CONNECTION_CLOSE as it was sent, to be repeated to a peer that goes on sending (RFC 9000 §10.2.1). */
  #closeDatagram: Uint8Array | undefined;
  #datagramsAfterClose = 0;
  #negotiatedIdleMs: number;

  constructor(parts: ConnectionParts) {
    connectionsMade += 1;
    this.id = `${parts.side}-${connectionsMade}`;
    this.side = parts.side;
    this.#parts = parts;
    this.#quiche = parts.quiche;
    this.localAddress = parts.localAddress;
    this.#remoteAddress = parts.remoteAddress;
    this.#path = { from: { ...parts.remoteAddress }, to: { ...parts.localAddress } };
    this.#negotiatedIdleMs = parts.idleTimeoutMs;
    this.#lastReceivedMs = performance.now();
    this.#handshakeUntilMs = this.#lastReceivedMs + parts.handshakeTimeoutMs;
    this.#settleClosed = () => undefined;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.streams = new StreamTable(this, parts.quiche, () => {
      this.wake();
    });
    this.#timer = new LazyTimer(() => {
      this.#onTimer();
    });
  }

  get remoteAddress(): Address {
    return this.#remoteAddress;
  }

  get peerCertificate(): Uint8Array | undefined {
    return this.#peerCertificate;
  }

  get isOpen(): boolean {
    return this.#isEstablished && this.#closing === undefined && this.#ending === undefined;
  }

  /** Whether the handshake was completed at some time. */
  get isEstablished(): boolean {
    return this.#isEstablished;
  }

  get onStream(): ((stream: Stream) => void) | undefined {
    return this.#onStream;
  }

  set onStream(handler: ((stream: Stream) => void) | undefined) {
    this.#onStream = handler;
    if (this.isOpen) this.streams.onStream = handler;
  }

  async openStream(options: StreamOptions = {}): Promise<Stream> {
    return this.streams.open(options);
  }

  async close(
    reason: CloseReason = NOTHING_WRONG,
    graceMs: number = DEFAULT_GRACE_MS,
  ): Promise<void> {
    const untilMs = performance.now() + (this.#isEstablished ? graceMs : 0);
    if (this.#closing === undefined) this.#beginClosing(endedLocally(boundReason(reason)), untilMs);
    else this.#closing.untilMs = Math.min(this.#closing.untilMs, untilMs);
    this.wake();
    await this.closed;
  }

  statistics(): ConnectionStatistics {
    const { sentBytes, recvBytes, sent, recv, lost } = this.#quiche.stats();
    return {
      bytesSent: sentBytes,
      bytesReceived: recvBytes,
      packetsSent: sent,
      packetsReceived: recv,
      packetsLost: lost,
      roundTripMs: this.#quiche.roundTripMs(),
    };
  }

  /** All that tells why a connection does not get on; for logs and watchdogs, without a contract. */
  get diagnosis(): Readonly<Record<string, unknown>> {
    const quiche = this.#quiche;
    return {
      id: this.id,
      isEstablished: this.#isEstablished,
      closing: this.#closing?.ending.message,
      ending: this.#ending?.message,
      isReleased: this.#isReleased,
      isTurnPlanned: this.#isTurnPlanned,
      isReadable: quiche.isReadable(),
      isDraining: quiche.isDraining(),
      quicheTimeoutMs: quiche.timeoutMs(),
      isLossTimerArmed: !this.#isAcknowledged(),
      timerDueInMs: this.#timer.dueMs - performance.now(),
      ...this.streams.diagnosis,
      ...quiche.stats(),
      roundTripMs: quiche.roundTripMs(),
    };
  }

  /** Takes a datagram that is routed here. Never throws. */
  receive(datagram: Uint8Array, host: string, port: number): void {
    if (this.#closeDatagram !== undefined) {
      this.#repeatClose(host, port);
      return;
    }
    const { from, to } = this.#path;
    const isSamePath = from.port === port && from.host === host;
    const path = isSamePath ? this.#path : { from: { host, port }, to };
    if (this.#quiche.receive(datagram, path)) {
      this.#lastReceivedMs = performance.now();
      if (!isSamePath) this.#followMigration();
    }
    // Also after a failure: it may be one that ends the connection, and then quiche has an alert to send.
    this.wake();
  }

  /** Plans a turn. */
  wake(): void {
    if (this.#isTurnPlanned || this.#isReleased) return;
    this.#isTurnPlanned = true;
    setImmediate(this.#turn);
  }

  /** Ends the connection before or after the handshake because of something outside of QUIC. */
  abort(ending: ConnectionClosed): void {
    this.#beginClosing(ending, 0);
    this.wake();
  }

  readonly #turn = (): void => {
    this.#isTurnPlanned = false;
    if (this.#isReleased) return;
    let hasMore = false;
    if (this.#ending === undefined) {
      if (!this.#isEstablished && this.#quiche.isEstablished() && !this.#quiche.isDraining()) {
        this.#establish();
      }
      if (this.#isEstablished) {
        hasMore = this.streams.read();
        this.streams.checkStopped();
        this.streams.write();
      }
    }
    if (this.#transmit()) hasMore = true;
    if (this.#leftAddresses.length > 0) this.#probeLeftPaths();
    if (this.#ending === undefined && !this.#continueClosing()) {
      this.drop();
      return;
    }
    if (this.#quiche.isDraining() || this.#quiche.isClosed()) this.#end();
    if (this.#quiche.isClosed()) {
      this.#release();
      return;
    }
    if (hasMore) this.wake();
    this.#armTimer();
  };

  /** Sends what quiche has. True: there is more than one turn may send. */
  #transmit(): boolean {
    for (let count = 0; count < DATAGRAMS_PER_TURN; count += 1) {
      const sent = this.#quiche.send(scratch);
      if (sent === undefined) return false;
      const [length, to] = sent;
      const datagram = Buffer.allocUnsafe(length);
      scratch.copy(datagram, 0, 0, length);
      this.#parts.host.send(datagram, to.host, to.port);
      if (this.#closing !== undefined && this.#quiche.isDraining()) this.#closeDatagram = datagram;
    }
    return true;
  }

  /**
   * quiche 0.18 repeats only two of the datagrams that were on their way to an address that the peer has left: to find
   * the others lost it wants to probe that path, and it gets no answer from there. So its probes go where the peer is.
   */
  #probeLeftPaths(): void {
    const { host, port } = this.#remoteAddress;
    for (const left of this.#leftAddresses) {
      for (let count = 0; count < PROBES_PER_TURN; count += 1) {
        const length = this.#quiche.sendOnPath(scratch, this.#path.to, left);
        if (length === undefined) break;
        this.#parts.host.send(Uint8Array.from(scratch.subarray(0, length)), host, port);
      }
    }
  }

  #establish(): void {
    const certificate = this.#quiche.peerCertificate();
    const refusal = this.#parts.refuseCertificate(certificate);
    if (refusal !== undefined) {
      this.#closing = {
        ending: endedByTransport('BAD_CERTIFICATE', refusal.message, refusal.hint),
        untilMs: 0,
      };
      this.#quiche.close(false, BAD_CERTIFICATE_ALERT, 'the certificate is not the expected one');
      return;
    }
    if (this.#closing !== undefined) return;
    this.#peerCertificate = certificate === undefined ? undefined : Uint8Array.from(certificate);
    this.#isEstablished = true;
    const { peerMaxIdleTimeout } = this.#quiche.stats();
    if (peerMaxIdleTimeout > 0) {
      this.#negotiatedIdleMs = Math.min(peerMaxIdleTimeout, this.#negotiatedIdleMs);
    }
    this.#exchangeConnectionIds();
    this.#parts.host.established(this);
  }

  #beginClosing(ending: ConnectionClosed, untilMs: number): void {
    if (this.#closing !== undefined || this.#ending !== undefined) return;
    this.#closing = { ending, untilMs };
    this.streams.refuse(ending.error);
  }

  /** Sends CONNECTION_CLOSE once everything that was written was acknowledged, or the time for it is over. False: it
   *  cannot be sent, so that there is nothing to wait for. */
  #continueClosing(): boolean {
    if (this.#closing === undefined || this.#quiche.isDraining()) return true;
    const { ending, untilMs } = this.#closing;
    const isFlushed = !this.streams.hasWrites && this.#isAcknowledged();
    if (!isFlushed && performance.now() < untilMs) return true;
    // QUIC turns an application's close into its own error 0x0c until the handshake is complete (RFC 9000 §10.2.3).
    this.#quiche.close(true, ending.wireCode, ending.message);
    this.#transmit();
    // A client that has not proved its address is told nothing once it was sent three times its bytes (RFC 9000 §8.1):
    // without this its place would be taken until the idle timeout.
    return this.#isEstablished || this.#quiche.isDraining();
  }

  /**
   * Whether nothing that was sent awaits its acknowledgement. quiche does not say so; but while it waits, its timer
   * is that of the loss detection, and otherwise that of the idle timeout, which is far longer.
   */
  #isAcknowledged(): boolean {
    const timeoutMs = this.#quiche.timeoutMs();
    return timeoutMs === undefined || timeoutMs > this.#negotiatedIdleMs / 2;
  }

  /** Tells the application, once. */
  #end(): void {
    if (this.#ending !== undefined) return;
    this.#ending = this.#explain();
    this.#parts.host.ended(this);
    this.streams.end(this.#ending.error);
    this.#settleClosed(this.#ending);
  }

  #explain(): ConnectionClosed {
    const peer = this.#quiche.peerError();
    if (peer !== undefined) {
      const reason = { wireCode: peer.code, message: peer.reason };
      return peer.isApplication ? endedByPeer(reason) : endedByFrame(peer, true);
    }
    if (this.#closing !== undefined) return this.#closing.ending;
    const local = this.#quiche.localError();
    if (local !== undefined) return endedByFrame(local, false);
    if (!this.#isEstablished) {
      return endedByTransport('CONNECT_FAILED', 'The handshake was not completed in time.');
    }
    const { host, port } = this.#remoteAddress;
    return endedInSilence(
      `Nothing was heard from ${host}, port ${port}, for ${this.#negotiatedIdleMs} ms.`,
    );
  }

  #release(): void {
    this.#isReleased = true;
    this.#timer.stop();
    this.#parts.host.released(this);
  }

  /** Forgets the connection at once: its socket is about to be closed. */
  drop(): void {
    this.#end();
    if (!this.#isReleased) this.#release();
  }

  #onTimer(): void {
    const nowMs = performance.now();
    if (this.#quiche.timeoutMs() === 0) this.#quiche.onTimeout();
    if (!this.#isEstablished && this.#ending === undefined && nowMs >= this.#handshakeUntilMs) {
      this.#beginClosing(
        endedByTransport('CONNECT_FAILED', 'The handshake was not completed in time.'),
        0,
      );
    }
    if (this.#isEstablished) this.#exchangeConnectionIds();
    if (nowMs >= this.#pingAtMs()) {
      this.#lastPingMs = nowMs;
      this.#quiche.sendAckEliciting();
    }
    this.wake();
  }

  #armTimer(): void {
    const timeoutMs = this.#quiche.timeoutMs();
    const nowMs = performance.now();
    let dueMs = timeoutMs === undefined ? Infinity : nowMs + timeoutMs;
    if (this.#ending === undefined) {
      if (!this.#isEstablished) dueMs = Math.min(dueMs, this.#handshakeUntilMs);
      if (this.#closing !== undefined) dueMs = Math.min(dueMs, this.#closing.untilMs);
      if (this.streams.hasUncheckedStops) dueMs = Math.min(dueMs, nowMs + STOP_CHECK_MS);
      dueMs = Math.min(dueMs, this.#pingAtMs());
    }
    this.#timer.set(dueMs);
  }

  #pingAtMs(): number {
    const { keepAliveMs } = this.#parts;
    if (keepAliveMs === 0 || !this.isOpen) return Infinity;
    return Math.max(this.#lastReceivedMs, this.#lastPingMs) + keepAliveMs;
  }

  /** Gives the peer spare connection ids and forgets those that it gave back (RFC 9000 §5.1). */
  #exchangeConnectionIds(): void {
    for (;;) {
      const retired = this.#quiche.nextRetiredConnectionId();
      if (retired === undefined) break;
      this.#parts.host.unroute(retired);
    }
    for (;;) {
      const connectionId = randomBytes(CONNECTION_ID_BYTES);
      const resetToken = randomBytes(16).readBigUInt64BE();
      if (!this.#quiche.offerConnectionId(connectionId, resetToken)) return;
      this.#parts.host.route(connectionId, this);
    }
  }

  #followMigration(): void {
    const moved: HostPort | undefined = this.#quiche.nextMigration();
    if (moved !== undefined) {
      this.#leftAddresses.push({ ...this.#remoteAddress });
      this.#remoteAddress = { host: moved.host, port: moved.port };
      this.#path = { from: { ...moved }, to: this.#path.to };
    }
  }

  /** The first, second, fourth, eighth … datagram after our close is answered with it again. */
  #repeatClose(host: string, port: number): void {
    this.#datagramsAfterClose += 1;
    const count = this.#datagramsAfterClose;
    if ((count & (count - 1)) !== 0 || this.#closeDatagram === undefined) return;
    this.#parts.host.send(Uint8Array.from(this.#closeDatagram), host, port);
  }
}
