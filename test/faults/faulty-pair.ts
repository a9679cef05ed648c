/** A listener and clients of QUIC with a faulty network between them, and transfers that check every byte. */
import {
  createQuicTransport,
  createSelfSignedCertificate,
  type Address,
  type Connection,
  type Listener,
  type QuicTransportOptions,
  type Stream,
} from '@quic-swarm/transport';
import { FaultProxy, isPattern, pattern, until, type FaultProxyOptions } from '@quic-swarm/testkit';
import { expect, onTestFinished } from 'vitest';

const ordinaryIdentity = createSelfSignedCertificate({
  commonName: 'coordinator',
  hosts: ['localhost', '127.0.0.1'],
});
const LOOPBACK = { host: '127.0.0.1', port: 0 } as const;

/** Options of {@link openFaultyPair}. */
export interface FaultyPairOptions {
  /** The listener's certificate. @default one for 127.0.0.1 */
  readonly identity?: ReturnType<typeof createSelfSignedCertificate>;
  readonly quic?: Omit<QuicTransportOptions, 'server' | 'client' | 'createSocket'>;
  readonly server?: Pick<QuicTransportOptions, 'limits' | 'createSocket'>;
  readonly proxy?: Omit<FaultProxyOptions, 'server'>;
}

/** What lies between clients and a listener that answers patterns. */
export interface FaultyPair {
  readonly listener: Listener;
  readonly proxy: FaultProxy;
  readonly accepted: Connection[];
  /** Connects over the proxy. */
  readonly connect: (address?: Address, timeoutMs?: number) => Promise<Connection>;
  /** Opens another proxy to the listener. */
  readonly openProxy: (options: Omit<FaultProxyOptions, 'server'>) => Promise<FaultProxy>;
}

/** Opens a listener with a proxy in front of it; all of it is closed with the test. */
export async function openFaultyPair(options: FaultyPairOptions = {}): Promise<FaultyPair> {
  const { quic = {}, server = {}, identity = ordinaryIdentity } = options;
  const accepted: Connection[] = [];
  const listener = await createQuicTransport({ server: identity, ...quic, ...server }).listen({
    address: LOOPBACK,
    onConnection: (connection) => {
      accepted.push(connection);
      connection.onStream = answerPattern;
    },
  });
  const openProxy: FaultyPair['openProxy'] = async (proxyOptions) => {
    const proxy = await FaultProxy.open({ server: listener.address, ...proxyOptions });
    onTestFinished(async () => proxy.close());
    return proxy;
  };
  const proxy = await openProxy(options.proxy ?? {});
  const trust = { fingerprints: [identity.fingerprint] };
  const client = createQuicTransport({ client: { trust }, ...quic });
  onTestFinished(async () => {
    await listener.close();
  });
  const connect: FaultyPair['connect'] = async (address = proxy.address, timeoutMs = 30_000) => {
    const connection = await client.connect(address, { timeoutMs });
    onTestFinished(async () => connection.close(undefined, 0));
    return connection;
  };
  return { listener, proxy, accepted, connect, openProxy };
}

/** Sends the pattern from one offset on a new stream and reads as many bytes of it from another offset; rejects when a
 *  byte is wrong, missing, doubled or out of order. */
export async function exchangePattern(connection: Connection, length: number): Promise<void> {
  const stream = await connection.openStream();
  const answer = readPattern(stream, answerOffset(stream.id));
  await writePattern(stream, stream.id, length);
  const received = await answer;
  if (received !== length) throw new Error(`${received} bytes of ${length} came back.`);
}

/** How many datagrams the clients have sent. */
export function datagramsToServer({ proxy }: FaultyPair): number {
  return proxy.statistics('toServer').datagrams;
}

/** Transfers bytes over a path on which nothing passes for a while in the middle. */
export async function transferThroughHole(lengthMs: number): Promise<void> {
  const pair = await openFaultyPair({ quic: { maxUdpPayloadBytes: 1350 } });
  const { proxy } = pair;
  const connection = await pair.connect();
  proxy.change({ delayMs: 2, bitsPerSecond: 50_000_000 });
  const before = datagramsToServer(pair);
  const transfers = Promise.all([1, 2, 3].map(async () => exchangePattern(connection, 150_000)));
  await until(() => datagramsToServer(pair) > before + 60);
  proxy.change({ isDown: true });
  // The length of the hole is what is tried here, not a wait for something to happen.
  const endsAtMs = performance.now() + lengthMs;
  await until(() => performance.now() >= endsAtMs);
  for (const direction of ['toServer', 'toClient'] as const) {
    expect(proxy.statistics(direction).blackholed).toBeGreaterThan(0);
  }
  proxy.change({ isDown: false });
  await transfers;
  expect(connection.isOpen).toBe(true);
}

function answerPattern(stream: Stream): void {
  // A stream that fails is noticed by the client, which waits for all of the answer.
  readPattern(stream, stream.id)
    .then(async (length) => writePattern(stream, answerOffset(stream.id), length))
    .catch(() => undefined);
}

/** Streams start at different places of the pattern, so that bytes of one cannot pass for those of another. */
function answerOffset(streamId: number): number {
  return streamId + 30_011;
}

const CHUNK_BYTES = 50_000;

async function writePattern(stream: Stream, offset: number, length: number): Promise<void> {
  for (let done = 0; done < length; done += CHUNK_BYTES) {
    const mayGoOn = stream.write(pattern(offset + done, Math.min(CHUNK_BYTES, length - done)));
    if (!mayGoOn) await stream.drained();
  }
  stream.end();
}

async function readPattern(stream: Stream, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = 0;
    stream.onError = reject;
    stream.onEnd = () => {
      resolve(received);
    };
    stream.onData = (bytes) => {
      if (!isPattern(bytes, offset + received)) {
        reject(new Error(`Stream ${stream.id} differs after byte ${received}.`));
      }
      received += bytes.length;
    };
  });
}

/** How many entries the tables of a listener have. */
export function tableSizeOf(listener: Listener): number {
  if (!('tableSize' in listener))
    throw new Error('The listener does not tell the size of its tables.');
  return Number(listener.tableSize);
}
