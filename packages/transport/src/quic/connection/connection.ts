/**
 * One connection. Datagrams go into quiche as they arrive; everything else happens in one turn per batch of them, in
 * a `setImmediate`: read streams, drain write queues, send datagrams, re-arm the one timer. A turn does a bounded
 * amount of work and asks for another one if there is more, so that no connection starves the others.
 *
 * The life of a connection: handshake (with early data where both sides agreed to it) → established → closing (what
 * was written is flushed) → draining (a CONNECTION_CLOSE was sent or received: the application learns of it now) →
 * released (quiche says closed).
 */
import type {
  Address,
  CloseReason,
  Connection,
  ConnectionClosed,
  ConnectionStatistics,
  Stream,
  StreamOptions,
} from '../../contract.ts';
import {
  boundReason,
  endedAsExpired,
  endedByTransport,
  endedLocally,
  NOTHING_WRONG,
} from '../../endings.ts';
import { BAD_CERTIFICATE_ALERT } from './alerts.ts';
import { type DatagramPath, type QuicheConnection } from '../binding.ts';
import { StreamTable } from '../streams/stream-table.ts';
import { LazyTimer } from './lazy-timer.ts';
import { AcknowledgementDelay } from './acknowledgement-delay.ts';
import { Closing } from './closing.ts';
import { bookFor, exchangeConnectionIds, type ConnectionIdBook } from './connection-ids.ts';
import { explainEnding } from './explain-ending.ts';
import { LeftPaths } from './left-paths.ts';
import type { ConnectionParts } from './parts.ts';
import { PathProber } from '../path/path-prober.ts';
import { RepeatedClose } from './repeated-close.ts';
import { RepeatedResets } from './repeated-resets.ts';
import { diagnosisOf, statisticsOf } from './statistics.ts';
import { PINGS_PER_PROBE, TailProbe } from './tail-probe.ts';

const SCRATCH_BYTES = 65_536;

/** One buffer for all connections, until a socket keeps it because the system was too busy to take the bytes. */
let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** So many datagrams are sent per turn: about 1 MiB over loopback, a quarter of the socket's buffer. */
const DATAGRAMS_PER_TURN = 112;

/** Streams beyond those that a turn asks are asked again after so long. */
const STOP_CHECK_MS = 50;

const DEFAULT_GRACE_MS = 1000;

/** A server sends its ticket right after the handshake; one that sent none by then sends none. */
const TURNS_TO_AWAIT_TICKET = 64;

const now = (): number => performance.now();

let connectionsMade = 0;

/** A connection over quiche. */
export class QuicConnection implements Connection {
  readonly id: string;
  readonly side: 'client' | 'server';
  readonly localAddress: Address;
  readonly closed: Promise<ConnectionClosed>;
  readonly handshakeComplete: Promise<boolean>;
  readonly streams: StreamTable;
  readonly #quiche: QuicheConnection;
  readonly #parts: ConnectionParts<QuicConnection>;
  readonly #timer: LazyTimer;
  readonly #prober: PathProber;
  readonly #resets: RepeatedResets;
  readonly #tail: TailProbe;
  readonly #connectionIds: ConnectionIdBook;
  #remoteAddress: Address;
  readonly #leftPaths: LeftPaths;
  #path: DatagramPath;
  #peerCertificate: Uint8Array | undefined;
  #onStream: ((stream: Stream) => void) | undefined;
  #settleClosed: (closed: ConnectionClosed) => void = () => undefined;
  #settleHandshake: (isComplete: boolean) => void = () => undefined;
  #isTurnPlanned = false;
  readonly #delay = new AcknowledgementDelay();
  #isEarly = false;
  #isEstablished = false;
  #turnsToAwaitTicket: number;
  /** Set when this side ends the connection. */
  #closing: Closing | undefined;
  #ending: ConnectionClosed | undefined;
  #isReleased = false;
  #lastReceivedMs: number;
  #lastPingMs = 0;
  readonly #handshakeUntilMs: number;
  readonly #expiresAtMs: number;
  #repeatedClose: RepeatedClose | undefined;
  #negotiatedIdleMs: number;

  constructor(parts: ConnectionParts<QuicConnection>) {
    connectionsMade += 1;
    this.id = `${parts.side}-${connectionsMade}`;
    this.side = parts.side;
    this.#parts = parts;
    this.#quiche = parts.quiche;
    this.localAddress = parts.localAddress;
    this.#remoteAddress = parts.remoteAddress;
    this.#path = { from: { ...parts.remoteAddress }, to: { ...parts.localAddress } };
    this.#negotiatedIdleMs = parts.idleTimeoutMs;
    const { host } = parts;
    this.#connectionIds = bookFor(host, this);
    this.#leftPaths = new LeftPaths(parts.quiche, parts.localAddress, (datagram, to) => {
      host.send(datagram, to.host, to.port);
    });
    this.#prober = new PathProber(parts.payload, parts.quiche, (datagram, host, port) => {
      parts.host.send(datagram, host, port);
    });
    this.#tail = new TailProbe(parts.quiche);
    this.#lastReceivedMs = performance.now();
    this.#handshakeUntilMs = this.#lastReceivedMs + parts.handshakeTimeoutMs;
    this.#expiresAtMs = parts.ageMaxMs === 0 ? Infinity : this.#lastReceivedMs + parts.ageMaxMs;
    this.#turnsToAwaitTicket = parts.onSession === undefined ? 0 : TURNS_TO_AWAIT_TICKET;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.handshakeComplete = new Promise((resolve) => {
      this.#settleHandshake = resolve;
    });
    this.#resets = new RepeatedResets(parts.quiche, this.#isAcknowledged, (datagram) => {
      host.send(datagram, this.#remoteAddress.host, this.#remoteAddress.port);
    });
    this.streams = new StreamTable(this, parts.quiche, () => {
      this.wake();
    });
    this.streams.onReset = () => {
      this.#resets.noteReset();
    };
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
    const isUsable = this.#isEstablished || this.#isEarly;
    return isUsable && this.#closing === undefined && this.#ending === undefined;
  }

  get isHandshakeComplete(): boolean {
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
    const untilMs = performance.now() + (this.#isEstablished || this.#isEarly ? graceMs : 0);
    if (this.#closing === undefined) this.#beginClosing(endedLocally(boundReason(reason)), untilMs);
    else this.#closing.hurry(untilMs);
    this.wake();
    await this.closed;
  }

  statistics(): ConnectionStatistics {
    return statisticsOf(this.#quiche, this.#prober.decisions.bytes);
  }

  /** All that tells why a connection does not get on; for logs and watchdogs, without a contract. */
  get diagnosis(): Readonly<Record<string, unknown>> {
    return {
      id: this.id,
      isEstablished: this.#isEstablished,
      closing: this.#closing?.ending.message,
      ending: this.#ending?.message,
      isTurnPlanned: this.#isTurnPlanned,
      isLossTimerArmed: !this.#isAcknowledged(),
      timerDueInMs: this.#timer.dueMs - performance.now(),
      ...this.streams.diagnosis,
      ...diagnosisOf(this.#quiche),
    };
  }

  /** Takes a datagram that is routed here. Never throws. */
  receive(datagram: Uint8Array, host: string, port: number): void {
    if (this.#repeatedClose !== undefined) {
      const answer = this.#repeatedClose.answer();
      if (answer !== undefined) this.#parts.host.send(answer, host, port);
      return;
    }
    const { from, to } = this.#path;
    const isSamePath = from.port === port && from.host === host;
    const path = isSamePath ? this.#path : { from: { host, port }, to };
    if (this.#quiche.receive(datagram, path)) {
      this.#lastReceivedMs = performance.now();
      this.#delay.noteReceived(datagram.length);
      this.#prober.decisions.noteReceived();
      this.#tail.noteReceived(this.#lastReceivedMs);
      if (!isSamePath) this.#followMigration();
    }
    // Also after a failure: it may be one that ends the connection, and then quiche has an alert to send.
    this.wake();
  }

  /** Takes a datagram of ours beside QUIC: a question about the path, or the answer to ours. */
  receiveProbe(datagram: Uint8Array, host: string, port: number): void {
    if (!this.isOpen || !this.#isEstablished) return;
    this.#prober.receive(datagram, host, port, performance.now());
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
    let hasWritten = false;
    if (this.#ending === undefined) {
      if (!this.#isEstablished) this.#advanceHandshake();
      if (this.#isEstablished || this.#isEarly) {
        hasMore = this.streams.read();
        this.streams.checkStopped();
        hasWritten = this.streams.hasWrites;
        this.streams.write();
        if (hasWritten) this.#tail.noteWritten();
      }
      if (this.streams.abandoned >= this.#parts.abandonedStreamsMax) {
        this.#expire('too many streams of the connection were reset');
      }
      if (this.#turnsToAwaitTicket > 0 && this.#isEstablished) this.#collectTicket();
    }
    if (!hasWritten && this.#postpones()) return;
    if (this.#closing?.isCut !== true && this.#transmit()) hasMore = true;
    // A client is in early data from its first packet on: what was written goes out with the second.
    if (!this.#isEstablished && this.#parts.earlyData && !this.#isEarly) this.#beginEarlyData();
    this.#leftPaths.transmit(this.#remoteAddress, this.#prober.decisions.bytes);
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

  /** Whether this turn, in which nothing was written, leaves its acknowledgement for later. */
  #postpones(): boolean {
    const isCalm = this.#isEstablished && this.#closing === undefined && this.#ending === undefined;
    if (!isCalm || this.#quiche.isDraining()) return false;
    const advice = this.#delay.advise(this.#isAcknowledged, now);
    if (advice === 'next turn') this.wake();
    else if (advice === 'later') this.#timer.set(this.#delay.dueAtMs);
    return advice !== 'now';
  }

  /** Sends what quiche has. True: there is more than one turn may send. */
  #transmit(): boolean {
    this.#delay.noteTurn();
    for (let count = 0; count < DATAGRAMS_PER_TURN; count += 1) {
      if (!this.#transmitOne()) return false;
    }
    return true;
  }

  /** Sends one datagram. False: quiche has none. */
  #transmitOne(): boolean {
    // quiche fills what it is given: the buffer's length decides how large the datagrams are.
    const sent = this.#quiche.send(scratch.subarray(0, this.#prober.decisions.bytes));
    if (sent === undefined) return false;
    const [length, to] = sent;
    this.#prober.sent(length);
    this.#delay.noteSent(length);
    const datagram = scratch.subarray(0, length);
    this.#resets.noteSent(datagram, now);
    if (this.#closing !== undefined && this.#quiche.isDraining()) {
      this.#repeatedClose = new RepeatedClose(datagram);
    }
    const isFree = this.#parts.host.send(datagram, to.host, to.port);
    if (!isFree) scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    return true;
  }

  #advanceHandshake(): void {
    if (this.#quiche.isDraining()) return;
    if (this.#quiche.isEstablished()) this.#establish();
    else if (this.#parts.earlyData && !this.#isEarly) this.#beginEarlyData();
  }

  #beginEarlyData(): void {
    if (this.#closing !== undefined || !this.#quiche.isInEarlyData()) return;
    this.#isEarly = true;
    this.streams.onlyEarly = true;
    this.#parts.host.early(this);
    this.wake();
  }

  #collectTicket(): void {
    const session = this.#quiche.session();
    this.#turnsToAwaitTicket = session === undefined ? this.#turnsToAwaitTicket - 1 : 0;
    if (session !== undefined) this.#parts.onSession?.(session);
  }

  #establish(): void {
    const certificate = this.#quiche.peerCertificate();
    const refusal = this.#parts.refuseCertificate(certificate);
    if (refusal !== undefined) {
      const ending = endedByTransport('BAD_CERTIFICATE', refusal.message, refusal.hint);
      this.#closing = new Closing(ending, 0);
      this.#quiche.close(false, BAD_CERTIFICATE_ALERT, 'the certificate is not the expected one');
      return;
    }
    if (this.#closing !== undefined) return;
    this.#peerCertificate = certificate === undefined ? undefined : Uint8Array.from(certificate);
    this.#isEstablished = true;
    this.streams.onlyEarly = false;
    const { peerMaxIdleTimeout } = this.#quiche.stats();
    if (peerMaxIdleTimeout > 0) {
      this.#negotiatedIdleMs = Math.min(peerMaxIdleTimeout, this.#negotiatedIdleMs);
    }
    exchangeConnectionIds(this.#quiche, this.#connectionIds);
    this.#settleHandshake(true);
    this.#prober.decisions.begin(performance.now());
    this.#parts.host.established(this);
  }

  #expire(message: string): void {
    this.#beginClosing(endedAsExpired(message), performance.now() + DEFAULT_GRACE_MS);
  }

  #beginClosing(ending: ConnectionClosed, untilMs: number): void {
    if (this.#closing !== undefined || this.#ending !== undefined) return;
    this.#closing = new Closing(ending, untilMs);
    this.streams.refuse(ending.error);
  }

  /** Sends CONNECTION_CLOSE once everything that was written was acknowledged, or the time for it is over. False: it
   *  cannot be sent, so that there is nothing to wait for. */
  #continueClosing(): boolean {
    if (this.#closing === undefined || this.#quiche.isDraining()) return true;
    const step = this.#closing.next({
      hasWrites: this.streams.hasWrites,
      isAcknowledged: this.#isAcknowledged(),
      lastReceivedMs: this.#lastReceivedMs,
      nowMs: now(),
    });
    if (step === 'cut') this.streams.cut();
    if (step !== 'close') return true;
    const { ending } = this.#closing;
    // QUIC turns an application's close into its own error 0x0c until the handshake is complete (RFC 9000 §10.2.3).
    this.#quiche.close(true, ending.wireCode, ending.message);
    this.#transmit();
    // A client that has not proved its address is told nothing once it was sent three times its bytes (RFC 9000 §8.1):
    // without this its place would be taken until the idle timeout.
    return this.#quiche.isDraining();
  }

  /**
   * Whether nothing that was sent awaits its acknowledgement. quiche does not say so; but while it waits, its timer
   * is that of the loss detection, and otherwise that of the idle timeout, which is far longer.
   */
  readonly #isAcknowledged = (): boolean => this.#isIdleTimeout(this.#quiche.timeoutMs());

  #isIdleTimeout(timeoutMs: number | undefined): boolean {
    return timeoutMs === undefined || timeoutMs > this.#negotiatedIdleMs / 2;
  }

  /** Tells the application, once. */
  #end(): void {
    if (this.#ending !== undefined) return;
    this.#ending = explainEnding({
      quiche: this.#quiche,
      closing: this.#closing?.ending,
      isEstablished: this.#isEstablished,
      remoteAddress: this.#remoteAddress,
      idleTimeoutMs: this.#negotiatedIdleMs,
    });
    this.#parts.host.ended(this);
    this.streams.end(this.#ending.error);
    this.#settleHandshake(false);
    this.#settleClosed(this.#ending);
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
    const hasTimedOut = this.#quiche.timeoutMs() === 0;
    if (hasTimedOut) this.#quiche.onTimeout();
    if (!this.#quiche.isDraining()) this.#resets.tick(hasTimedOut, nowMs);
    if (this.isOpen) this.#prober.tick(hasTimedOut, this.#remoteAddress, nowMs);
    if (!this.#isEstablished && this.#ending === undefined && nowMs >= this.#handshakeUntilMs) {
      this.#beginClosing(
        endedByTransport('CONNECT_FAILED', 'The handshake was not completed in time.'),
        0,
      );
    }
    if (this.#isEstablished) exchangeConnectionIds(this.#quiche, this.#connectionIds);
    if (this.#isEstablished && nowMs >= this.#expiresAtMs) {
      this.#expire('the connection has reached its greatest age');
    }
    if (nowMs >= this.#pingAtMs()) {
      this.#lastPingMs = nowMs;
      this.#quiche.sendAckEliciting();
    }
    if (this.#tail.tick(nowMs) && !this.#quiche.isDraining()) this.#sendPings();
    this.wake();
  }

  #sendPings(): void {
    for (let count = 0; count < PINGS_PER_PROBE; count += 1) {
      this.#quiche.sendAckEliciting();
      this.#transmitOne();
    }
  }

  #armTimer(): void {
    const timeoutMs = this.#quiche.timeoutMs();
    const nowMs = performance.now();
    let dueMs = timeoutMs === undefined ? Infinity : nowMs + timeoutMs;
    if (this.#isEstablished) {
      this.#tail.noteTurn(this.#isIdleTimeout(timeoutMs), nowMs);
      dueMs = Math.min(dueMs, this.#tail.dueAtMs);
    }
    if (this.#ending === undefined) {
      dueMs = Math.min(dueMs, this.#isEstablished ? this.#expiresAtMs : this.#handshakeUntilMs);
      if (this.#closing !== undefined) dueMs = Math.min(dueMs, this.#closing.untilMs);
      if (this.streams.hasUncheckedStops) dueMs = Math.min(dueMs, nowMs + STOP_CHECK_MS);
      dueMs = Math.min(
        dueMs,
        this.#pingAtMs(),
        this.#prober.decisions.dueAtMs,
        this.#resets.dueAtMs,
      );
    }
    this.#timer.set(dueMs);
  }

  #pingAtMs(): number {
    const { keepAliveMs } = this.#parts;
    if (keepAliveMs === 0 || !this.isOpen) return Infinity;
    return Math.max(this.#lastReceivedMs, this.#lastPingMs) + keepAliveMs;
  }

  #followMigration(): void {
    const moved = this.#quiche.nextMigration();
    if (moved !== undefined) {
      this.#leftPaths.add(this.#remoteAddress);
      this.#remoteAddress = { host: moved.host, port: moved.port };
      this.#path = { from: { ...moved }, to: this.#path.to };
      this.#prober.decisions.begin(performance.now());
    }
  }
}
