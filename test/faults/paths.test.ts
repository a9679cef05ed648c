/** A connection outlives its path: another port or address, and a while in which nothing passes. */
import { until } from '@quic-swarm/testkit';
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
  // A line of 20 Mbit/s, so that the transfer is under way when the client moves.
  pair.proxy.change({ delayMs: 2, bitsPerSecond: 20_000_000 });
  let isDone = false;
  const transfers = Promise.all([1, 2, 3].map(async () => exchangePattern(connection, BYTES)));
  const done = transfers.finally(() => {
    isDone = true;
  });
  const ports = new Set<string>();
  for (const host of ['127.0.0.1', '127.0.0.1', '127.0.0.2', '127.0.0.1']) {
    const before = datagramsToServer(pair);
    await until(() => isDone || datagramsToServer(pair) > before + 40);
    expect(isDone).toBe(false);
    await pair.proxy.rebind(host);
    await until(() => isDone || !ports.has(remoteOf(pair)));
    ports.add(remoteOf(pair));
  }
  await done;
  expect(ports.size).toBe(4);
  expect([...ports].some((remote) => remote.startsWith('127.0.0.2 '))).toBe(true);
  expect([connection.isOpen, pair.accepted.length]).toEqual([true, 1]);
});

function remoteOf({ accepted }: FaultyPair): string {
  const remote = accepted[0]?.remoteAddress;
  return `${remote?.host} ${remote?.port}`;
}

it('a transfer goes on after two seconds in which nothing passed', async () => {
  await transferThroughHole(2000);
});
