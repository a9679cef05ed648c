/** Inputs, results and data sets that travel encoded. */
import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { decodeDocument, encodeDocument, framesOf, type TaskEvent } from '@quic-swarm/protocol';
import type { CompressionMode } from '@quic-swarm/protocol';
import { all, errorOf, testSwarm, type TestSwarm } from './support/swarm.ts';

let swarm: TestSwarm;
const start = async (features: string[], compression: CompressionMode): Promise<TestSwarm> => {
  swarm = await testSwarm({ compression }, (coordinator) => {
    coordinator.features = features;
  });
  return swarm;
};
afterEach(async () => {
  await swarm.client.close();
});

const text = (length: number): string => 'price '.repeat(length / 6);
const encoded = (value: unknown): Pick<TaskEvent, 'payload' | 'payloadEncoding'> => {
  const plain = encodeDocument(value);
  const payloadEncoding = { name: 'deflate-raw', decodedBytes: plain.length } as const;
  return { payload: deflateRawSync(plain), payloadEncoding };
};

test('a client says what it decodes, encodes inputs and decodes results', async () => {
  const { client, coordinator } = await start(['compression'], 'always');
  expect(await coordinator.until('EncodingOffer')).toStrictEqual([{ encodings: ['deflate-raw'] }]);
  coordinator.script.onSubmit = (submission, peer) => {
    peer.acknowledge(submission);
    const plain = inflateRawSync(submission.payload ?? new Uint8Array());
    expect(plain.length).toBe(submission.payloadEncoding?.decodedBytes);
    const result = encoded(decodeDocument(new Uint8Array(plain)));
    peer.event({ taskId: submission.taskId, kind: 'end', state: 'succeeded', ...result });
  };
  for (const length of [3000, 3_000_000]) {
    expect(await client.run('my.task', text(length))).toBe(text(length));
  }
});

test.each([
  [[], 'always'],
  [['compression'], 'never'],
  // On one machine, of which nothing else is known.
  [['compression'], 'auto'],
] as const)('features %j and %s: inputs are plain', async (features, mode) => {
  const { client, coordinator } = await start([...features], mode);
  expect(await client.run('my.task', text(3000))).toBe(text(3000));
  const [submission] = coordinator.of('SubmitTask');
  expect(submission?.payloadEncoding).toBeUndefined();
  const isAgreed = features.length > 0 && mode !== 'never';
  expect(coordinator.of('EncodingOffer')).toHaveLength(isAgreed ? 1 : 0);
});

test('a result that is not what it claims is an error of its task alone', async () => {
  const { client, coordinator } = await start(['compression'], 'auto');
  coordinator.script.onSubmit = ({ taskId, requestId }, peer) => {
    peer.acknowledge({ taskId, requestId });
    const { payload } = encoded(text(90_000));
    const payloadEncoding = { name: 'deflate-raw', decodedBytes: 100_000 } as const;
    const sequence = { sequence: 0, payload: new Uint8Array(2000).fill(0xff) };
    peer.event({ taskId, kind: 'chunk', ...sequence, payloadEncoding });
    const end = { kind: 'end', state: 'succeeded', chunkCount: 1 } as const;
    peer.event({ taskId, ...end, ...(payload === undefined ? {} : { payload }), payloadEncoding });
  };
  const handle = await client.submit('my.task', 1);
  expect(await errorOf(handle.result())).toMatchObject({ type: 'BAD_ENCODING' });
  expect(await errorOf(all(handle.chunks()))).toMatchObject({ type: 'BAD_INPUT' });
  const other = await client.submit('my.task', 2);
  expect(other.id).not.toBe(handle.id);
  expect(client.isConnected).toBe(true);
});

test('parts of a result come decoded and in order, whatever their length', async () => {
  const { client, coordinator } = await start(['compression'], 'auto');
  const parts = [text(900_000), 'short', text(90_000), text(3000)];
  coordinator.script.onSubmit = ({ taskId, requestId }, peer) => {
    peer.acknowledge({ taskId, requestId });
    for (const [sequence, part] of parts.entries()) {
      peer.event({ taskId, kind: 'chunk', sequence, ...encoded(part) });
    }
    peer.succeed(taskId, null, { chunkCount: parts.length });
  };
  expect(await all((await client.submit('my.task', 1)).chunks())).toStrictEqual(parts);
});

test('encoded events without an agreement end the connection', async () => {
  const { client, coordinator } = await start(['compression'], 'never');
  coordinator.script.onSubmit = ({ taskId, requestId }, peer) => {
    peer.acknowledge({ taskId, requestId });
    peer.event({ taskId, kind: 'end', state: 'succeeded', ...encoded(text(3000)) });
  };
  await client.submit('my.task', 1).catch(() => undefined);
  const [report] = await coordinator.until('ErrorReport');
  expect(report?.failure.type).toBe('BAD_ENCODING');
});

test('a data set goes and comes encoded, under the hash of its plain bytes', async () => {
  const { client, coordinator } = await start(['compression'], 'always');
  const bytes = new Uint8Array(encodeDocument(text(600_000)));
  let stored: Pick<TaskEvent, 'payload' | 'payloadEncoding'> = {};
  let mayLie = false;
  coordinator.script.onMessage = (message, peer) => {
    const answer = (reply: Parameters<typeof framesOf>[0]): void => {
      const stream = peer.streams.get('dataset');
      for (const frame of framesOf(reply)) stream?.write(frame);
      stream?.end();
    };
    if (message.type === 'QueryDataset') {
      const body = { ...message.body, present: false };
      peer.send('control', { type: 'DatasetAck', body });
    } else if (message.type === 'PutDataset') {
      const { payload, payloadEncoding, requestId, datasetId } = message.body;
      stored = { payload, payloadEncoding } as typeof stored;
      answer({ type: 'DatasetAck', body: { requestId, datasetId, present: true } });
    } else if (message.type === 'GetDataset') {
      const lie = { payloadEncoding: { name: 'deflate-raw', decodedBytes: 70_000 } } as const;
      const body = { ...message.body, mediaType: 'text/plain', ...stored, ...(mayLie ? lie : {}) };
      answer({ type: 'Dataset', body });
    }
  };
  const { datasetId } = await client.putDataset(bytes);
  expect(datasetId).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  expect(stored.payloadEncoding?.decodedBytes).toBe(bytes.length);
  expect(stored.payload?.length).toBeLessThan(bytes.length / 10);
  expect(Buffer.compare((await client.getDataset(datasetId)).bytes, bytes)).toBe(0);
  mayLie = true;
  expect(await errorOf(client.getDataset(datasetId))).toMatchObject({ type: 'BAD_ENCODING' });
});

test('an unknown mode is refused before anything is sent', async () => {
  await start([], 'auto');
  const wrong = testSwarm({ compression: 'sometimes' as 'auto' });
  expect(await errorOf(wrong)).toMatchObject({ type: 'BAD_OPTION' });
});
