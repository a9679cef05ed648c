/** A connection outlives its path: another port or address, and a while in which nothing passes. */
import { readAll, send, until } from '@quic-swarm/testkit';
import { expect, it } from 'vitest';
import {
  datagramsToServer,
  exchangePattern,
  openFaultyPair,
  transferThroughHole,
  type FaultyPair,
} from './faulty-pair.ts';

const BYTES = 150_000;

it('a client whose port and address change in the middle of a transfer goes on', async () => {
  const pair = await openFaultyPair({ quic: { maxUdpPayloadBytes: 1350 } });
  const connection = await pair.connect();
  // A line of 20 Mbit/s: a machine at work cannot keep up with much more.
  pair.proxy.change({ delayMs: 2, bitsPerSecond: 20_000_000 });
  const addresses = new Set<string>();
  const transfers = Promise.all(
    [1, 2, 3].map(async () => {
      do await exchangePattern(connection, BYTES);
      while (addresses.size < 5);
    }),
  );
  // The client may be connected a moment before the server knows.
  await until(() => pair.accepted.length > 0);
  // The first address is known: a move is over when the server has seen one that is not.
  addresses.add(remoteOf(pair));
  for (const host of ['127.0.0.1', '127.0.0.1', '127.0.0.2', '127.0.0.1']) {
    const before = datagramsToServer(pair);
    await until(() => datagramsToServer(pair) > before + 40);
    await pair.proxy.rebind(host);
    await until(() => !addresses.has(remoteOf(pair)));
    addresses.add(remoteOf(pair));
  }
  await transfers;
  expect([...addresses].some((remote) => remote.startsWith('127.0.0.2 '))).toBe(true);
  expect([connection.isOpen, pair.accepted.length]).toEqual([true, 1]);
});

it.each([1, 3, 30])(
  'of %i messages to a port that the client has left all arrive',
  async (count) => {
    const pair = await openFaultyPair({
      quic: { maxUdpPayloadBytes: 1350, keepAliveMs: 0 },
      proxy: { faults: { delayMs: 5 } },
    });
    const connection = await pair.connect();
    await exchangePattern(connection, 1000);
    const [server] = pair.accepted;
    const arrived: number[] = [];
    connection.onStream = (stream) => {
      readAll(stream).then(
        (bytes) => arrived.push(bytes.length),
        () => undefined,
      );
      stream.end();
    };
    // The client is silent after its move, so that the server goes on sending to where it was.
    await untilSilent(pair);
    await pair.proxy.rebind();
    const before = pair.proxy.statistics('toClient').datagrams;
    for (let number = 0; number < count; number += 1) {
      const stream = await server?.openStream();
      if (stream !== undefined) send(stream, 'x'.repeat(1000));
      const nextAtMs = performance.now() + 2;
      await until(() => performance.now() >= nextAtMs);
    }
    expect(pair.proxy.statistics('toClient').datagrams).toBe(before);
    await exchangePattern(connection, 10);
    await until(() => arrived.length === count);
    expect(new Set(arrived)).toEqual(new Set([1000]));
  },
);

/** Resolves when no datagram has passed for longer than an acknowledgement may be delayed (25 ms). */
async function untilSilent({ proxy }: FaultyPair): Promise<void> {
  let passed = -1;
  let sinceMs = 0;
  await until(() => {
    const now = proxy.statistics('toServer').datagrams + proxy.statistics('toClient').datagrams;
    if (now !== passed) sinceMs = performance.now();
    passed = now;
    return performance.now() - sinceMs > 50;
  });
}

function remoteOf({ accepted }: FaultyPair): string {
  const remote = accepted[0]?.remoteAddress;
  return `${remote?.host} ${remote?.port}`;
}

it('a transfer goes on after two seconds in which nothing passed', async () => {
  await transferThroughHole(2000);
});
