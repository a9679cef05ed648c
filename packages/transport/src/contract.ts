/**
 * The contract between the swarm and whatever carries its bytes. Two implementations exist: `quic/` (native quiche
 * over UDP) and `memory.ts` (inside one process). Both pass the same conformance suite, so nothing above this file
 * may depend on which one it got.
 *
 * A connection carries any number of bidirectional streams. A stream is an ordered, reliable sequence of bytes in
 * each direction, with flow control that reaches the writer: `write` returns false when the writer should wait for
 * `drained()`. Nothing here knows frames or messages.
 *
 * Every error is a `SwarmError` (family 0x11x, 0x12x or 0x13x of the error table, or VERSION_MISMATCH, BAD_OPTION and
 * CLOSED); where the peer gave a wire code of the table as its reason, the error has that type.
 */
import type { SwarmError } from '@quic-swarm/protocol';

/** `host` is an IPv4 or IPv6 address, `localhost` or a DNS name; `port` 0 lets the system choose when listening. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Opens and accepts connections. */
export interface Transport {
  readonly name: 'quic' | 'memory';
  /** Starts to accept connections. Rejects with ADDRESS_IN_USE or BAD_ADDRESS. */
  listen(options: ListenOptions): Promise<Listener>;
  /** Connects; resolves when the transport's own handshake is complete and the peer's certificate was accepted.
   *  Rejects with CONNECT_FAILED, BAD_CERTIFICATE, BAD_ADDRESS (unknown host), VERSION_MISMATCH (no common ALPN),
   *  TOO_MANY_CONNECTIONS (refused) or CLOSED_LOCALLY (aborted). A server that refuses *our* certificate says so a
   *  moment later: the connection then ends with BAD_CERTIFICATE. */
  connect(address: Address, options?: ConnectOptions): Promise<Connection>;
}

export interface ListenOptions {
  readonly address: Address;
  /** Called once for each connection whose handshake is complete. Set `onStream` in it, before the next tick. */
  readonly onConnection: (connection: Connection) => void;
  /** True: `onConnection` is called as soon as a client that was here before sends early data (0-RTT), half a round trip
   *  before its handshake is complete. Whoever recorded those bytes can send them again: until `isHandshakeComplete`
   *  act only on messages that do no harm when they come twice. @default false */
  readonly acceptEarlyData?: boolean;
}

export interface Listener {
  /** The address in use; its port is never 0. */
  readonly address: Address;
  /** SHA-256 of the certificate (DER), `sha256:` and 64 hexadecimal digits; undefined where there is none. */
  readonly fingerprint: string | undefined;
  /** Stops accepting, closes every connection gracefully with the reason, releases the socket. Idempotent. */
  close(reason?: CloseReason): Promise<void>;
}

export interface ConnectOptions {
  /** How long the handshake may take. @default 3000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** True: resolve at once where an earlier connection to the same server left a session ticket. Streams that are opened
   *  with `earlyData` then leave with the first packet (0-RTT, RFC 9001 §4.6); others wait for the handshake. A server
   *  that does not know the ticket any more gets a full handshake and the same bytes again. @default false */
  readonly earlyData?: boolean;
}

/** Why a connection or a stream was ended by the application: a wire code of the error table and a sentence. */
export interface CloseReason {
  readonly wireCode: number;
  readonly message: string;
}

/** How a connection ended. */
export interface ConnectionClosed {
  /** Who ended it: this side, the peer's application, the peer's or our transport, or silence. */
  readonly by: 'local' | 'peer' | 'transport' | 'timeout';
  readonly wireCode: number;
  readonly message: string;
  /** What pending and later operations reject with. */
  readonly error: SwarmError;
}

/** Figures of one connection; zero where a transport has no such thing. */
export interface ConnectionStatistics {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly roundTripMs: number;
  /** The handshake continued an earlier session: no certificate was sent again. */
  readonly isResumed: boolean;
  /** Bytes of the largest UDP payload that is sent now. */
  readonly udpPayloadBytes: number;
  /** Bytes per millisecond that the peer acknowledged, of late. */
  readonly deliveredBytesPerMs: number;
}

export interface Connection {
  /** Unique in this process, for logs. */
  readonly id: string;
  /** Who asked for it. */
  readonly side: 'client' | 'server';
  readonly remoteAddress: Address;
  readonly localAddress: Address;
  /** The peer's leaf certificate (DER) where it presented one. */
  readonly peerCertificate: Uint8Array | undefined;
  /** Settles once, when the connection has ended for whatever reason; never rejects. */
  readonly closed: Promise<ConnectionClosed>;
  /** True until the connection began to end. */
  readonly isOpen: boolean;
  /** False only while early data flows, see `earlyData` of ConnectOptions and ListenOptions. */
  readonly isHandshakeComplete: boolean;
  /** Settles with true when the handshake is complete, with false when the connection ended before; never rejects. */
  readonly handshakeComplete: Promise<boolean>;
  /** Called for each stream that the peer opens, in the order of their opening. Without it they wait. */
  onStream: ((stream: Stream) => void) | undefined;
  /** Opens a stream; the peer learns of it with the first byte. Throws the reason when the connection has ended.
   *  Resolves later when the peer's limit of streams is reached. */
  openStream(options?: StreamOptions): Promise<Stream>;
  /** Flushes what was written (at most `graceMs`), then tells the peer the reason, whose message is cut to 512 bytes.
   *  From the call on nothing can be opened or written, and the application hears only `onError` of open streams and
   *  `closed`. Resolves with `closed`. Idempotent. @default 1000 */
  close(reason?: CloseReason, graceMs?: number): Promise<void>;
  statistics(): ConnectionStatistics;
}

export interface StreamOptions {
  /** 0 is the most urgent (control), 127 the default, 255 bulk. Decides which bytes leave first. @default 127 */
  readonly urgency?: number;
  /** The bytes do no harm if somebody makes the server read them twice, so they may leave before the handshake is
   *  complete. Matters only on a connection with early data. @default false */
  readonly earlyData?: boolean;
}

export interface Stream {
  /** QUIC's stream id; even for streams of the client, in the order of opening. */
  readonly id: number;
  readonly connection: Connection;
  /** Of what this side writes: see StreamOptions. A stream that the peer opened begins with 127. Throws BAD_OPTION when
   *  set to anything but an integer from 0 to 255. */
  urgency: number;
  /** Receives bytes. They are valid only during the call: copy what you keep. Set it at once when a stream arrives;
   *  until it is set nothing is read, and flow control holds the peer back. */
  onData: ((bytes: Uint8Array) => void) | undefined;
  /** Called once after the last byte when the peer finished its half. */
  onEnd: (() => void) | undefined;
  /** Called once when the stream cannot be used any more before both halves were finished: reset by the peer, or the
   *  connection ended. The error's type is that of the peer's wire code where the table has it, else STREAM_RESET. Not
   *  called for a `reset` of this side. On a paused stream it waits until what had arrived was read. */
  onError: ((error: SwarmError) => void) | undefined;
  /** Stops and restarts reading; while paused, flow control holds the peer back. */
  pause(): void;
  resume(): void;
  /** Queues bytes and takes ownership of them (do not change them afterwards). Returns false when more than the
   *  high-water mark is queued: await `drained()` before writing more. Throws once the stream or connection ended. */
  write(bytes: Uint8Array): boolean;
  /** Resolves when the queue is under the low-water mark; rejects when the stream or connection ends first. */
  drained(): Promise<void>;
  /** Bytes accepted by `write` that the transport has not taken yet. */
  readonly queuedBytes: number;
  /** Finishes this side's half after what is queued. Idempotent. */
  end(): void;
  /** Abandons both halves: drops what is queued, tells the peer to stop sending. Idempotent. */
  reset(reason: CloseReason): void;
}
