/**
 * One side of a connection inside the process. All that is due is done in one `setImmediate` per side, a bounded
 * amount at a time, as the QUIC driver does.
 */
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
  callApplication,
  endedByPeer,
  endedLocally,
  NOTHING_WRONG,
} from '../endings.ts';
import { MemoryStream } from './stream.ts';

const DEFAULT_URGENCY = 127;
const DEFAULT_GRACE_MS = 1000;

let connectionsMade = 0;

/** A connection between two objects of this class. */
export class MemoryConnection implements Connection {
  readonly id: string;
  readonly side: 'client' | 'server';
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly peerCertificate = undefined;
  readonly closed: Promise<ConnectionClosed>;
  /** Nothing has to be shaken inside a process. */
  readonly isHandshakeComplete = true;
  readonly handshakeComplete: Promise<boolean> = Promise.resolve(true);
  readonly #streams = new Map<number, MemoryStream>();
  /** Streams that have something to do in the next turn. */
  readonly #due = new Set<MemoryStream>();
  /** Streams of the peer that the application was not told of. */
  readonly #unannounced: MemoryStream[] = [];
  #peer: MemoryConnection | undefined;
  #onStream: ((stream: Stream) => void) | undefined;
  #nextStreamId: number;
  /** The lowest stream id of the peer that is not known here. */
  #nextPeerId: number;
  #isTurnPlanned = false;
  #settleClosed: (closed: ConnectionClosed) => void = () => undefined;
  #closing: { readonly ending: ConnectionClosed; readonly reason: CloseReason } | undefined;
  #graceTimer: NodeJS.Timeout | undefined;
  #ending: ConnectionClosed | undefined;
  #bytesSent = 0;
  #bytesReceived = 0;

  private constructor(side: 'client' | 'server', localAddress: Address, remoteAddress: Address) {
    connectionsMade += 1;
    this.id = `memory-${side}-${connectionsMade}`;
    this.side = side;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.#nextStreamId = side === 'client' ? 0 : 1;
    this.#nextPeerId = side === 'client' ? 1 : 0;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  /** Two connections, each the other's peer. */
  static pair(client: Address, server: Address): [MemoryConnection, MemoryConnection] {
    const first = new MemoryConnection('client', client, server);
    const second = new MemoryConnection('server', server, client);
    first.#peer = second;
    second.#peer = first;
    return [first, second];
  }

  get isOpen(): boolean {
    return this.#closing === undefined && this.#ending === undefined;
  }

  /** Whether this side's application ended the connection: it is told of nothing more. */
  get isClosingHere(): boolean {
    return this.#closing !== undefined;
  }

  /** Why nothing new may be opened or written; undefined while the connection is open. */
  get refusal(): SwarmError | undefined {
    return (this.#ending ?? this.#closing?.ending)?.error;
  }

  get onStream(): ((stream: Stream) => void) | undefined {
    return this.#onStream;
  }

  set onStream(handler: ((stream: Stream) => void) | undefined) {
    this.#onStream = handler;
    this.#wake();
  }

  async openStream(options: StreamOptions = {}): Promise<Stream> {
    if (this.refusal !== undefined) throw this.refusal;
    const stream = new MemoryStream(this.#nextStreamId, options.urgency ?? DEFAULT_URGENCY, this);
    this.#nextStreamId += 4;
    this.#streams.set(stream.id, stream);
    return Promise.resolve(stream);
  }

  async close(
    reason: CloseReason = NOTHING_WRONG,
    graceMs: number = DEFAULT_GRACE_MS,
  ): Promise<void> {
    if (this.#ending === undefined) {
      const bounded = boundReason(reason);
      this.#closing ??= { ending: endedLocally(bounded), reason: bounded };
      clearTimeout(this.#graceTimer);
      if (graceMs <= 0) {
        // The turn that is planned carries out what was asked before, but nothing that is queued.
        for (const stream of this.#streams.values()) stream.dropQueue();
      } else {
        this.#graceTimer = setTimeout(() => {
          this.#endBoth();
        }, graceMs);
      }
      this.#wake();
    }
    await this.closed;
  }

  statistics(): ConnectionStatistics {
    return {
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      packetsSent: 0,
      packetsReceived: 0,
      packetsLost: 0,
      roundTripMs: 0,
      isResumed: false,
      udpPayloadBytes: 0,
      deliveredBytesPerMs: 0,
    };
  }

  /** The stream has bytes to move or to deliver. */
  due(stream: MemoryStream): void {
    if (this.#ending !== undefined && !this.#streams.has(stream.id)) return;
    this.#due.add(stream);
    this.#wake();
  }

  /** Both halves are finished or the stream failed. */
  settled(stream: MemoryStream): void {
    this.#streams.delete(stream.id);
    this.#due.delete(stream);
  }

  /** The other end of a stream, which the first byte, end or reset makes known to the peer. */
  peerStream(id: number): MemoryStream | undefined {
    const peer = this.#peer;
    if (peer === undefined || peer.#ending !== undefined) return undefined;
    // Of the streams that the peer opened, the peer knows all.
    const isOurs = id % 2 === this.#nextStreamId % 2;
    const lastNewId = isOurs ? id : -1;
    while (peer.#nextPeerId <= lastNewId) {
      const stream = new MemoryStream(peer.#nextPeerId, DEFAULT_URGENCY, peer);
      peer.#nextPeerId += 4;
      peer.#streams.set(stream.id, stream);
      peer.#unannounced.push(stream);
    }
    return peer.#streams.get(id);
  }

  /** Counts bytes that left for the peer. */
  countSent(bytes: number): void {
    this.#bytesSent += bytes;
    if (this.#peer !== undefined) this.#peer.#bytesReceived += bytes;
  }

  #wake(): void {
    if (this.#isTurnPlanned) return;
    this.#isTurnPlanned = true;
    setImmediate(() => {
      this.#isTurnPlanned = false;
      this.#turn();
    });
  }

  #turn(): void {
    while (this.#onStream !== undefined && this.isOpen) {
      const stream = this.#unannounced.shift();
      if (stream === undefined) break;
      callApplication(() => this.#onStream?.(stream));
    }
    const due = [...this.#due].sort((a, b) => a.urgency - b.urgency);
    this.#due.clear();
    for (const stream of due) stream.turn();
    if (this.#closing !== undefined && this.#ending === undefined && this.#isFlushed()) {
      this.#endBoth();
    }
  }

  #isFlushed(): boolean {
    for (const stream of this.#streams.values()) {
      if (stream.hasUnsent) return false;
    }
    return true;
  }

  /** This side has said what it had to say: the peer hears the reason after what was written before it. */
  #endBoth(): void {
    const closing = this.#closing;
    if (closing === undefined || this.#ending !== undefined) return;
    const peer = this.#peer;
    this.#end(closing.ending);
    setImmediate(() => {
      if (peer !== undefined) peer.#end(endedByPeer(closing.reason));
    });
  }

  #end(ending: ConnectionClosed): void {
    if (this.#ending !== undefined) return;
    clearTimeout(this.#graceTimer);
    if (this.isOpen) this.#turn();
    this.#ending = ending;
    const streams = [...this.#streams.values()];
    for (const stream of streams) stream.connectionEnded(ending.error);
    this.#settleClosed(ending);
  }
}
