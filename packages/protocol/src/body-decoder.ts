/**
 * The body of a frame to its message: by the fast decoder of its type when it is short and as our own encoder writes it,
 * by the general path otherwise. Both accept the same bodies as the same messages; the general path finds the errors.
 */
import { CBOR_ITEMS_MAX } from './limits.ts';
import { decodeCbor, decodeCborCopy } from './cbor.ts';
import { messageCodecOf } from './fast/message-codec.ts';
import { WINDOW_BYTES, cursor, positionInWindow } from './fast/window.ts';
import { MESSAGES, type Message, type MessageType } from './message-table.ts';
import { checkSchema } from './validation.ts';

/** Whether a message may share memory with the bytes that it was decoded from. */
export type Keep = 'share' | 'copy';

/**
 * Decodes the body from `start` to `end`; throws BAD_MESSAGE. Before the first of several calls for parts of the same
 * bytes, and whenever these have changed, {@link closeWindow} must be called.
 */
export function decodeRange(
  type: MessageType,
  bytes: Uint8Array,
  start: number,
  end: number,
  keep: Keep,
): Message {
  if (end - start <= WINDOW_BYTES) {
    const from = positionInWindow(bytes, start, end);
    const to = from + end - start;
    const body = messageCodecOf(type).read(from, to);
    if (body !== undefined && cursor.position === to) return { type, body } as unknown as Message;
  }
  const isWhole = start === 0 && end === bytes.length;
  return decodeGeneral(type, isWhole ? bytes : bytes.subarray(start, end), keep);
}

/** The general path: structure, decoding, schema, each in a pass of its own. Throws BAD_MESSAGE. */
export function decodeGeneral(type: MessageType, body: Uint8Array, keep: Keep): Message {
  const value = (keep === 'share' ? decodeCbor : decodeCborCopy)(body, CBOR_ITEMS_MAX);
  checkSchema(MESSAGES[type].schema, value, type);
  return { type, body: value } as Message;
}
