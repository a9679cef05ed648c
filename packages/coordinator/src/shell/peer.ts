/**
 * One connection at the coordinator: streams in, checked messages out, and the way back. Knows who may say what on
 * which stream, and turns a peer away that breaks the rules; decides nothing else.
 */
import {
  ERRORS,
  MessageReader,
  NO_ERROR_WIRE_CODE,
  STREAM_URGENCY,
  SwarmError,
  UNAUTHENTICATED_FRAME_BYTES_MAX,
  decodedBytesOf,
  encodeFrame,
  framesOf,
  isExpected,
  isSwarmError,
  needsOwnStream,
  payloadOf,
  toFailure,
  type BodyOf,
  type ErrorType,
  type Message,
  type PayloadFields,
  type StreamKind,
  type CompressionMode,
} from '@quic-swarm/protocol';
import {
  PayloadCoder,
  type Connection,
  type ConnectionClosed,
  type Stream,
} from '@quic-swarm/transport';
import { EarlyGate } from './early-gate.ts';
import { decodableFor } from './encoded-messages.ts';
import { Outbox, type SharedStream } from './outbox.ts';

/** What a peer has told of itself. */
export type Role = 'agent' | 'client';

/** A data set stream's request, answered on the same stream. */
export type DatasetRequest = Extract<Message, { type: 'PutDataset' | 'GetDataset' }>;

/** Whom the peer reports to. */
export interface PeerListener {
  /** Bytes have come: between the two calls there may be any number of messages. */
  onBytes(): void;
  onBytesRead(): void;
  /** The peer broke a rule: what it said before is to be answered now, as long as it can be. */
  onFailing(): void;
  onHandshake(
    peer: Peer,
    message: Extract<Message, { type: 'AgentHandshake' | 'ClientHandshake' }>,
  ): void;
  onDispatchStream(peer: Peer): void;
  onMessage(peer: Peer, message: Message): void;
  onDatasetRequest(
    peer: Peer,
    request: DatasetRequest,
    reply: (message: Message) => Promise<Message>,
  ): void;
  /** The input of a task cannot be decoded for the agent that was to compute it. */
  onUnreadableTask(peer: Peer, task: BodyOf<'AgentTask'>, error: unknown): void;
  /** May a payload of so many bytes (decoded) be collected? Otherwise why not; the peer is told. What is admitted counts until
   *  `onPayloadDone`. */
  admitPayload(message: Message, payloadBytes: number): SwarmError | undefined;
  onPayloadDone(payloadBytes: number): void;
  onClosed(peer: Peer, closed: ConnectionClosed): void;
  onSent(type: string): void;
  onReceived(type: string): void;
  onProtocolError(peer: Peer, error: SwarmError): void;
}

/** Bounds of one peer, and how it is spoken to. */
export interface PeerLimits {
  readonly compression: CompressionMode;
  readonly handshakeTimeoutMs: number;
  readonly payloadBytesMax: number;
  /** Bytes that may wait for a peer that does not read. */
  readonly outgoingBytesMax: number;
  readonly datasetBytesMax: number;
}

/** See the head of this file. */
export class Peer {
  readonly connection: Connection;
  readonly #listener: PeerListener;
  readonly #limits: PeerLimits;
  readonly #coder: PayloadCoder;
  readonly #streams = new Map<StreamKind, Stream>();
  /** Messages that are being written to streams of their own, and their bytes. */
  readonly #detached = new Set<Promise<void>>();
  #detachedBytes = 0;
  /** Data set streams whose request has come. */
  readonly #asked = new WeakSet<Stream>();
  /** Bytes of payloads that are on their way in, by stream. */
  readonly #incoming = new Map<Stream, number>();
  readonly #gate: EarlyGate;
  readonly #handshakeTimer: NodeJS.Timeout;
  #control: MessageReader | undefined;
  #role: Role | undefined;
  /** Messages that wait to be written together, or for the peer to open the stream. */
  readonly #outbox: Outbox;
  #ended = false;
  /** The peer is being told why its connection ends. */
  #failing = false;

  constructor(connection: Connection, listener: PeerListener, limits: PeerLimits) {
    this.connection = connection;
    this.#listener = listener;
    this.#limits = limits;
    this.#gate = new EarlyGate(connection);
    this.#outbox = new Outbox({
      stream: (on) => this.#streams.get(on),
      isFailing: () => this.#failing,
      onSlow: (queuedBytes) => {
        this.#failSlow(queuedBytes);
      },
      bytesMax: limits.outgoingBytesMax,
    });
    this.#coder = new PayloadCoder(connection, limits.compression);
    connection.onStream = (stream) => {
      this.#acceptStream(stream);
    };
    this.#handshakeTimer = setTimeout(() => {
      this.fail(
        new SwarmError('HANDSHAKE_TIMEOUT', `No handshake within ${limits.handshakeTimeoutMs} ms.`),
      );
    }, limits.handshakeTimeoutMs);
    void connection.closed.then((closed) => {
      clearTimeout(this.#handshakeTimer);
      this.#outbox.stop();
      this.#ended = true;
      for (const stream of this.#incoming.keys()) this.#payloadDone(stream);
      listener.onClosed(this, closed);
    });
  }

  get id(): string {
    return this.connection.id;
  }

  /** Undefined until the handshake was accepted. */
  get role(): Role | undefined {
    return this.#role;
  }

  /** The handshake was accepted: other messages and streams may come now. */
  admit(role: Role): void {
    clearTimeout(this.#handshakeTimer);
    this.#role = role;
    if (this.#control !== undefined) this.#control.frameBytesMax = Number.MAX_SAFE_INTEGER;
  }

  /** Sends a message on a shared stream, or on a stream of its own when its payload is long. */
  send(on: SharedStream, message: Message): void {
    this.queue(on, message);
    this.flush();
  }

  /** As `send`, but messages for shared streams wait for {@link Peer.flush}. True: it is the first that does. */
  queue(on: SharedStream, message: Message): boolean {
    if (this.#ended) return false;
    this.#listener.onSent(message.type);
    const prepared = decodableFor(this.#coder, message, (task, error) => {
      this.#listener.onUnreadableTask(this, task, error);
    });
    if (prepared instanceof Promise || needsOwnStream(prepared)) {
      this.#track(this.#sendDetached(prepared), message);
      return false;
    }
    return this.#outbox.add(on, prepared);
  }

  /** Writes what was queued, all messages of a stream in one piece. */
  flush(): void {
    if (!this.#ended) this.#outbox.flush();
  }

  /** Resolves when all messages on streams of their own were handed to the transport, or failed. */
  async flushed(): Promise<void> {
    while (this.#detached.size > 0) await Promise.all(this.#detached);
  }

  /** Says goodbye in good order. */
  async close(errorType: ErrorType | undefined, message: string): Promise<void> {
    if (!this.#ended) this.flush();
    this.#ended = true;
    const wireCode = errorType === undefined ? NO_ERROR_WIRE_CODE : ERRORS[errorType].wireCode;
    await this.connection.close({ wireCode, message: message.slice(0, 512) });
  }

  /** The peer broke a rule: it is told which, and the connection ends with the error's code. */
  fail(thrown: unknown): void {
    if (this.#ended || this.#failing) return;
    this.#listener.onFailing();
    this.#failNow(thrown);
  }

  #failNow(thrown: unknown): void {
    // Answering what was said before may itself have shown that the peer does not read.
    if (this.#ended || this.#failing) return;
    this.#failing = true;
    const error = isSwarmError(thrown)
      ? thrown
      : new SwarmError('INTERNAL', String(thrown), { cause: thrown });
    this.#listener.onProtocolError(this, error);
    const { stack: _local, ...failure } = toFailure(error);
    this.send('control', { type: 'ErrorReport', body: { failure } });
    void this.close(error.type in ERRORS ? (error.type as ErrorType) : 'INTERNAL', error.message);
  }

  #acceptStream(stream: Stream): void {
    if (this.#control === undefined) {
      stream.urgency = STREAM_URGENCY.control;
      this.#streams.set('control', stream);
      this.#control = this.#read(stream, this.#limits.payloadBytesMax, (message) => {
        this.#receiveControl(message);
      });
      this.#control.frameBytesMax = UNAUTHENTICATED_FRAME_BYTES_MAX;
      return;
    }
    if (this.#role === undefined) {
      this.fail(
        new SwarmError(
          'UNEXPECTED_MESSAGE',
          'A second stream was opened before the handshake was accepted.',
        ),
      );
      return;
    }
    let kind: StreamKind | undefined;
    const reader = this.#read(stream, this.#limits.payloadBytesMax, (message) => {
      if (kind !== undefined) {
        this.#receive(stream, kind, message);
      } else if (message.type === 'StreamOpen') {
        kind = message.body.purpose;
        this.#openStream(stream, kind, reader);
      } else {
        throw new SwarmError(
          'UNEXPECTED_MESSAGE',
          `A stream began with ${message.type} instead of StreamOpen.`,
        );
      }
    });
  }

  #openStream(
    stream: Stream,
    purpose: BodyOf<'StreamOpen'>['purpose'],
    reader: MessageReader,
  ): void {
    stream.urgency = STREAM_URGENCY[purpose];
    if (purpose === 'task') {
      stream.end();
    } else if (purpose === 'dataset') {
      reader.payloadBytesMax = this.#limits.datasetBytesMax;
    } else if (
      (purpose === 'dispatch') !== (this.#role === 'agent') ||
      this.#streams.has(purpose)
    ) {
      throw new SwarmError(
        'UNEXPECTED_MESSAGE',
        `This peer may not open (another) ${purpose} stream.`,
      );
    } else {
      this.#streams.set(purpose, stream);
      this.flush();
      if (purpose === 'dispatch') this.#listener.onDispatchStream(this);
    }
  }

  #read(
    stream: Stream,
    payloadBytesMax: number,
    onMessage: (message: Message) => void,
  ): MessageReader {
    const reader = new MessageReader({
      payloadBytesMax,
      admit: (message) => this.#admit(stream, message),
      onMessage: (message) => {
        if (this.#incoming.size > 0) this.#payloadDone(stream);
        if (this.#gate.isOpen) {
          this.#take(message, onMessage);
          return;
        }
        this.#gate.pass(message.type, () => {
          this.#take(message, onMessage);
        });
      },
    });
    stream.onData = (bytes) => {
      if (!this.#ended) this.#push(reader, bytes);
    };
    stream.onEnd = () => {
      try {
        reader.end();
        if (stream === this.#streams.get('control') && !this.#ended) {
          throw new SwarmError(
            'UNEXPECTED_MESSAGE',
            'The control stream was ended while the connection was open.',
          );
        }
      } catch (error) {
        this.fail(error);
      }
    };
    stream.onError = () => {
      this.#payloadDone(stream);
      // A reset of one stream of many harms only what it carried; a shared stream is the connection itself.
      for (const shared of this.#streams.values()) {
        if (shared === stream && this.connection.isOpen) {
          this.fail(
            new SwarmError('STREAM_RESET', 'The peer reset a stream that both sides share.'),
          );
        }
      }
    };
    return reader;
  }

  /** All messages in the bytes are taken together, and answered together. */
  #push(reader: MessageReader, bytes: Uint8Array): void {
    this.#listener.onBytes();
    try {
      reader.push(bytes);
    } catch (error) {
      this.fail(error);
    }
    try {
      this.#listener.onBytesRead();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Also called when the gate opens, where nobody else would catch what is thrown. */
  #take(message: Message, onMessage: (message: Message) => void): void {
    if (this.#ended) return;
    this.#listener.onReceived(message.type);
    try {
      onMessage(message);
    } catch (error) {
      this.fail(error);
    }
  }

  #receiveControl(message: Message): void {
    if (this.#role === undefined) {
      if (message.type !== 'AgentHandshake' && message.type !== 'ClientHandshake') {
        throw new SwarmError(
          'UNEXPECTED_MESSAGE',
          `The first message was ${message.type}, not a handshake.`,
        );
      }
      this.#listener.onHandshake(this, message);
      return;
    }
    if (message.type === 'AgentHandshake' || message.type === 'ClientHandshake') {
      throw new SwarmError('UNEXPECTED_MESSAGE', 'A second handshake on the same connection.');
    }
    const control = this.#streams.get('control');
    if (control !== undefined) this.#receive(control, 'control', message);
  }

  #receive(stream: Stream, kind: StreamKind, message: Message): void {
    if (this.#role === undefined || !isExpected(message.type, this.#role, kind)) {
      throw new SwarmError(
        'UNEXPECTED_MESSAGE',
        `${message.type} has no place on a ${kind} stream from ${this.#role ?? 'an unknown peer'}.`,
      );
    }
    const { datasetBytesMax, payloadBytesMax } = this.#limits;
    this.#coder.check(message, kind === 'dataset' ? datasetBytesMax : payloadBytesMax);
    if (message.type === 'PutDataset' || message.type === 'GetDataset') {
      if (this.#asked.has(stream)) {
        throw new SwarmError('UNEXPECTED_MESSAGE', 'A data set stream carries one request.');
      }
      this.#asked.add(stream);
      this.#listener.onDatasetRequest(this, message, async (reply) => {
        const sending = this.#reply(stream, reply);
        this.#track(
          sending.then(
            () => undefined,
            () => undefined,
          ),
          reply,
        );
        return sending;
      });
    } else if (message.type === 'EncodingOffer') {
      this.#coder.accept(message.body);
    } else {
      this.#listener.onMessage(this, message);
    }
  }

  #admit(stream: Stream, message: Message): boolean {
    const bytes = decodedBytesOf(message.body as PayloadFields);
    const refusal = this.#listener.admitPayload(message, bytes);
    if (refusal === undefined) {
      this.#incoming.set(stream, bytes);
      return true;
    }
    const { stack: _local, ...failure } = toFailure(refusal);
    const requestId = 'requestId' in message.body ? message.body.requestId : undefined;
    const report: Message = {
      type: 'ErrorReport',
      body: { failure, ...(requestId === undefined ? {} : { requestId }) },
    };
    if (message.type === 'PutDataset') void this.#reply(stream, report).catch(() => undefined);
    else this.send('client', report);
    return false;
  }

  #payloadDone(stream: Stream): void {
    const bytes = this.#incoming.get(stream);
    if (bytes === undefined) return;
    this.#incoming.delete(stream);
    this.#listener.onPayloadDone(bytes);
  }

  /** Answers on the stream of the request and ends it. */
  async #reply(stream: Stream, message: Message): Promise<Message> {
    this.#listener.onSent(message.type);
    const prepared = await this.#coder.outgoing(message);
    await this.#writeAll(stream, prepared);
    stream.end();
    return prepared;
  }

  async #writeAll(stream: Stream, message: Message): Promise<void> {
    await this.#coder.measured(stream, payloadOf(message)?.length ?? 0, async () => {
      for (const frame of framesOf(message)) if (!stream.write(frame)) await stream.drained();
    });
  }

  /** Counts what waits for the peer outside of the shared streams; too much, and the peer does not read. */
  #track(sending: Promise<void>, message: Message): void {
    const bytes = decodedBytesOf(message.body as PayloadFields);
    this.#detachedBytes += bytes;
    const done = sending.finally(() => {
      this.#detached.delete(done);
      this.#detachedBytes -= bytes;
    });
    this.#detached.add(done);
    // One payload may be larger than the bound by itself.
    if (this.#detachedBytes - bytes > this.#limits.outgoingBytesMax) {
      this.#failSlow(this.#detachedBytes);
    }
  }

  async #sendDetached(prepared: Message | Promise<Message>): Promise<void> {
    try {
      const message = await prepared;
      const taskId = 'taskId' in message.body ? message.body.taskId : undefined;
      const stream = await this.connection.openStream({ urgency: STREAM_URGENCY.task });
      stream.onError = () => undefined;
      stream.onData = () => undefined;
      const open: BodyOf<'StreamOpen'> = {
        purpose: 'task',
        ...(taskId === undefined ? {} : { taskId }),
      };
      stream.write(encodeFrame({ type: 'StreamOpen', body: open }));
      await this.#writeAll(stream, message);
      stream.end();
    } catch {
      // The connection ended; what it meant for the task is decided when that is reported.
    }
  }

  #failSlow(queuedBytes: number): void {
    if (this.#ended) return;
    // Only the control stream can still say why; what waits for the others is dropped.
    this.#outbox.drop('dispatch');
    this.#outbox.drop('client');
    this.#streams.delete('dispatch');
    this.#streams.delete('client');
    this.#failNow(
      new SwarmError('QUEUE_FULL', `The peer does not read: ${queuedBytes} bytes wait for it.`, {
        hint: 'Read results as they come, or watch fewer tasks.',
      }),
    );
  }
}
