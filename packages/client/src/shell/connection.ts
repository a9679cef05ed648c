/**
 * One connection to a coordinator: messages on one side, streams on the other. Opens the control stream with the
 * handshake and the client stream behind it; gives each long message a stream of its own; reads the streams that the
 * coordinator opens. Knows nothing about requests, tasks or reconnecting.
 */
import {
  ERRORS,
  FrameBatch,
  MessageReader,
  NO_ERROR_WIRE_CODE,
  PROTOCOL_MAX,
  PROTOCOL_MIN,
  STREAM_URGENCY,
  SwarmError,
  UNAUTHENTICATED_FRAME_BYTES_MAX,
  encodeFrame,
  failure,
  framesOf,
  isExpected,
  isSwarmError,
  needsOwnStream,
  payloadOf,
  toFailure,
  unreadableEvent,
  type ClientAck,
  type ErrorType,
  type Message,
  type MessageType,
  type StreamKind,
  type CompressionMode,
} from '@quic-swarm/protocol';
import {
  PayloadCoder,
  deliverDecoded,
  type Address,
  type Connection,
  type ConnectionStatistics,
  type Stream,
  type Transport,
} from '@quic-swarm/transport';

/** How to reach a coordinator. */
export interface CoordinatorConnectionOptions {
  readonly transport: Transport;
  readonly address: Address;
  readonly clientName: string;
  /** For everything up to the coordinator's acknowledgement. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Whether payloads are encoded. */
  readonly compression: CompressionMode;
  readonly onMessage: (message: Message) => void;
}

interface Settle {
  readonly resolve: (ack: ClientAck) => void;
  readonly reject: (error: unknown) => void;
}

/** A connection that the coordinator has acknowledged. */
export class CoordinatorConnection {
  readonly #options: CoordinatorConnectionOptions;
  readonly #connection: Connection;
  readonly #control: Stream;
  /** Encodes what goes out on this connection and checks what comes in. */
  readonly coder: PayloadCoder;
  #client: Stream | undefined;
  /** What is to leave on the client stream at the end of this turn of the event loop. */
  readonly #batch = new FrameBatch();
  #ack: ClientAck | undefined;
  readonly #acknowledged: Settle;
  /** What ended the connection, when we know better than the transport. */
  #cause: SwarmError | undefined;

  /** Settles when the connection has ended, with the reason; never rejects. */
  readonly closed: Promise<SwarmError>;

  /**
   * Connects and introduces this client.
   * @throws CONNECT_FAILED, BAD_CERTIFICATE, VERSION_MISMATCH, CLOSED_LOCALLY (aborted), or what the coordinator says.
   */
  static async open(options: CoordinatorConnectionOptions): Promise<CoordinatorConnection> {
    const { transport, address, timeoutMs, signal } = options;
    // A client that was here before has the acknowledgement after one round trip.
    const connection = await transport.connect(address, { timeoutMs, signal, earlyData: true });
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<CoordinatorConnection>((resolve, reject) => {
        timer = setTimeout(() => {
          reject(noAnswer(timeoutMs));
        }, timeoutMs);
        onAbort = () => {
          reject(new SwarmError('CLOSED_LOCALLY', 'Connecting was aborted.'));
        };
        signal.addEventListener('abort', onAbort, { once: true });
        if (signal.aborted) onAbort();
        // The promise of this function ignores what comes after it has settled, so a late success does no harm.
        CoordinatorConnection.#introduce(connection, options).then(resolve, reject);
      });
    } catch (error) {
      await connection.close({ wireCode: NO_ERROR_WIRE_CODE, message: 'connecting failed' }, 0);
      throw error;
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    }
  }

  static async #introduce(
    connection: Connection,
    options: CoordinatorConnectionOptions,
  ): Promise<CoordinatorConnection> {
    // Only the handshake leaves on it before the acknowledgement, and that may be said twice.
    const { control: urgency } = STREAM_URGENCY;
    const control = await connection.openStream({ urgency, earlyData: true });
    let settle: Settle | undefined;
    const acknowledged = new Promise<ClientAck>((resolve, reject) => {
      settle = { resolve, reject };
    });
    // When opening fails before anyone awaits it, the error is reported there and not as an unhandled rejection.
    acknowledged.catch(() => {});
    if (settle === undefined) throw new SwarmError('INTERNAL', 'A promise did not run.');
    const self = new CoordinatorConnection(connection, control, options, settle);
    const body = {
      protocolMin: PROTOCOL_MIN,
      protocolMax: PROTOCOL_MAX,
      clientName: options.clientName,
    };
    control.write(encodeFrame({ type: 'ClientHandshake', body }));
    self.#ack = await acknowledged;
    const offer = self.coder.agree(self.#ack.features);
    if (offer !== undefined) control.write(encodeFrame(offer));
    const client = await connection.openStream({ urgency: STREAM_URGENCY.client });
    self.#read(client, 'client');
    client.write(encodeFrame({ type: 'StreamOpen', body: { purpose: 'client' } }));
    self.#client = client;
    return self;
  }

  private constructor(
    connection: Connection,
    control: Stream,
    options: CoordinatorConnectionOptions,
    acknowledged: Settle,
  ) {
    this.#connection = connection;
    this.#control = control;
    this.coder = new PayloadCoder(connection, options.compression);
    this.#options = options;
    this.#acknowledged = acknowledged;
    this.closed = connection.closed.then(({ error }) => {
      const cause = this.#cause ?? error;
      acknowledged.reject(cause);
      return cause;
    });
    connection.onStream = (stream) => {
      this.#accept(stream);
    };
    this.#read(control, 'control');
  }

  /** What the coordinator granted. */
  get ack(): ClientAck {
    if (this.#ack === undefined) throw new SwarmError('INTERNAL', 'Not acknowledged yet.');
    return this.#ack;
  }

  /** False once the connection began to end: messages would be lost. */
  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  statistics(): ConnectionStatistics {
    return this.#connection.statistics();
  }

  /**
   * Sends a message on the stream where it belongs. What is lost with the connection is lost silently: `closed` says
   * so. A long message that the coordinator stops on its way comes back as an ErrorReport with its requestId.
   */
  send(message: Message): void {
    if (!this.isOpen) return;
    const prepared = this.coder.outgoing(message);
    if (prepared instanceof Promise || needsOwnStream(prepared)) {
      void this.#sendOnOwnStream(message, prepared);
      return;
    }
    if (isExpected(message.type, 'client', 'control')) {
      writeOrLose(this.#control, encodeFrame(prepared));
      return;
    }
    // A burst of tasks that ended together is followed by the next ones within the same turn: they share a write.
    if (this.#batch.bytes === 0) {
      process.nextTick(() => {
        this.#writeBatch();
      });
    }
    this.#batch.add(prepared);
  }

  /** Writes a message with its payload to a stream of its own. Rejects when the stream or connection ends first. */
  async writeMessage(stream: Stream, message: Message): Promise<void> {
    const bytes = payloadOf(message)?.length ?? 0;
    await this.coder.measured(stream, bytes, () => writeAll(stream, framesOf(message)));
  }

  /** A stream for one data set; the caller writes StreamOpen first. */
  async openBulkStream(): Promise<Stream> {
    return this.#connection.openStream({ urgency: STREAM_URGENCY.task });
  }

  /** Says goodbye and closes after what was written has left. Idempotent. */
  async close(): Promise<void> {
    this.#writeBatch();
    if (this.isOpen) this.send({ type: 'Goodbye', body: { reason: 'The client was closed.' } });
    await this.#connection.close({ wireCode: NO_ERROR_WIRE_CODE, message: 'client closed' });
  }

  #writeBatch(): void {
    for (const bytes of this.#batch.take()) {
      if (this.#client !== undefined) writeOrLose(this.#client, bytes);
    }
  }

  async #sendOnOwnStream(message: Message, encoding: Message | Promise<Message>): Promise<void> {
    const taskId = 'taskId' in message.body ? message.body.taskId : undefined;
    try {
      const prepared = await encoding;
      const stream = await this.openBulkStream();
      // The coordinator answers on the client stream and ends its half of this one at once.
      stream.onData = () => {};
      const body = { purpose: 'task', ...(taskId === undefined ? {} : { taskId }) } as const;
      await writeAll(stream, [encodeFrame({ type: 'StreamOpen', body })]);
      await this.writeMessage(stream, prepared);
      stream.end();
    } catch (error) {
      // With the connection gone the session sends the message again; a stream that was stopped alone is an answer.
      const requestId = 'requestId' in message.body ? message.body.requestId : undefined;
      if (!this.isOpen || requestId === undefined) return;
      const body = { requestId, failure: toFailure(error, 'STREAM_RESET') };
      this.#options.onMessage({ type: 'ErrorReport', body });
    }
  }

  /** A stream that the coordinator opened: one TaskEvent with a long payload. */
  #accept(stream: Stream): void {
    stream.end();
    let isOpened = false;
    this.#read(stream, 'task', (message) => {
      if (isOpened) return false;
      if (message.type !== 'StreamOpen' || message.body.purpose !== 'task') {
        throw unexpected(message.type, 'task');
      }
      isOpened = true;
      return true;
    });
  }

  /** Reads a stream for good. `first` may take a message for itself by returning true. */
  #read(
    stream: Stream,
    kind: StreamKind,
    first: (message: Message) => boolean = () => false,
  ): void {
    const isAcknowledged = (): boolean => kind !== 'control' || this.#ack !== undefined;
    const reader = new MessageReader({
      onMessage: (message) => {
        if (first(message)) return;
        if (!isExpected(message.type, 'coordinator', kind)) throw unexpected(message.type, kind);
        if (kind === 'control') this.#onControl(message, reader);
        else this.#deliver(message);
      },
      ...(isAcknowledged() ? {} : { frameBytesMax: UNAUTHENTICATED_FRAME_BYTES_MAX }),
    });
    if (this.#ack !== undefined) reader.payloadBytesMax = this.#ack.grants.payloadBytesMax;
    stream.onData = (bytes) => {
      this.#guard(() => {
        reader.push(bytes);
      });
    };
    stream.onEnd = () => {
      this.#guard(() => {
        reader.end();
        if (kind !== 'task') this.#fail(connectionEnded());
      });
    };
    stream.onError = (error) => {
      // A reset of one large event leaves its task without an end; only a new connection brings it again.
      this.#fail(error);
    };
  }

  /** Passes a message on; an event with an encoded payload when it is decoded. */
  #deliver(message: Message): void {
    const { onMessage } = this.#options;
    this.coder.check(message, this.ack.grants.payloadBytesMax);
    if (message.type === 'TaskEvent') deliverDecoded(message, onMessage, unreadableEvent);
    else onMessage(message);
  }

  #onControl(message: Message, reader: MessageReader): void {
    if (this.#ack === undefined && message.type === 'ClientAck') {
      this.#ack = message.body;
      reader.frameBytesMax = Number.MAX_SAFE_INTEGER;
      this.#acknowledged.resolve(message.body);
      return;
    }
    if (message.type === 'ErrorReport' && message.body.requestId === undefined) {
      this.#cause = SwarmError.fromFailure(message.body.failure);
      this.#acknowledged.reject(this.#cause);
      return;
    }
    if (this.#ack === undefined || message.type === 'ClientAck') {
      throw unexpected(message.type, 'control');
    }
    // Goodbye needs no answer: the coordinator closes the connection next.
    if (message.type !== 'Goodbye') this.#options.onMessage(message);
  }

  /** Runs a reader; what it throws is the coordinator's breach of the protocol and ends the connection. */
  #guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      const breach = isSwarmError(error)
        ? error
        : new SwarmError('INTERNAL', `Reading a message failed: ${String(error)}.`, {
            cause: error,
          });
      try {
        this.#control.write(
          encodeFrame({
            type: 'ErrorReport',
            body: { failure: failure(breach.type as ErrorType, breach.message) },
          }),
        );
      } catch {
        // The control stream is gone as well; the wire code of the close has to do.
      }
      this.#fail(breach);
    }
  }

  #fail(error: SwarmError): void {
    if (!this.isOpen) return;
    this.#cause ??= error;
    void this.#connection.close({ wireCode: wireCodeOf(error), message: error.message });
  }
}

/** Writes pieces, waiting whenever the stream asks to. Rejects when the stream or its connection ends first. */
export async function writeAll(stream: Stream, pieces: Iterable<Uint8Array>): Promise<void> {
  for (const piece of pieces) {
    if (!stream.write(piece)) await stream.drained();
  }
}

/** Writes what is lost silently when the stream ended a moment ago: `closed` is about to tell. */
function writeOrLose(stream: Stream, bytes: Uint8Array): void {
  try {
    stream.write(bytes);
  } catch {
    // See above.
  }
}

function wireCodeOf({ type }: SwarmError): number {
  return (
    (ERRORS as Record<string, { wireCode: number } | undefined>)[type]?.wireCode ??
    ERRORS.INTERNAL.wireCode
  );
}

function unexpected(type: MessageType, kind: StreamKind): SwarmError {
  return new SwarmError(
    'UNEXPECTED_MESSAGE',
    `The coordinator sent ${type} on a ${kind} stream, where it has no place.`,
  );
}

function connectionEnded(): SwarmError {
  return new SwarmError('CONNECTION_LOST', 'The coordinator ended the conversation.');
}

function noAnswer(timeoutMs: number): SwarmError {
  return new SwarmError(
    'CONNECT_FAILED',
    `The coordinator did not answer the handshake within ${timeoutMs} ms.`,
    { hint: 'Is it a quic-swarm coordinator of the same release?' },
  );
}
