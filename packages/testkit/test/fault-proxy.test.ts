/** The proxy with plain UDP on both sides: what the links decide happens to real datagrams. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FaultProxy, until, type FaultProxyOptions } from '@quic-swarm/testkit';

interface Rig {
  readonly proxy: FaultProxy;
  readonly client: Socket;
  /** What the server got, and from where. */
  readonly atServer: { readonly text: string; readonly from: RemoteInfo }[];
  readonly atClient: Buffer[];
  readonly ask: (text: string) => void;
}

async function openSocket(
  onMessage: (datagram: Buffer, from: RemoteInfo) => void,
): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', onMessage);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => {
    socket.close();
  });
  return socket;
}

/** A client, a proxy, and a server that sends everything back. */
async function rig(options: Omit<FaultProxyOptions, 'server'> = {}): Promise<Rig> {
  const atServer: { text: string; from: RemoteInfo }[] = [];
  const atClient: Buffer[] = [];
  const server: Socket = await openSocket((datagram, from) => {
    atServer.push({ text: datagram.toString(), from });
    server.send(datagram, from.port, from.address);
  });
  const client = await openSocket((datagram) => atClient.push(datagram));
  const address = { host: '127.0.0.1', port: server.address().port };
  const proxy = await FaultProxy.open({ server: address, ...options });
  onTestFinished(async () => proxy.close());
  const ask = (text: string): void => {
    client.send(text, proxy.address.port, proxy.address.host);
  };
  return { proxy, client, atServer, atClient, ask };
}

describe('a fault proxy', () => {
  it('carries datagrams both ways, in order', async () => {
    const { ask, atClient, proxy } = await rig();
    for (let count = 0; count < 50; count += 1) ask(`${count}`);
    await until(() => atClient.length === 50);
    expect(atClient.map(String)).toEqual(Array.from({ length: 50 }, (_, count) => `${count}`));
    expect(proxy.statistics('toServer')).toMatchObject({ datagrams: 50, bytes: 90, lost: 0 });
  });

  it('delays both directions: an answer takes at least the sum', async () => {
    const { ask, atClient } = await rig({ faults: { delayMs: 10 } });
    for (let count = 1; count <= 5; count += 1) {
      const startMs = performance.now();
      ask('slow');
      await until(() => atClient.length === count);
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(20);
    }
  });

  it('does to each datagram what a link of the same seed decides', async () => {
    const fates: number[] = [];
    const { ask, atServer } = await rig({
      seed: 77,
      toServer: { lossRate: 0.3, duplicateRate: 0.3 },
      observe: (direction, _datagram, fate) => {
        if (direction === 'toServer') fates.push(fate.deliveries.length);
      },
    });
    for (let count = 0; count < 200; count += 1) ask(`${count}`);
    await until(() => fates.length === 200);
    const expected = fates.flatMap((copies, count) =>
      Array.from({ length: copies }, () => `${count}`),
    );
    await until(() => atServer.length === expected.length);
    expect(atServer.map(({ text }) => text)).toEqual(expected);
    expect(fates).toContain(0);
    expect(fates).toContain(2);
  });

  it('changes one bit of a datagram, and keeps the original of a copy', async () => {
    const { ask, atClient } = await rig({ toClient: { flipRate: 1 } });
    const original = 'some bytes that are long enough';
    ask(original);
    await until(() => atClient.length === 1);
    const [arrived = Buffer.alloc(0)] = atClient;
    const bits = [...arrived].map((byte, index) => byte ^ (original.codePointAt(index) ?? 0));
    expect(bits.filter((bit) => bit !== 0).length).toBe(1);
    expect(Math.log2(Math.max(...bits)) % 1).toBe(0);
  });

  it('moves its clients to other ports and addresses, and still reaches them', async () => {
    const { ask, atServer, atClient, proxy } = await rig();
    ask('before');
    await until(() => atClient.length === 1);
    await proxy.rebind();
    ask('after');
    await until(() => atClient.length === 2);
    await proxy.rebind('127.0.0.2');
    ask('elsewhere');
    await until(() => atClient.length === 3);
    const ports = atServer.map(({ from }) => from.port);
    expect(new Set(ports).size).toBe(3);
    expect(atServer.map(({ from }) => from.address)).toEqual([
      '127.0.0.1',
      '127.0.0.1',
      '127.0.0.2',
    ]);
    expect(proxy.flows).toBe(1);
  });

  it('loses everything in a direction that is down', async () => {
    const { ask, atServer, atClient, proxy } = await rig();
    proxy.change({ isDown: true }, 'toClient');
    ask('unheard');
    await until(() => proxy.statistics('toClient').blackholed === 1);
    proxy.change({ isDown: false });
    ask('heard');
    await until(() => atClient.length === 1);
    expect(atClient.map(String)).toEqual(['heard']);
    expect(atServer.length).toBe(2);
  });

  it('gives each client a socket and links of its own, and forgets the ones that are silent', async () => {
    const { ask, atServer, proxy } = await rig({ flowsMax: 2 });
    ask('first');
    for (let count = 0; count < 3; count += 1) {
      const other = await openSocket(() => undefined);
      other.send('other', proxy.address.port, proxy.address.host);
    }
    await until(() => atServer.length === 4);
    expect(new Set(atServer.map(({ from }) => from.port)).size).toBe(4);
    expect(proxy.flows).toBe(2);
    expect(proxy.statistics('toServer').datagrams).toBe(4);
  });

  it('refuses an impossible fault', async () => {
    const server = { host: '127.0.0.1', port: 9 };
    const opening = FaultProxy.open({ server, faults: { lossRate: 2 } });
    await expect(opening).rejects.toMatchObject({ type: 'BAD_OPTION' });
  });
});
