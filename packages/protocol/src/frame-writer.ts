/**
 * Messages to frames, which lie one behind the other in blocks of memory: a typed array of its own costs as much as encoding
 * a short message.
 */
import { encodeCborBehind } from './cbor.ts';
import { messageCodecOf } from './fast/message-codec.ts';
import { ROOM_BYTES } from './fast/primitives.ts';
import { MESSAGES, type Message } from './message-table.ts';

/** Bytes of the length in front of each frame. */
export const FRAME_LENGTH_BYTES = 4;

const HEAD_BYTES = FRAME_LENGTH_BYTES + 1;
const BLOCK_BYTES = 16 * 1024;
/** Longer frames get memory of their own, so that keeping one never keeps much more than itself. */
const SHARED_FRAME_BYTES_MAX = BLOCK_BYTES / 8;

let block = new Uint8Array(0);
let blockView = new DataView(block.buffer);
let blockUsed = 0;

/** One frame for a message without a detached payload. Does not check the schema: the sender built it from types. */
export function encodeFrame(message: Message): Uint8Array {
  const start = writeFast(message);
  return start < 0 ? encodeGeneral(message) : block.subarray(start, blockUsed);
}

/** The general path: cbor-x writes the body. */
export function encodeGeneral({ type, body }: Message): Uint8Array {
  const frame = encodeCborBehind(HEAD_BYTES, body, allocateFrame);
  writeHead(frame, 0, frame.length, MESSAGES[type].number);
  return frame;
}

/**
 * Frames of several messages in one piece of memory, for a sender that writes all messages of one tick at once: a write
 * less, and a typed array less, for each message.
 *
 * ```ts
 * const batch = new FrameBatch();
 * for (const message of messages) batch.add(message);
 * for (const bytes of batch.take()) stream.write(bytes);
 * ```
 */
export class FrameBatch {
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** Where the frames lie that are not in a piece yet: in `#block` from `#start` to `#end`. */
  #block = block;
  #start = 0;
  #end = 0;

  /** Bytes of all frames that were added since the last {@link FrameBatch.take}. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Encodes a message without a detached payload behind those before it, as {@link encodeFrame} does. */
  add(message: Message): void {
    const start = writeFast(message);
    if (start < 0) {
      this.#cut();
      const frame = encodeGeneral(message);
      this.#pieces.push(frame);
      this.#bytes += frame.length;
      return;
    }
    // Somebody else may have written into the block since, or a new one was begun.
    if (block !== this.#block || start !== this.#end) {
      this.#cut();
      this.#block = block;
      this.#start = start;
    }
    this.#end = blockUsed;
    this.#bytes += blockUsed - start;
  }

  /** The frames in the order of their messages, in as few pieces as their places in memory allow; the batch is empty then. */
  take(): Uint8Array[] {
    this.#cut();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    return pieces;
  }

  #cut(): void {
    if (this.#end > this.#start) this.#pieces.push(this.#block.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}

/** Writes a frame at the end of the block; answers where it begins, or −1 when the general path must write it. */
function writeFast({ type, body }: Message): number {
  reserve(SHARED_FRAME_BYTES_MAX + ROOM_BYTES);
  const start = blockUsed;
  const codec = messageCodecOf(type);
  const end = codec.write(body, start + HEAD_BYTES, block, blockView);
  if (end < 0) return -1;
  writeHead(block, start, end - start, codec.number);
  blockUsed = end;
  return start;
}

function allocateFrame(bytes: number): Uint8Array {
  if (bytes > SHARED_FRAME_BYTES_MAX) return new Uint8Array(bytes);
  reserve(bytes);
  blockUsed += bytes;
  return block.subarray(blockUsed - bytes, blockUsed);
}

/** Begins a new block when this one has not so many bytes left. */
function reserve(bytes: number): void {
  if (blockUsed + bytes <= block.length) return;
  block = new Uint8Array(BLOCK_BYTES);
  blockView = new DataView(block.buffer);
  blockUsed = 0;
}

function writeHead(bytes: Uint8Array, at: number, frameBytes: number, number: number): void {
  const length = frameBytes - FRAME_LENGTH_BYTES;
  bytes[at] = length >>> 24;
  bytes[at + 1] = length >>> 16;
  bytes[at + 2] = length >>> 8;
  bytes[at + 3] = length;
  bytes[at + 4] = number;
}
