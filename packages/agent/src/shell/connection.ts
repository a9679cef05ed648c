/**
 * One connection to the coordinator: streams on one side, messages on the other. It checks what may be said where and
 * ends the connection when the peer breaks the protocol; what a message means is not its concern.
 */
import {
  ERRORS,
  FrameBatch,
  MessageReader,
  STREAM_URGENCY,
  SwarmError,
  encodeFrame,
  framesOf,
  isExpected,
  isSwarmError,
  needsOwnStream,
  payloadOf,
  toFailure,
  PAYLOAD_BYTES_MAX,
  type BodyOf,
  type ErrorType,
  type Failure,
  type Message,
  type StreamKind,
  type CompressionMode,
} from '@quic-swarm/protocol';
import {
  PayloadCoder,
  type Address,
  type CloseReason,
  type Connection,
  type Stream,
  type Transport,
} from '@quic-swarm/transport';
import type { StandingStream } from '../core/effects.ts';
import type { DatasetStream } from './dataset-download.ts';

/** Progress is dropped while more than this waits to be sent: it would only be old news. */
const PROGRESS_QUEUE_BYTES_MAX = 256 * 1024;

/** Who hears of a connection. */
export interface ConnectionListener {
  onMessage(message: Message): void;
  /** Once, last. */
  onEnded(failure: Failure): void;
}

/** Options of {@link AgentConnection.open}. */
export interface OpenOptions {
  readonly transport: Transport;
  readonly address: Address;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly compression: CompressionMode;
  readonly listener: ConnectionListener;
}

/** An open connection with its control stream. */
export class AgentConnection {
  readonly #connection: Connection;
  readonly #control: Stream;
  /** Encodes what goes out on this connection and checks what comes in. */
  readonly coder: PayloadCoder;
  readonly #listener: ConnectionListener;
  /** What was said since the last `flush`. */
  readonly #controlFrames = new FrameBatch();
  readonly #dispatchFrames = new FrameBatch();
  #dispatch: Stream | undefined;
  /** What was said before the dispatch stream stood. */
  readonly #beforeDispatch: Message[] = [];
  /** Why this side ended it; says more than what the transport reports then. */
  #ownFailure: Failure | undefined;
  #hasEnded = false;
  /** Longest payload that is read. */
  payloadBytesMax: number | undefined;

  private constructor(connection: Connection, control: Stream, options: OpenOptions) {
    this.#connection = connection;
    this.#control = control;
    this.#listener = options.listener;
    this.coder = new PayloadCoder(connection, options.compression);
  }

  /** Connects and opens the control stream; rejects with a SwarmError. The listener hears nothing before. */
  static async open(options: OpenOptions): Promise<AgentConnection> {
    const { transport, address, timeoutMs, signal } = options;
    const connection = await transport.connect(address, { timeoutMs, signal });
    try {
      const control = await connection.openStream({ urgency: STREAM_URGENCY.control });
      const opened = new AgentConnection(connection, control, options);
      opened.#listen();
      return opened;
    } catch (error) {
      void connection.close(undefined, 0);
      throw error;
    }
  }

  /**
   * Sends a message: with the next `flush`, or on a stream of its own at once. Returns a promise when it should be
   * waited for; it rejects when the message was lost with its connection, which whoever does not wait may ignore.
   */
  send(stream: StandingStream, message: Message): Promise<void> | undefined {
    if (this.#hasEnded) return undefined;
    const prepared = this.coder.outgoing(message);
    if (prepared instanceof Promise || needsOwnStream(prepared)) return this.#sendAlone(prepared);
    if (stream === 'control') this.#add(this.#control, this.#controlFrames, prepared);
    else if (this.#dispatch === undefined) this.#beforeDispatch.push(prepared);
    else this.#add(this.#dispatch, this.#dispatchFrames, prepared);
    return undefined;
  }

  /** The coordinator has accepted the agent: from here on its grants count, and what both sides are able to do. */
  agree({ grants, features }: BodyOf<'AgentAck'>): void {
    this.payloadBytesMax = grants.payloadBytesMax;
    const offer = this.coder.agree(features);
    if (offer === undefined) return;
    this.#add(this.#control, this.#controlFrames, offer);
    void this.flush();
  }

  /**
   * Writes what was said on the standing streams, one write for each. Returns a promise when the sender of many should
   * wait; it rejects like that of `send`.
   */
  flush(): Promise<void> | undefined {
    const behind = this.#write(this.#control, this.#controlFrames);
    if (this.#dispatch === undefined) return behind;
    return this.#write(this.#dispatch, this.#dispatchFrames) ?? behind;
  }

  /** Opens the dispatch stream; messages for it may be sent at once. */
  openDispatchStream(): void {
    this.#connection.openStream({ urgency: STREAM_URGENCY.dispatch }).then(
      (stream) => {
        this.#read(stream, 'dispatch');
        this.#dispatch = stream;
        const opening: Message = { type: 'StreamOpen', body: { purpose: 'dispatch' } };
        for (const message of [opening, ...this.#beforeDispatch.splice(0)]) {
          this.#add(stream, this.#dispatchFrames, message);
        }
        void this.flush();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** Opens a stream for a data set. */
  async openDatasetStream(): Promise<DatasetStream> {
    const stream = await this.#connection.openStream({ urgency: STREAM_URGENCY.dataset });
    return { stream, coder: this.coder };
  }

  /** Flushes for at most `graceMs` and ends the connection. */
  close(reason: CloseReason, graceMs: number): void {
    void this.flush();
    void this.#connection.close(reason, graceMs);
  }

  /** Resolves when the connection has ended. */
  async ended(): Promise<void> {
    await this.#connection.closed;
  }

  #listen(): void {
    this.#connection.onStream = (stream) => this.#acceptStream(stream);
    this.#read(this.#control, 'control');
    void this.#connection.closed.then(({ error, wireCode, by, message }) => {
      this.#hasEnded = true;
      const told = by === 'peer' ? toldByPeer(wireCode, message) : undefined;
      this.#listener.onEnded(this.#ownFailure ?? told ?? toFailure(error, 'CONNECTION_LOST'));
    });
  }

  /** A stream of the coordinator: a task with a large input. */
  #acceptStream(stream: Stream): void {
    let purpose: StreamKind | undefined;
    const reader = this.#reader((message) => {
      if (purpose !== undefined) {
        this.#receive(message, purpose);
        return;
      }
      if (message.type !== 'StreamOpen' || message.body.purpose !== 'task') {
        throw new SwarmError(
          'UNEXPECTED_MESSAGE',
          `A stream of the coordinator began with ${message.type}, not with StreamOpen for a task.`,
        );
      }
      purpose = 'task';
    });
    this.#pipe(stream, reader, () => {});
    stream.end();
  }

  #read(stream: Stream, kind: StandingStream): void {
    const reader = this.#reader((message) => this.#receive(message, kind));
    this.#pipe(stream, reader, (error) => this.#fail(error));
  }

  #reader(onMessage: (message: Message) => void): MessageReader {
    const { payloadBytesMax } = this;
    return new MessageReader({
      onMessage,
      ...(payloadBytesMax === undefined ? {} : { payloadBytesMax }),
    });
  }

  #pipe(stream: Stream, reader: MessageReader, onLost: (error: SwarmError) => void): void {
    const attempt = (action: () => void): void => {
      try {
        action();
      } catch (error) {
        this.#protocolError(error);
      }
    };
    stream.onData = (bytes) => attempt(() => reader.push(bytes));
    stream.onEnd = () => attempt(() => reader.end());
    stream.onError = onLost;
  }

  #receive(message: Message, kind: StreamKind): void {
    if (!isExpected(message.type, 'coordinator', kind)) {
      throw new SwarmError(
        'UNEXPECTED_MESSAGE',
        `${message.type} may not come from a coordinator on a ${kind} stream.`,
      );
    }
    this.coder.check(message, this.payloadBytesMax ?? PAYLOAD_BYTES_MAX);
    if (!this.#hasEnded) this.#listener.onMessage(message);
  }

  #add(stream: Stream, frames: FrameBatch, message: Message): void {
    const isLate = stream.queuedBytes + frames.bytes > PROGRESS_QUEUE_BYTES_MAX;
    if (message.type === 'TaskProgress' && isLate) return;
    try {
      frames.add(message);
    } catch (error) {
      this.#fail(error);
    }
  }

  #write(stream: Stream, frames: FrameBatch): Promise<void> | undefined {
    if (frames.bytes === 0 || this.#hasEnded) return undefined;
    try {
      let isBehind = false;
      for (const bytes of frames.take()) isBehind = !stream.write(bytes);
      return isBehind ? quiet(stream.drained()) : undefined;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** A message that is too long for the standing streams. */
  #sendAlone(message: Message | Promise<Message>): Promise<void> {
    const sent = this.#writeAlone(message);
    // A lost completion would leave its lease open for ever; a new connection sends it again.
    sent.catch((error: unknown) => this.#fail(error));
    return sent;
  }

  async #writeAlone(prepared: Message | Promise<Message>): Promise<void> {
    const message = await prepared;
    const stream = await this.#connection.openStream({ urgency: STREAM_URGENCY.task });
    let lost: SwarmError | undefined;
    // Nothing is answered here; whatever comes is let through, so that the stream can end.
    stream.onData = () => {};
    stream.onError = (error) => {
      lost = error;
    };
    const taskId = 'taskId' in message.body ? message.body.taskId : undefined;
    const body = { purpose: 'task' as const, ...(taskId === undefined ? {} : { taskId }) };
    stream.write(encodeFrame({ type: 'StreamOpen', body }));
    await this.coder.measured(stream, payloadOf(message)?.length ?? 0, async () => {
      for (const frame of framesOf(message)) {
        if (lost !== undefined) throw lost;
        if (!stream.write(frame)) await stream.drained();
      }
    });
    stream.end();
  }

  /** The peer broke the protocol: says so, and ends the connection with the error's code. */
  #protocolError(error: unknown): void {
    const failure = toFailure(error, 'INTERNAL');
    this.#ownFailure ??= failure;
    this.#add(this.#control, this.#controlFrames, { type: 'ErrorReport', body: { failure } });
    const wireCode = wireCodeOf(failure.type);
    this.close({ wireCode, message: failure.message }, 100);
  }

  /** A stream that must stand does not: without it the connection is of no use. */
  #fail(error: unknown): void {
    if (this.#hasEnded || !this.#connection.isOpen) return;
    const failure = toFailure(error, 'CONNECTION_LOST');
    this.#ownFailure ??= failure;
    this.close({ wireCode: wireCodeOf(failure.type), message: failure.message }, 0);
  }
}

function wireCodeOf(type: string): number {
  return type in ERRORS ? ERRORS[type as ErrorType].wireCode : ERRORS.INTERNAL.wireCode;
}

/** The peer's own reason, where its code is one of ours. */
function toldByPeer(wireCode: number, message: string): Failure | undefined {
  for (const [type, row] of Object.entries(ERRORS)) {
    if (row.wireCode !== wireCode) continue;
    return { code: row.code, type, retryable: row.retryable, message };
  }
  return undefined;
}

/** A drain that fails with its connection is reported by the connection. */
function quiet(promise: Promise<void>): Promise<void> {
  promise.catch((error: unknown) => {
    if (!isSwarmError(error)) throw error;
  });
  return promise;
}
