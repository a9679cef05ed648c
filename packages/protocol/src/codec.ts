/**
 * Messages to frames and back. A frame is a u32 length (big-endian, of what follows), a u8 message number and the
 * CBOR body. A message whose payload is too long to stand in front of others becomes a frame that announces its
 * length, followed by PayloadChunk frames.
 */
import { CBOR_ITEMS_MAX, INLINE_PAYLOAD_BYTES_MAX, PAYLOAD_CHUNK_BYTES } from './limits.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { checkSchema } from './validation.ts';
import { MESSAGES, type Message, type MessageType } from './message-table.ts';

/** Bytes of the length in front of each frame. */
export const FRAME_LENGTH_BYTES = 4;

/** One frame for a message without a detached payload. Does not check the schema: the sender built it from types. */
export function encodeFrame(message: Message): Uint8Array {
  const body = encodeCbor(message.body);
  const frame = new Uint8Array(FRAME_LENGTH_BYTES + 1 + body.length);
  const length = body.length + 1;
  frame[0] = length >>> 24;
  frame[1] = length >>> 16;
  frame[2] = length >>> 8;
  frame[3] = length;
  frame[4] = MESSAGES[message.type].number;
  frame.set(body, FRAME_LENGTH_BYTES + 1);
  return frame;
}

/** The message of one frame body; throws BAD_MESSAGE. `body` must not be reused by the caller. */
export function decodeBody(type: MessageType, body: Uint8Array): Message {
  const value = decodeCbor(body, CBOR_ITEMS_MAX);
  checkSchema(MESSAGES[type].schema, value, type);
  return { type, body: value } as Message;
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
