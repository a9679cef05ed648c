/** Bytes arrive intact and in order whatever the network does to their datagrams. */
import { describe, expect, it } from 'vitest';
import { exchangePattern, openFaultyPair } from './faulty-pair.ts';
import { WEATHER } from './weather.ts';

const STREAMS = 8;

describe.each(WEATHER)('under $name', ({ faults, bytes, happened }) => {
  it('bytes arrive intact and in order, both ways', async () => {
    const { connect, proxy } = await openFaultyPair({ quic: { maxUdpPayloadBytes: 1350 } });
    const connection = await connect();
    proxy.change(faults);
    await Promise.all(
      Array.from({ length: STREAMS }, async () => exchangePattern(connection, bytes)),
    );
    expect(connection.isOpen).toBe(true);
    expect(happened(proxy.statistics('toServer'))).toBeGreaterThan(0);
    expect(happened(proxy.statistics('toClient'))).toBeGreaterThan(0);
  });
});

describe('a handshake', () => {
  it.each([0, 256])(
    'succeeds over a line that loses, repeats and damages datagrams; Retry from %i half-open ones',
    async (halfOpenBeforeRetry) => {
      const retries = new Set<number>();
      const { connect } = await openFaultyPair({
        server: { limits: { halfOpenBeforeRetry, handshakeTimeoutMs: 30_000 } },
        proxy: {
          seed: 4,
          faults: { lossRate: 0.15, duplicateRate: 0.2, flipRate: 0.05 },
          observe: (_direction, datagram, _fate, flow) => {
            if (isRetry(datagram)) retries.add(flow);
          },
        },
      });
      const connections = await Promise.all([1, 2, 3, 4, 5, 6].map(async () => connect()));
      await Promise.all(connections.map(async (connection) => exchangePattern(connection, 2000)));
      expect(retries.size).toBe(halfOpenBeforeRetry === 0 ? connections.length : 0);
    },
  );
});

/** A long header of type 3 (RFC 9000 §17.2.5). */
function isRetry(datagram: Uint8Array): boolean {
  return ((datagram[0] ?? 0) & 0xb0) === 0xb0;
}
