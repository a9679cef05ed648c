/** Windows of any size: a peer is never accused of what it was allowed. */
import { pattern, readAll, serveEcho } from '@quic-swarm/testkit';
import { expect, it } from 'vitest';
import { connecting, meetForTest, serving } from './quic-pair.ts';

it.each([
  { connectionWindowBytes: 10_000, streamWindowBytes: 30_000 },
  { connectionWindowBytes: 30_000, streamWindowBytes: 30_000 },
  { connectionWindowBytes: 200_000, streamWindowBytes: 150_000 },
])(
  'windows of $connectionWindowBytes for a connection and $streamWindowBytes for a stream carry megabytes',
  { timeout: 60_000 },
  async (windows) => {
    const { client } = await meetForTest(serving(windows), connecting(windows), serveEcho);
    for (let round = 0; round < 20; round += 1) {
      const bytes = pattern(round, 300_000);
      const answers = await Promise.all(
        [1, 2, 3].map(async () => {
          const stream = await client.openStream();
          const answer = readAll(stream);
          stream.write(bytes);
          stream.end();
          return answer;
        }),
      );
      for (const answer of answers) expect(answer.equals(bytes)).toBe(true);
    }
    expect(client.isOpen).toBe(true);
  },
);
