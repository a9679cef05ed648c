/**
 * Messages to frames and back. A frame is a u32 length (big-endian, of what follows), a u8 message number and the
 * CBOR body. A message whose payload is too long to stand in front of others becomes a frame that announces its
 * length, followed by PayloadChunk frames.
 */
import { CBOR_ITEMS_MAX, INLINE_PAYLOAD_BYTES_MAX, PAYLOAD_CHUNK_BYTES } from './limits.ts';
import type { ErrorType } from './errors.ts';
import { decodeCbor, decodeCborCopy, encodeCborBehind } from './cbor.ts';
import { ROOM_BYTES } from './fast/encoder.ts';
import { readerOf, writerOf } from './fast/message-codec.ts';
import { WINDOW_BYTES, cursor, windowBytes } from './fast/window.ts';
import { checkSchema } from './validation.ts';
import { MESSAGES, type Message, type MessageType } from './message-table.ts';

/** Bytes of the length in front of each frame. */
export const FRAME_LENGTH_BYTES = 4;

/** One frame for a message without a detached payload. Does not check the schema: the sender built it from types. */
export function encodeFrame(message: Message): Uint8Array {
  return encodeFast(message) ?? encodeGeneral(message);
}

function encodeGeneral({ type, body }: Message): Uint8Array {
  const frame = encodeCborBehind(FRAME_LENGTH_BYTES + 1, body, allocateFrame);
  writeFrameHead(frame, 0, frame.length, MESSAGES[type].number);
  return frame;
}

// Short frames share blocks of memory: a typed array of its own costs as much as encoding a short message.
const BLOCK_BYTES = 16 * 1024;
const SHARED_FRAME_BYTES_MAX = BLOCK_BYTES / 8;
let block = new Uint8Array(0);
let blockView = new DataView(block.buffer);
let blockUsed = 0;

function encodeFast({ type, body }: Message): Uint8Array | undefined {
  if ((body as object | null | undefined)?.constructor !== Object) return undefined;
  reserve(SHARED_FRAME_BYTES_MAX + ROOM_BYTES);
  const start = blockUsed;
  const end = writerOf(type)(body, start + FRAME_LENGTH_BYTES + 1, block, blockView);
  if (end < 0) return undefined;
  writeFrameHead(block, start, end - start, MESSAGES[type].number);
  blockUsed = end;
  return block.subarray(start, end);
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

function writeFrameHead(bytes: Uint8Array, at: number, frameBytes: number, number: number): void {
  const length = frameBytes - FRAME_LENGTH_BYTES;
  bytes[at] = length >>> 24;
  bytes[at + 1] = length >>> 16;
  bytes[at + 2] = length >>> 8;
  bytes[at + 3] = length;
  bytes[at + 4] = number;
}

/**
 * The message of one frame body; throws BAD_MESSAGE.
 * @param keep whether the message may share memory with `body`, which the caller must not reuse then; else its byte
 *   strings are copies. @default 'share'
 */
export function decodeBody(
  type: MessageType,
  body: Uint8Array,
  keep: 'share' | 'copy' = 'share',
): Message {
  if (body.length <= WINDOW_BYTES) {
    windowBytes.set(body);
    const fast = readerOf(type)(0, body.length);
    if (fast !== undefined && cursor.position === body.length) {
      return { type, body: fast } as unknown as Message;
    }
  }
  return decodeGeneral(type, body, keep);
}

/** As {@link decodeBody}, with the general path alone. */
export function decodeGeneral(type: MessageType, body: Uint8Array, keep: 'share' | 'copy'): Message {
  const value = (keep === 'share' ? decodeCbor : decodeCborCopy)(body, CBOR_ITEMS_MAX);
  checkSchema(MESSAGES[type].schema, value, type);
  return { type, body: value } as Message;
}

/**
 * Checks a message that is to be sent, where its fields come from a user: the receiver answers a message that breaks its
 * schema by closing the connection. Throws an error of type `errorType` that names the first wrong field.
 */
export function checkMessage({ type, body }: Message, errorType: ErrorType): void {
  checkSchema(MESSAGES[type].schema, body, type, errorType);
}

/** The bytes that the message carries; undefined when it carries none. */
export function payloadOf(message: Message): Uint8Array | undefined {
  return 'payload' in message.body ? message.body.payload : undefined;
}

/** True when the message is too long for a shared stream and must get one of its own. */
export function needsOwnStream(message: Message): boolean {
  const payload = payloadOf(message);
  return payload !== undefined && payload.length > INLINE_PAYLOAD_BYTES_MAX;
}

/** All frames of a message, in order; lazily, so that a writer can wait for flow control between them. */
export function* framesOf(message: Message): Generator<Uint8Array, void, undefined> {
  const payload = payloadOf(message);
  if (payload === undefined || payload.length <= INLINE_PAYLOAD_BYTES_MAX) {
    yield encodeFrame(message);
    return;
  }
  const { payload: _detached, ...rest } = message.body as { payload: Uint8Array };
  yield encodeFrame({
    type: message.type,
    body: { ...rest, payloadBytes: payload.length },
  } as Message);
  for (let offset = 0; offset < payload.length; offset += PAYLOAD_CHUNK_BYTES) {
    const bytes = payload.subarray(offset, offset + PAYLOAD_CHUNK_BYTES);
    yield encodeFrame({ type: 'PayloadChunk', body: { offset, bytes } });
  }
}
