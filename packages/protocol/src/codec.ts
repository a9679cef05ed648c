/**
 * Messages to frames and back. A frame is a u32 length (big-endian, of what follows), a u8 message number and the
 * CBOR body. A message whose payload is too long to stand in front of others becomes a frame that announces its
 * length, followed by PayloadChunk frames.
 */
import { INLINE_PAYLOAD_BYTES_MAX, PAYLOAD_CHUNK_BYTES } from './limits.ts';
import type { ErrorType } from './errors.ts';
import { decodeRange, type Keep } from './body-decoder.ts';
import { closeWindow } from './fast/window.ts';
import { encodeFrame } from './frame-writer.ts';
import { MESSAGES, type Message, type MessageType } from './message-table.ts';
import { checkSchema } from './validation.ts';

export { FRAME_LENGTH_BYTES, FrameBatch, encodeFrame } from './frame-writer.ts';

/**
 * The message of one frame body; throws BAD_MESSAGE.
 * @param keep whether the message may share memory with `body`, which the caller must not reuse then; else its byte
 *   strings are copies. @default 'share'
 */
export function decodeBody(type: MessageType, body: Uint8Array, keep: Keep = 'share'): Message {
  closeWindow();
  return decodeRange(type, body, 0, body.length, keep);
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
