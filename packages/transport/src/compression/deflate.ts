/**
 * Raw DEFLATE (RFC 1951) by Node's zlib. Whatever the bytes claim, decoding never sets aside more than the decoded
 * length that was announced, and anything else than exactly that length is an error.
 */
import {
  constants,
  createInflateRaw,
  deflateRaw,
  deflateRawSync,
  inflateRawSync,
  type InflateRaw,
} from 'node:zlib';
import { SwarmError } from '@quic-swarm/protocol';

/**
 * Level 1: on prices in 64-bit floats it gives 0.32 at 75 to 160 MB/s, level 6 gives 0.31 at 12 to 19 MB/s; on JSON
 * 0.15 at 260 MB/s against 0.13 at 93 MB/s. Pieces of 256 KiB: with the default of 16 KiB each costs a turn of the loop.
 */
const PIECE_BYTES = 256 * 1024;
const LEVEL = 1;

/** Two samples of this length are taken of a payload, at its beginning and in its middle. */
const SAMPLE_BYTES = 16 * 1024;

/** Encodes on this thread. */
export function deflateNow(bytes: Uint8Array): Uint8Array {
  return bytesOf(deflateRawSync(bytes, { level: LEVEL }));
}

/** Payloads that are being encoded: the same one for several peers is encoded once. */
const underWay = new WeakMap<Uint8Array, Promise<Uint8Array>>();

/** Long payloads are encoded in blocks of this length, several at once. */
const BLOCK_BYTES = 1024 * 1024;

/** Blocks of one payload at a time: as many as Node has threads for such work by default. */
const BLOCKS_AT_ONCE = 4;

/** Encodes on other threads. The bytes must not change meanwhile. */
export function deflateLater(bytes: Uint8Array): Promise<Uint8Array> {
  const started = underWay.get(bytes);
  if (started !== undefined) return started;
  const encoding = deflateBlocks(bytes).finally(() => underWay.delete(bytes));
  underWay.set(bytes, encoding);
  return encoding;
}

/**
 * Blocks that end at a byte (RFC 1951, a stored block of length 0) may be put one behind the other, and only the last
 * one says that it is the last: together they are one stream, as pigz makes it. It is 0.1 % longer for it.
 */
async function deflateBlocks(bytes: Uint8Array): Promise<Uint8Array> {
  const blocks: Uint8Array[] = [];
  const count = Math.max(1, Math.ceil(bytes.length / BLOCK_BYTES));
  let next = 0;
  const encodeNext = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      const block = bytes.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
      blocks[index] = await deflateBlock(block, index === count - 1);
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, BLOCKS_AT_ONCE) }, encodeNext));
  return blocks.length === 1 && blocks[0] !== undefined
    ? blocks[0]
    : bytesOf(Buffer.concat(blocks));
}

function deflateBlock(block: Uint8Array, isLast: boolean): Promise<Uint8Array> {
  const finishFlush = isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
  return new Promise((resolve, reject) => {
    deflateRaw(block, { level: LEVEL, chunkSize: PIECE_BYTES, finishFlush }, (error, encoded) => {
      if (error === null) resolve(bytesOf(encoded));
      else reject(error);
    });
  });
}

/** To what share of their length the bytes would be encoded, judged by samples; 1 or a little more for noise. */
export function sampledRatio(bytes: Uint8Array): number {
  const middle = bytes.length >>> 1;
  const samples = [
    bytes.subarray(0, SAMPLE_BYTES),
    bytes.subarray(middle, middle + SAMPLE_BYTES),
  ].filter(({ length }) => length > 0);
  const taken = samples.reduce((sum, { length }) => sum + length, 0);
  return samples.reduce((sum, sample) => sum + deflateNow(sample).length, 0) / Math.max(1, taken);
}

/** Decodes on this thread. @throws BAD_ENCODING */
export function inflateNow(bytes: Uint8Array, decodedBytes: number): Uint8Array {
  let inflated: { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
  try {
    // With `info` the answer says how much was read; its declaration does not know that.
    inflated = inflateRawSync(bytes, {
      maxOutputLength: decodedBytes,
      info: true,
    }) as unknown as typeof inflated;
  } catch (error) {
    throw corrupt(error);
  }
  const { buffer, engine } = inflated;
  if (buffer.length !== decodedBytes) throw wrongLength(buffer.length, decodedBytes);
  if (engine.bytesWritten !== bytes.length) throw excess(bytes.length - engine.bytesWritten);
  return bytesOf(buffer);
}

/** Decodes on another thread. Rejects with BAD_ENCODING. */
export async function inflateLater(bytes: Uint8Array, decodedBytes: number): Promise<Uint8Array> {
  const decoded = new Uint8Array(decodedBytes);
  let length = 0;
  const inflation = new Inflation(decodedBytes, (piece) => {
    decoded.set(piece, length);
    length += piece.length;
  });
  inflation.push(bytes);
  await inflation.end();
  return decoded;
}

/** Decodes on another thread what arrives in pieces, and hands on what comes out in pieces. */
export class Inflation {
  readonly #engine: InflateRaw;
  readonly #ended: Promise<void>;
  #taken = 0;
  #given = 0;

  /** @param onPiece hears of at most `decodedBytes` bytes in all; what it throws rejects `end` */
  constructor(decodedBytes: number, onPiece: (piece: Uint8Array) => void) {
    const engine = createInflateRaw({ chunkSize: PIECE_BYTES });
    this.#engine = engine;
    this.#ended = new Promise<void>((resolve, reject) => {
      const fail = (error: unknown): void => {
        engine.destroy();
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      engine.on('data', (piece: Uint8Array) => {
        this.#given += piece.length;
        try {
          if (this.#given > decodedBytes) throw wrongLength(this.#given, decodedBytes);
          onPiece(piece);
        } catch (error) {
          fail(error);
        }
      });
      engine.on('error', (error) => {
        fail(corrupt(error));
      });
      engine.on('end', () => {
        const unread = this.#taken - engine.bytesWritten;
        if (this.#given !== decodedBytes) fail(wrongLength(this.#given, decodedBytes));
        else if (unread > 0) fail(excess(unread));
        else resolve();
      });
      engine.on('close', () => {
        reject(new SwarmError('CLOSED_LOCALLY', 'Nobody wants the payload any more.'));
      });
    });
    // Whoever calls `end` hears of it; who has not come so far must not crash for it.
    this.#ended.catch(() => {});
  }

  /** Takes bytes, which must not change afterwards. False: wait for `ready` before the next ones. */
  push(bytes: Uint8Array): boolean {
    this.#taken += bytes.length;
    if (this.#engine.destroyed || this.#engine.writableEnded) return true;
    return this.#engine.write(bytes);
  }

  /** Resolves when more bytes may be pushed, also when they will not be used. */
  async ready(): Promise<void> {
    const engine = this.#engine;
    if (!engine.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        engine.off('drain', done);
        engine.off('close', done);
        resolve();
      };
      engine.on('drain', done);
      engine.on('close', done);
    });
  }

  /** All bytes were pushed. Resolves when everything was handed on; rejects with BAD_ENCODING. */
  async end(): Promise<void> {
    if (!this.#engine.destroyed) this.#engine.end();
    await this.#ended;
  }

  /** Lets go of it before its end. */
  stop(): void {
    this.#engine.destroy();
  }
}

/** Without the methods of Node's Buffer, some of which mean something else: what is decoded here reaches users. */
function bytesOf({ buffer, byteOffset, length }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}

function corrupt(cause: unknown): SwarmError {
  const { code = '', message = '' } = cause as { code?: string; message?: string };
  const why =
    code === 'ERR_BUFFER_TOO_LARGE' ? 'it decodes to more than it claims' : message || code;
  return new SwarmError('BAD_ENCODING', `The payload cannot be decoded: ${why}.`, { cause });
}

function wrongLength(length: number, decodedBytes: number): SwarmError {
  const found = length > decodedBytes ? 'more' : `${length}`;
  return new SwarmError(
    'BAD_ENCODING',
    `The payload claims to decode to ${decodedBytes} bytes and decodes to ${found}.`,
  );
}

function excess(bytes: number): SwarmError {
  return new SwarmError('BAD_ENCODING', `${bytes} bytes follow the end of the encoded payload.`);
}
