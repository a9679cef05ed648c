/** What a listener stands up to, and what a connection survives. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Address, Connection } from '@quic-swarm/transport';
import { ask, deferred, rejectionOf, seededRandom, serveEcho, until } from '@quic-swarm/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connecting, meetForTest, serving, tap } from './quic-pair.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 } as const;

describe('hostile datagrams', () => {
  it('do not disturb connections: random ones, and mutated copies of real ones', async () => {
    const recorded: Uint8Array[] = [];
    const server = tap();
    const client = tap();
    server.onReceive = (datagram) => recorded.push(Uint8Array.from(datagram));
    client.onReceive = (datagram) => recorded.push(Uint8Array.from(datagram));
    const meeting = await meetForTest(
      serving({ createSocket: server.createSocket }),
      connecting({ createSocket: client.createSocket }),
      serveEcho,
    );
    await ask(meeting.client, 'x'.repeat(20_000));
    const random = seededRandom(3);
    const real = recorded.slice(0, 40);
    for (let count = 0; count < 6000; count += 1) {
      const datagram = hostileDatagram(random, real);
      const { host, port } = meeting.client.localAddress;
      server.inject(datagram.slice(), host, count % 3 === 0 ? 1 + (count % 60_000) : port);
      client.inject(datagram.slice(), meeting.listener.address.host, meeting.listener.address.port);
      if (count % 1000 === 0)
        expect(await ask(meeting.client, `after ${count}`)).toBe(`after ${count}`);
    }
    expect(meeting.client.isOpen).toBe(true);
    expect(await ask(meeting.client, 'still here')).toBe('still here');
  });

  it('get an answer to a version that is not known, and none to a short one', async () => {
    const server = tap();
    const answers: Uint8Array[] = [];
    const { listener } = await meetForTest(
      serving({ createSocket: server.createSocket }),
      connecting(),
    );
    server.onSend = (datagram) => answers.push(Uint8Array.from(datagram));
    const initial = initialOfVersion(0x1a2a3a4a, 1200);
    server.inject(initial.subarray(0, 1199), '127.0.0.1', listener.address.port);
    expect(answers).toEqual([]);
    server.inject(initial, '127.0.0.1', listener.address.port);
    expect(answers.length).toBe(1);
    // Version negotiation has version 0 (RFC 8999 §6) and offers version 1.
    const [answer = new Uint8Array()] = answers;
    expect(Buffer.from(answer).readUInt32BE(1)).toBe(0);
    expect(Buffer.from(answer).includes(Buffer.from([0, 0, 0, 1]))).toBe(true);
  });
});

describe('a listener with many half-open handshakes', () => {
  it('makes a client prove its address first', async () => {
    const server = tap();
    const types: number[] = [];
    server.onSend = (datagram) => types.push(packetType(datagram));
    const limits = { halfOpenBeforeRetry: 0 };
    const meeting = await meetForTest(
      serving({ createSocket: server.createSocket, limits }),
      connecting(),
      serveEcho,
    );
    // RFC 9000 §17.2.5: the type of a Retry is 3.
    expect(types.filter((type) => type === 3).length).toBe(1);
    expect(types[0]).toBe(3);
    expect(await ask(meeting.client, 'proved')).toBe('proved');
  });

  it('answers without Retry below the limit', async () => {
    const server = tap();
    const types: number[] = [];
    server.onSend = (datagram) => types.push(packetType(datagram));
    const limits = { halfOpenBeforeRetry: 1 };
    await meetForTest(serving({ createSocket: server.createSocket, limits }), connecting());
    expect(types).not.toContain(3);
  });

  it('counts handshakes that never end, and forgets them after the time-out', async () => {
    const server = tap();
    const limits = { halfOpenBeforeRetry: 1, handshakeTimeoutMs: 300 };
    const transport = serving({ createSocket: server.createSocket, limits });
    const silent = tap();
    const { listener } = await meetForTest(transport, connecting());
    silent.onSend = () => {
      // Its first datagram goes out; what comes back never reaches it.
      silent.isCut = true;
    };
    const never = connecting({ createSocket: silent.createSocket }).connect(listener.address, {
      timeoutMs: 600,
    });
    const failure = rejectionOf(never);
    await until(() => silent.isCut);
    const types: number[] = [];
    server.onSend = (datagram) => types.push(packetType(datagram));
    const second = await connecting().connect(listener.address);
    expect(types).toContain(3);
    await second.close();
    expect(await failure).toMatchObject({ type: 'CONNECT_FAILED' });
    // The half-open handshake of the silent client is over by now, so nobody has to prove anything.
    types.length = 0;
    const third = await connecting().connect(listener.address);
    expect(types).not.toContain(3);
    await third.close();
  });
});

describe('a listener with all places taken', () => {
  it.each([
    ['in all', { connectionsMax: 2 }],
    ['of one address', { connectionsPerAddressMax: 2 }],
  ])('refuses more connections %s, and takes new ones when places are free', async (_, limits) => {
    const { listener, client } = await meetForTest(serving({ limits }), connecting());
    const second = await connecting().connect(listener.address);
    const refused = await rejectionOf(connecting().connect(listener.address));
    expect(refused).toMatchObject({ type: 'TOO_MANY_CONNECTIONS', retryable: true });
    expect([client.isOpen, second.isOpen]).toEqual([true, true]);
    await second.close();
    // The server learns of the close with a datagram: until then the place is taken.
    let third: Connection | undefined;
    while (third === undefined) {
      third = await connecting()
        .connect(listener.address)
        .catch(() => undefined);
    }
    await third.close();
  });
});

describe('an attempt to connect', () => {
  it('ends at once when it is aborted during the handshake', async () => {
    const silent = tap();
    const { listener } = await meetForTest(serving(), connecting());
    const controller = new AbortController();
    silent.onSend = () => {
      silent.isCut = true;
      controller.abort();
    };
    const attempt = connecting({ createSocket: silent.createSocket }).connect(listener.address, {
      timeoutMs: 60_000,
      signal: controller.signal,
    });
    expect(await rejectionOf(attempt)).toMatchObject({ type: 'CLOSED_LOCALLY' });
  });
});

describe('connections that ended', () => {
  it('repeat the reason to a peer that missed it', async () => {
    const lossy = tap();
    const { client, server } = await meetForTest(
      serving(),
      connecting({ createSocket: lossy.createSocket }),
    );
    const stream = await server.openStream();
    lossy.isCut = true;
    const closing = client.close({ wireCode: 0x150, message: 'said twice' });
    await closing;
    lossy.isCut = false;
    // The server goes on until it hears of the end.
    stream.write(Buffer.from('are you there?'));
    expect(await server.closed).toMatchObject({ by: 'peer', message: 'said twice' });
  });

  it('leave nothing behind at the listener: 200 of them', async () => {
    const { listener, client } = await meetForTest(serving(), connecting(), serveEcho);
    for (let count = 0; count < 200; count += 4) {
      await Promise.all(
        [0, 1, 2, 3].map(async (index) => {
          const connection = await connecting().connect(listener.address);
          if (index === 0) await ask(connection, 'a word');
          await connection.close(undefined, index * 100);
        }),
      );
    }
    await client.close();
    await until(() => 'tableSize' in listener && listener.tableSize === 0);
  });
});

describe('silence', () => {
  it('ends a connection on both sides after the idle timeout', async () => {
    const client = tap();
    const meeting = await meetForTest(
      serving({ idleTimeoutMs: 200 }),
      connecting({ createSocket: client.createSocket }),
    );
    const stream = await meeting.client.openStream();
    const failed = deferred<string>();
    stream.onError = (error) => {
      failed.resolve(error.type);
    };
    client.isCut = true;
    const [atClient, atServer] = await Promise.all([meeting.client.closed, meeting.server.closed]);
    expect(atClient).toMatchObject({ by: 'timeout', error: { type: 'IDLE_TIMEOUT' } });
    expect(atServer).toMatchObject({ by: 'timeout', error: { type: 'IDLE_TIMEOUT' } });
    expect(await failed.promise).toBe('IDLE_TIMEOUT');
  });

  it('is broken by signs of life', async () => {
    const client = tap();
    let sent = 0;
    client.onSend = () => {
      sent += 1;
    };
    const { client: connection } = await meetForTest(
      serving({ idleTimeoutMs: 900, keepAliveMs: 0 }),
      connecting({ idleTimeoutMs: 900, keepAliveMs: 150, createSocket: client.createSocket }),
    );
    const before = sent;
    // Twelve signs of life at intervals of 150 ms take twice the idle timeout.
    await until(() => sent >= before + 12 || !connection.isOpen);
    expect(connection.isOpen).toBe(true);
  });

  it('ends an idle connection when nobody gives a sign', async () => {
    const settings = { idleTimeoutMs: 150, keepAliveMs: 0 };
    const { client } = await meetForTest(serving(settings), connecting(settings));
    expect(await client.closed).toMatchObject({ by: 'timeout' });
  });
});

describe('a client whose address changes', () => {
  it('goes on with the same connection', async () => {
    const accepted = deferred<Connection>();
    const listener = await serving().listen({
      address: LOOPBACK,
      onConnection: (connection) => {
        serveEcho(connection);
        accepted.resolve(connection);
      },
    });
    onTestFinished(async () => listener.close());
    const relay = await openRelay(listener.address);
    const client = await connecting().connect(relay.address);
    const server = await accepted.promise;
    const stream = await client.openStream();
    const { port } = server.remoteAddress;
    expect(await ask(client, 'before')).toBe('before');
    for (const round of [1, 2, 3]) {
      await relay.rebind();
      expect(await ask(client, `after ${round}`)).toBe(`after ${round}`);
    }
    await until(() => server.remoteAddress.port !== port);
    stream.write(Buffer.from('an old stream'));
    expect([client.isOpen, server.isOpen]).toEqual([true, true]);
    await client.close({ wireCode: 0x150, message: 'from another port' });
    expect(await server.closed).toMatchObject({ by: 'peer', message: 'from another port' });
  });
});

/** A UDP relay between one client and a server which can change the port that the server sees. */
async function openRelay(
  server: Address,
): Promise<{ address: Address; rebind: () => Promise<void> }> {
  const front = await openSocket();
  let client: { address: string; port: number } | undefined;
  const openBack = async (): Promise<Socket> => {
    const socket = await openSocket();
    socket.on('message', (datagram) => {
      if (client !== undefined) front.send(datagram, client.port, client.address);
    });
    return socket;
  };
  let back = await openBack();
  front.on('message', (datagram, from) => {
    client = from;
    back.send(datagram, server.port, server.host);
  });
  onTestFinished(() => {
    front.close();
    back.close();
  });
  return {
    address: { host: '127.0.0.1', port: front.address().port },
    rebind: async () => {
      const old = back;
      back = await openBack();
      old.close();
    },
  };
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** The type bits of a packet with a long header (RFC 9000 §17.2); −1 for a short one. */
function packetType(datagram: Uint8Array): number {
  const [first = 0] = datagram;
  return (first & 0x80) === 0 ? -1 : (first >> 4) & 3;
}

/** The head of a client's first datagram in some version, padded. */
function initialOfVersion(version: number, length: number): Uint8Array {
  const datagram = Buffer.alloc(length);
  datagram[0] = 0xc0;
  datagram.writeUInt32BE(version, 1);
  datagram[5] = 8;
  datagram[14] = 8;
  return datagram;
}

function hostileDatagram(random: () => number, real: readonly Uint8Array[]): Uint8Array {
  const kind = random();
  const template = real[Math.floor(random() * real.length)] ?? new Uint8Array(1200);
  if (kind < 0.3) {
    return Uint8Array.from({ length: Math.floor(random() * 1400) }, () => random() * 256);
  }
  const datagram = template.slice(
    0,
    kind < 0.5 ? Math.floor(random() * template.length) : undefined,
  );
  for (let count = 0; count <= random() * 8; count += 1) {
    // Half of the changes hit the head, where the bytes say what the rest is.
    const reach = random() < 0.5 ? Math.min(64, datagram.length) : datagram.length;
    if (reach > 0) datagram[Math.floor(random() * reach)] = random() * 256;
  }
  return datagram;
}
