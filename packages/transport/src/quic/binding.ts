/**
 * The only file that touches the native quiche binding. A Rust panic aborts the whole process and several calls
 * accept nonsense in silence (a NaN stream id means stream 0, −1 wraps, connection ids of 0 or 30 bytes pass), so
 * each argument is checked here, and each way in which a call can fail becomes a value: callers never parse texts.
 *
 * Nothing here keeps state or decides anything.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { SwarmError } from '@quic-swarm/protocol';
import { assertUrgency } from '../endings.ts';
import {
  assertConnectionId,
  assertHostPort,
  assertNotEmpty,
  assertStreamId,
  assertWireCode,
  CONNECTION_ID_BYTES,
  type HostPort,
} from './arguments.ts';
import {
  closeFrame,
  isUnknownStream,
  messageOf,
  streamGone,
  type CloseFrame,
  type StreamGone,
} from './native-errors.ts';
import quiche from '@matrixai/quic/native/quiche.js';
import { Shutdown, Type } from '@matrixai/quic/native/types.js';

type NativeConnection = ReturnType<typeof quiche.Connection.connect>;

/** The settings of quiche; many connections share one. Opaque outside of `config.ts`. */
export type QuicheConfig = ReturnType<typeof quiche.Config.withBoringSslCtx>;

/** The parsed head of a packet (RFC 8999 §5.1, RFC 9000 §17.2). */
export type PacketHeader = ReturnType<typeof quiche.Header.fromSlice>;

/** Whether a packet is of the type with which a client begins. */
export function isInitial(header: PacketHeader): boolean {
  return header.ty === Type.Initial;
}

/** Connection ids of unknown versions have up to 255 bytes each (RFC 8999 §5.1), and an answer repeats two of them. */
const ANSWER_BYTES = 1024;

/** Takes bytes that nobody wants. */
const discarded = Buffer.allocUnsafeSlow(64 * 1024);

/** Where a datagram came from and where it arrived. */
export interface DatagramPath {
  from: HostPort;
  to: HostPort;
}

/** What TLS needs: PEM texts. Verification of a peer's certificate is always stated, never left to a default. */
export interface TlsMaterial {
  readonly verifyPeer: boolean;
  /** True: ask for a certificate and accept any; the caller compares its fingerprint before it uses the connection. */
  readonly acceptUnverified: boolean;
  readonly authority: string | undefined;
  readonly identity: { readonly certificate: string; readonly privateKey: string } | undefined;
  /** BoringSSL's list of signature algorithms; undefined is its default, which is without Ed25519. */
  readonly signatureAlgorithms: string | undefined;
}

/**
 * Makes the settings object with its TLS context.
 * @throws BAD_OPTION when a PEM text is empty or BoringSSL refuses it (empty arrays would abort the process).
 */
export function createConfig(tls: TlsMaterial): QuicheConfig {
  const { identity, authority } = tls;
  try {
    if (identity !== undefined) assertKeyOf(identity);
    return quiche.Config.withBoringSslCtx(
      tls.verifyPeer,
      tls.acceptUnverified,
      authority === undefined ? undefined : pemBytes('authority', authority),
      identity === undefined ? undefined : [pemBytes('private key', identity.privateKey)],
      identity === undefined ? undefined : [pemBytes('certificate', identity.certificate)],
      tls.signatureAlgorithms,
    );
  } catch (error) {
    if (error instanceof SwarmError) throw error;
    throw new SwarmError('BAD_OPTION', `TLS refuses the certificate or key: ${messageOf(error)}.`, {
      hint: 'Give PEM texts whose private key belongs to the certificate.',
      cause: error,
    });
  }
}

/** The head of a packet, or undefined where the bytes are none. */
export function parseHeader(datagram: Uint8Array): PacketHeader | undefined {
  if (datagram.length === 0) return undefined;
  try {
    return quiche.Header.fromSlice(datagram, CONNECTION_ID_BYTES);
  } catch {
    return undefined;
  }
}

/** Whether quiche speaks a version of QUIC. */
export function isVersionSupported(version: number): boolean {
  return quiche.versionIsSupported(version);
}

/** The answer to an unknown version: the versions we speak (RFC 9000 §6.1). Undefined where quiche can write none. */
export function versionNegotiationPacket(
  header: Pick<PacketHeader, 'scid' | 'dcid'>,
): Uint8Array | undefined {
  const packet = Buffer.alloc(ANSWER_BYTES);
  try {
    return packet.subarray(0, quiche.negotiateVersion(header.scid, header.dcid, packet));
  } catch {
    return undefined;
  }
}

/** The answer that makes a client prove its address (RFC 9000 §8.1.2). Undefined where quiche can write none. */
export function retryPacket(
  header: PacketHeader,
  newConnectionId: Uint8Array,
  token: Uint8Array,
): Uint8Array | undefined {
  assertConnectionId(newConnectionId);
  const { scid, dcid, version } = header;
  const packet = Buffer.alloc(ANSWER_BYTES);
  try {
    return packet.subarray(0, quiche.retry(scid, dcid, newConnectionId, token, version, packet));
  } catch {
    return undefined;
  }
}

/** One QUIC connection in quiche, with checked arguments. It does no I/O and has no timer of its own. */
export class QuicheConnection {
  readonly #native: NativeConnection;

  private constructor(native: NativeConnection) {
    this.#native = native;
  }

  /**
   * Starts a connection as a client. `serverName` undefined: the certificate's name is not checked by TLS. `session` is
   * what {@link session} of an earlier connection gave; one that cannot be read is as good as none.
   */
  static connect(
    serverName: string | undefined,
    connectionId: Uint8Array,
    path: { local: HostPort; remote: HostPort },
    config: QuicheConfig,
    session: Uint8Array | undefined,
  ): QuicheConnection {
    assertConnectionId(connectionId);
    assertHostPort(path.local);
    assertHostPort(path.remote);
    const { local, remote } = path;
    const native = quiche.Connection.connect(serverName, connectionId, local, remote, config);
    try {
      if (session !== undefined) native.setSession(session);
    } catch {
      // A damaged ticket costs the round trip that it should have saved, no more.
    }
    return new QuicheConnection(native);
  }

  /**
   * Starts a connection as a server. `originalId` is the client's first destination id where a Retry was sent;
   * `resetToken` lets the client believe a stateless reset (RFC 9000 §10.3).
   */
  static accept(
    connectionId: Uint8Array,
    originalId: Uint8Array | undefined,
    path: { local: HostPort; remote: HostPort },
    config: QuicheConfig,
    resetToken: bigint,
  ): QuicheConnection {
    assertConnectionId(connectionId);
    assertHostPort(path.local);
    assertHostPort(path.remote);
    const { local, remote } = path;
    // quiche copies the settings when a connection is made, so that each one gets a token of its own.
    config.setStatelessResetToken(resetToken);
    return new QuicheConnection(
      quiche.Connection.accept(connectionId, originalId, local, remote, config),
    );
  }

  /** Takes one datagram (its bytes are decrypted in place). False: it was of no use; the connection goes on. */
  receive(datagram: Uint8Array, path: DatagramPath): boolean {
    if (datagram.length === 0) return false;
    try {
      this.#native.recv(datagram, path);
      return true;
    } catch {
      return false;
    }
  }

  /** Writes the next datagram into `scratch`; undefined when there is nothing to send. */
  send(scratch: Uint8Array): readonly [length: number, to: HostPort] | undefined {
    assertNotEmpty(scratch);
    try {
      const sent = this.#native.send(scratch);
      return sent === null ? undefined : [sent[0], sent[1].to];
    } catch {
      // quiche has set its local error: the next turn sees the connection closing.
      return undefined;
    }
  }

  /** The same for what belongs to one path; undefined also where quiche does not know the path. */
  sendOnPath(scratch: Uint8Array, local: HostPort, remote: HostPort): number | undefined {
    assertNotEmpty(scratch);
    assertHostPort(local);
    assertHostPort(remote);
    try {
      return this.#native.sendOnPath(scratch, local, remote)?.[0];
    } catch {
      return undefined;
    }
  }

  /** Milliseconds until {@link onTimeout} is due (0: now), or undefined when no timer runs. */
  timeoutMs(): number | undefined {
    return this.#native.timeout() ?? undefined;
  }

  onTimeout(): void {
    this.#native.onTimeout();
  }

  /** Reads into `scratch`: bytes read and whether they were the last; undefined: nothing there now. 'unknown': no
   *  such stream (yet, or any more). */
  streamReceive(
    streamId: number,
    scratch: Uint8Array,
  ): readonly [length: number, isLast: boolean] | StreamGone | 'unknown' | undefined {
    assertStreamId(streamId);
    assertNotEmpty(scratch);
    try {
      return this.#native.streamRecv(streamId, scratch) ?? undefined;
    } catch (error) {
      return isUnknownStream(error) ? 'unknown' : streamGone(error);
    }
  }

  /** Hands bytes over: how many were taken (perhaps 0). 'unknown': no such stream (yet, or any more). */
  streamSend(
    streamId: number,
    bytes: Uint8Array,
    isLast: boolean,
  ): number | StreamGone | 'unknown' {
    assertStreamId(streamId);
    try {
      const taken = this.#native.streamSend(streamId, bytes, isLast);
      if (taken !== null) return taken;
    } catch (error) {
      return isUnknownStream(error) ? 'unknown' : streamGone(error);
    }
    // Null means blocked, or that the peer stopped the stream and quiche has forgotten it.
    return this.streamStopped(streamId) ?? 0;
  }

  /** How many bytes {@link streamSend} would take now. 1 where only the call itself can tell: the stream is gone. */
  streamCapacity(streamId: number): number {
    assertStreamId(streamId);
    try {
      return this.#native.streamCapacity(streamId);
    } catch {
      return 1;
    }
  }

  /** Whether the peer asked us to stop sending on a stream that we had neither finished nor reset. */
  streamStopped(streamId: number): StreamGone | undefined {
    assertStreamId(streamId);
    try {
      this.#native.streamCapacity(streamId);
      return undefined;
    } catch (error) {
      return streamGone(error);
    }
  }

  streamReadable(streamId: number): boolean {
    assertStreamId(streamId);
    return this.#native.streamReadable(streamId);
  }

  /** True when any stream can be read: cheap, unlike {@link readable}. */
  isReadable(): boolean {
    return this.#native.isReadable();
  }

  /** All readable streams. The dearest call of the binding (4 to 13 µs). */
  readable(): number[] {
    return [...this.#native.readable()];
  }

  /** Creates the stream in quiche without a byte on the wire. False: the peer's limit of streams is reached. */
  createStream(streamId: number): boolean {
    assertStreamId(streamId);
    if (this.#native.peerStreamsLeftBidi() === 0) return false;
    try {
      this.#native.streamSend(streamId, new Uint8Array(0), false);
      return true;
    } catch {
      return false;
    }
  }

  /** How many more streams the peer allows to be opened. */
  peerStreamsLeft(): number {
    return this.#native.peerStreamsLeftBidi();
  }

  /** 0 is the most urgent; streams of one urgency share the connection in turns (RFC 9218 §4). */
  streamPriority(streamId: number, urgency: number): void {
    assertStreamId(streamId);
    assertUrgency(urgency);
    try {
      this.#native.streamPriority(streamId, urgency, true);
    } catch {
      // The stream ended meanwhile: it needs no priority any more.
    }
  }

  /** Abandons both halves: RESET_STREAM and STOP_SENDING with the code. What had arrived is thrown away. */
  streamShutdown(streamId: number, wireCode: number): void {
    assertStreamId(streamId);
    assertWireCode(wireCode);
    // Bytes that quiche 0.18 throws away itself are never given back to the window of the connection, which therefore
    // shrank with every reset until it was closed (quiche pull request 2158): they must be read.
    for (;;) {
      const result = this.streamReceive(streamId, discarded);
      if (!Array.isArray(result) || result[1] === true) break;
    }
    for (const half of [Shutdown.Read, Shutdown.Write]) {
      try {
        this.#native.streamShutdown(streamId, half, wireCode);
      } catch {
        // That half was finished before.
      }
    }
  }

  /** Ends the connection: the frame goes out with the next {@link send}. Does nothing the second time. */
  close(isApplication: boolean, code: number, reason: string): void {
    assertWireCode(code);
    try {
      this.#native.close(isApplication, code, Buffer.from(reason));
    } catch {
      // It was closing already.
    }
  }

  /** Makes the next packet one that the peer must acknowledge (a PING). */
  sendAckEliciting(): void {
    try {
      this.#native.sendAckEliciting();
    } catch {
      // A connection that ends needs no sign of life.
    }
  }

  isEstablished(): boolean {
    return this.#native.isEstablished();
  }

  /** True while data may flow although the handshake is not complete (0-RTT). */
  isInEarlyData(): boolean {
    return this.#native.isInEarlyData();
  }

  /** Whether the handshake continued an earlier session. */
  isResumed(): boolean {
    return this.#native.isResumed();
  }

  /** What {@link connect} needs to continue this session; undefined until the server sent a ticket. */
  session(): Uint8Array | undefined {
    return this.#native.session() ?? undefined;
  }

  /** True from the moment when a CONNECTION_CLOSE was sent or received. */
  isDraining(): boolean {
    return this.#native.isDraining();
  }

  isClosed(): boolean {
    return this.#native.isClosed();
  }

  isTimedOut(): boolean {
    return this.#native.isTimedOut();
  }

  peerError(): CloseFrame | undefined {
    return closeFrame(this.#native.peerError());
  }

  localError(): CloseFrame | undefined {
    return closeFrame(this.#native.localError());
  }

  /** The peer's leaf certificate (DER). */
  peerCertificate(): Uint8Array | undefined {
    return this.#native.peerCertChain()?.[0];
  }

  /** The connection id by which the peer wants to be called. */
  peerConnectionId(): Uint8Array {
    return this.#native.destinationId();
  }

  /** Gives the peer one more connection id of ours, if it has room. */
  offerConnectionId(connectionId: Uint8Array, resetToken: bigint): boolean {
    assertConnectionId(connectionId);
    if (this.#native.sourceCidsLeft() === 0) return false;
    try {
      this.#native.newSourceCid(connectionId, resetToken, false);
      return true;
    } catch {
      return false;
    }
  }

  /** The next of our connection ids that the peer gave back. */
  nextRetiredConnectionId(): Uint8Array | undefined {
    return this.#native.retiredScidNext() ?? undefined;
  }

  /** The peer's new address when it moved since the last call. */
  nextMigration(): HostPort | undefined {
    let moved: HostPort | undefined;
    for (;;) {
      // The declared type forgets that there may be no event.
      const event = this.#native.pathEventNext() as ReturnType<
        NativeConnection['pathEventNext']
      > | null;
      if (event === null) return moved;
      if (event.type === 'PeerMigrated') moved = event.new;
    }
  }

  stats(): ReturnType<NativeConnection['stats']> {
    return this.#native.stats();
  }

  /** The path in use: its smoothed round trip in whole milliseconds, and bytes acknowledged per second, of late. */
  path(): { readonly roundTripMs: number; readonly deliveryRate: number } {
    const path = this.#native.pathStats().find(({ active }) => active);
    return { roundTripMs: path?.rtt ?? 0, deliveryRate: path?.deliveryRate ?? 0 };
  }
}

function pemBytes(noun: string, pem: string): Uint8Array {
  if (!pem.includes('-----BEGIN ')) {
    throw new SwarmError('BAD_OPTION', `The ${noun} is not a PEM text.`, {
      hint: 'PEM texts begin with "-----BEGIN".',
    });
  }
  return Buffer.from(pem);
}

/** BoringSSL takes a key that does not fit and fails each handshake later. */
function assertKeyOf(identity: { certificate: string; privateKey: string }): void {
  const key = createPrivateKey(identity.privateKey);
  if (new X509Certificate(identity.certificate).checkPrivateKey(key)) return;
  throw new SwarmError('BAD_OPTION', 'The private key belongs to another certificate.', {
    hint: 'Give the key that was made together with the certificate.',
  });
}
