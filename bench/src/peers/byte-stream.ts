/**
 * Peers whose streams carry bytes (ours, TCP, TLS, HTTP/2, the high-level classes of @matrixai/quic) differ only in how
 * a stream is opened, written and read; everything else is here, so that all of them are asked for the same.
 *
 * The first byte of a stream says what its server does: 1 echoes everything, the 1 included; 2 is followed by a
 * 32-bit length and so many bytes, of which the arrival of the last is confirmed by one byte.
 */
import type { Duplex } from 'node:stream';
import type { Abilities, Channel, OpenStreams } from './contract.ts';

/** A stream of bytes in both directions. */
export interface ByteStream {
  /** Queues bytes; false: wait for `drained` before the next. */
  write(bytes: Uint8Array): boolean;
  /** Queues bytes that `onBytes` was just given, which a peer may want to copy first. */
  writeBack(bytes: Uint8Array): void;
  drained(): Promise<void>;
  /** Finishes this side's half, after these bytes. */
  end(bytes?: Uint8Array): void;
  /** Gives the stream up. */
  destroy(): void;
  onBytes: (bytes: Uint8Array) => void;
  /** The other side has finished its half. */
  onEnd: () => void;
}

const ECHO = 1;
const SINK = 2;
const SINK_HEAD_BYTES = 5;
const CHUNK_BYTES = 64 * 1024;

/** Makes the server's side of a stream do what its first byte says. */
export function serveByteStream(stream: ByteStream): void {
  let mode = 0;
  let bytesLeft = 0;
  stream.onBytes = (bytes) => {
    let body = bytes;
    if (mode === 0) {
      mode = bytes[0] ?? 0;
      if (mode === SINK) {
        // The head is written in one piece, and no peer splits five bytes.
        bytesLeft = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
        body = bytes.subarray(SINK_HEAD_BYTES);
      }
    }
    if (mode === ECHO) {
      stream.writeBack(body);
    } else {
      bytesLeft -= body.length;
      if (bytesLeft <= 0) stream.write(Uint8Array.of(SINK));
    }
  };
  stream.onEnd = () => {
    stream.end();
  };
}

/** What a client can do whose `open` gives streams of its one connection. */
export function streamAbilities(
  open: () => Promise<ByteStream>,
): Pick<Abilities, 'openChannel' | 'request' | 'sendOneWay' | 'openTogether'> {
  return {
    openChannel: async (messageBytes) => channelOver(await open(), messageBytes),
    request: async (message) => {
      const stream = await open();
      await new Promise<void>((resolve) => {
        stream.onBytes = () => undefined;
        stream.onEnd = resolve;
        stream.end(message);
      });
    },
    sendOneWay: async (totalBytes) => sendOneWay(await open(), totalBytes),
    openTogether: async (count, message) => {
      const streams = await Promise.all(
        Array.from({ length: count }, async () => answeredStream(await open(), message)),
      );
      return endingTogether(streams);
    },
  };
}

function channelOver(stream: ByteStream, messageBytes: number): Channel {
  let bytesOver = 0;
  const channel: Channel = {
    send: (message) => {
      stream.write(message);
    },
    onAnswers: () => undefined,
    close: () => {
      stream.end();
    },
  };
  stream.onEnd = () => undefined;
  stream.onBytes = (bytes) => {
    const total = bytesOver + bytes.length;
    bytesOver = total % messageBytes;
    const count = (total - bytesOver) / messageBytes;
    if (count > 0) channel.onAnswers(count);
  };
  return channel;
}

async function sendOneWay(stream: ByteStream, totalBytes: number): Promise<void> {
  const confirmed = new Promise<void>((resolve) => {
    stream.onBytes = () => {
      resolve();
    };
  });
  stream.onEnd = () => undefined;
  const head = new Uint8Array(SINK_HEAD_BYTES);
  head[0] = SINK;
  new DataView(head.buffer).setUint32(1, totalBytes);
  stream.write(head);
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let bytesLeft = totalBytes; bytesLeft > 0; bytesLeft -= CHUNK_BYTES) {
    const bytes = bytesLeft < CHUNK_BYTES ? chunk.subarray(0, bytesLeft) : chunk;
    if (!stream.write(bytes)) await stream.drained();
  }
  await confirmed;
  stream.end();
}

async function answeredStream(stream: ByteStream, message: Uint8Array): Promise<ByteStream> {
  let bytesLeft = message.length;
  await new Promise<void>((resolve) => {
    stream.onEnd = () => undefined;
    stream.onBytes = (bytes) => {
      bytesLeft -= bytes.length;
      if (bytesLeft === 0) resolve();
    };
    stream.write(message);
  });
  return stream;
}

function endingTogether(streams: readonly ByteStream[]): OpenStreams {
  return {
    close: async () => {
      const ends = streams.map(
        async (stream) =>
          new Promise<void>((resolve) => {
            stream.onEnd = resolve;
            stream.end();
          }),
      );
      await Promise.all(ends);
    },
  };
}

/** A stream of node:net, node:tls or node:http2. What is written in one turn of the event loop leaves together. */
export function duplexByteStream(duplex: Duplex): ByteStream {
  let isCorked = false;
  const uncork = (): void => {
    isCorked = false;
    duplex.uncork();
  };
  const stream: ByteStream = {
    write: (bytes) => {
      if (!isCorked) {
        isCorked = true;
        duplex.cork();
        process.nextTick(uncork);
      }
      return duplex.write(bytes);
    },
    writeBack: (bytes) => {
      duplex.write(bytes);
    },
    drained: async () =>
      new Promise((resolve) => {
        duplex.once('drain', resolve);
      }),
    end: (bytes) => {
      if (bytes === undefined) duplex.end();
      else duplex.end(bytes);
    },
    destroy: () => {
      duplex.destroy();
    },
    onBytes: () => undefined,
    onEnd: () => undefined,
  };
  duplex.on('data', (bytes: Buffer) => {
    stream.onBytes(bytes);
  });
  duplex.on('end', () => {
    stream.onEnd();
  });
  // A connection that is closed while streams are open ends them with an error; whoever waits has a time limit.
  duplex.on('error', () => undefined);
  return stream;
}
