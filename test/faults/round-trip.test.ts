/** What a connection believes of its path while datagrams are lost: all waiting for lost ones follows from it. */
import { expect, it } from 'vitest';
import { exchangePattern, openFaultyPair } from './faulty-pair.ts';

const WORKERS = 8;
const EXCHANGES = 600;

it('a connection that loses datagrams does not believe in longer and longer round trips', async () => {
  const { connect, proxy } = await openFaultyPair({
    quic: { maxUdpPayloadBytes: 1350 },
    proxy: { faults: { delayMs: 2 } },
  });
  const connection = await connect();
  proxy.change({ lossRate: 0.05 });
  const exchangesMs: number[] = [];
  let believedMs = 0;
  let left = EXCHANGES;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const startMs = performance.now();
      await exchangePattern(connection, 2000);
      exchangesMs.push(performance.now() - startMs);
      believedMs = Math.max(believedMs, connection.statistics().roundTripMs);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  // Each exchange takes a round trip at least, so that no round trip is as long as all but the shortest exchanges.
  exchangesMs.sort((a, b) => a - b);
  expect(believedMs).toBeLessThan(exchangesMs[Math.floor(0.9 * EXCHANGES)] ?? 0);
});
