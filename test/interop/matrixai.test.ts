/** Our transport with the high-level classes of @matrixai/quic on the other side. */
import { events, type QUICConnection } from '@matrixai/quic';
import {
  createAuthority,
  createQuicTransport,
  issueCertificate,
  type Connection,
  type Stream,
} from '@quic-swarm/transport';
import { deferred, isPattern, pattern, readAll, serveEcho } from '@quic-swarm/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { askMatrix, echo, matrixClient, matrixServer, onPeerStream } from './matrixai-peer.ts';

const authority = createAuthority({ commonName: 'swarm authority' });
const identity = issueCertificate(authority, {
  commonName: 'coordinator',
  hosts: ['localhost', '127.0.0.1'],
  usage: 'server',
});

/** More than a packet, less than their patience: they move some megabits per second. */
const BYTES = 50_000;

describe('our listener', () => {
  it("talks with their QUICClient on each other's streams and learns why it closes", async () => {
    const accepted = deferred<Connection>();
    const listener = await createQuicTransport({ server: identity }).listen({
      address: { host: '127.0.0.1', port: 0 },
      onConnection: (connection) => {
        serveEcho(connection);
        accepted.resolve(connection);
      },
    });
    onTestFinished(async () => listener.close());
    const client = await matrixClient(listener.address, authority.certificate);
    onPeerStream(client.connection, echo);
    const connection = await accepted.promise;

    expect(isPattern(await askMatrix(client.connection, pattern(0, BYTES)), 0)).toBe(true);
    await askOurs(connection);

    await client.destroy({ isApp: true, errorCode: 0x150, reason: Buffer.from('done') });
    expect(await connection.closed).toMatchObject({ by: 'peer', wireCode: 0x150, message: 'done' });
  });
});

describe('our client', () => {
  it("talks with their QUICServer on each other's streams and tells it why it closes", async () => {
    const accepted = deferred<QUICConnection>();
    const address = await matrixServer(identity, (connection) => {
      onPeerStream(connection, echo);
      accepted.resolve(connection);
    });
    const transport = createQuicTransport({
      client: { trust: { authority: authority.certificate } },
    });
    const connection = await transport.connect(address);
    serveEcho(connection);
    const theirs = await accepted.promise;

    await askOurs(connection);
    expect(isPattern(await askMatrix(theirs, pattern(0, BYTES)), 0)).toBe(true);

    const closed = deferred<events.EventQUICConnectionClose>();
    theirs.addEventListener(
      events.EventQUICConnectionClose.name,
      (event: events.EventQUICConnectionClose) => {
        closed.resolve(event);
      },
    );
    await connection.close({ wireCode: 0x150, message: 'done' });
    const { detail } = await closed.promise;
    expect(detail.data).toMatchObject({ isApp: true, errorCode: 0x150 });
    expect(Buffer.from((detail.data as { reason: Uint8Array }).reason).toString()).toBe('done');
  });
});

/** Bytes that we send on a stream of ours come back whole. */
async function askOurs(connection: Connection): Promise<void> {
  const stream: Stream = await connection.openStream();
  const answer = readAll(stream);
  stream.write(pattern(7, BYTES));
  stream.end();
  const bytes = await answer;
  expect([bytes.length, isPattern(bytes, 7)]).toEqual([BYTES, true]);
}
