/** The tests of test/faults with more seeds, more bytes, longer holes and more garbage. */
import { describe, expect, it } from 'vitest';
import { exchangePattern, openFaultyPair, transferThroughHole } from '../faults/faulty-pair.ts';
import { bombard } from '../faults/garbage.ts';
import { WEATHER } from '../faults/weather.ts';

const SEEDS = Array.from({ length: 5 }, (_, index) => index + 1);
const PAYLOADS = [1200, 16_383] as const;

describe.each(WEATHER)('under $name', ({ faults, bytes }) => {
  it.each(SEEDS)('connections of all packet sizes carry their bytes, seed %i', async (seed) => {
    for (const maxUdpPayloadBytes of PAYLOADS) {
      const { connect, proxy } = await openFaultyPair({
        quic: { maxUdpPayloadBytes, idleTimeoutMs: 60_000 },
        server: { limits: { handshakeTimeoutMs: 30_000 } },
        proxy: { seed, faults },
      });
      const connection = await connect();
      const streams = Array.from({ length: 8 }, async () => exchangePattern(connection, bytes));
      await Promise.all(streams);
      expect(connection.isOpen).toBe(true);
      await connection.close();
      await proxy.close();
    }
  });
});

it('a transfer goes on after five seconds in which nothing passed', async () => {
  await transferThroughHole(5000);
});

it('100,000 datagrams of garbage do no harm', async () => {
  await bombard(100_000, 2);
});
