/** Small helpers of the conformance suite: reading whole streams, patterns of bytes, waiting for an event. */
import type { Connection, Stream } from '@quic-swarm/transport';

/** A promise with its handles. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes a {@link Deferred}. */
export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** Reads until the peer's end; rejects with the stream's error. Takes over the stream's handlers. */
export async function readAll(stream: Stream): Promise<Buffer> {
  const { promise, resolve, reject } = deferred<Buffer>();
  const chunks: Buffer[] = [];
  stream.onEnd = () => {
    resolve(Buffer.concat(chunks));
  };
  stream.onError = reject;
  stream.onData = (bytes) => {
    chunks.push(Buffer.from(bytes));
  };
  return promise;
}

/** Writes a text and ends. */
export function send(stream: Stream, text: string): void {
  stream.write(Buffer.from(text));
  stream.end();
}

/** Opens a stream, sends a text, returns the whole answer. */
export async function ask(connection: Connection, text: string): Promise<string> {
  const stream = await connection.openStream();
  const answer = readAll(stream);
  send(stream, text);
  return (await answer).toString();
}

/** Sends everything back, on every stream. */
export function serveEcho(connection: Connection): void {
  connection.onStream = (stream) => {
    stream.onEnd = () => {
      stream.end();
    };
    stream.onError = () => undefined;
    stream.onData = (bytes) => {
      stream.write(Uint8Array.from(bytes));
    };
  };
}

/** Settles with what a promise rejects with; fails when it does not reject. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('The promise was not rejected.');
}

/** Lets the event loop turn; a condition that needs no clock is awaited with it. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

/** Turns the event loop until the condition holds. The test's own time-out bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** A prime, so that no size of a buffer or packet is a multiple of it. */
const PERIOD_BYTES = 65_521;

/** Random bytes, twice over: any part of the endless pattern of up to one period is a part of this. */
const PERIODS = makePeriods();

/** `length` bytes from an offset of an endless pattern in which lost, doubled or swapped bytes show. */
export function pattern(offset: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; done += PERIOD_BYTES) {
    const start = (offset + done) % PERIOD_BYTES;
    PERIODS.copy(bytes, done, start, start + Math.min(PERIOD_BYTES, length - done));
  }
  return bytes;
}

/** Whether bytes are the pattern from an offset. */
export function isPattern(bytes: Uint8Array, offset: number): boolean {
  for (let done = 0; done < bytes.length; done += PERIOD_BYTES) {
    const part = bytes.subarray(done, done + PERIOD_BYTES);
    const start = (offset + done) % PERIOD_BYTES;
    if (!PERIODS.subarray(start, start + part.length).equals(part)) return false;
  }
  return true;
}

/** A small seeded generator (mulberry32): the same sizes in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function makePeriods(): Buffer {
  const random = seededRandom(1);
  const period = Uint8Array.from({ length: PERIOD_BYTES }, () => Math.floor(random() * 256));
  // The first byte is 0: a test tells the transfer from other streams by it.
  period[0] = 0;
  return Buffer.concat([period, period]);
}
