/** Connections and streams without end: what they leave behind does not grow with their number. */
import {
  createQuicTransport,
  createSelfSignedCertificate,
  type Connection,
  type Listener,
  type Stream,
  type Transport,
} from '@quic-swarm/transport';
import { ask, rejectionOf, seededRandom, serveEcho, until } from '@quic-swarm/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { growthOf, sampleMemory, type MemorySample } from './memory.ts';

const CONNECTIONS = Number(process.env['SOAK_CONNECTIONS'] ?? 10_000);
const STREAMS = Number(process.env['SOAK_STREAMS'] ?? 300_000);

/** Samples are taken at the end of each of so many equal parts; the first third warms up caches, JIT and allocator. */
const PARTS = 15;
const WARM_UP_PARTS = 5;

interface Rig {
  readonly listener: Listener;
  readonly client: Transport;
}

async function openRig(onConnection: (connection: Connection) => void): Promise<Rig> {
  const identity = createSelfSignedCertificate({ commonName: 'soak', hosts: ['127.0.0.1'] });
  // A listener renews a connection after half as many resets as it allows streams; here one is to live on.
  const server = createQuicTransport({ server: identity, streamsMax: 2 * STREAMS });
  const listener = await server.listen({ address: { host: '127.0.0.1', port: 0 }, onConnection });
  onTestFinished(async () => listener.close());
  const client = createQuicTransport({
    client: { trust: { fingerprints: [identity.fingerprint] } },
  });
  return { listener, client };
}

async function soak(
  total: number,
  runPart: (count: number) => Promise<void>,
): Promise<MemorySample[]> {
  const samples: MemorySample[] = [];
  for (let part = 1; part <= PARTS; part += 1) {
    await runPart(total / PARTS);
    const sample = await sampleMemory((part * total) / PARTS);
    const [heap, resident] = [sample.heapBytes, sample.residentBytes].map((bytes) =>
      (bytes / 2 ** 20).toFixed(2),
    );
    console.info(`${Math.round(sample.done)} done: heap ${heap} MiB, resident ${resident} MiB`);
    if (part > WARM_UP_PARTS) samples.push(sample);
  }
  return samples;
}

function tableSizeOf(listener: Listener): number {
  return 'tableSize' in listener ? Number(listener.tableSize) : Number.NaN;
}

it(`${CONNECTIONS} connections leave nothing behind`, async () => {
  const { listener, client } = await openRig(serveEcho);
  const samples = await soak(CONNECTIONS, async (count) => {
    let left = Math.round(count);
    const keepConnecting = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const connection = await client.connect(listener.address);
        await ask(connection, 'a word');
        // Some end in peace, some in the middle of a stream.
        if (left % 3 === 0) (await connection.openStream()).write(Buffer.from('cut off'));
        await connection.close({ wireCode: 0x150, message: 'done' }, left % 2 === 0 ? 1000 : 0);
      }
    };
    await Promise.all(Array.from({ length: 30 }, keepConnecting));
    await until(() => tableSizeOf(listener) === 0);
  });
  const heap = growthOf(samples, 'heapBytes');
  const resident = growthOf(samples, 'residentBytes');
  console.info(
    `growth per connection: heap ${heap.toFixed(1)}, resident ${resident.toFixed(1)} bytes`,
  );
  // The smallest thing of a connection that could be kept, an entry of a table with its key, is over 100 bytes; a
  // connection of quiche is over 20,000. What is tolerated is the noise: see the figures that are printed.
  expect(heap).toBeLessThan(60);
  expect(resident).toBeLessThan(2000);
});

it(`${STREAMS} streams leave nothing behind`, async () => {
  const { listener, client } = await openRig((connection) => {
    connection.onStream = (stream) => {
      answer(stream, connection);
    };
  });
  const random = seededRandom(20);
  const connection = await client.connect(listener.address);
  // Connections of 20,000 streams and one that sees half of all.
  const samples = await soak(STREAMS, async (count) => {
    const fresh = await client.connect(listener.address);
    for (const each of [connection, fresh]) {
      let left = Math.round(count / 2);
      const keepAsking = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          await useStream(each, random());
        }
      };
      await Promise.all(Array.from({ length: 100 }, keepAsking));
    }
    await fresh.close();
    // The long-lived connection has its ids and its place in the tables.
    await until(() => tableSizeOf(listener) <= 12);
  });
  const heap = growthOf(samples, 'heapBytes');
  const resident = growthOf(samples, 'residentBytes');
  console.info(`growth per stream: heap ${heap.toFixed(1)}, resident ${resident.toFixed(1)} bytes`);
  expect(heap).toBeLessThan(20);
  // quiche keeps the id of each stream that a connection had, in a hash set on both sides: about 40 bytes for each
  // stream of the connection that lives on, which is every second.
  expect(resident).toBeLessThan(100);
  await connection.close();
  await until(() => tableSizeOf(listener) === 0);
});

const REASON = { wireCode: 0x150, message: 'enough' };

/** What a server does with a stream depends on its first byte. */
function answer(stream: Stream, connection: Connection): void {
  let how: number | undefined;
  stream.onError = () => undefined;
  stream.onData = (bytes) => {
    how ??= bytes[0];
    if (how === 1) stream.reset(REASON);
    else if (how !== 2) stream.write(Uint8Array.from(bytes));
  };
  stream.onEnd = () => {
    stream.end();
    // Every fourth answer comes with a stream of the server's own, which the client resets.
    if (how === 3 && connection.isOpen) {
      void connection.openStream().then((own) => {
        own.onError = () => undefined;
        own.onData = () => undefined;
        own.write(Buffer.from('unasked'));
      });
    }
  };
}

/** One short life of a stream: most are answered, some are reset by either side. */
async function useStream(connection: Connection, chance: number): Promise<void> {
  connection.onStream ??= (stream) => {
    stream.reset(REASON);
  };
  const stream = await connection.openStream();
  const how = chance < 0.1 ? 1 : chance < 0.2 ? 2 : chance < 0.25 ? 3 : 0;
  const over = new Promise<void>((resolve, reject) => {
    stream.onEnd = resolve;
    stream.onError = reject;
  });
  stream.onData = () => undefined;
  stream.write(Buffer.from([how, 1, 2, 3]));
  if (how === 2) {
    stream.reset(REASON);
    over.catch(() => undefined);
    return;
  }
  if (how === 1) {
    await rejectionOf(over);
    return;
  }
  stream.end();
  await over;
}
