/**
 * What every transport must do, whatever carries the bytes. Run it over each implementation: code above the contract
 * may rely on exactly this.
 */
import { ERRORS } from '@quic-swarm/protocol';
import type { Stream } from '@quic-swarm/transport';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeClosing } from './closing.ts';
import { describeFlowControl } from './flow-control.ts';
import { meet, type Meeting, type MeetingSource, type TransportPair } from './meeting.ts';
import {
  ask,
  deferred,
  isPattern,
  pattern,
  readAll,
  rejectionOf,
  seededRandom,
  send,
  serveEcho,
} from './streams.ts';

/**
 * Defines the suite for one transport. `makePair` is called once per test; `transferBytes` (default 40,000,000) is the
 * size of a large transfer.
 */
export function describeTransportConformance(
  name: string,
  makePair: () => TransportPair | Promise<TransportPair>,
  options: { readonly transferBytes?: number } = {},
): void {
  describe(`transport conformance: ${name}`, () => {
    let meeting: Meeting;

    beforeEach(async () => {
      meeting = await meet(await makePair());
    });

    afterEach(async () => {
      await meeting.client.close(undefined, 0);
      await meeting.listener.close();
    });

    const source = (): Meeting => meeting;
    describeStreams(source);
    describeOpening(source);
    describeConnecting(source);
    describeFlowControl(source, options.transferBytes ?? 40_000_000);
    describeClosing(source);
  });
}

function describeStreams(source: MeetingSource): void {
  it('brings bytes there and back', async () => {
    serveEcho(source().server);
    expect(await ask(source().client, 'hello')).toBe('hello');
  });

  it('carries streams that the server opened', async () => {
    serveEcho(source().client);
    expect(await ask(source().server, 'hello')).toBe('hello');
  });

  it('keeps the order of bytes for writes of any size', async () => {
    serveEcho(source().server);
    const random = seededRandom(7);
    const stream = await source().client.openStream();
    const answer = readAll(stream);
    let written = 0;
    for (let index = 0; index < 400; index += 1) {
      const length = Math.floor(random() ** 4 * 40_000);
      stream.write(pattern(written, length));
      written += length;
      if (random() < 0.3) await stream.drained();
    }
    stream.end();
    const bytes = await answer;
    expect(bytes.length).toBe(written);
    expect(isPattern(bytes, 0)).toBe(true);
  });

  it('finishes each half alone', async () => {
    const arrived = deferred<Stream>();
    source().server.onStream = arrived.resolve;
    const stream = await source().client.openStream();
    const answer = readAll(stream);
    send(stream, 'question');
    const other = await arrived.promise;
    expect((await readAll(other)).toString()).toBe('question');
    send(other, 'answer long after the end of the question');
    expect((await answer).toString()).toBe('answer long after the end of the question');
  });

  it('lets the answerer finish its half first', async () => {
    const question = deferred<Buffer>();
    source().server.onStream = (other) => {
      other.end();
      void readAll(other).then(question.resolve, question.reject);
    };
    const stream = await source().client.openStream();
    stream.write(Buffer.from('first'));
    expect((await readAll(stream)).length).toBe(0);
    send(stream, ' second');
    expect((await question.promise).toString()).toBe('first second');
  });

  it('tells of an end without bytes', async () => {
    const arrived = deferred<Stream>();
    source().server.onStream = arrived.resolve;
    const stream = await source().client.openStream();
    stream.end();
    expect((await readAll(await arrived.promise)).length).toBe(0);
  });

  it('keeps two connections apart', async () => {
    const { transports, listener } = source();
    serveEcho(source().server);
    const second = await transports.client.connect(listener.address);
    try {
      expect(second.id).not.toBe(source().client.id);
      await expect(ask(source().client, 'still here')).resolves.toBe('still here');
    } finally {
      await second.close();
    }
    await expect(ask(source().client, 'and after')).resolves.toBe('and after');
  });

  it('completes a thousand concurrent streams', async () => {
    serveEcho(source().server);
    const texts = Array.from({ length: 1000 }, (_, index) => `message ${index} `.repeat(8));
    const answers = await Promise.all(texts.map(async (text) => ask(source().client, text)));
    expect(answers).toEqual(texts);
  });
}

function describeOpening(source: MeetingSource): void {
  it('announces streams in the order of their opening', async () => {
    const ids: number[] = [];
    const all = deferred();
    source().server.onStream = (stream) => {
      ids.push(stream.id);
      if (ids.length === 100) all.resolve();
    };
    const streams = await Promise.all(
      Array.from({ length: 100 }, async () => source().client.openStream()),
    );
    // The first word comes last: the order is that of opening, not that of writing.
    for (const stream of [...streams].reverse()) stream.write(Buffer.from('x'));
    await all.promise;
    expect(ids).toEqual(streams.map(({ id }) => id));
  });

  it('knows a stream whose first byte comes after that of a later one', async () => {
    serveEcho(source().server);
    const [first, second] = [
      await source().client.openStream(),
      await source().client.openStream(),
    ];
    const answer = readAll(first);
    const later = readAll(second);
    send(second, 'second');
    expect((await later).toString()).toBe('second');
    send(first, 'first');
    expect((await answer).toString()).toBe('first');
  });

  it('keeps streams and their bytes until onStream is set', async () => {
    const stream = await source().client.openStream();
    const answer = readAll(stream);
    send(stream, 'early');
    // The server has processed the early bytes once a later stream of its own came through.
    serveEcho(source().client);
    await ask(source().server, 'a round trip');
    serveEcho(source().server);
    expect((await answer).toString()).toBe('early');
  });

  it('keeps bytes until onData is set', async () => {
    const arrived = deferred<Stream>();
    source().server.onStream = arrived.resolve;
    const stream = await source().client.openStream();
    send(stream, 'nobody listens yet');
    const other = await arrived.promise;
    serveEcho(source().client);
    await ask(source().server, 'a round trip');
    expect((await readAll(other)).toString()).toBe('nobody listens yet');
  });

  it('reaches the peer with a reset before the first byte', async () => {
    const arrived = deferred<Stream>();
    source().server.onStream = arrived.resolve;
    const stream = await source().client.openStream();
    stream.reset({ wireCode: ERRORS.TASK_CANCELLED.wireCode, message: 'not needed' });
    const other = await arrived.promise;
    await expect(readAll(other)).rejects.toMatchObject({ type: 'TASK_CANCELLED' });
  });
}

function describeConnecting(source: MeetingSource): void {
  it('knows who asked for the connection and who is at its ends', () => {
    const { client, server, listener } = source();
    expect([client.side, server.side]).toEqual(['client', 'server']);
    expect([client.isOpen, server.isOpen]).toEqual([true, true]);
    expect(client.remoteAddress).toEqual(listener.address);
    expect(server.remoteAddress).toEqual(client.localAddress);
    expect(listener.address.port).toBeGreaterThan(0);
  });

  it('rejects with CONNECT_FAILED where nobody listens', async () => {
    const { transports, listener } = source();
    await listener.close();
    const error = await rejectionOf(
      transports.client.connect(listener.address, { timeoutMs: 1000 }),
    );
    expect(error).toMatchObject({ type: 'CONNECT_FAILED', retryable: true });
    expect(String(error)).toContain(String(listener.address.port));
  });

  it('rejects with CLOSED_LOCALLY when it is aborted', async () => {
    const { transports, listener } = source();
    const before = transports.client.connect(listener.address, { signal: AbortSignal.abort() });
    await expect(before).rejects.toMatchObject({ type: 'CLOSED_LOCALLY' });
    const controller = new AbortController();
    const during = transports.client.connect(listener.address, { signal: controller.signal });
    controller.abort();
    await expect(during).rejects.toMatchObject({ type: 'CLOSED_LOCALLY' });
  });

  it('leaves a connection alone whose signal is aborted later', async () => {
    const { transports, listener } = source();
    const controller = new AbortController();
    const { signal } = controller;
    const connection = await transports.client.connect(listener.address, { signal });
    controller.abort();
    expect(connection.isOpen).toBe(true);
    await connection.close();
  });

  it('rejects with ADDRESS_IN_USE', async () => {
    const { transports, listener } = source();
    const second = transports.server.listen({
      address: listener.address,
      onConnection: () => undefined,
    });
    await expect(second).rejects.toMatchObject({ type: 'ADDRESS_IN_USE' });
  });

  it('counts bytes', async () => {
    serveEcho(source().server);
    await ask(source().client, 'x'.repeat(10_000));
    const { bytesSent, bytesReceived } = source().client.statistics();
    expect(bytesSent).toBeGreaterThanOrEqual(10_000);
    expect(bytesReceived).toBeGreaterThanOrEqual(10_000);
  });
}
