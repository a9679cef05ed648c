/** Inputs, results and data sets that travel encoded. */
import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import {
  decodeDocument,
  encodeDocument,
  encodeTable,
  type PayloadEncoding,
} from '@quic-swarm/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import type { ConnectOptions } from '@quic-swarm/agent';
import { join, workerUrl, type Joined } from '../support/fixture.ts';

let joined: Joined;

const start = async (
  features: string[],
  options: Partial<ConnectOptions> = {},
): Promise<Joined> => {
  const handlers = {
    'test.length': (input: unknown) => (input as string).length,
    'test.echo': (input: unknown) => input,
    'test.do': workerUrl('handlers'),
  };
  joined = await join({ handlers, compression: 'always', ...options }, { features });
  return joined;
};
afterEach(async () => {
  await joined[Symbol.asyncDispose]();
});

const encodingOf = (decodedBytes: number): PayloadEncoding => ({
  name: 'deflate-raw',
  decodedBytes,
});
const encodedInput = (
  input: unknown,
): { payload: Uint8Array; payloadEncoding: PayloadEncoding } => {
  const plain = encodeDocument(input);
  return { payload: deflateRawSync(plain), payloadEncoding: encodingOf(plain.length) };
};

describe('with a coordinator that offers compression', () => {
  test('an agent says what it decodes, decodes inputs and encodes results', async () => {
    const { peer } = await start(['durable', 'compression']);
    expect(await peer.next('EncodingOffer')).toStrictEqual({ encodings: ['deflate-raw'] });
    for (const length of [3000, 3_000_000]) {
      const text = 'price '.repeat(length / 6);
      const lease = await peer.dispatch('test.echo', { encoded: encodedInput(text) });
      const { outcome, payload, payloadEncoding } = await peer.completion(lease);
      expect(outcome).toBe('succeeded');
      expect(payload?.length).toBeLessThan(length / 10);
      const plain = inflateRawSync(payload ?? new Uint8Array());
      expect(plain.length).toBe(payloadEncoding?.decodedBytes);
      expect(decodeDocument(new Uint8Array(plain))).toBe(text);
    }
  });

  test('an input for a worker thread is decoded before it gets there', async () => {
    const { peer } = await start(['compression']);
    const input = { do: 'echo', value: 'price '.repeat(100_000) };
    const lease = await peer.dispatch('test.do', { encoded: encodedInput(input) });
    const { payload } = await peer.completion(lease);
    const result = decodeDocument(new Uint8Array(inflateRawSync(payload ?? new Uint8Array())));
    expect(result).toMatchObject({ value: input.value });
  });

  test.each([
    ['a bomb', deflateRawSync(new Uint8Array(8_000_000)), 10_000],
    ['a claim of too much', deflateRawSync(new Uint8Array(200_000)), 200_001],
    ['bytes that are nothing', new Uint8Array(3000).fill(0xff), 100_000],
    ['the same, short', new Uint8Array(300).fill(0xff), 3000],
  ])(
    '%s fails its task with BAD_ENCODING, and the next one runs',
    async (_what, payload, bytes) => {
      const { peer } = await start(['compression']);
      const bad = { payload, payloadEncoding: encodingOf(bytes) };
      const lease = await peer.dispatch('test.length', { encoded: bad });
      expect(await peer.completion(lease)).toMatchObject({
        outcome: 'failed',
        failure: { type: 'BAD_ENCODING', retryable: false },
      });
      expect(await peer.result(await peer.dispatch('test.length', { input: 'four' }))).toBe(4);
    },
  );

  test('a task can be cancelled while its input is decoded', async () => {
    const { peer } = await start(['compression']);
    const lease = await peer.dispatch('test.length', {
      encoded: encodedInput('x'.repeat(20_000_000)),
    });
    peer.control({
      type: 'CancelTask',
      body: { ...lease, reason: 'not wanted', graceMs: 0 },
    });
    expect(['cancelled', 'succeeded']).toContain((await peer.completion(lease)).outcome);
    expect(await peer.result(await peer.dispatch('test.length', { input: 'four' }))).toBe(4);
  });

  test('a claim that no bytes can keep ends the connection', async () => {
    const { peer } = await start(['compression']);
    const bad = { payload: new Uint8Array(2000), payloadEncoding: encodingOf(2000 * 1032 + 1) };
    await peer.dispatch('test.length', { encoded: bad });
    expect((await peer.next('ErrorReport')).failure.type).toBe('BAD_ENCODING');
  });

  const table = encodeTable(new Map([['counter', new Float64Array(100_000)]]));
  const datasetId = `sha256:${createHash('sha256').update(table).digest('hex')}`;
  const use = { input: { do: 'countInDataset' }, datasets: [datasetId] };

  test.each([
    ['on a stream of its own', deflateRawSync(table, { level: 0 })],
    ['inline', deflateRawSync(table)],
  ])('a data set that comes encoded, %s, lies decoded in memory', async (_how, encoded) => {
    const { peer, coordinator } = await start(['compression']);
    coordinator.datasets.set(datasetId, encoded);
    coordinator.encodings.set(datasetId, encodingOf(table.length));
    expect(await peer.result(await peer.dispatch('test.do', use))).toBe(1);
    expect(await peer.result(await peer.dispatch('test.do', use))).toBe(2);
  });

  test.each([
    ['a lie about its length', deflateRawSync(table), table.length - 8, 'BAD_ENCODING'],
    ['no end', deflateRawSync(table, { level: 0 }).subarray(0, -9), table.length, 'BAD_ENCODING'],
    [
      'another hash',
      deflateRawSync(new Uint8Array(table.length).fill(1)),
      table.length,
      'DATASET_CORRUPT',
    ],
  ])('a data set with %s fails the task', async (_what, encoded, decodedBytes, type) => {
    const { peer, coordinator } = await start(['compression']);
    coordinator.datasets.set(datasetId, encoded);
    coordinator.encodings.set(datasetId, encodingOf(decodedBytes));
    const lease = await peer.dispatch('test.do', use);
    expect((await peer.completion(lease)).failure?.type).toBe(type);
  });
});

describe('without an agreement', () => {
  test.each([
    [[], 'always'],
    [['compression'], 'never'],
  ] as const)('features %j and %s: no offer, and results are plain', async (features, mode) => {
    const { peer } = await start([...features], { compression: mode });
    const text = 'price '.repeat(1000);
    const lease = await peer.dispatch('test.echo', { input: text });
    const { payload, payloadEncoding } = await peer.completion(lease);
    expect(payloadEncoding).toBeUndefined();
    expect(decodeDocument(payload ?? new Uint8Array())).toBe(text);
    expect(peer.heard.filter(({ type }) => type === 'EncodingOffer')).toHaveLength(0);
    await peer.dispatch('test.echo', { encoded: encodedInput(text) });
    expect((await peer.next('ErrorReport')).failure.type).toBe('BAD_ENCODING');
  });
});
