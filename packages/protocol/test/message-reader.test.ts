import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CONTROL_FRAME_BYTES_MAX,
  FrameParser,
  INLINE_PAYLOAD_BYTES_MAX,
  MESSAGES,
  MessageReader,
  PAYLOAD_CHUNK_BYTES,
  TENSOR_FRAME_BYTES_MAX,
  UNAUTHENTICATED_FRAME_BYTES_MAX,
  encodeFrame,
  framesOf,
  needsOwnStream,
  payloadOf,
  type Message,
} from '../src/index.ts';
import { messageTypes, messages } from './support/arbitrary-messages.ts';
import { refusal } from './support/refusals.ts';
import { expectSame } from './support/same.ts';

const taskId = '01900000-0000-7000-8000-000000000001';

function taskWith(payload: Uint8Array): Message {
  return {
    type: 'AgentTask',
    body: {
      epoch: 1,
      taskId,
      attempt: 1,
      dispatchSequence: 1,
      taskType: 'PatternMatch',
      datasets: [],
      startToCloseMs: 1000,
      payload,
    },
  };
}

function announced(payloadBytes: number, extra: object = {}): Uint8Array {
  const { payload: _payload, ...body } = taskWith(new Uint8Array(0)).body as {
    payload: Uint8Array;
  };
  return encodeFrame({ type: 'AgentTask', body: { ...body, payloadBytes, ...extra } } as Message);
}

function chunk(offset: number, length: number): Uint8Array {
  return encodeFrame({ type: 'PayloadChunk', body: { offset, bytes: new Uint8Array(length) } });
}

function join(parts: Iterable<Uint8Array>): Uint8Array {
  return Uint8Array.from([...parts].flatMap((part) => [...part]));
}

/** Pushes the pieces, each overwritten afterwards, since a reader must not keep what it was given. */
function read(pieces: Iterable<Uint8Array>, options: { payloadBytesMax?: number } = {}): Message[] {
  const received: Message[] = [];
  const reader = new MessageReader({
    ...options,
    onMessage: (message) => received.push(message),
  });
  for (const piece of pieces) {
    const reused = new Uint8Array(piece);
    reader.push(reused);
    reused.fill(0xff);
  }
  reader.end();
  return received;
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) % 256);
}

function head(length: number, number: number): Uint8Array {
  return Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length, number);
}

describe('framing', () => {
  test('gives the same messages however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(messages, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (sent, cuts) => {
          const bytes = join(sent.flatMap((message) => [...framesOf(message)]));
          expectSame(read([bytes]), sent);
          expectSame(read(cutAt(bytes, cuts)), sent);
          expectSame(read(Array.from(bytes, (byte) => Uint8Array.of(byte))), sent);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('writes the length of type and body in big-endian order, then the number of the type', () => {
    const frame = encodeFrame({ type: 'HeartbeatAck', body: { sequence: 7 } });
    expect([...frame.subarray(0, 5)]).toStrictEqual([0, 0, 0, frame.length - 4, 0x41]);
    expect(frame).toHaveLength(4 + 1 + 1 + 9 + 1);
  });

  test('keeps frames apart that were encoded one after the other', () => {
    const frames = Array.from({ length: 500 }, (_, sequence) =>
      encodeFrame({ type: 'HeartbeatAck', body: { sequence } }),
    );
    const sequences = read(frames).map(({ body }) => (body as { sequence: number }).sequence);
    expect(sequences).toStrictEqual(frames.map((_, index) => index));
  });

  test.each([
    ['an unknown number', head(10, 0x7f)],
    ['the number zero', head(10, 0)],
    ['no body', head(1, 0x41)],
    ['a length of zero', head(0, 0x41)],
    ['the first bytes of an HTTP request', new TextEncoder().encode('GET / HTTP/1.1\r\n')],
  ])('refuses %s', (_name, bytes) => {
    refusal('BAD_FRAME', () => read([bytes]));
  });

  test('refuses a stream that ends inside a frame, wherever', () => {
    const frame = encodeFrame({ type: 'HeartbeatAck', body: { sequence: 7 } });
    for (let end = 1; end < frame.length; end++) {
      refusal('BAD_FRAME', () => read([frame.subarray(0, end)]));
    }
    expect(read([])).toStrictEqual([]);
  });

  test('gives frames to whoever wants no messages', () => {
    const frame = encodeFrame({ type: 'HeartbeatAck', body: { sequence: 7 } });
    const received: unknown[] = [];
    const parser = new FrameParser((type, body, owned) => {
      received.push([type, [...body], owned]);
    });
    parser.push(join([frame, frame]));
    parser.push(frame.subarray(0, 9));
    parser.push(frame.subarray(9));
    parser.end();
    const body = [...frame.subarray(5)];
    expect(received).toStrictEqual([
      ['HeartbeatAck', body, false],
      ['HeartbeatAck', body, false],
      ['HeartbeatAck', body, true],
    ]);
  });

  test('stays refused after the first refusal', () => {
    const parser = new FrameParser(() => {});
    refusal('BAD_FRAME', () => parser.push(head(10, 0)));
    refusal('BAD_FRAME', () =>
      parser.push(encodeFrame({ type: 'HeartbeatAck', body: { sequence: 7 } })),
    );
  });
});

describe('the length of a frame', () => {
  test.each(messageTypes)('%s is bounded before a byte of it has come', (type) => {
    const { number, frameBytesMax } = MESSAGES[type];
    const reader = new MessageReader({ onMessage: () => {} });
    refusal('FRAME_TOO_LARGE', () => reader.push(head(frameBytesMax + 1, number)));
    refusal('FRAME_TOO_LARGE', () =>
      new MessageReader({ onMessage: () => {} }).push(head(0xffff_ffff, number)),
    );
    new MessageReader({ onMessage: () => {} }).push(head(frameBytesMax, number));
    expect(frameBytesMax).toBe(
      type === 'PayloadChunk' ? TENSOR_FRAME_BYTES_MAX : CONTROL_FRAME_BYTES_MAX,
    );
  });

  test('is at most 64 KiB before the peer is known, and the bound can be lifted between frames', () => {
    const options = { onMessage: () => {}, frameBytesMax: UNAUTHENTICATED_FRAME_BYTES_MAX };
    const { number } = MESSAGES.AgentHandshake;
    const over = head(UNAUTHENTICATED_FRAME_BYTES_MAX + 1, number);
    refusal('FRAME_TOO_LARGE', () => new MessageReader(options).push(over));
    refusal('FRAME_TOO_LARGE', () =>
      new MessageReader(options).push(
        head(UNAUTHENTICATED_FRAME_BYTES_MAX + 1, MESSAGES.PayloadChunk.number),
      ),
    );
    new MessageReader(options).push(head(UNAUTHENTICATED_FRAME_BYTES_MAX, number));
    const reader = new MessageReader(options);
    reader.push(encodeFrame({ type: 'HeartbeatAck', body: { sequence: 7 } }));
    reader.frameBytesMax = Number.MAX_SAFE_INTEGER;
    reader.push(over);
  });

  test('that is promised takes no memory until the bytes come', () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 200 }, () => new MessageReader({ onMessage: () => {} }));
    for (const reader of readers) {
      reader.push(head(TENSOR_FRAME_BYTES_MAX, MESSAGES.PayloadChunk.number));
      reader.push(Uint8Array.of(0xa2));
    }
    // 200 × 16 MiB are promised.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 1024 * 1024);
    expect(readers).toHaveLength(200);
  });
});

describe('a payload', () => {
  test.each([
    0,
    1,
    INLINE_PAYLOAD_BYTES_MAX,
    INLINE_PAYLOAD_BYTES_MAX + 1,
    PAYLOAD_CHUNK_BYTES,
    PAYLOAD_CHUNK_BYTES + 1,
    3 * PAYLOAD_CHUNK_BYTES + 5,
  ])('of %i bytes arrives whole', (length) => {
    const message = taskWith(pattern(length));
    const frames = [...framesOf(message)];
    const isDetached = length > INLINE_PAYLOAD_BYTES_MAX;
    expect(needsOwnStream(message)).toBe(isDetached);
    expect(frames).toHaveLength(isDetached ? 1 + Math.ceil(length / PAYLOAD_CHUNK_BYTES) : 1);
    const all = Buffer.concat(frames);
    for (const pieces of [frames, [all], cutAt(all, [3, 100, 70_000, 300_001, 700_000])]) {
      const [received, ...more] = read(pieces);
      expect(more).toStrictEqual([]);
      expect(received?.type).toBe('AgentTask');
      expect(Object.keys(received?.body ?? {}).sort()).toStrictEqual(
        Object.keys(message.body).sort(),
      );
      const payload = received === undefined ? undefined : payloadOf(received);
      expect(Buffer.compare(payload ?? new Uint8Array(0), pattern(length))).toBe(0);
    }
  });

  test('in pieces of one byte is assembled in memory of its own size', () => {
    const pieces = Array.from({ length: 3000 }, (_, offset) => chunk(offset, 1));
    const [message] = read([announced(3000), ...pieces]);
    expect(message === undefined ? undefined : payloadOf(message)).toStrictEqual(
      new Uint8Array(3000),
    );
  });

  test('is followed by the next message', () => {
    const ack: Message = { type: 'HeartbeatAck', body: { sequence: 7 } };
    const received = read([announced(2), chunk(0, 2), encodeFrame(ack)]);
    expect(received.map(({ type }) => type)).toStrictEqual(['AgentTask', 'HeartbeatAck']);
  });

  test.each([
    ['with a gap', [announced(10), chunk(0, 4), chunk(5, 5)]],
    ['that begins late', [announced(10), chunk(1, 9)]],
    ['that repeats bytes', [announced(10), chunk(0, 4), chunk(0, 4)]],
    ['longer than announced', [announced(10), chunk(0, 11)]],
    ['longer than announced in the last chunk', [announced(10), chunk(0, 9), chunk(9, 2)]],
    ['with an empty chunk', [announced(10), chunk(0, 0)]],
    ['announced with a length of zero', [announced(0)]],
    ['both inside and announced', [announced(10, { payload: new Uint8Array(1) })]],
  ])('%s is refused', (_name, frames) => {
    refusal('BAD_MESSAGE', () => read(frames));
  });

  test('interrupted by another message is refused', () => {
    const ack = encodeFrame({ type: 'HeartbeatAck', body: { sequence: 7 } });
    refusal('UNEXPECTED_MESSAGE', () => read([announced(10), chunk(0, 4), ack]));
    refusal('UNEXPECTED_MESSAGE', () => read([announced(10), announced(10)]));
  });

  test('without a message in front of it is refused', () => {
    refusal('UNEXPECTED_MESSAGE', () => read([chunk(0, 4)]));
    refusal('UNEXPECTED_MESSAGE', () => read([announced(4), chunk(0, 4), chunk(4, 4)]));
  });

  test('that the stream ends in is refused', () => {
    refusal('BAD_FRAME', () => read([announced(10)]));
    refusal('BAD_FRAME', () => read([announced(10), chunk(0, 9)]));
  });

  test('over its bound is refused when it is announced', () => {
    const why = refusal('PAYLOAD_TOO_LARGE', () =>
      read([announced(101)], { payloadBytesMax: 100 }),
    );
    expect(why).toContain('101');
    expect(why).toContain('data sets');
    refusal('PAYLOAD_TOO_LARGE', () => read([announced(Number.MAX_SAFE_INTEGER)]));
    expect(read([announced(100), chunk(0, 100)], { payloadBytesMax: 100 })).toHaveLength(1);
  });
});
