/**
 * Payloads that travel encoded: what a receiver must check before it decodes one, how much it counts for, and what
 * becomes of a message whose payload cannot be decoded. The decoding itself needs a library and lies elsewhere.
 */
import { SwarmError, toFailure } from './errors.ts';
import { DECODED_RATIO_MAX } from './limits.ts';
import type { Message, MessageOf } from './message-table.ts';
import type { PayloadEncoding } from './schema.ts';

/** Whether payloads are encoded: when it pays, whenever it makes them shorter, or not at all. */
export const COMPRESSION_MODES = ['auto', 'always', 'never'] as const;

/** One of {@link COMPRESSION_MODES}. */
export type CompressionMode = (typeof COMPRESSION_MODES)[number];

/** The fields of a message that carries a payload. */
export interface PayloadFields {
  readonly payload?: Uint8Array;
  readonly payloadBytes?: number;
  readonly payloadEncoding?: PayloadEncoding;
}

/** A byte string that no receiver takes for a document: CBOR's break code alone. Stands where a payload was lost. */
const NO_DOCUMENT: Uint8Array = Uint8Array.of(0xff);

/** Length of the payload when it is decoded; what limits and quotas count. 0 without a payload. */
export function decodedBytesOf(body: PayloadFields): number {
  return body.payloadEncoding?.decodedBytes ?? body.payload?.length ?? body.payloadBytes ?? 0;
}

/** How the payload of a message is encoded; undefined when it is plain or there is none. */
export function encodingOf({ body }: Message): PayloadEncoding | undefined {
  return (body as PayloadFields).payloadEncoding;
}

/**
 * Checks the encoding that a whole message claims, before anything is decoded or set aside.
 * @param isAgreed this side said that it decodes encodings on this connection
 * @param decodedBytesMax the bound of plain payloads
 * @throws BAD_ENCODING, BAD_MESSAGE (nothing is encoded), PAYLOAD_TOO_LARGE
 */
export function checkEncoding(message: Message, isAgreed: boolean, decodedBytesMax: number): void {
  const encoding = encodingOf(message);
  if (encoding === undefined) return;
  const { payload, payloadBytes } = message.body as PayloadFields;
  const encodedBytes = payload?.length ?? payloadBytes;
  if (!isAgreed) {
    throw new SwarmError(
      'BAD_ENCODING',
      `${message.type} is encoded as ${encoding.name}, which was not agreed on.`,
    );
  }
  if (encodedBytes === undefined) {
    throw new SwarmError('BAD_MESSAGE', `${message.type} has an encoding and no payload.`);
  }
  const { decodedBytes } = encoding;
  if (decodedBytes > encodedBytes * DECODED_RATIO_MAX) {
    throw new SwarmError(
      'BAD_ENCODING',
      `${message.type} claims that ${encodedBytes} bytes decode to ${decodedBytes}.`,
    );
  }
  if (decodedBytes > decodedBytesMax) {
    throw new SwarmError(
      'PAYLOAD_TOO_LARGE',
      `${message.type} decodes to ${decodedBytes} bytes; at most ${decodedBytesMax} are allowed.`,
      { hint: 'Upload large inputs as data sets, or raise the bound of the coordinator.' },
    );
  }
}

/** The same message with other bytes as its payload; without an encoding they are plain. */
export function withPayload<M extends Message>(
  message: M,
  payload: Uint8Array,
  payloadEncoding?: PayloadEncoding,
): M {
  const { payloadEncoding: _before, ...rest } = message.body as PayloadFields;
  const body = { ...rest, payload, ...(payloadEncoding === undefined ? {} : { payloadEncoding }) };
  return { type: message.type, body } as unknown as M;
}

/**
 * What a client hears instead of an event whose payload cannot be decoded: a result becomes a failure, and a part of
 * a result becomes bytes that are no document, so that whoever reads it gets an error and the order of parts stays.
 */
export function unreadableEvent(
  message: MessageOf<'TaskEvent'>,
  error: unknown,
): MessageOf<'TaskEvent'> {
  if (message.body.kind === 'chunk') return withPayload(message, NO_DOCUMENT);
  const { payload: _payload, payloadEncoding: _encoding, ...rest } = message.body;
  const { stack: _local, ...failure } = toFailure(error, 'BAD_ENCODING');
  return { type: 'TaskEvent', body: { ...rest, state: 'failed', failure } };
}

/** What an agent gets instead of a task whose input cannot be decoded: its handler never runs. */
export function unreadableTask(message: MessageOf<'AgentTask'>): MessageOf<'AgentTask'> {
  return withPayload(message, NO_DOCUMENT);
}
