/** Datagrams that mean nothing: random bytes, and real datagrams with bytes changed or cut off. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { seededRandom, until } from '@quic-swarm/testkit';
import { expect } from 'vitest';
import { exchangePattern, openFaultyPair, tableSizeOf } from './faulty-pair.ts';

/** So many go out before the connection must have answered again: the kernel's queue has room for them. */
const BURST = 500;

/** Sends garbage to a listener from a socket of its own while a connection works. */
export async function bombard(count: number, seed: number): Promise<void> {
  const real: Buffer[] = [];
  const pair = await openFaultyPair({
    server: { limits: { handshakeTimeoutMs: 500 } },
    proxy: {
      observe: (direction, datagram) => {
        if (direction === 'toServer' && real.length < 60) real.push(Buffer.from(datagram));
      },
    },
  });
  const connection = await pair.connect();
  await exchangePattern(connection, 100_000);
  const remoteAddress = pair.accepted[0]?.remoteAddress;
  const sizeBefore = tableSizeOf(pair.listener);
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const random = seededRandom(seed);
  const { host, port } = pair.listener.address;
  for (let sent = 0; sent < count; sent += 1) {
    socket.send(garbage(random, real), port, host);
    if (sent % BURST === BURST - 1) await exchangePattern(connection, 1000);
  }
  socket.close();
  await exchangePattern(connection, 100_000);
  expect(connection.isOpen).toBe(true);
  expect(pair.accepted.map(({ remoteAddress }) => remoteAddress)).toEqual([remoteAddress]);
  // Initial packets whose damage does not show begin handshakes that lead nowhere.
  await until(() => tableSizeOf(pair.listener) === sizeBefore);
}

function garbage(random: () => number, real: readonly Buffer[]): Uint8Array {
  const kind = random();
  const template = real[Math.floor(random() * real.length)] ?? Buffer.alloc(1200);
  if (kind < 0.3) {
    const bytes = Buffer.alloc(1 + Math.floor(random() * 1400));
    for (let index = 0; index < bytes.length; index += 1) bytes[index] = random() * 256;
    return bytes;
  }
  const length = kind < 0.5 ? 1 + Math.floor(random() * template.length) : template.length;
  const bytes = Buffer.from(template.subarray(0, length));
  for (let changes = 0; changes <= random() * 8; changes += 1) {
    // Half of the changes hit the head, where the bytes say what the rest is.
    const reach = random() < 0.5 ? Math.min(64, length) : length;
    bytes[Math.floor(random() * reach)] = random() * 256;
  }
  return bytes;
}
