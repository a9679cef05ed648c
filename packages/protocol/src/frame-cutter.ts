/**
 * Cuts a stream of bytes into frames, whatever the pieces it arrives in. The length of a frame is checked against
 * the bound of its message type before memory is set aside for it, so a claim of 4 GiB costs the claimant's
 * connection and nothing else; and memory grows with the bytes that arrive, not with those that are promised.
 */
import { SwarmError } from './errors.ts';
import { ByteCollector } from './byte-collector.ts';
import { FRAME_LENGTH_BYTES } from './frame-writer.ts';
import { MESSAGES, messageTypeOf, type MessageType } from './message-table.ts';

const HEAD_BYTES = FRAME_LENGTH_BYTES + 1;

/**
 * Receives one frame, whose body lies in `bytes` from `start` to `end`. Owned bytes are a copy of the body and belong to
 * the receiver; any others are those that were pushed, and must be read before the call returns.
 */
export type OnCutFrame = (
  type: MessageType,
  bytes: Uint8Array,
  start: number,
  end: number,
  owned: boolean,
) => void;

/** A push parser: bytes in, frames out, errors thrown out of {@link FrameCutter.push}. */
export class FrameCutter {
  readonly #onFrame: OnCutFrame;
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headFilled = 0;
  #type: MessageType | undefined;
  #bodyBytes = 0;
  /** The pieces of a body that did not come in one. */
  #pieces: ByteCollector | undefined;

  /** Applies on top of the bound of each message type; lowered before the peer is known. */
  frameBytesMax: number = Number.MAX_SAFE_INTEGER;

  constructor(onFrame: OnCutFrame) {
    this.#onFrame = onFrame;
  }

  /** Feeds bytes, which may be reused afterwards. Throws BAD_FRAME or FRAME_TOO_LARGE; the stream is lost then. */
  push(bytes: Uint8Array): void {
    let position = 0;
    while (position < bytes.length) {
      if (this.#type === undefined) {
        position = this.#readHead(bytes, position);
        if (position < 0) return;
      }
      if (this.#pieces === undefined) {
        const end = position + this.#bodyBytes;
        if (end <= bytes.length) {
          this.#finish(bytes, position, end, false);
          position = end;
          continue;
        }
        this.#pieces = new ByteCollector(this.#bodyBytes);
      }
      position += this.#pieces.add(bytes.subarray(position));
      if (this.#pieces.isComplete) {
        this.#finish(this.#pieces.bytes, 0, this.#bodyBytes, true);
      }
    }
  }

  /** Call when the stream has ended; throws BAD_FRAME when it ended inside a frame. */
  end(): void {
    if (this.#headFilled > 0) {
      throw new SwarmError('BAD_FRAME', 'The stream ended inside a frame.');
    }
  }

  /** Begins a frame; answers the position behind its head, or −1 when the head is not complete yet. */
  #readHead(bytes: Uint8Array, position: number): number {
    if (this.#headFilled === 0 && bytes.length - position >= HEAD_BYTES) {
      this.#begin(bytes, position);
      return position + HEAD_BYTES;
    }
    const count = Math.min(HEAD_BYTES - this.#headFilled, bytes.length - position);
    for (let i = 0; i < count; i++) {
      this.#head[this.#headFilled + i] = bytes[position + i] as number;
    }
    this.#headFilled += count;
    if (this.#headFilled < HEAD_BYTES) return -1;
    this.#begin(this.#head, 0);
    return position + count;
  }

  #begin(head: Uint8Array, at: number): void {
    // Until the frame is whole, the stream must not end.
    this.#headFilled = HEAD_BYTES;
    const length = readLength(head, at);
    const number = head[at + FRAME_LENGTH_BYTES] as number;
    const type = messageTypeOf(number);
    if (type === undefined || length < 2) {
      this.#keepHead(head, at);
      throw new SwarmError(
        'BAD_FRAME',
        `No message has the number ${number} and ${length} bytes.`,
        {
          hint: 'Both sides must speak the quic-swarm protocol; see docs/protocol.md.',
        },
      );
    }
    const bound = Math.min(MESSAGES[type].frameBytesMax, this.frameBytesMax);
    if (length > bound) {
      this.#keepHead(head, at);
      throw new SwarmError(
        'FRAME_TOO_LARGE',
        `A frame of type ${type} claims ${length} bytes; at most ${bound} are allowed.`,
      );
    }
    this.#type = type;
    this.#bodyBytes = length - 1;
  }

  /** So that the next push is refused for the same reason. */
  #keepHead(head: Uint8Array, at: number): void {
    this.#head.set(head.subarray(at, at + HEAD_BYTES));
  }

  #finish(bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    const type = this.#type as MessageType;
    this.#type = undefined;
    this.#pieces = undefined;
    this.#headFilled = 0;
    this.#onFrame(type, bytes, start, end, owned);
  }
}

/** Big-endian. */
function readLength(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) * 2 ** 24 +
    (((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number))
  );
}
