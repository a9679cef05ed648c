/**
 * What the streams of a stress run carry. The side that opens a stream begins it with an order of 20 bytes that says what
 * the other side shall do; then come bytes of a pattern, which both sides check.
 */
import { isPattern, pattern } from '@quic-swarm/testkit';
import type { Stream } from '@quic-swarm/transport';
import { choose, logInteger, type Random } from './plan.ts';

/** What a stream is for, from the view of the side that opens it. */
export const KINDS = [
  'hello',
  'exchange',
  'resetByPeer',
  'resetByOpener',
  'callBack',
  'slowReader',
] as const;

/** See the head of this file. */
export interface Order {
  readonly kind: (typeof KINDS)[number];
  /** Bytes that follow the order. */
  readonly length: number;
  /** Bytes of the answer. */
  readonly answerLength: number;
  /** Where the pattern begins; the answer begins one further. */
  readonly offset: number;
  /** The number of the connection, so that the server's end is known. */
  readonly connection: number;
}

const ORDER_BYTES = 20;

export const REASON = { wireCode: 0x150, message: 'a stress run' } as const;

function encodeOrder(order: Order): Uint8Array {
  const bytes = Buffer.alloc(ORDER_BYTES);
  const { kind, length, answerLength, offset, connection } = order;
  for (const [index, value] of [
    KINDS.indexOf(kind),
    length,
    answerLength,
    offset,
    connection,
  ].entries()) {
    bytes.writeUInt32LE(value, index * 4);
  }
  return bytes;
}

function decodeOrder(bytes: Buffer): Order {
  const values = [0, 1, 2, 3, 4].map((index) => bytes.readUInt32LE(index * 4));
  const [kind = 0, length = 0, answerLength = 0, offset = 0, connection = 0] = values;
  return { kind: KINDS[kind] ?? 'hello', length, answerLength, offset, connection };
}

/** Writes an order and the bytes that belong to it, in pieces of random sizes; ends the half. */
export async function sendOrder(stream: Stream, order: Order, random: Random): Promise<void> {
  const head = encodeOrder(order);
  // Now and then the order arrives byte by byte.
  if (random() < 0.05) for (const byte of head) stream.write(Uint8Array.of(byte));
  else stream.write(head);
  await sendPattern(stream, order.offset, order.length, random);
}

/** Writes bytes of the pattern and ends the half. */
export async function sendPattern(
  stream: Stream,
  offset: number,
  length: number,
  random: Random,
): Promise<void> {
  const chunkBytes = choose(random, [logInteger(random, 20, 200_000), 65_536]);
  for (let done = 0; done < length; done += chunkBytes) {
    const mayGoOn = stream.write(pattern(offset + done, Math.min(chunkBytes, length - done)));
    if (!mayGoOn) await stream.drained();
  }
  stream.end();
}

/** Told of a stream's bytes and end. */
export interface Reading {
  readonly onOrder?: (order: Order) => void;
  readonly onProgress: (bytes: number) => void;
  /** The end of the peer's half; `received` are the bytes of the pattern. */
  readonly onEnd: (received: number) => void;
  readonly onError: (error: Error) => void;
}

/** Reads a stream that begins with an order, or, with `offset`, an answer that does not. */
export function readStream(stream: Stream, offset: number | undefined, reading: Reading): void {
  let head = Buffer.alloc(0);
  let from = offset;
  let received = 0;
  stream.onError = reading.onError;
  stream.onEnd = () => {
    reading.onEnd(received);
  };
  stream.onData = (chunk) => {
    reading.onProgress(chunk.length);
    let bytes = chunk;
    if (from === undefined) {
      head = Buffer.concat([head, bytes]);
      if (head.length < ORDER_BYTES) return;
      const order = decodeOrder(head);
      from = order.offset;
      bytes = head.subarray(ORDER_BYTES);
      reading.onOrder?.(order);
    }
    if (!isPattern(bytes, from + received)) {
      reading.onError(new WrongBytes(`Stream ${stream.id} differs after byte ${received}.`));
    }
    received += bytes.length;
  };
}

/** A stream carried other bytes than were sent: never an accident of the network. */
export class WrongBytes extends Error {}
