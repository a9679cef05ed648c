import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  FRAME_LENGTH_BYTES,
  FrameBatch,
  MESSAGES,
  MessageReader,
  decodeBody,
  encodeFrame,
  isSwarmError,
  payloadOf,
  type Message,
  type MessageType,
} from '../src/index.ts';
import { decodeGeneral, type Keep } from '../src/body-decoder.ts';
import { encodeCbor } from '../src/cbor.ts';
import { messageCodecOf } from '../src/fast/message-codec.ts';
import { cacheOf } from '../src/fast/texts.ts';
import { WINDOW_BYTES, closeWindow, cursor, positionInWindow } from '../src/fast/window.ts';
import { encodeGeneral } from '../src/frame-writer.ts';
import { TASK_ID_PATTERN } from '../src/ids.ts';
import {
  messageTypes,
  messages,
  messagesOfType,
  type SchemaView,
} from './support/arbitrary-messages.ts';
import { decodeTiny, encodeTiny, toReadable } from './support/tiny-cbor.ts';
import { damaged, damages, encodeUnusual } from './support/unusual-cbor.ts';

/** Cases of each property; more by the environment. */
const RUNS = Number(process.env['CODEC_RUNS'] ?? 400);
const HEAD_BYTES = FRAME_LENGTH_BYTES + 1;
const keeps = fc.constantFrom<Keep>('share', 'copy');

/** A message, or the type and the words of its refusal. The order of keys counts. */
function outcomeOf(decode: () => Message): unknown {
  try {
    const message = decode();
    return { message, keys: JSON.stringify(message.body, (_, value: unknown) => keysOf(value)) };
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    return { type: error.type, words: error.message };
  }
}

function keysOf(value: unknown): unknown {
  return ArrayBuffer.isView(value) || typeof value === 'bigint' ? 0 : value;
}

function compare(type: MessageType, body: Uint8Array, keep: Keep): void {
  const expected = outcomeOf(() => decodeGeneral(type, body.slice(), keep));
  expect(outcomeOf(() => decodeBody(type, body.slice(), keep))).toStrictEqual(expected);
}

/** What the fast decoder alone says. */
function readFast(type: MessageType, body: Uint8Array): object | undefined {
  closeWindow();
  const start = positionInWindow(body, 0, body.length);
  const value = messageCodecOf(type).read(start, start + body.length);
  return cursor.position === start + body.length ? value : undefined;
}

/** The same message with its fields, and theirs, in the order of the schema. */
function inSchemaOrder(schema: SchemaView, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => inSchemaOrder(schema.items ?? {}, item));
  const isRecord = Object.prototype.toString.call(value) === '[object Object]';
  if (schema.properties === undefined || !isRecord) return value;
  const fields = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(schema.properties)
      .filter(([name]) => name in fields)
      .map(([name, field]) => [name, inSchemaOrder(field, fields[name])]),
  );
}

function shuffled(value: unknown, order: readonly number[]): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map((item) => shuffled(item, order));
  const entries = Object.entries(value).map(([key, item]) => [key, shuffled(item, order)] as const);
  return Object.fromEntries(
    entries
      .map((entry, index) => ({ entry, rank: order[index % order.length] ?? 0 }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ entry }) => entry),
  );
}

const orders = fc.array(fc.nat(100), { minLength: 1, maxLength: 12 });

describe('the fast codec', () => {
  test('reads every valid message as the general path does', () => {
    fc.assert(
      fc.property(messages, orders, keeps, (message, order, keep) => {
        const { type } = message;
        compare(type, encodeFrame(message).subarray(HEAD_BYTES), keep);
        compare(type, encodeCbor(message.body), keep);
        compare(type, encodeCbor(shuffled(message.body, order)), keep);
      }),
      { numRuns: RUNS },
    );
  });

  test('reads damaged bytes as the general path does, or is refused in the same words', () => {
    fc.assert(
      fc.property(messages, fc.array(damages, { minLength: 4, maxLength: 4 }), (message, all) => {
        const body = encodeFrame(message).subarray(HEAD_BYTES);
        for (const changes of all) compare(message.type, damaged(body, changes), 'copy');
      }),
      { numRuns: RUNS },
    );
  });

  test('reads unusual forms of numbers, lengths and orders as the general path does', () => {
    fc.assert(
      fc.property(messages, fc.infiniteStream(fc.nat(2 ** 20)), (message, numbers) => {
        const choose = (possibilities: number): number =>
          (numbers.next().value as number) % possibilities;
        const body = Uint8Array.from(encodeUnusual(message.body, choose));
        compare(message.type, body, 'copy');
      }),
      { numRuns: RUNS },
    );
  });

  test('reads any field that breaks its bounds as the general path does', () => {
    const strange = fc.oneof(
      fc.constantFrom(null, true, '', 'x', -1, 0, 0.5, -0.5, 1e12, 1e13, 2 ** 53, 1e300, -0),
      fc.constantFrom(Number.NaN, Infinity, {}, [], [1], new Uint8Array(3), Int8Array.of(1)),
      fc.string({ maxLength: 300 }),
      fc.integer(),
      fc.double(),
    );
    fc.assert(
      fc.property(messages, fc.nat(), strange, (message, index, value) => {
        const names = Object.keys((MESSAGES[message.type].schema as SchemaView).properties ?? {});
        const name = names[index % names.length] ?? '';
        const changed = inOrderOf(message.type, {
          ...message.body,
          [name]: value,
        });
        compare(message.type, encodeCbor(changed), 'copy');
      }),
      { numRuns: RUNS },
    );
  });

  test('writes the bytes of the general path, with the fields in the order of the schema', () => {
    fc.assert(
      fc.property(messages, orders, (message, order) => {
        const { type } = message;
        const ordered = inOrderOf(type, message.body);
        const mixed = { type, body: shuffled(message.body, order) } as Message;
        const frame = encodeFrame(mixed);
        const readable = { value: toReadable(message.body), end: frame.length };
        // `toStrictEqual` would take a field named constructor for a class.
        expect(isDeepStrictEqual(decodeTiny(frame, HEAD_BYTES), readable), inspect(message)).toBe(
          true,
        );
        if (messageCodecOf(type).write(mixed.body, 0, new Uint8Array(8192), view8192) < 0) return;
        expect(frame).toStrictEqual(encodeGeneral({ type, body: ordered } as Message));
      }),
      { numRuns: RUNS },
    );
  });

  test('writes what is not as the schema says like the general path', () => {
    fc.assert(
      fc.property(messages, fc.nat(), fc.anything(), (message, index, value) => {
        const names = Object.keys((MESSAGES[message.type].schema as SchemaView).properties ?? {});
        const body = inOrderOf(message.type, {
          ...message.body,
          [names[index % names.length] ?? '']: value,
        });
        const changed = { type: message.type, body } as Message;
        expect(encoded(() => encodeFrame(changed))).toStrictEqual(
          encoded(() => encodeGeneral(changed)),
        );
      }),
      { numRuns: RUNS },
    );
  });
});

describe('the fast path', () => {
  const taskId = '0192f0c1-2b3c-7d4e-8f50-112233445566';
  const lease = { epoch: 1, taskId, attempt: 1 };
  const payload = Uint8Array.of(0xa1, 0x61, 0x78, 1);
  const hot: readonly Message[] = [
    {
      type: 'SubmitTask',
      body: { requestId: 70_000, taskId, taskType: 'a.b', datasets: [], watch: 'result', payload },
    },
    { type: 'SubmitAck', body: { requestId: 1, taskId, state: 'queued', existing: false } },
    {
      type: 'AgentTask',
      body: {
        ...lease,
        dispatchSequence: 300,
        taskType: 'a.b',
        datasets: [`sha256:${'0a'.repeat(32)}`],
        startToCloseMs: 300_000,
        payload,
      },
    },
    { type: 'TaskStarted', body: lease },
    { type: 'TaskProgress', body: { ...lease, fraction: 0.5, text: 'half of it' } },
    {
      type: 'TaskCompletion',
      body: { ...lease, outcome: 'succeeded', chunkCount: 0, computeMs: 0.5, waitMs: 0.1, payload },
    },
    { type: 'MessageAck', body: { lease, status: 'PROCESSED' } },
    { type: 'CancelTask', body: { requestId: 1, taskId, reason: '', graceMs: 100 } },
    {
      type: 'TaskEvent',
      body: {
        taskId,
        kind: 'end',
        state: 'succeeded',
        attempt: 1,
        agentId: 'agent-1',
        chunkCount: 0,
        queueMs: 0.25,
        computeMs: 0.5,
        totalMs: 1.5,
        payload,
      },
    },
    { type: 'CreditGrant', body: { credit: 5 } },
    {
      type: 'HeartbeatMessage',
      body: {
        sequence: 1,
        leases: [lease, lease],
        lastDispatchSequence: 2,
        running: 1,
        waiting: 0,
        eventLoopLagMs: 0.5,
        memoryBytes: 16e9,
        cpuLoad: 0.5,
      },
    },
    { type: 'HeartbeatAck', body: { sequence: 7 } },
  ];

  test.each(hot.map((message) => [message.type, message] as const))('takes %s', (type, message) => {
    const bytes = new Uint8Array(4096);
    const end = messageCodecOf(type).write(message.body, 0, bytes, new DataView(bytes.buffer));
    expect(end).toBeGreaterThan(0);
    expect(readFast(type, bytes.subarray(0, end))).toStrictEqual(message.body);
  });

  test('takes many of the valid messages of most types', () => {
    const taken = messageTypes.map((type) => {
      const samples = fc.sample(messagesOfType(type), { seed: 3, numRuns: 40 });
      return samples.filter(
        ({ body }) => readFast(type, encodeCbor(inOrderOf(type, body))) !== undefined,
      ).length;
    });
    expect(taken.filter((count) => count >= 10).length).toBeGreaterThan(25);
  });

  test('refuses one item more than a list may have', () => {
    const streams = (count: number): object => ({
      protocol: 1,
      sessionToken: 'token',
      epoch: 1,
      streams: Array.from({ length: count }, () => 'task'),
      grants: { payloadBytesMax: 1, datasetBytesMax: 1, streamsMax: 1 },
      features: [],
    });
    expect(readFast('ClientAck', encodeCbor(streams(8)))).toStrictEqual(streams(8));
    expect(readFast('ClientAck', encodeCbor(streams(9)))).toBeUndefined();
    compare('ClientAck', encodeCbor(streams(9)), 'copy');
  });

  test('writes what is inherited as little as the general path does', () => {
    class Credit {
      credit = 5;
    }
    const inherited = Object.create({ credit: 5 }) as object;
    for (const body of [
      inherited,
      new Credit(),
      Object.assign(Object.create(null) as object, { credit: 5 }),
    ]) {
      const message = { type: 'CreditGrant', body } as Message;
      expect(encodeFrame(message)).toStrictEqual(encodeGeneral(message));
      const nested = { type: 'MessageAck', body: { lease: body, status: 'STALE' } };
      expect(encodeFrame(nested as Message)).toStrictEqual(encodeGeneral(nested as Message));
    }
    const epochs = Object.create({ epoch: 1, taskId, attempt: 1 }) as object;
    const message = { type: 'MessageAck', body: { lease: epochs, status: 'STALE' } } as Message;
    expect(encodeFrame(message)).toStrictEqual(encodeGeneral(message));
  });

  test('makes task ids of exactly the texts that their pattern allows', () => {
    const cache = cacheOf({ kind: 'text', pattern: TASK_ID_PATTERN, lengthMin: 0, lengthMax: 36 });
    const nearly = fc
      .tuple(
        fc.stringMatching(TASK_ID_PATTERN),
        fc.nat(36),
        fc.constantFrom('', '-', '0', 'g', 'F', '/', ':', '\u007f', ' '),
        fc.nat(1),
      )
      .map(([id, at, inserted, removed]) => id.slice(0, at) + inserted + id.slice(at + removed));
    fc.assert(
      fc.property(nearly, (text) => {
        const item = Uint8Array.from(encodeTiny(text));
        closeWindow();
        const start = positionInWindow(item, 0, item.length);
        const read = cache?.read(start, start + item.length);
        expect(read).toBe(TASK_ID_PATTERN.test(text) ? text : undefined);
      }),
      { numRuns: RUNS },
    );
  });

  test('tells texts apart that meet in one place of the cache', () => {
    // Four times as many as there are places, each read twice.
    const acks = Array.from({ length: 16_384 }, (_, index) => ({
      ...lease,
      taskId: taskId.slice(0, 24) + (index * 7919).toString(16).padStart(12, '0'),
    }));
    const frames = acks.map((body) => encodeFrame({ type: 'TaskStarted', body }).slice());
    for (const round of [frames, frames]) {
      round.forEach((frame, index) => {
        expect(decodeBody('TaskStarted', frame.subarray(HEAD_BYTES)).body).toStrictEqual(
          acks[index],
        );
      });
    }
  });

  test('reads frames in pieces far longer than its window, and of any length around its own', () => {
    const sent = Array.from({ length: 2000 }, (_, index): Message => {
      const filled = new Uint8Array(
        index % 100 === 0 ? WINDOW_BYTES - 60 + index / 100 : index % 40,
      );
      return {
        type: 'ResultChunk',
        body: { ...lease, sequence: index, payload: filled.fill(index) },
      };
    });
    const bytes = Buffer.concat(sent.map(encodeFrame));
    expect(bytes.length).toBeGreaterThan(10 * WINDOW_BYTES);
    const received: Message[] = [];
    const reader = new MessageReader({ onMessage: (message) => received.push(message) });
    reader.push(bytes);
    bytes.fill(0xff);
    expect(received).toHaveLength(sent.length);
    received.forEach((message, index) => {
      expect(
        Buffer.compare(payloadOf(message) ?? payload, payloadOf(sent[index] ?? message) ?? payload),
      ).toBe(0);
      expect({ ...message.body, payload }).toStrictEqual({ ...sent[index]?.body, payload });
    });
  });

  test('may be entered again while a message is handled', () => {
    const inner: Message = { type: 'CreditGrant', body: { credit: 9 } };
    const received: Message[] = [];
    const innerReader = new MessageReader({ onMessage: (message) => received.push(message) });
    const reader = new MessageReader({
      onMessage: (message) => {
        received.push(message);
        innerReader.push(encodeFrame(inner));
        decodeBody('HeartbeatAck', Uint8Array.of(0xa0 + 1, ...encodeTiny('sequence'), 3));
      },
    });
    reader.push(Buffer.concat(hot.map(encodeFrame)));
    expect(received).toStrictEqual(hot.flatMap((message) => [message, inner]));
  });

  test('sees what was changed in the same array between two pushes', () => {
    const received: Message[] = [];
    const reader = new MessageReader({ onMessage: (message) => received.push(message) });
    const reused = encodeFrame({ type: 'CreditGrant', body: { credit: 1 } }).slice();
    reader.push(reused);
    reused[reused.length - 1] = 2;
    reader.push(reused);
    const body = reused.subarray(HEAD_BYTES);
    expect(decodeBody('CreditGrant', body).body).toStrictEqual({ credit: 2 });
    body[body.length - 1] = 3;
    expect(decodeBody('CreditGrant', body).body).toStrictEqual({ credit: 3 });
    expect(received.map(({ body }) => body)).toStrictEqual([{ credit: 1 }, { credit: 2 }]);
  });
});

describe('a batch of frames', () => {
  test('holds the frames of its messages in their order, whatever else is encoded meanwhile', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(messages, fc.nat(3)), { minLength: 1, maxLength: 30 }),
        (list) => {
          const batch = new FrameBatch();
          const other = new FrameBatch();
          const pieces: Uint8Array[] = [];
          for (const [message, what] of list) {
            batch.add(message);
            if (what === 0) encodeFrame(message);
            if (what === 1) other.add(message);
            if (what === 2) pieces.push(...batch.take());
          }
          const { bytes } = batch;
          const last = batch.take();
          expect(Buffer.concat(last)).toHaveLength(bytes);
          expect(batch.take()).toStrictEqual([]);
          expect(batch.bytes).toBe(0);
          const expected = Buffer.concat(list.map(([message]) => encodeFrame(message)));
          expect(Buffer.concat([...pieces, ...last]).equals(expected)).toBe(true);
        },
      ),
      { numRuns: RUNS / 10 },
    );
  });

  test('is one piece for messages of one tick, and parts of it do not change later', () => {
    const batch = new FrameBatch();
    const fill = (from: number): void => {
      for (let credit = from; credit < from + 20; credit++) {
        batch.add({ type: 'CreditGrant', body: { credit } });
      }
    };
    fill(0);
    const first = batch.take();
    expect(first.length).toBeLessThanOrEqual(2);
    const copy = Buffer.concat(first);
    for (let i = 0; i < 200; i++) {
      fill(1000);
      batch.take();
    }
    expect(Buffer.concat(first).equals(copy)).toBe(true);
  });

  test('takes long messages between short ones', () => {
    const batch = new FrameBatch();
    const short: Message = { type: 'CreditGrant', body: { credit: 1 } };
    const long: Message = {
      type: 'PayloadChunk',
      body: { offset: 0, bytes: new Uint8Array(5000) },
    };
    const list = [short, long, short, short, long];
    for (const message of list) batch.add(message);
    const expected = Buffer.concat(list.map(encodeFrame));
    expect(batch.bytes).toBe(expected.length);
    expect(Buffer.concat(batch.take()).equals(expected)).toBe(true);
  });
});

function inOrderOf(type: MessageType, body: unknown): unknown {
  return inSchemaOrder(MESSAGES[type].schema as SchemaView, body);
}

const view8192 = new DataView(new ArrayBuffer(8192));

function encoded(encode: () => Uint8Array): unknown {
  try {
    return encode();
  } catch (error) {
    return String(error);
  }
}
