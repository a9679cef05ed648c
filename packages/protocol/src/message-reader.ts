/**
 * Reads messages from a stream: frames, CBOR, schemas, and payloads that follow their message in chunks. Whoever
 * reads through it sees whole, checked messages and nothing else.
 */
import { PAYLOAD_BYTES_MAX } from './limits.ts';
import { SwarmError } from './errors.ts';
import { ByteCollector } from './byte-collector.ts';
import { decodeRange } from './body-decoder.ts';
import { closeWindow } from './fast/window.ts';
import { FrameCutter } from './frame-cutter.ts';
import { MESSAGES, type Message, type MessageType } from './message-table.ts';

/** Options of a {@link MessageReader}. */
export interface MessageReaderOptions {
  readonly onMessage: (message: Message) => void;
  /** Longest payload that may follow a message. @default PAYLOAD_BYTES_MAX */
  readonly payloadBytesMax?: number;
  /** Longest frame on top of the bound of its type. */
  readonly frameBytesMax?: number;
  /** Asked before the payload that a message announces is collected, with its length. False: the message and its
   *  payload are read and dropped. @default every payload is admitted */
  readonly admit?: (message: Message, payloadBytes: number) => boolean;
}

/** The messages that may have a payload behind them, and the one that brings it. */
const ANNOUNCING: ReadonlySet<MessageType> = new Set(
  (Object.keys(MESSAGES) as MessageType[]).filter(
    (type) => type === 'PayloadChunk' || 'payloadBytes' in MESSAGES[type].schema.properties,
  ),
);

interface Detached {
  readonly message: Message;
  readonly payload: ByteCollector;
}

/** A push reader: bytes in, messages out. Throws errors of the family "the peer broke the protocol". */
export class MessageReader {
  readonly #onMessage: (message: Message) => void;
  readonly #admit: (message: Message, payloadBytes: number) => boolean;
  readonly #frames: FrameCutter;
  #detached: Detached | undefined;
  /** Bound of detached payloads; may be changed when the peer is known better. */
  payloadBytesMax: number;

  constructor(options: MessageReaderOptions) {
    this.#onMessage = options.onMessage;
    this.#admit = options.admit ?? ((): boolean => true);
    this.payloadBytesMax = options.payloadBytesMax ?? PAYLOAD_BYTES_MAX;
    this.#frames = new FrameCutter((type, bytes, start, end, owned) => {
      const message = decodeRange(type, bytes, start, end, owned ? 'share' : 'copy');
      if (this.#detached === undefined && !ANNOUNCING.has(type)) this.#onMessage(message);
      else this.#accept(message);
    });
    if (options.frameBytesMax !== undefined) this.#frames.frameBytesMax = options.frameBytesMax;
  }

  /** Longest frame on top of the bound of its type. */
  set frameBytesMax(bytes: number) {
    this.#frames.frameBytesMax = bytes;
  }

  /** Feeds bytes, which may be reused afterwards. */
  push(bytes: Uint8Array): void {
    // They may lie where those of the call before lay.
    closeWindow();
    this.#frames.push(bytes);
  }

  /** Call when the stream has ended; throws BAD_FRAME when it ended inside a frame or a payload. */
  end(): void {
    this.#frames.end();
    if (this.#detached !== undefined) {
      throw new SwarmError('BAD_FRAME', 'The stream ended inside a payload.');
    }
  }

  #accept(message: Message): void {
    if (this.#detached !== undefined) {
      this.#append(this.#detached, message);
      return;
    }
    if (message.type === 'PayloadChunk') {
      throw new SwarmError('UNEXPECTED_MESSAGE', 'A PayloadChunk follows no message.');
    }
    const payloadBytes = this.#payloadBytesOf(message);
    if (payloadBytes === undefined) {
      this.#onMessage(message);
      return;
    }
    const isKept = this.#admit(message, payloadBytes);
    this.#detached = { message, payload: new ByteCollector(payloadBytes, isKept) };
  }

  #payloadBytesOf({ type, body }: Message): number | undefined {
    if (!('payloadBytes' in body)) return undefined;
    if (body.payload !== undefined || body.payloadBytes === 0) {
      throw new SwarmError('BAD_MESSAGE', `${type} has both a payload and payloadBytes.`);
    }
    if (
      !(MESSAGES[type].on as readonly string[]).some(
        (kind) => kind === 'task' || kind === 'dataset',
      )
    ) {
      throw new SwarmError(
        'UNEXPECTED_MESSAGE',
        `${type} cannot have a payload of its own stream.`,
      );
    }
    if (body.payloadBytes > this.payloadBytesMax) {
      throw new SwarmError(
        'PAYLOAD_TOO_LARGE',
        `${type} announces ${body.payloadBytes} bytes; at most ${this.payloadBytesMax} are allowed.`,
        { hint: 'Upload large inputs as data sets, or raise the bound of the coordinator.' },
      );
    }
    return body.payloadBytes;
  }

  #append({ message, payload }: Detached, chunk: Message): void {
    if (chunk.type !== 'PayloadChunk') {
      throw new SwarmError('UNEXPECTED_MESSAGE', `${chunk.type} came inside a payload.`);
    }
    const { offset, bytes } = chunk.body;
    if (offset !== payload.received || bytes.length === 0 || bytes.length > payload.missing) {
      throw new SwarmError(
        'BAD_MESSAGE',
        `A PayloadChunk does not continue at ${payload.received}.`,
      );
    }
    payload.add(bytes);
    if (!payload.isComplete) return;
    this.#detached = undefined;
    if (payload.isKept) this.#onMessage(withPayload(message, payload.bytes));
  }
}

function withPayload(message: Message, payload: Uint8Array): Message {
  const { payloadBytes: _announced, ...rest } = message.body as { payloadBytes: number };
  return { type: message.type, body: { ...rest, payload } } as unknown as Message;
}
