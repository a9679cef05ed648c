/**
 * The streams of one connection: which may be read, which have something to write, which the peer opened, who waits
 * for the peer's limit. Streams leave every table when they are settled.
 *
 * Reading avoids quiche's `readable()` iterator, which costs more than any other call: a few known streams and the
 * next id of the peer are asked one by one, and the iterator is used only while quiche says that something is left.
 */
import type { SwarmError } from '@quic-swarm/protocol';
import type { Connection, StreamOptions } from '../../contract.ts';
import { callApplication } from '../../endings.ts';
import type { QuicheConnection } from '../binding.ts';
import { QuicStream, type StreamOwner } from './stream.ts';
import { WriteSchedule } from './write-schedule.ts';

const DEFAULT_URGENCY = 127;

/** One buffer for all connections: bytes in it are valid during one call of `onData`. */
const scratch = Buffer.allocUnsafeSlow(256 * 1024);

/** So many bytes are read per stream and per connection before others have their turn. */
const STREAM_BUDGET_BYTES = 256 * 1024;
const TURN_BUDGET_BYTES = 1024 * 1024;

/** Up to so many streams, asking each is cheaper than quiche's iterator. */
const ASK_EACH_MAX = 24;

/** How many streams that await their writer are asked per turn whether the peer gave up. */
const STOP_CHECKS_PER_TURN = 32;

/** What one turn may still read, and whether it left anything. */
interface ReadTurn {
  budgetBytes: number;
  hasMore: boolean;
}

/** A diagnosis shows so many streams. */
const DIAGNOSED_STREAMS = 5;

interface OpenWaiter {
  readonly options: StreamOptions;
  readonly resolve: (stream: QuicStream) => void;
  readonly reject: (error: SwarmError) => void;
}

/** The streams of one connection. */
export class StreamTable implements StreamOwner {
  readonly connection: Connection;
  readonly quiche: QuicheConnection;
  /** Told of each stream that this side abandons. */
  onReset: () => void = () => undefined;
  readonly #wake: () => void;
  readonly #streams = new Map<number, QuicStream>();
  /** Streams whose application takes bytes. */
  readonly #readers = new Map<number, QuicStream>();
  /** Readers that must be read once although quiche may have nothing: they were resumed or just set up. */
  readonly #resumed = new Set<QuicStream>();
  readonly #writes = new WriteSchedule();
  readonly #awaitingWriter = new Map<number, QuicStream>();
  /** Wire codes of streams that were reset here before the peer's first byte on them. */
  readonly #earlyResets = new Map<number, number>();
  readonly #openWaiters: OpenWaiter[] = [];
  #onStream: ((stream: QuicStream) => void) | undefined;
  /** The handshake is not complete: of new streams only those for early data may leave. */
  #onlyEarly = false;
  #abandoned = 0;
  #nextLocalId: number;
  /** The lowest stream id of the peer that was not announced yet. */
  #nextPeerId: number;
  /** Why nothing new is opened or written: the connection is ending. */
  #refusal: SwarmError | undefined;
  /** Why the connection ended. */
  #ended: SwarmError | undefined;

  constructor(connection: Connection, quiche: QuicheConnection, wake: () => void) {
    this.connection = connection;
    this.quiche = quiche;
    this.#wake = wake;
    // RFC 9000 §2.1: bidirectional streams of the client are 0, 4, 8, those of the server 1, 5, 9.
    this.#nextLocalId = connection.side === 'client' ? 0 : 1;
    this.#nextPeerId = connection.side === 'client' ? 1 : 0;
  }

  /** How many streams, readers, writers and waiters are held: what must not grow. */
  get size(): number {
    return (
      this.#streams.size +
      this.#readers.size +
      this.#resumed.size +
      this.#writes.size +
      this.#awaitingWriter.size +
      this.#earlyResets.size +
      this.#openWaiters.length
    );
  }

  /** The sizes of the tables, and what waits to be written. */
  get diagnosis(): Readonly<Record<string, unknown>> {
    const streams = [...this.#streams.values()];
    return {
      streams: streams.length,
      readers: this.#readers.size,
      resumed: this.#resumed.size,
      writers: this.#writes.size,
      awaitingWriter: this.#awaitingWriter.size,
      openWaiters: this.#openWaiters.length,
      queuedBytes: streams.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
      peerStreamsLeft: this.quiche.peerStreamsLeft(),
      someStreams: streams.slice(0, DIAGNOSED_STREAMS).map(({ diagnosis }) => diagnosis),
    };
  }

  /** How many streams of the peer were reset, by whichever side. */
  get abandoned(): number {
    return this.#abandoned;
  }

  get hasWrites(): boolean {
    return this.#writes.size > 0;
  }

  set onStream(handler: ((stream: QuicStream) => void) | undefined) {
    this.#onStream = handler;
    if (handler !== undefined) this.#wake();
  }

  set onlyEarly(isOnly: boolean) {
    this.#onlyEarly = isOnly;
  }

  get refusal(): SwarmError | undefined {
    return this.#refusal;
  }

  async open(options: StreamOptions): Promise<QuicStream> {
    if (this.#refusal !== undefined) throw this.#refusal;
    const isTurn = this.#onlyEarly ? options.earlyData === true : this.#openWaiters.length === 0;
    const stream = isTurn ? this.#create(options) : undefined;
    if (stream !== undefined) return stream;
    return new Promise((resolve, reject) => {
      this.#openWaiters.push({ options, resolve, reject });
    });
  }

  wantsRead(stream: QuicStream): void {
    if (this.#ended !== undefined) {
      // The connection is over; what had arrived is still in quiche.
      setImmediate(() => {
        this.#readLeftovers(stream);
      });
      return;
    }
    if (!this.#streams.has(stream.id)) return;
    this.#readers.set(stream.id, stream);
    this.#resumed.add(stream);
    this.#wake();
  }

  wantsNoRead(stream: QuicStream): void {
    this.#readers.delete(stream.id);
    this.#resumed.delete(stream);
  }

  awaitsWriter(stream: QuicStream): void {
    if (this.#streams.has(stream.id)) this.#awaitingWriter.set(stream.id, stream);
  }

  wantsWrite(stream: QuicStream): void {
    if (this.#ended !== undefined) return;
    this.#awaitingWriter.delete(stream.id);
    this.#writes.add(stream);
    this.#wake();
  }

  changeUrgency(stream: QuicStream, change: () => void): void {
    this.#writes.move(stream, change);
    if (this.#ended === undefined && this.#streams.has(stream.id)) {
      this.quiche.streamPriority(stream.id, stream.urgency);
    }
  }

  shutDown(streamId: number, wireCode: number): void {
    this.quiche.streamShutdown(streamId, wireCode);
    this.onReset();
  }

  resetWhenKnown(streamId: number, wireCode: number): void {
    // quiche may know the stream already although nothing was read from it: then this does it.
    const isKnown = this.quiche.streamReadable(streamId);
    this.shutDown(streamId, wireCode);
    if (!isKnown) this.#earlyResets.set(streamId, wireCode);
  }

  settled(stream: QuicStream): void {
    if (stream.hasFailed && stream.id % 4 === this.#nextPeerId % 4) this.#abandoned += 1;
    this.#streams.delete(stream.id);
    this.#readers.delete(stream.id);
    this.#resumed.delete(stream);
    this.#writes.remove(stream);
    this.#awaitingWriter.delete(stream.id);
    this.#wake();
  }

  /** Reads what arrived, announces new streams. True: the budget was used up before the bytes. */
  read(): boolean {
    // An application that closes has heard enough; what it would answer could not be sent any more.
    if (this.#refusal !== undefined) return false;
    const turn = { budgetBytes: TURN_BUDGET_BYTES, hasMore: false };
    const resumed = [...this.#resumed];
    for (const stream of resumed) {
      if (turn.budgetBytes <= 0) return true;
      this.#resumed.delete(stream);
      this.#readOne(stream, turn);
    }
    if (!this.quiche.isReadable()) return turn.hasMore;
    if (this.#readers.size <= ASK_EACH_MAX) {
      this.#askEach(turn);
      if (turn.hasMore || !this.quiche.isReadable()) return turn.hasMore;
    }
    for (const id of this.quiche.readable()) {
      if (turn.budgetBytes <= 0) return true;
      const stream = this.#streams.get(id) ?? this.#discover(id);
      if (stream !== undefined) this.#readOne(stream, turn);
    }
    return turn.hasMore;
  }

  /** Hands queued bytes to quiche, the most urgent streams first; opens streams for those who wait. */
  write(): void {
    this.#writes.flush();
    while (this.#openWaiters.length > 0 && !this.#onlyEarly) {
      const [waiter] = this.#openWaiters;
      const stream = waiter === undefined ? undefined : this.#create(waiter.options);
      if (stream === undefined) return;
      this.#openWaiters.shift()?.resolve(stream);
    }
  }

  /**
   * Finds streams whose answer the peer does not want any more. They are neither readable nor written to, so that
   * only asking tells; each turn asks a few in turn.
   */
  checkStopped(): void {
    let checks = Math.min(STOP_CHECKS_PER_TURN, this.#awaitingWriter.size);
    for (const stream of this.#awaitingWriter.values()) {
      if (checks === 0) return;
      checks -= 1;
      this.#awaitingWriter.delete(stream.id);
      this.#awaitingWriter.set(stream.id, stream);
      stream.checkStopped();
    }
  }

  /** True when there are more such streams than one turn asks, so that some were not asked. */
  get hasUncheckedStops(): boolean {
    return this.#awaitingWriter.size > STOP_CHECKS_PER_TURN;
  }

  /** The connection is ending: nothing is opened or written any more, what is queued still goes out. */
  refuse(error: SwarmError): void {
    this.#refusal = error;
    this.#onStream = undefined;
    for (const { reject } of this.#openWaiters.splice(0)) reject(error);
  }

  /** The time to flush is over: what is queued is dropped. */
  cut(): void {
    this.#writes.clear();
  }

  /** The connection is over: unless this side closed it, everything that arrived is read (by paused streams when they
   *  are resumed); then all streams fail. */
  end(error: SwarmError): void {
    const isRead = this.#refusal === undefined;
    while (this.read());
    this.refuse(error);
    this.#ended = error;
    this.#writes.clear();
    this.#resumed.clear();
    const streams = [...this.#streams.values()];
    for (const stream of streams) {
      if (isRead) stream.connectionEnded(error);
      else stream.fail(error);
    }
  }

  #readOne(stream: QuicStream, turn: ReadTurn): void {
    if (!stream.read(scratch, STREAM_BUDGET_BYTES)) return;
    turn.hasMore = true;
    turn.budgetBytes -= STREAM_BUDGET_BYTES;
    // The stream goes to the end of the row, so that those behind it have their turn.
    if (this.#readers.delete(stream.id)) this.#readers.set(stream.id, stream);
  }

  #askEach(turn: ReadTurn): void {
    const readers = [...this.#readers.values()];
    for (const stream of readers) {
      if (turn.budgetBytes > 0 && this.quiche.streamReadable(stream.id)) {
        this.#readOne(stream, turn);
      }
    }
    while (this.#onStream !== undefined && this.quiche.streamReadable(this.#nextPeerId)) {
      this.#readOne(this.#announce(), turn);
    }
  }

  #create(options: StreamOptions): QuicStream | undefined {
    const id = this.#nextLocalId;
    if (!this.quiche.createStream(id)) return undefined;
    this.#nextLocalId += 4;
    const { urgency = DEFAULT_URGENCY } = options;
    if (urgency !== DEFAULT_URGENCY) this.quiche.streamPriority(id, urgency);
    const stream = new QuicStream(id, urgency, true, this);
    this.#streams.set(id, stream);
    return stream;
  }

  #announce(): QuicStream {
    const stream = new QuicStream(this.#nextPeerId, DEFAULT_URGENCY, false, this);
    this.#nextPeerId += 4;
    this.#streams.set(stream.id, stream);
    callApplication(() => this.#onStream?.(stream));
    return stream;
  }

  /** A readable stream that is in no table: a new one of the peer, or one that was settled before. */
  #discover(id: number): QuicStream | undefined {
    if (id % 4 === this.#nextPeerId % 4 && id >= this.#nextPeerId) {
      if (this.#onStream === undefined) return undefined;
      // RFC 9000 §3.2: lower streams exist as well, although a lost packet may have hidden them so far.
      while (id > this.#nextPeerId) this.#announce();
      return this.#announce();
    }
    // Late bytes or the peer's answer to our reset: quiche forgets the stream once they were read.
    this.shutDown(id, this.#earlyResets.get(id) ?? 0);
    this.#earlyResets.delete(id);
    for (;;) {
      const result = this.quiche.streamReceive(id, scratch);
      if (!Array.isArray(result) || result[1] === true) return undefined;
    }
  }

  #readLeftovers(stream: QuicStream): void {
    if (this.#ended === undefined || !stream.wantsBytes) return;
    while (stream.read(scratch, STREAM_BUDGET_BYTES));
    if (!stream.isHeldBack && !stream.isSettled) stream.fail(this.#ended);
  }
}
