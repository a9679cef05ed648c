/** What a connection believes of its path while datagrams are lost: all waiting for lost ones follows from it. */
import { expect, it } from 'vitest';
import { exchangePattern, openFaultyPair } from './faulty-pair.ts';

const WORKERS = 8;
const EXCHANGES = 600;

/**
 * The path has 4 ms. Up to 90 ms are believed with pacing, more than 1,100 without it. A machine that stands still for four
 * seconds would make as much of a true belief, since a sample counts for an eighth (RFC 9002 §5.3).
 */
const BELIEVED_MS_MAX = 500;

it('a connection that loses datagrams does not believe in longer and longer round trips', async () => {
  const { connect, proxy } = await openFaultyPair({
    quic: { maxUdpPayloadBytes: 1350 },
    proxy: { faults: { delayMs: 2 } },
  });
  const connection = await connect();
  proxy.change({ lossRate: 0.05 });
  let believedMs = 0;
  let left = EXCHANGES;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await exchangePattern(connection, 2000);
      believedMs = Math.max(believedMs, connection.statistics().roundTripMs);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  expect(believedMs).toBeLessThan(BELIEVED_MS_MAX);
});
