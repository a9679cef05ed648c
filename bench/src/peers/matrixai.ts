/** The high-level classes of @matrixai/quic, QUICServer and QUICClient: what its users would write. */
import { createHmac, randomBytes, timingSafeEqual, webcrypto } from 'node:crypto';
import Logger, { LogLevel } from '@matrixai/logger';
import {
  events,
  QUICClient,
  QUICServer,
  type QUICConnection,
  type QUICStream,
} from '@matrixai/quic';
import { serveByteStream, streamAbilities, type ByteStream } from './byte-stream.ts';
import { FIRST_MESSAGE, timeConnect } from './connect-times.ts';
import { addressOf, hostAndPort, type Peer, type ProcessContext } from './contract.ts';

/** The windows that quic-swarm's transport has. */
const LIMITS = {
  applicationProtos: ['bench'],
  maxIdleTimeout: 60_000,
  initialMaxStreamsBidi: 20_000,
  initialMaxData: 64 * 1024 * 1024,
  initialMaxStreamDataBidiLocal: 16 * 1024 * 1024,
  initialMaxStreamDataBidiRemote: 16 * 1024 * 1024,
};

const logger = new Logger('bench', LogLevel.SILENT);

export const peer: Peer = {
  packages: ['@matrixai/quic'],
  processes: [
    {
      name: 'server',
      async start({ identity }) {
        const server = new QUICServer({
          crypto: { key: arrayBufferOf(randomBytes(32)), ops: { sign, verify } },
          config: {
            ...LIMITS,
            key: identity.privateKey,
            cert: identity.certificate,
            verifyPeer: false,
          },
          logger,
        });
        server.addEventListener(events.EventQUICServerError.name, () => undefined);
        server.addEventListener(
          events.EventQUICServerConnection.name,
          (event: events.EventQUICServerConnection) => {
            serveConnection(event.detail);
          },
        );
        await server.start({ host: '127.0.0.1', port: 0 });
        return {
          address: `127.0.0.1:${server.port}`,
          stop: async () => server.stop({ force: true }),
        };
      },
    },
    {
      name: 'client',
      async start(context) {
        const client = await openClient(context);
        return {
          abilities: {
            ...abilitiesOf(client),
            connectCold: async () =>
              timeConnect(async () => {
                const connection = await openClient(context);
                return {
                  ask: async () => abilitiesOf(connection).request(FIRST_MESSAGE),
                  close: async () => connection.destroy({ force: true }),
                };
              }),
          },
          stop: async () => client.destroy({ force: true }),
        };
      },
    },
  ],
};

function serveConnection(connection: QUICConnection): void {
  connection.addEventListener(
    events.EventQUICConnectionStream.name,
    (event: events.EventQUICConnectionStream) => {
      serveByteStream(webByteStream(event.detail));
    },
  );
}

function abilitiesOf({ connection }: QUICClient): ReturnType<typeof streamAbilities> {
  return streamAbilities(async () => webByteStream(connection.newStream()));
}

async function openClient(context: ProcessContext): Promise<QUICClient> {
  return QUICClient.createQUICClient(
    {
      ...hostAndPort(addressOf(context, 'server')),
      // Its sockets are of both families unless told otherwise, and then 127.0.0.1 is not what the server sees.
      localHost: '127.0.0.1',
      serverName: 'localhost',
      crypto: { ops: { randomBytes: fillRandomly } },
      config: { ...LIMITS, verifyPeer: true, ca: context.identity.authority },
      logger,
    },
    { timer: 5000 },
  );
}

/** A pair of web streams. */
function webByteStream({ readable, writable }: QUICStream): ByteStream {
  const reader = readable.getReader();
  const writer = writable.getWriter();
  let lastWrite: Promise<void> = Promise.resolve();
  const noteWrite = (write: Promise<void>): void => {
    lastWrite = write;
    // A stream that is given up while something is written; whoever waits has a time limit.
    write.catch(() => undefined);
  };
  const stream: ByteStream = {
    write: (bytes) => {
      noteWrite(writer.write(bytes));
      return (writer.desiredSize ?? 0) > 0;
    },
    writeBack: (bytes) => {
      noteWrite(writer.write(bytes));
    },
    drained: async () => lastWrite,
    end: (bytes) => {
      if (bytes !== undefined) noteWrite(writer.write(bytes));
      writer.close().catch(() => undefined);
    },
    destroy: () => {
      writer.abort().catch(() => undefined);
      reader.cancel().catch(() => undefined);
    },
    onBytes: () => undefined,
    onEnd: () => undefined,
  };
  const readAll = async (): Promise<void> => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      stream.onBytes(value);
    }
    stream.onEnd();
  };
  readAll().catch(() => undefined);
  return stream;
}

async function sign(key: ArrayBuffer, data: ArrayBuffer): Promise<ArrayBuffer> {
  return arrayBufferOf(hmacOf(key, data));
}

async function verify(key: ArrayBuffer, data: ArrayBuffer, given: ArrayBuffer): Promise<boolean> {
  const expected = hmacOf(key, data);
  return given.byteLength === expected.length && timingSafeEqual(expected, Buffer.from(given));
}

function hmacOf(key: ArrayBuffer, data: ArrayBuffer): Buffer {
  return createHmac('sha256', Buffer.from(key)).update(Buffer.from(data)).digest();
}

async function fillRandomly(bytes: ArrayBuffer): Promise<void> {
  webcrypto.getRandomValues(new Uint8Array(bytes));
}

/** The library wants buffers of their own, where those of node:crypto lie in a shared one. */
function arrayBufferOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
