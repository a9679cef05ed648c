/** The end of a stream is heard although the datagram that carries it is lost. */
import type { Stream } from '@quic-swarm/transport';
import { deferred, until } from '@quic-swarm/testkit';
import { describe, expect, it } from 'vitest';
import { QuicConnection } from '../src/quic/connection/connection.ts';
import { RepeatedResets } from '../src/quic/connection/repeated-resets.ts';
import { connecting, meetForTest, serving, tap } from './quic-pair.ts';

const CANCELLED = { wireCode: 0x146, message: 'not needed' } as const;

it('a reset is heard whose datagram is lost while what was sent before it arrives', async () => {
  const wire = tap();
  const asked = deferred<Stream>();
  const { client, server } = await meetForTest(
    serving({ createSocket: wire.createSocket }),
    connecting(),
    (connection) => {
      connection.onStream = (stream) => {
        stream.onData = () => undefined;
        stream.onEnd = () => {
          asked.resolve(stream);
        };
      };
    },
  );
  const question = await client.openStream();
  const heard = deferred<Error>();
  question.onData = () => undefined;
  question.onEnd = () => {
    heard.reject(new Error('The stream ended as if nothing were missing.'));
  };
  question.onError = heard.resolve;
  question.write(Buffer.from('a question'));
  question.end();
  const answer = await asked.promise;
  let isLost = false;
  wire.onSend = (datagram) => {
    if (datagram.length < 1000) return;
    // The datagram with the answer goes through. The next one, which says that no more will come, is lost.
    answer.reset(CANCELLED);
    wire.onSend = () => {
      wire.bytesMax = isLost ? Infinity : 0;
      isLost = true;
    };
  };
  answer.write(Buffer.alloc(5000));
  expect(await heard.promise).toMatchObject({ type: 'TASK_CANCELLED' });
  expect(isLost).toBe(true);
  await until(() => [client, server].every((end) => tableSize(end) === 0));
});

function tableSize(connection: unknown): number {
  return connection instanceof QuicConnection ? connection.streams.size : NaN;
}

it('who hears of a reset ends its own half too, although it was not told to', async () => {
  const wire = tap();
  const heard = deferred<Error>();
  const arrived = deferred();
  const { client } = await meetForTest(
    serving(),
    connecting({ createSocket: wire.createSocket }),
    (connection) => {
      connection.onStream = (stream) => {
        stream.onData = () => {
          arrived.resolve();
        };
        stream.onError = heard.resolve;
      };
    },
  );
  if (!(client instanceof QuicConnection)) throw new Error('Not a connection of QUIC.');
  const stream = await client.openStream();
  stream.write(Buffer.from('begun'));
  await arrived.promise;
  await until(() => client.diagnosis['isLossTimerArmed'] === false);
  // Lost for good with its copies: quiche repeats the reset in another datagram, but not that the peer shall stop.
  let lost: Buffer | undefined;
  wire.onSend = (datagram) => {
    lost ??= Buffer.from(datagram);
    wire.bytesMax = lost.equals(datagram) ? 0 : Infinity;
  };
  stream.reset(CANCELLED);
  expect(await heard.promise).toMatchObject({ type: 'TASK_CANCELLED' });
  // quiche holds a stream until both halves have ended.
  await until(() => client.streams.quiche.streamStopped(stream.id) !== undefined);
});

describe('copies of datagrams with resets', () => {
  /** Copies that are sent until `untilMs`, by their times; the round trip is 15 ms. */
  function repeatedAt(path: { lost: number; isIdle: boolean }, untilMs: number): number[] {
    const sentAt: number[] = [];
    let nowMs = 0;
    const quiche = {
      stats: () => ({ lost: path.lost }),
      path: () => ({ roundTripMs: 15, deliveryRate: 0 }),
    };
    const resets = new RepeatedResets(
      quiche as ConstructorParameters<typeof RepeatedResets>[0],
      () => path.isIdle,
      (datagram) => {
        expect([...datagram]).toEqual([1, 2, 3]);
        sentAt.push(nowMs);
      },
    );
    resets.noteReset();
    resets.noteSent(Uint8Array.of(1, 2, 3), () => nowMs);
    path.lost += path.isIdle ? 0 : 1;
    for (; nowMs <= untilMs; nowMs += 1) resets.tick(false, nowMs);
    expect(resets.dueAtMs).toBe(Infinity);
    return sentAt;
  }

  it('are not sent where nothing was lost', () => {
    expect(repeatedAt({ lost: 5, isIdle: true }, 10_000)).toEqual([]);
  });

  it('are sent soon, then at distances that double, and at last no more', () => {
    const expected = [1, 41, 121, 281, 601, 1241, 2521, 5081];
    expect(repeatedAt({ lost: 5, isIdle: false }, 10_000)).toEqual(expected);
  });
});
