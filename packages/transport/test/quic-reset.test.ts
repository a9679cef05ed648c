/** How a connection learns that its peer forgot it, and that it has become too old. */
import type { Connection } from '@quic-swarm/transport';
import { ask, deferred, serveEcho, until } from '@quic-swarm/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ResetTokens } from '../src/quic/listener/reset-token.ts';
import { connecting, meetForTest, serving, tap } from './quic-pair.ts';

describe('a stateless reset', () => {
  it('tells a client at once that its server was started again', async () => {
    const cut = tap();
    // Cut off, the first server cannot say goodbye: as after kill -9.
    const first = await serving({ createSocket: cut.createSocket }).listen({
      address: { host: '127.0.0.1', port: 0 },
      onConnection: serveEcho,
    });
    const client = await connecting({ idleTimeoutMs: 60_000 }).connect(first.address);
    expect(await ask(client, 'alive')).toBe('alive');
    cut.isCut = true;
    await first.close();
    const second = await serving().listen({ address: first.address, onConnection: serveEcho });
    onTestFinished(async () => second.close());
    const stream = await client.openStream();
    stream.write(Buffer.from('anybody there?'));
    expect(await client.closed).toMatchObject({
      by: 'transport',
      error: { type: 'CONNECTION_LOST', retryable: true },
    });
    expect((await client.closed).message).toContain('stateless reset');
  });

  it('is not believed with another token', async () => {
    const client = tap();
    const meeting = await meetForTest(
      serving(),
      connecting({ createSocket: client.createSocket }),
      serveEcho,
    );
    const { host, port } = meeting.listener.address;
    const forged = new ResetTokens('another secret', port);
    for (let count = 0; count < 50; count += 1) {
      const packet = forged.packet(new Uint8Array(20), 1200, count * 1000);
      if (packet !== undefined) client.inject(packet, host, port);
    }
    expect(await ask(meeting.client, 'still here')).toBe('still here');
  });
});

describe('the packet of a reset', () => {
  const connectionId = Uint8Array.from({ length: 20 }, (_, index) => index);

  it('ends with the token, which depends on the secret, the port and the connection id', () => {
    const tokens = new ResetTokens('secret', 5000);
    const packet = Buffer.from(tokens.packet(connectionId, 1200, 0) ?? []);
    const token = packet.subarray(-16).toString('hex');
    expect(BigInt(`0x${token}`)).toBe(tokens.tokenOf(connectionId));
    // RFC 9000 §10.3: it looks like a packet with a short header.
    expect((packet[0] ?? 0) >> 6).toBe(1);
    const same = new ResetTokens('secret', 5000);
    expect(same.tokenOf(connectionId)).toBe(tokens.tokenOf(connectionId));
    const others = [
      new ResetTokens('secret', 5001).tokenOf(connectionId),
      new ResetTokens('other', 5000).tokenOf(connectionId),
      tokens.tokenOf(new Uint8Array(20)),
    ];
    expect(others).not.toContain(tokens.tokenOf(connectionId));
  });

  it('is shorter than what it answers, and is not sent for less than 22 bytes', () => {
    const tokens = new ResetTokens('secret', 5000);
    expect(tokens.packet(connectionId, 1200, 0)?.length).toBe(43);
    expect(tokens.packet(connectionId, 30, 0)?.length).toBe(29);
    expect(tokens.packet(connectionId, 22, 0)?.length).toBe(21);
    expect(tokens.packet(connectionId, 21, 0)).toBeUndefined();
  });

  it('is sent at most 1,000 times a second', () => {
    const tokens = new ResetTokens('secret', 5000);
    const sentAt = (nowMs: number): number => {
      let count = 0;
      for (let index = 0; index < 5000; index += 1) {
        if (tokens.packet(connectionId, 100, nowMs) !== undefined) count += 1;
      }
      return count;
    };
    expect([sentAt(0), sentAt(500), sentAt(1000)]).toEqual([1000, 0, 1000]);
  });
});

describe('a connection that is too old', () => {
  it('is closed by the listener with a reason that says to connect again', async () => {
    const accepted = deferred<Connection>();
    const listener = await serving({ connectionAgeMaxMs: 300 }).listen({
      address: { host: '127.0.0.1', port: 0 },
      onConnection: (connection) => {
        serveEcho(connection);
        accepted.resolve(connection);
      },
    });
    onTestFinished(async () => listener.close());
    const client = await connecting().connect(listener.address);
    expect(await ask(client, 'young')).toBe('young');
    expect(await client.closed).toMatchObject({
      by: 'peer',
      error: { type: 'CONNECTION_EXPIRED', retryable: true },
    });
    const server = await accepted.promise;
    expect(await server.closed).toMatchObject({ by: 'local' });
    await until(() => !server.isOpen);
  });

  it('lives as long as it likes without a limit', async () => {
    const meeting = await meetForTest(
      serving({ connectionAgeMaxMs: 0, keepAliveMs: 50 }),
      connecting({ keepAliveMs: 50 }),
      serveEcho,
    );
    const before = meeting.client.statistics().packetsSent;
    await until(() => meeting.client.statistics().packetsSent > before + 5);
    expect(await ask(meeting.client, 'old')).toBe('old');
  });
});

describe('a connection many of whose streams were reset', () => {
  it('is closed by the listener before their places run out, with a reason to connect again', async () => {
    const meeting = await meetForTest(
      serving({ streamsMax: 2000 }),
      connecting({ streamsMax: 2000 }),
      (connection) => {
        connection.onStream = (stream) => {
          stream.onError = () => undefined;
          stream.reset({ wireCode: 0x146, message: 'not wanted' });
        };
      },
    );
    let opened = 0;
    for (; meeting.client.isOpen; opened += 1) {
      try {
        const stream = await meeting.client.openStream();
        const ended = new Promise((resolve) => {
          stream.onError = resolve;
        });
        stream.onData = () => undefined;
        stream.write(Buffer.from('hello'));
        await ended;
      } catch {
        break;
      }
    }
    expect(await meeting.client.closed).toMatchObject({ error: { type: 'CONNECTION_EXPIRED' } });
    expect(opened).toBeGreaterThanOrEqual(1000);
  });
});
