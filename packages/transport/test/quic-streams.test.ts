/** Streams in large numbers: nothing is left of those that ended. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Connection, Stream } from '@quic-swarm/transport';
import { ask, deferred, readAll, send, serveEcho, until } from '@quic-swarm/testkit';
import { describe, expect, it } from 'vitest';
import { QuicConnection } from '../src/quic/connection/connection.ts';
import { connecting, meetForTest, serving, tap } from './quic-pair.ts';

const CANCELLED = { wireCode: 0x146, message: 'not needed' } as const;

describe('a writer that is held back by the window of the connection', () => {
  it('waits in silence until the peer reads', async () => {
    const windows = { connectionWindowBytes: 20_000, streamWindowBytes: 10_000, keepAliveMs: 0 };
    const wire = tap();
    const { client, server } = await meetForTest(
      serving(windows),
      connecting({ ...windows, createSocket: wire.createSocket }),
    );
    const arrived: Stream[] = [];
    server.onStream = (stream) => arrived.push(stream);
    const texts = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (letter) => {
        const stream = await client.openStream();
        stream.write(Buffer.from(letter.repeat(9000)));
        stream.end();
        return letter.repeat(9000);
      }),
    );
    await until(() => arrived.length >= 2);
    let sent = 0;
    wire.onSend = () => {
      sent += 1;
    };
    // Asking for more room in every turn, and being answered, makes thousands of datagrams in this time.
    const untilMs = performance.now() + 300;
    await until(() => performance.now() >= untilMs);
    expect(sent).toBeLessThan(30);
    const read = new Map<number, string>();
    server.onStream = (stream) => arrived.push(stream);
    while (read.size < texts.length) {
      for (const stream of arrived.splice(0)) {
        void readAll(stream).then((bytes) => read.set(stream.id, bytes.toString()));
      }
      await turn();
    }
    expect([...read.values()].sort()).toEqual(texts);
  });
});

describe('streams that ended', () => {
  it('leave nothing behind: 20,000 of them', { timeout: 60_000 }, async () => {
    const { client, server } = await meetForTest(
      serving({ streamsMax: 500 }),
      connecting(),
      serveEcho,
    );
    let started = 0;
    const work = async (): Promise<void> => {
      while (started < 20_000) {
        started += 1;
        await ask(client, 'short');
      }
    };
    await Promise.all(Array.from({ length: 400 }, work));
    await until(() => tableSize(server) === 0 && tableSize(client) === 0);
  });

  it('give back what they took of the window of the connection when nobody read them', async () => {
    const windows = { connectionWindowBytes: 20_000, streamWindowBytes: 10_000 };
    const { client, server } = await meetForTest(serving(windows), connecting());
    server.onStream = (stream) => {
      stream.reset(CANCELLED);
    };
    for (let count = 0; count < 50; count += 1) {
      const stream = await client.openStream();
      const failed = deferred();
      stream.onData = () => undefined;
      stream.onError = () => {
        failed.resolve();
      };
      stream.write(Buffer.alloc(3000));
      await failed.promise;
    }
    serveEcho(server);
    const text = 'x'.repeat(50_000);
    expect(await ask(client, text)).toBe(text);
  });

  it('give their place back when they were reset, whoever resets', async () => {
    const { client, server } = await meetForTest(serving({ streamsMax: 20 }), connecting());
    let count = 0;
    const peerErrors = deferred();
    server.onStream = (stream) => {
      const number = stream.id / 4;
      if (number % 3 === 2) {
        stream.reset(CANCELLED);
        return;
      }
      stream.onData = () => {
        if (number % 3 === 0) stream.reset(CANCELLED);
        if (number % 3 === 1) stream.write(Buffer.alloc(100_000));
      };
      stream.onError = () => {
        count += 1;
        if (count === 100) peerErrors.resolve();
      };
    };
    for (let index = 0; index < 300; index += 1) {
      const stream = await client.openStream();
      const failed = deferred();
      stream.onData = () => undefined;
      stream.onError = () => {
        failed.resolve();
      };
      stream.write(Buffer.from('x'));
      if (index % 3 === 0) await failed.promise;
      else stream.reset(CANCELLED);
    }
    await peerErrors.promise;
    await until(() => tableSize(server) === 0 && tableSize(client) === 0);
  });
});

describe('the limit of streams', () => {
  it('lets openStream wait until another stream has ended, in order', async () => {
    const { client } = await meetForTest(serving({ streamsMax: 2 }), connecting(), serveEcho);
    const first = await client.openStream();
    const second = await client.openStream();
    const order: string[] = [];
    const third = client.openStream().then((stream) => {
      order.push('third');
      return stream;
    });
    const fourth = client.openStream().then((stream) => {
      order.push('fourth');
      return stream;
    });
    for (let count = 0; count < 20; count += 1) await turn();
    expect(order).toEqual([]);
    for (const stream of [first, second]) {
      const answer = readAll(stream);
      send(stream, 'done');
      await answer;
    }
    const streams = await Promise.all([third, fourth]);
    expect(order).toEqual(['third', 'fourth']);
    expect(streams.map(({ id }) => id)).toEqual([8, 12]);
  });

  it('rejects those who wait when the connection ends', async () => {
    const { client, server } = await meetForTest(serving({ streamsMax: 1 }), connecting());
    await client.openStream();
    const waiting = client.openStream();
    const rejected = expect(waiting).rejects.toMatchObject({ type: 'DRAINING' });
    await server.close({ wireCode: 0x150, message: 'no more' });
    await rejected;
  });
});

describe('urgency', () => {
  it('must be an integer from 0 to 255', async () => {
    const { client } = await meetForTest(serving(), connecting());
    for (const urgency of [-1, 256, 1.5, Number.NaN]) {
      await expect(client.openStream({ urgency })).rejects.toMatchObject({ type: 'BAD_OPTION' });
    }
    await expect(client.openStream({ urgency: 0 })).resolves.toBeDefined();
  });

  it('lets urgent bytes overtake queued bulk', async () => {
    const { client, server } = await meetForTest(
      serving({ maxUdpPayloadBytes: 1350 }),
      connecting({ maxUdpPayloadBytes: 1350 }),
    );
    const arrivals: string[] = [];
    const all = deferred();
    server.onStream = (stream) => {
      let name: string | undefined;
      stream.onData = (bytes) => {
        name ??= bytes[0] === 1 ? 'bulk' : 'urgent';
      };
      stream.onEnd = () => {
        arrivals.push(name ?? '');
        if (arrivals.length === 2) all.resolve();
      };
    };
    const bulk = await client.openStream({ urgency: 255 });
    const urgent = await client.openStream({ urgency: 0 });
    bulk.write(new Uint8Array(4_000_000).fill(1));
    bulk.end();
    urgent.write(new Uint8Array(1000).fill(2));
    urgent.end();
    await all.promise;
    expect(arrivals).toEqual(['urgent', 'bulk']);
  });
});

function tableSize(connection: Connection): number {
  if (!(connection instanceof QuicConnection)) throw new Error('Not a connection of QUIC.');
  return connection.streams.size;
}
