/** What a connection does when it hears nothing, although it believes that the path is a long one. */
import { expect, it } from 'vitest';
import { until } from '@quic-swarm/testkit';
import { datagramsToServer, exchangePattern, openFaultyPair } from './faulty-pair.ts';

/** quiche's own probes after one loss are two; the datagram that was lost and an acknowledgement are the others. */
const DATAGRAMS_WITHOUT_PINGS = 4;

it('sends pings long before quiche would probe', async () => {
  const pair = await openFaultyPair({ proxy: { faults: { delayMs: 600 } } });
  const { proxy } = pair;
  const connection = await pair.connect();
  await exchangePattern(connection, 20);
  expect(connection.statistics().roundTripMs).toBeGreaterThan(1000);
  proxy.change({ delayMs: 0, isDown: true });
  const before = datagramsToServer(pair);
  const exchange = exchangePattern(connection, 20);
  await until(() => datagramsToServer(pair) > before);
  proxy.change({ isDown: false });
  await exchange;
  expect(datagramsToServer(pair) - before).toBeGreaterThan(DATAGRAMS_WITHOUT_PINGS);
});
