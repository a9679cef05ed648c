/** How streams and connections end: resets, graceful and abrupt closes, the end of a listener. */
import { ERRORS } from '@quic-swarm/protocol';
import type { Connection, Stream } from '@quic-swarm/transport';
import { expect, it } from 'vitest';
import { ask, deferred, isPattern, pattern, readAll, rejectionOf, serveEcho } from './streams.ts';
import type { MeetingSource } from './meeting.ts';

const CANCELLED = { wireCode: ERRORS.TASK_CANCELLED.wireCode, message: 'not needed' } as const;
const DRAINING = { wireCode: ERRORS.DRAINING.wireCode, message: 'the machine goes down' } as const;

/** Defines the tests. */
export function describeClosing(source: MeetingSource): void {
  describeResets(source);
  describeConnectionEnd(source);
  describeAfterTheEnd(source);
  describeListenerEnd(source);
}

/** A stream with a byte on it, from both sides. */
async function openPair(source: MeetingSource): Promise<[Stream, Stream]> {
  const arrived = deferred<Stream>();
  source().server.onStream = arrived.resolve;
  const stream = await source().client.openStream();
  stream.write(pattern(0, 1));
  return [stream, await arrived.promise];
}

/** Queues more than any window takes. */
function flood(stream: Stream): void {
  const chunk = pattern(0, 1_000_000);
  for (let count = 0; count < 40; count += 1) stream.write(chunk);
}

function describeResets(source: MeetingSource): void {
  it('shows a reset to the peer with the type of its wire code, once', async () => {
    const [stream, other] = await openPair(source);
    const types: string[] = [];
    const failed = deferred();
    other.onData = () => undefined;
    other.onError = (error) => {
      types.push(error.type);
      failed.resolve();
    };
    stream.reset(CANCELLED);
    stream.reset(CANCELLED);
    await failed.promise;
    serveEcho(source().server);
    await ask(source().client, 'the connection lives on');
    expect(types).toEqual(['TASK_CANCELLED']);
    expect(() => other.write(pattern(0, 1))).toThrow(/reset/);
    await expect(other.drained()).rejects.toMatchObject({ type: 'TASK_CANCELLED' });
  });

  it('resets a stream that only a later one made known', async () => {
    const { client, server } = source();
    const arrived: Stream[] = [];
    const both = deferred();
    server.onStream = (other) => {
      arrived.push(other);
      if (arrived.length === 2) both.resolve();
    };
    const first = await client.openStream();
    const second = await client.openStream();
    second.write(pattern(0, 1));
    await both.promise;
    arrived[0]?.reset(CANCELLED);
    const failed = rejectionOf(readAll(first));
    first.write(pattern(0, 1));
    expect(await failed).toMatchObject({ type: 'TASK_CANCELLED' });
  });

  it('names a reset with an unknown code STREAM_RESET', async () => {
    const [stream, other] = await openPair(source);
    const reading = readAll(other);
    stream.reset({ wireCode: 0x4242, message: 'a word of somebody else' });
    const error = await rejectionOf(reading);
    expect(error).toMatchObject({ type: 'STREAM_RESET' });
    expect(String(error)).toContain('0x4242');
  });

  it('stops a peer that is about to answer', async () => {
    const [stream, other] = await openPair(source);
    const failed = deferred<string>();
    const asked = deferred();
    other.onError = (error) => {
      failed.resolve(error.type);
    };
    other.onEnd = () => {
      asked.resolve();
    };
    other.onData = () => undefined;
    stream.end();
    await asked.promise;
    // Its own half is finished, so that only the wish to get no answer can tell.
    stream.reset(CANCELLED);
    expect(await failed.promise).toBe('TASK_CANCELLED');
  });

  it('stops a peer that writes more than anybody reads', async () => {
    const [stream, other] = await openPair(source);
    const failed = deferred<string>();
    other.onError = (error) => {
      failed.resolve(error.type);
    };
    other.onData = () => undefined;
    while (other.write(pattern(0, 100_000)));
    other.write(pattern(0, 30_000_000));
    const drained = rejectionOf(other.drained());
    stream.reset(CANCELLED);
    expect(await failed.promise).toBe('TASK_CANCELLED');
    expect(await drained).toMatchObject({ type: 'TASK_CANCELLED' });
    expect(other.queuedBytes).toBe(0);
  });

  it('refuses to write on a stream that this side reset', async () => {
    const [stream] = await openPair(source);
    let errors = 0;
    stream.onError = () => {
      errors += 1;
    };
    stream.reset(CANCELLED);
    expect(() => stream.write(pattern(0, 1))).toThrow(/reset/);
    await expect(stream.drained()).rejects.toMatchObject({ type: 'CLOSED_LOCALLY' });
    stream.end();
    expect(errors).toBe(0);
  });

  it('refuses to write after the end', async () => {
    const [stream] = await openPair(source);
    stream.end();
    stream.end();
    expect(() => stream.write(pattern(0, 1))).toThrow(/after its end/);
  });
}

function describeConnectionEnd(source: MeetingSource): void {
  it('delivers everything that was written before a graceful close, then the reason', async () => {
    const { client, server } = source();
    const received = new Map<number, Promise<Buffer>>();
    server.onStream = (stream) => {
      received.set(stream.id, readAll(stream));
    };
    const streams = await Promise.all([0, 1, 2].map(async () => client.openStream()));
    for (const stream of streams) {
      stream.write(pattern(0, 1_000_000));
      stream.end();
    }
    const [, atServer] = await Promise.all([client.close(DRAINING, 10_000), server.closed]);
    expect(atServer).toMatchObject({ by: 'peer', ...DRAINING, error: { type: 'DRAINING' } });
    expect(await client.closed).toMatchObject({ by: 'local', ...DRAINING });
    expect(received.size).toBe(3);
    for (const bytes of await Promise.all(received.values())) {
      expect(bytes.length).toBe(1_000_000);
      expect(isPattern(bytes, 0)).toBe(true);
    }
  });

  it('keeps what had arrived on a paused stream across the close', async () => {
    const [stream, other] = await openPair(source);
    stream.write(pattern(1, 99_999));
    stream.end();
    await Promise.all([source().client.close(DRAINING), source().server.closed]);
    const bytes: Buffer[] = [];
    const failed = deferred<string>();
    let isEnded = false;
    other.onEnd = () => {
      isEnded = true;
    };
    other.onError = (error) => {
      failed.resolve(error.type);
    };
    other.onData = (chunk) => {
      bytes.push(Buffer.from(chunk));
    };
    // The half of the client came to its end; that of the server never can.
    expect(await failed.promise).toBe('DRAINING');
    expect(isEnded).toBe(true);
    expect(isPattern(Buffer.concat(bytes), 0)).toBe(true);
    expect(Buffer.concat(bytes).length).toBe(100_000);
  });

  it('closes abruptly without waiting for a peer that does not read', async () => {
    const [stream, other] = await openPair(source);
    other.pause();
    flood(stream);
    await source().client.close(DRAINING, 0);
    expect(await source().server.closed).toMatchObject({ by: 'peer', ...DRAINING });
  });

  it('stops waiting for a peer that does not read when the grace is over', async () => {
    const [stream, other] = await openPair(source);
    other.pause();
    flood(stream);
    await source().client.close(DRAINING, 100);
    expect(await source().server.closed).toMatchObject({ by: 'peer', ...DRAINING });
  });

  it('tells an application that closed nothing more than the end', async () => {
    const { client, server } = source();
    const [stream, other] = await openPair(source);
    let bytesAfterClose = 0;
    stream.onData = () => {
      bytesAfterClose += 1;
    };
    let streamsAfterClose = 0;
    client.onStream = () => {
      streamsAfterClose += 1;
    };
    // The server does not read, so that the close takes its whole grace: time enough to hear something.
    flood(stream);
    const closing = client.close(DRAINING, 200);
    other.write(pattern(0, 1000));
    (await server.openStream()).write(pattern(0, 1000));
    await Promise.all([closing, server.closed]);
    expect([bytesAfterClose, streamsAfterClose]).toEqual([0, 0]);
  });

  it('fails unfinished streams of both sides, once each', async () => {
    const [stream, other] = await openPair(source);
    const types: string[] = [];
    for (const one of [stream, other]) {
      one.onData = () => undefined;
      one.onError = (error) => {
        types.push(`${one.connection.side} ${error.type}`);
      };
    }
    await Promise.all([source().client.close(DRAINING), source().server.closed]);
    expect(types.sort()).toEqual(['client CLOSED_LOCALLY', 'server DRAINING']);
  });

  it('cuts a reason that is too long between two characters', async () => {
    const message = `x${'ü'.repeat(5000)}`;
    void source().client.close({ wireCode: DRAINING.wireCode, message });
    const atServer = await source().server.closed;
    expect(atServer.message).toBe(`x${'ü'.repeat(255)}`);
    expect((await source().client.closed).message).toBe(atServer.message);
  });

  it('settles closed once, also when both sides close', async () => {
    const { client, server } = source();
    await Promise.all([client.close(DRAINING), server.close(DRAINING), client.close()]);
    const [atClient, atServer] = await Promise.all([client.closed, server.closed]);
    expect(['local', 'peer']).toContain(atClient.by);
    expect(['local', 'peer']).toContain(atServer.by);
    expect(atClient).toMatchObject(DRAINING);
    expect(await client.closed).toBe(atClient);
    expect([client.isOpen, server.isOpen]).toEqual([false, false]);
  });
}

function describeAfterTheEnd(source: MeetingSource): void {
  it('opens and writes nothing after the end', async () => {
    const [stream, other] = await openPair(source);
    const closing = source().client.close(DRAINING);
    expect(source().client.isOpen).toBe(false);
    await expect(source().client.openStream()).rejects.toMatchObject({ type: 'CLOSED_LOCALLY' });
    expect(() => stream.write(pattern(0, 1))).toThrow(/closed/);
    await Promise.all([closing, source().server.closed]);
    await expect(source().server.openStream()).rejects.toMatchObject({ type: 'DRAINING' });
    expect(() => other.write(pattern(0, 1))).toThrow(/goes down/);
  });

  it('rejects those who wait for a drain', async () => {
    const [stream, other] = await openPair(source);
    other.pause();
    flood(stream);
    const drained = rejectionOf(stream.drained());
    await source().server.close(DRAINING, 0);
    expect(await drained).toMatchObject({ type: 'DRAINING' });
  });
}

function describeListenerEnd(source: MeetingSource): void {
  it('closes the connections of a listener with its reason and frees the port', async () => {
    const { client, listener, transports } = source();
    await Promise.all([listener.close(DRAINING), listener.close()]);
    expect(await client.closed).toMatchObject({ by: 'peer', ...DRAINING });
    const accepted = deferred<Connection>();
    const again = await transports.server.listen({
      address: listener.address,
      onConnection: accepted.resolve,
    });
    try {
      expect(again.address).toEqual(listener.address);
      const second = await transports.client.connect(again.address);
      serveEcho(await accepted.promise);
      expect(await ask(second, 'a new life')).toBe('a new life');
      await second.close();
    } finally {
      await again.close();
    }
  });
}
