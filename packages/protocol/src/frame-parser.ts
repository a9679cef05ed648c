/**
 * Cuts a stream of bytes into frames, whatever the pieces it arrives in. The length of a frame is checked against
 * the bound of its message type before memory is set aside for it, so a claim of 4 GiB costs the claimant's
 * connection and nothing else; and memory grows with the bytes that arrive, not with those that are promised.
 */
import { SwarmError } from './errors.ts';
import { ByteCollector } from './byte-collector.ts';
import { FRAME_LENGTH_BYTES } from './codec.ts';
import { MESSAGES, messageTypeOf, type MessageType } from './message-table.ts';

const HEAD_BYTES = FRAME_LENGTH_BYTES + 1;

/**
 * Receives one frame. An owned body is a copy that belongs to the receiver; any other one lies in the bytes that were
 * pushed and must be read before the call returns.
 */
export type OnFrame = (type: MessageType, body: Uint8Array, owned: boolean) => void;

/** A push parser: bytes in, frames out, errors thrown out of {@link FrameParser.push}. */
export class FrameParser {
  readonly #onFrame: OnFrame;
  readonly #head = new Uint8Array(HEAD_BYTES);
  readonly #view = new DataView(this.#head.buffer);
  #headFilled = 0;
  #type: MessageType | undefined;
  #bodyBytes = 0;
  /** The pieces of a body that did not come in one. */
  #pieces: ByteCollector | undefined;

  /** Applies on top of the bound of each message type; lowered before the peer is known. */
  frameBytesMax: number = Number.MAX_SAFE_INTEGER;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** Feeds bytes, which may be reused afterwards. Throws BAD_FRAME or FRAME_TOO_LARGE; the stream is lost then. */
  push(bytes: Uint8Array): void {
    let position = 0;
    while (position < bytes.length) {
      if (this.#type === undefined) {
        position += this.#fillHead(bytes, position);
        if (this.#headFilled < HEAD_BYTES) return;
        this.#begin();
      }
      if (this.#pieces === undefined) {
        const end = position + this.#bodyBytes;
        if (end <= bytes.length) {
          this.#finish(bytes.subarray(position, end), false);
          position = end;
          continue;
        }
        this.#pieces = new ByteCollector(this.#bodyBytes);
      }
      position += this.#pieces.add(bytes.subarray(position));
      if (this.#pieces.isComplete) this.#finish(this.#pieces.bytes, true);
    }
  }

  /** Call when the stream has ended; throws BAD_FRAME when it ended inside a frame. */
  end(): void {
    if (this.#headFilled > 0) {
      throw new SwarmError('BAD_FRAME', 'The stream ended inside a frame.');
    }
  }

  #fillHead(bytes: Uint8Array, position: number): number {
    const count = Math.min(HEAD_BYTES - this.#headFilled, bytes.length - position);
    for (let i = 0; i < count; i++) {
      this.#head[this.#headFilled + i] = bytes[position + i] as number;
    }
    this.#headFilled += count;
    return count;
  }

  #begin(): void {
    const length = this.#view.getUint32(0);
    const number = this.#view.getUint8(FRAME_LENGTH_BYTES);
    const type = messageTypeOf(number);
    if (type === undefined || length < 2) {
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
      throw new SwarmError(
        'FRAME_TOO_LARGE',
        `A frame of type ${type} claims ${length} bytes; at most ${bound} are allowed.`,
      );
    }
    this.#type = type;
    this.#bodyBytes = length - 1;
  }

  #finish(body: Uint8Array, owned: boolean): void {
    const type = this.#type as MessageType;
    this.#type = undefined;
    this.#pieces = undefined;
    this.#headFilled = 0;
    this.#onFrame(type, body, owned);
  }
}
