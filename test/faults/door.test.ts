/** What a listener says to strangers, byte by byte, and what it does not let them do. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createSelfSignedCertificate } from '@quic-swarm/transport';
import { rejectionOf, until } from '@quic-swarm/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exchangePattern, openFaultyPair, tableSizeOf } from './faulty-pair.ts';
import { bombard } from './garbage.ts';

describe('a client that speaks an unknown version of QUIC', () => {
  it.each([
    ['0102030405', 'a0a1a2a3a4a5a6a7a8'],
    ['', ''],
    ['11'.repeat(255), '22'.repeat(255)],
  ])(
    'is told the version that the listener speaks (ids %s and %s)',
    async (source, destination) => {
      const { listener } = await openFaultyPair();
      const { socket, received } = await openSocket();
      const clientId = Buffer.from(source, 'hex');
      const serverId = Buffer.from(destination, 'hex');
      const initial = Buffer.alloc(1200, 0x55);
      // RFC 8999 §5.1: the form bit, the version, both connection ids; nothing behind them is understood.
      Buffer.concat([
        Buffer.from('c01a2a3a4a', 'hex'),
        Buffer.from([serverId.length]),
        serverId,
        Buffer.from([clientId.length]),
        clientId,
      ]).copy(initial);
      const { host, port } = listener.address;
      // One byte too short for a first datagram gets no answer (RFC 9000 §14.1); neither does an answer of its kind.
      socket.send(initial.subarray(0, 1199), port, host);
      socket.send(
        Buffer.concat([Buffer.from('c000000000', 'hex'), initial.subarray(5)]),
        port,
        host,
      );
      socket.send(initial, port, host);
      await until(() => received.length === 1);
      const [answer = Buffer.alloc(0)] = received;
      // RFC 9000 §17.2.1: the ids in exchange, then the versions. Seven bits of the first byte may be anything.
      expect((answer[0] ?? 0) & 0x80).toBe(0x80);
      expect(answer.subarray(1).toString('hex')).toBe(
        ['00000000', sizeOf(clientId), source, sizeOf(serverId), destination, '00000001'].join(''),
      );
      expect(tableSizeOf(listener)).toBe(0);
    },
  );
});

describe('a client that has not proved its address', () => {
  it('is sent at most three times what it sent, whatever the certificate weighs', async () => {
    // A certificate of 8 KiB: the listener has far more to say than it may.
    const hosts = Array.from({ length: 250 }, (_, index) => `host-${index}.of-a-long-name.example`);
    const identity = createSelfSignedCertificate({ commonName: 'heavy', hosts });
    let received = 0;
    let sent = 0;
    let worst = 0;
    const { listener, proxy, connect } = await openFaultyPair({
      identity,
      quic: { maxUdpPayloadBytes: 1350 },
      server: { limits: { handshakeTimeoutMs: 600 } },
      proxy: {
        observe: (direction, datagram, { deliveries }) => {
          if (direction === 'toClient') sent += datagram.length;
          else received += datagram.length * deliveries.length;
          worst = Math.max(worst, sent / received);
        },
      },
    });
    // The client hears nothing: all that the listener knows is that first datagrams come from its address.
    proxy.change({ isDown: true }, 'toClient');
    const failure = await rejectionOf(connect(proxy.address, 800));
    expect(failure).toMatchObject({ type: 'CONNECT_FAILED' });
    await until(() => tableSizeOf(listener) === 0);
    expect(worst).toBeLessThanOrEqual(3);
    // It was the bound that held the listener back.
    expect(worst).toBeGreaterThan(2);
    proxy.change({ isDown: false });
    await exchangePattern(await connect(), 1000);
  });
});

describe('places', () => {
  it('of one address being taken, those of another address are free', async () => {
    const limits = { connectionsPerAddressMax: 2 };
    const pair = await openFaultyPair({ server: { limits } });
    const elsewhere = await pair.openProxy({ clientHost: '127.0.0.2' });
    await Promise.all([pair.connect(), pair.connect()]);
    expect(await rejectionOf(pair.connect())).toMatchObject({ type: 'TOO_MANY_CONNECTIONS' });
    const other = await pair.connect(elsewhere.address);
    await exchangePattern(other, 1000);
    await pair.connect(elsewhere.address);
    expect(await rejectionOf(pair.connect(elsewhere.address))).toMatchObject({
      type: 'TOO_MANY_CONNECTIONS',
    });
  });

  it('are bounded in all, whatever the addresses, and free again after a close', async () => {
    const pair = await openFaultyPair({ server: { limits: { connectionsMax: 3 } } });
    const elsewhere = await pair.openProxy({ clientHost: '127.0.0.2' });
    const [first] = await Promise.all([pair.connect(), pair.connect()]);
    await pair.connect(elsewhere.address);
    for (const address of [pair.proxy.address, elsewhere.address]) {
      expect(await rejectionOf(pair.connect(address))).toMatchObject({
        type: 'TOO_MANY_CONNECTIONS',
        retryable: true,
      });
    }
    await first.close();
    await Promise.race(pair.accepted.map(async (connection) => connection.closed));
    await exchangePattern(await pair.connect(elsewhere.address), 1000);
  });
});

describe('garbage', () => {
  it('does no harm to a connection, and leaves nothing behind', async () => {
    await bombard(12_000, 1);
  });
});

function sizeOf(id: Buffer): string {
  return Buffer.from([id.length]).toString('hex');
}

async function openSocket(): Promise<{ socket: Socket; received: Buffer[] }> {
  const received: Buffer[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (datagram) => received.push(datagram));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => {
    socket.close();
  });
  return { socket, received };
}
