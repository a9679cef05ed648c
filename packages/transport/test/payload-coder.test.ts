/** What a connection does to payloads, by what both sides agreed on and what the option says. */
import {
  decodedBytesOf,
  encodeDocument,
  encodingOf,
  payloadOf,
  type CompressionMode,
  type Message,
  type MessageOf,
} from '@quic-swarm/protocol';
import {
  MemoryNetwork,
  PayloadCoder,
  decoded,
  type Connection,
  type Stream,
} from '@quic-swarm/transport';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CompressionJudge } from '../src/compression/judge.ts';

let joining: Connection;
let accepting: Connection;

beforeAll(async () => {
  const transport = new MemoryNetwork().transport();
  const accepted = new Promise<Connection>((resolve) => {
    void transport.listen({ address: { host: '127.0.0.1', port: 1 }, onConnection: resolve });
  });
  joining = await transport.connect({ host: '127.0.0.1', port: 1 });
  accepting = await accepted;
});
afterAll(async () => {
  await joining.close();
});

const taskId = '00000000-0000-7000-8000-000000000000';
const submission = (payload: Uint8Array): MessageOf<'SubmitTask'> => ({
  type: 'SubmitTask',
  body: { requestId: 1, taskId, taskType: 'my.task', datasets: [], watch: 'none', payload },
});
const repetitive = (bytes: number): Uint8Array => encodeDocument('price '.repeat(bytes / 6));
const noise = (bytes: number): Uint8Array => {
  let state = 1;
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
};

/** Both sides as they are after their handshake. */
function pair(
  joiningMode: CompressionMode,
  acceptingMode: CompressionMode,
): { joiner: PayloadCoder; acceptor: PayloadCoder } {
  const joiner = new PayloadCoder(joining, joiningMode, new CompressionJudge());
  const acceptor = new PayloadCoder(accepting, acceptingMode, new CompressionJudge());
  const offer = joiner.agree(acceptingMode === 'never' ? [] : ['compression']);
  if (offer?.type === 'EncodingOffer') acceptor.accept(offer.body);
  return { joiner, acceptor };
}

describe.each([
  ['always', 'always', true],
  ['always', 'auto', true],
  ['always', 'never', false],
  ['never', 'always', false],
  ['auto', 'never', false],
] as const)('a joining side with %s at a coordinator with %s', (mine, yours, isAgreed) => {
  test(`${isAgreed ? 'agrees' : 'does not agree'} on encoded payloads`, async () => {
    const { joiner, acceptor } = pair(mine, yours);
    const plain = submission(repetitive(6000));
    const sent = await joiner.outgoing(plain);
    expect(encodingOf(sent) !== undefined).toBe(isAgreed);
    // What this side would send, the other one takes; and the other way round.
    expect(() => {
      acceptor.check(sent, 1e6);
    }).not.toThrow();
    expect(await decoded(sent)).toStrictEqual(plain);
    const encoded = await pair('always', 'always').joiner.outgoing(plain);
    for (const coder of [joiner, acceptor]) {
      // An encoded payload is passed on to whoever can decode it, and decoded for others.
      const passed = await coder.outgoing(encoded);
      if (isAgreed) expect(passed).toBe(encoded);
      else expect(passed).toStrictEqual(plain);
    }
  });
});

test('a coordinator sends nothing encoded before it was told what is decoded, and not what is unknown', async () => {
  const acceptor = new PayloadCoder(accepting, 'always', new CompressionJudge());
  const plain = submission(repetitive(6000));
  expect(await acceptor.outgoing(plain)).toBe(plain);
  acceptor.accept({ encodings: ['snappy', 'an-encoding-of-tomorrow'] });
  expect(await acceptor.outgoing(plain)).toBe(plain);
  acceptor.accept({ encodings: ['snappy', 'deflate-raw'] });
  expect(encodingOf(await acceptor.outgoing(plain))?.name).toBe('deflate-raw');
});

test('a joining side takes nothing encoded that it has not offered to decode', async () => {
  const encoded = await pair('always', 'always').joiner.outgoing(submission(repetitive(6000)));
  const check = (coder: PayloadCoder) => (): void => {
    coder.check(encoded, 1e6);
  };
  const badEncoding = expect.objectContaining({ type: 'BAD_ENCODING' }) as Error;
  expect(check(new PayloadCoder(joining, 'auto'))).toThrow(badEncoding);
  expect(check(pair('auto', 'never').joiner)).toThrow(badEncoding);
  expect(check(pair('never', 'auto').acceptor)).not.toThrow();
  expect(check(pair('auto', 'never').acceptor)).toThrow(badEncoding);
});

describe('always', () => {
  const { joiner } = { joiner: () => pair('always', 'always').joiner };

  test('leaves alone what is short, what is noise, and what carries nothing', async () => {
    for (const message of [
      submission(repetitive(900)),
      submission(noise(5000)),
      submission(noise(200_000)),
      { type: 'HeartbeatAck', body: { sequence: 1 } } as Message,
    ]) {
      expect(await joiner().outgoing(message)).toBe(message);
    }
  });

  test('encodes up to 64 KiB at once, and more on another thread', async () => {
    const short = joiner().outgoing(submission(repetitive(60_000)));
    expect(short).not.toBeInstanceOf(Promise);
    const long = joiner().outgoing(submission(repetitive(600_000)));
    expect(long).toBeInstanceOf(Promise);
    const sent = await long;
    expect(decodedBytesOf(sent.body)).toBe(payloadOf(submission(repetitive(600_000)))?.length);
    expect(payloadOf(sent)?.length).toBeLessThan(60_000);
    const plain = payloadOf(await decoded(sent)) ?? new Uint8Array();
    // Comparing element by element takes the test runner seconds.
    expect(Buffer.compare(plain, repetitive(600_000))).toBe(0);
  });
});

describe('auto', () => {
  /** Its queue is as long as a test wants it to be. */
  let drained: Promise<void> = Promise.resolve();
  const stream = { drained: async () => drained } as Stream;

  /** A connection over a link as given. */
  function linked(
    roundTripMs: number,
    deliveredBytesPerMs: () => number,
    host: string,
  ): Connection {
    const statistics = (): ReturnType<Connection['statistics']> => ({
      ...joining.statistics(),
      roundTripMs,
      deliveredBytesPerMs: deliveredBytesPerMs(),
    });
    const remoteAddress = { host, port: 1 };
    return {
      ...joining,
      side: 'client',
      localAddress: joining.localAddress,
      remoteAddress,
      statistics,
    };
  }
  const coderOver = (connection: Connection): PayloadCoder => {
    const coder = new PayloadCoder(connection, 'auto', new CompressionJudge());
    coder.agree(['compression']);
    return coder;
  };

  test('sends everything plain on one machine', async () => {
    const coder = coderOver(linked(0, () => 0, '127.0.0.1'));
    for (const bytes of [6000, 60_000, 6_000_000]) {
      const plain = submission(repetitive(bytes));
      expect(await coder.outgoing(plain)).toBe(plain);
    }
  });

  test('encodes for a peer far away, and not what a sample shows to be noise', async () => {
    const coder = coderOver(linked(30, () => 0, '192.0.2.1'));
    expect(encodingOf(await coder.outgoing(submission(repetitive(600_000))))).toBeDefined();
    const plain = submission(noise(2_000_000));
    const again = coder.outgoing(plain);
    expect(again).toBe(plain);
  });

  test('begins to encode when long writes show that the way is slow, even on one machine', async () => {
    const coder = coderOver(linked(0, () => 12_500, '127.0.0.1'));
    const plain = submission(repetitive(600_000));
    expect(await coder.outgoing(plain)).toBe(plain);
    // A write that is over at once shows nothing; one that waits until it was looked at often enough does.
    await coder.measured(stream, 1_000_000, async () => {});
    expect(await coder.outgoing(plain)).toBe(plain);
    let isEmpty = (): void => {};
    drained = new Promise((resolve) => {
      isEmpty = resolve;
    });
    await coder.measured(stream, 1_000_000, async () => {});
    while ((await coder.outgoing(plain)) === plain) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    isEmpty();
    expect(encodingOf(await coder.outgoing(plain))).toBeDefined();
  });

  test('hears of a write that fails', async () => {
    const coder = coderOver(linked(0, () => 12_500, '127.0.0.1'));
    const write = async (): Promise<void> => Promise.reject(new Error('cut'));
    await expect(coder.measured(stream, 1_000_000, write)).rejects.toThrow('cut');
  });
});
