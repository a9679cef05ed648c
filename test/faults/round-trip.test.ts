/** What a connection believes of its path while datagrams are lost: all waiting for lost ones follows from it. */
import { expect, it } from 'vitest';
import { exchangePattern, openFaultyPair } from './faulty-pair.ts';

const WORKERS = 8;
const EXCHANGES = 600;

/** Seen with pacing 0.2 to 1.6, without it 5 to 50. */
const BELIEVED_FACTOR_MAX = 4;

it('a connection that loses datagrams does not believe in longer and longer round trips', async () => {
  const { connect, proxy } = await openFaultyPair({
    quic: { maxUdpPayloadBytes: 1350 },
    proxy: { faults: { delayMs: 2 } },
  });
  const connection = await connect();
  proxy.change({ lossRate: 0.05 });
  const exchangesMs: number[] = [];
  const believedMs: number[] = [];
  let left = EXCHANGES;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const startMs = performance.now();
      await exchangePattern(connection, 2000);
      exchangesMs.push(performance.now() - startMs);
      believedMs.push(connection.statistics().roundTripMs);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  // An exchange takes a round trip at least, and most of them lose nothing; a machine that pauses makes both longer.
  expect(median(believedMs)).toBeLessThan(BELIEVED_FACTOR_MAX * median(exchangesMs));
});

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
