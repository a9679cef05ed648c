/** The high-level classes of @matrixai/quic as peers: what they need to work, and echo over their web streams. */
import { createHmac, randomBytes, timingSafeEqual, webcrypto } from 'node:crypto';
import {
  events,
  QUICClient,
  QUICServer,
  type QUICConnection,
  type QUICStream,
} from '@matrixai/quic';
import type { Address, Identity } from '@quic-swarm/transport';
import { onTestFinished } from 'vitest';

const ALPN = 'neural-trader-quic';

/** By default they wait for ever, and log to stderr. */
const PATIENCE = { maxIdleTimeout: 10_000, applicationProtos: [ALPN] };

type Logger = NonNullable<ConstructorParameters<typeof QUICServer>[0]['logger']>;

const silence = {
  getChild: () => silence,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const logger = silence as unknown as Logger;

/** A client that trusts an authority and is closed with the test. */
export async function matrixClient(address: Address, authority: string): Promise<QUICClient> {
  const client = await QUICClient.createQUICClient(
    {
      host: address.host,
      port: address.port,
      // BoringSSL compares it with the certificate's DNS names, so that an IP address never fits.
      serverName: 'localhost',
      // By default it binds to `::`, from which an IPv4 address cannot be reached.
      localHost: '127.0.0.1',
      crypto: {
        ops: {
          // Called with a buffer of bytes to fill.
          randomBytes: async (bytes) => {
            webcrypto.getRandomValues(new Uint8Array(bytes));
          },
        },
      },
      config: { ...PATIENCE, verifyPeer: true, ca: authority },
      logger,
    },
    { timer: 10_000 },
  );
  onTestFinished(async () => client.destroy({ force: true }));
  return client;
}

/** A server that is closed with the test. `onConnection` sets its listeners before the connection's first stream. */
export async function matrixServer(
  identity: Identity,
  onConnection: (connection: QUICConnection) => void,
): Promise<Address> {
  const server = new QUICServer({
    // It signs the tokens of its Retry packets, and makes connection ids of the signatures.
    crypto: {
      key: exactBuffer(randomBytes(32)),
      ops: {
        sign: async (key, bytes) => exactBuffer(signature(key, bytes)),
        verify: async (key, bytes, signed) =>
          timingSafeEqual(signature(key, bytes), Buffer.from(signed)),
      },
    },
    config: { ...PATIENCE, key: identity.privateKey, cert: identity.certificate },
    logger,
  });
  server.addEventListener(
    events.EventQUICServerConnection.name,
    ({ detail }: events.EventQUICServerConnection) => {
      onConnection(detail);
    },
  );
  await server.start({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => server.stop({ force: true }));
  return { host: server.host, port: server.port };
}

/** Calls back for each stream that the peer opens. */
export function onPeerStream(
  connection: QUICConnection,
  onStream: (stream: QUICStream) => void,
): void {
  connection.addEventListener(
    events.EventQUICConnectionStream.name,
    ({ detail }: events.EventQUICConnectionStream) => {
      onStream(detail);
    },
  );
}

/** Sends everything back. */
export function echo(stream: QUICStream): void {
  stream.readable.pipeTo(stream.writable).catch(() => undefined);
}

/** Opens a stream, sends bytes, returns the whole answer. */
export async function askMatrix(connection: QUICConnection, bytes: Uint8Array): Promise<Buffer> {
  const stream = connection.newStream();
  const answer = (async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream.readable) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  })();
  const writer = stream.writable.getWriter();
  await writer.write(bytes);
  await writer.close();
  return answer;
}

function signature(key: ArrayBuffer, bytes: ArrayBuffer): Buffer {
  return createHmac('sha256', Buffer.from(key)).update(Buffer.from(bytes)).digest();
}

function exactBuffer(bytes: Buffer): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
