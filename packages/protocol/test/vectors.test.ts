import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  BUILT_IN_TASK_TYPES,
  MESSAGES,
  MessageReader,
  TASK_DOCUMENTS,
  decodeInput,
  decodeResult,
  decodeTable,
  encodeDocument,
  encodeFrame,
  encodeTable,
  isBuiltInTaskType,
  isSwarmError,
  type Message,
} from '../src/index.ts';
import { makeVectors, type Vectors } from './make-vectors.ts';
import { messageTypes, type SchemaView } from './support/arbitrary-messages.ts';
import {
  bytesToHex,
  decodeTiny,
  encodeTiny,
  fromReadable,
  hexToBytes,
  toReadable,
  type Readable,
} from './support/tiny-cbor.ts';

const vectors = JSON.parse(
  readFileSync(new URL('vectors.json', import.meta.url), 'utf8'),
) as Vectors;

function read(hex: string): Message[] {
  const received: Message[] = [];
  const reader = new MessageReader({ onMessage: (message) => received.push(message) });
  reader.push(hexToBytes(hex));
  reader.end();
  return received;
}

function numberOf(type: string): number {
  return MESSAGES[type as keyof typeof MESSAGES].number;
}

describe.each(vectors.messages)('the vector of $type: $name', ({ type, body, hex }) => {
  test('means the same to a decoder that shares no code with ours', () => {
    const bytes = hexToBytes(hex);
    expect(new DataView(bytes.buffer).getUint32(0)).toBe(bytes.length - 4);
    expect(bytes[4]).toBe(numberOf(type));
    const { value, end } = decodeTiny(bytes, 5);
    expect(end).toBe(bytes.length);
    expect(value).toStrictEqual(body);
    expect(bytesToHex(Uint8Array.from(encodeTiny(body)))).toBe(hex.slice(10));
  });

  test('is what our encoder writes and our decoder reads', () => {
    const message = { type, body: fromReadable(body) } as Message;
    expect(bytesToHex(encodeFrame(message))).toBe(hex);
    if (type === 'PayloadChunk' || 'payloadBytes' in body) return;
    expect(read(hex)).toStrictEqual([message]);
    expect(read(hex).map((received) => toReadable(received.body))).toStrictEqual([body]);
  });
});

describe.each(vectors.documents)('the vector of $taskType, $role: $name', (vector) => {
  test('means the same to both decoders and both encoders', () => {
    const { taskType, role, value, hex } = vector;
    if (!isBuiltInTaskType(taskType)) throw new Error(taskType);
    const bytes = hexToBytes(hex);
    expect(decodeTiny(bytes)).toStrictEqual({ value, end: bytes.length });
    expect(bytesToHex(Uint8Array.from(encodeTiny(value)))).toBe(hex);
    expect(bytesToHex(encodeDocument(fromReadable(value)))).toBe(hex);
    const decoded = role === 'input' ? decodeInput(taskType, bytes) : decodeResult(taskType, bytes);
    expect(toReadable(decoded)).toStrictEqual(value);
  });
});

test.each(vectors.streams)('the vector of a stream: $name', ({ hex, messages }) => {
  const received = read(hex).map(({ type, body }) => ({ type, body: toReadable(body) }));
  // A payload stands last in what the reader makes, wherever it is in the vector.
  expect(received).toEqual(messages);
});

test.each(vectors.tables)('the vector of a table: $name', ({ columns, hex }) => {
  const bytes = hexToBytes(hex);
  const view = new DataView(bytes.buffer);
  const headerLength = view.getUint32(0, true);
  const header = decodeTiny(bytes.subarray(4, 4 + headerLength));
  const names = Object.keys(columns);
  const data = Object.values(columns) as { $float64: (number | string)[] }[];
  expect(header.value).toStrictEqual({ rows: data[0]?.$float64.length, columns: names });
  const start = Math.ceil((4 + headerLength) / 8) * 8;
  const numbers = data.flatMap(({ $float64 }) => $float64.map(Number));
  expect(numbers.map((_, index) => view.getFloat64(start + index * 8, true))).toStrictEqual(
    numbers,
  );
  expect(bytes).toHaveLength(start + numbers.length * 8);
  expect(
    Object.fromEntries(
      [...decodeTable(bytes).columns].map(([name, column]) => [name, toReadable(column)]),
    ),
  ).toStrictEqual(columns);
  const typed = Object.entries(columns).map(
    ([name, column]) => [name, fromReadable(column) as Float64Array] as const,
  );
  expect(bytesToHex(encodeTable(new Map(typed)))).toBe(hex);
});

test.each(vectors.encoded)('decodes as given: $name', ({ hex, decodedHex }) => {
  expect(bytesToHex(inflateRawSync(hexToBytes(hex)))).toBe(decodedHex);
});

test.each(vectors.refused)('is refused with $error: $name', ({ hex, error }) => {
  let type: string | undefined;
  try {
    read(hex);
  } catch (thrown) {
    type = isSwarmError(thrown) ? thrown.type : String(thrown);
  }
  expect(type).toBe(error);
});

describe('the vectors', () => {
  test('show every message with every one of its fields', () => {
    for (const type of messageTypes) {
      const shown = vectors.messages.filter((vector) => vector.type === type);
      const fields = new Set(shown.flatMap(({ body }) => Object.keys(body)));
      const { properties = {} } = MESSAGES[type].schema as SchemaView;
      expect([...fields].sort(), type).toStrictEqual(Object.keys(properties).sort());
    }
  });

  test('show every document', () => {
    const shown = vectors.documents.map(({ taskType, role }) => `${taskType} ${role}`);
    const all = BUILT_IN_TASK_TYPES.flatMap((taskType) =>
      Object.keys(TASK_DOCUMENTS[taskType])
        .filter((key) => key !== 'resultType')
        .map((role) => `${taskType} ${role}`),
    );
    expect([...new Set(shown)].sort()).toStrictEqual(all.sort());
  });

  test('are those of the script that makes them', () => {
    expect(JSON.parse(JSON.stringify(makeVectors())) as Readable).toStrictEqual(vectors);
  });
});
