import { expect, test } from 'vitest';
import {
  checkEncoding,
  decodeDocument,
  decodedBytesOf,
  encodingOf,
  failure,
  SwarmError,
  unreadableEvent,
  unreadableTask,
  withPayload,
  type Message,
  type MessageOf,
} from '../src/index.ts';
import { refusal } from './support/refusals.ts';

const taskId = '0192f0c1-2b3c-7d4e-8f50-112233445566';
const chunk = (body: object): Message => ({
  type: 'ResultChunk',
  body: { epoch: 1, taskId, attempt: 1, sequence: 0, ...body },
});
const encoded = (decodedBytes: number): Message =>
  chunk({
    payload: new Uint8Array(100),
    payloadEncoding: { name: 'deflate-raw', decodedBytes },
  });

test('a payload counts for its decoded length', () => {
  expect(decodedBytesOf({})).toBe(0);
  expect(decodedBytesOf({ payload: new Uint8Array(7) })).toBe(7);
  expect(decodedBytesOf({ payloadBytes: 70_000 })).toBe(70_000);
  expect(decodedBytesOf(encoded(4000).body as object)).toBe(4000);
});

test('an encoding is checked before anything is decoded', () => {
  checkEncoding(encoded(4000), true, 4000);
  checkEncoding(chunk({ payload: new Uint8Array(9) }), false, 0);
  refusal('BAD_ENCODING', () => {
    checkEncoding(encoded(4000), false, 4000);
  });
  refusal('PAYLOAD_TOO_LARGE', () => {
    checkEncoding(encoded(4001), true, 4000);
  });
  checkEncoding(encoded(103_200), true, 1e9);
  refusal('BAD_ENCODING', () => {
    checkEncoding(encoded(103_201), true, 1e9);
  });
  refusal('BAD_MESSAGE', () => {
    checkEncoding(chunk({ payloadEncoding: { name: 'deflate-raw', decodedBytes: 1 } }), true, 1e9);
  });
});

test('another payload leaves no trace of the encoding before', () => {
  const plain = withPayload(encoded(4000), Uint8Array.of(1));
  expect(encodingOf(plain)).toBeUndefined();
  expect(plain).toStrictEqual(chunk({ payload: Uint8Array.of(1) }));
});

const event = (kind: 'chunk' | 'end', body: object = {}): MessageOf<'TaskEvent'> => ({
  type: 'TaskEvent',
  body: {
    taskId,
    kind,
    state: 'succeeded',
    attempt: 1,
    payload: new Uint8Array(3),
    payloadEncoding: { name: 'deflate-raw', decodedBytes: 4000 },
    ...body,
  },
});

test('a result that cannot be decoded is a failure, a part of one is no document', () => {
  const { body } = unreadableEvent(
    event('end', { chunkCount: 2, resultType: 'FeatureSet' }),
    new SwarmError('BAD_ENCODING', 'It is cut off.'),
  );
  const why = failure('BAD_ENCODING', 'It is cut off.');
  const rest = { taskId, kind: 'end', attempt: 1, chunkCount: 2, resultType: 'FeatureSet' };
  expect(body).toStrictEqual({ ...rest, state: 'failed', failure: why });
  const part = unreadableEvent(event('chunk', { sequence: 4 }), new Error('no'));
  expect(part.body).toMatchObject({ kind: 'chunk', sequence: 4 });
  expect(encodingOf(part)).toBeUndefined();
  refusal('BAD_INPUT', () => decodeDocument(part.body.payload ?? new Uint8Array([0])));
});

test('a task whose input cannot be decoded has one that no handler gets to see', () => {
  const task: MessageOf<'AgentTask'> = {
    type: 'AgentTask',
    body: {
      epoch: 1,
      taskId,
      attempt: 1,
      dispatchSequence: 1,
      taskType: 'my.task',
      datasets: [],
      startToCloseMs: 1,
      payload: new Uint8Array(9),
      payloadEncoding: { name: 'deflate-raw', decodedBytes: 4000 },
    },
  };
  const { body } = unreadableTask(task);
  expect(body.payloadEncoding).toBeUndefined();
  refusal('BAD_INPUT', () => decodeDocument(body.payload ?? new Uint8Array([0])));
});
