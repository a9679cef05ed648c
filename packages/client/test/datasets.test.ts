import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  TABLE_MEDIA_TYPE,
  decodeTable,
  encodeFrame,
  failure,
  framesOf,
  type Message,
} from '@quic-swarm/protocol';
import type { Peer } from './support/fake-coordinator.ts';
import { errorOf, testSwarm, type TestSwarm } from './support/swarm.ts';

let swarm: TestSwarm;
const stored = new Map<string, { bytes: Uint8Array; mediaType: string }>();

const answer = (peer: Peer, message: Message): void => {
  const stream = peer.streams.get('dataset');
  for (const frame of framesOf(message)) stream?.write(frame);
  stream?.end();
};

beforeEach(async () => {
  stored.clear();
  swarm = await testSwarm();
  swarm.coordinator.script.onMessage = (message, peer) => {
    if (message.type === 'QueryDataset') {
      const { requestId, datasetId } = message.body;
      const body = { requestId, datasetId, present: stored.has(datasetId) };
      peer.send('control', { type: 'DatasetAck', body });
    } else if (message.type === 'PutDataset') {
      const { requestId, datasetId, mediaType, payload } = message.body;
      stored.set(datasetId, { mediaType, bytes: payload ?? new Uint8Array() });
      answer(peer, { type: 'DatasetAck', body: { requestId, datasetId, present: true } });
    } else if (message.type === 'GetDataset') {
      const { requestId, datasetId } = message.body;
      const found = stored.get(datasetId);
      if (found === undefined) {
        const why = failure('DATASET_NOT_FOUND', 'Not here.');
        answer(peer, { type: 'ErrorReport', body: { requestId, failure: why } });
      } else {
        const { mediaType, bytes: payload } = found;
        answer(peer, { type: 'Dataset', body: { requestId, datasetId, mediaType, payload } });
      }
    }
  };
});
afterEach(async () => {
  await swarm.client.close();
});

describe('data sets', () => {
  it('uploads a table once, under the hash of its bytes', async () => {
    const { client, coordinator } = swarm;
    const columns = { DAX: Float64Array.of(1, Number.NaN, 3), FTSE: [4, 5, 6] };
    const first = await client.putTable(columns);
    const second = await client.putTable(columns);
    expect(first).toMatchObject({ rows: 3, columns: ['DAX', 'FTSE'], uploaded: true });
    expect(second).toEqual({ ...first, uploaded: false });
    expect(coordinator.of('PutDataset')).toHaveLength(1);
    const held = stored.get(first.datasetId);
    expect(held?.mediaType).toBe(TABLE_MEDIA_TYPE);
    const bytes = held?.bytes.slice() ?? new Uint8Array();
    expect(first.datasetId).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
    expect([...(decodeTable(bytes).columns.get('FTSE') ?? [])]).toEqual([4, 5, 6]);
  });

  it('carries megabytes there and back', async () => {
    const { client } = swarm;
    const values = new Float64Array(600_000).map((_zero, row) => Math.sin(row));
    const { datasetId, bytes } = await client.putTable({ values });
    expect(bytes).toBeGreaterThan(4_800_000);
    const content = await client.getDataset(datasetId);
    expect(content.mediaType).toBe(TABLE_MEDIA_TYPE);
    const fetched = content.table().columns.get('values') ?? new Float64Array();
    expect(fetched).toHaveLength(values.length);
    expect(fetched.every((value, row) => value === values[row])).toBe(true);
  });

  it('reads a small table in place, wherever its bytes lay in the message', async () => {
    const { client } = swarm;
    for (const name of ['a', 'ab', 'abc', 'abcd']) {
      const { datasetId } = await client.putTable({ [name]: [1, 2] });
      const table = (await client.getDataset(datasetId)).table();
      expect(table.columns.get(name)).toEqual(Float64Array.of(1, 2));
    }
  });

  it('uploads bytes of any kind', async () => {
    const { client } = swarm;
    const { datasetId } = await client.putDataset(new Uint8Array([1, 2]), { mediaType: 'text/x' });
    expect(stored.get(datasetId)).toMatchObject({ mediaType: 'text/x' });
  });

  it('rejects with the failure of the coordinator', async () => {
    const { client } = swarm;
    const datasetId = `sha256:${'0'.repeat(64)}`;
    expect((await errorOf(client.getDataset(datasetId))).type).toBe('DATASET_NOT_FOUND');
    expect((await errorOf(client.getDataset('nonsense'))).type).toBe('BAD_OPTION');
  });

  it('refuses bytes that are not those of the name', async () => {
    const { client } = swarm;
    const { datasetId } = await client.putDataset(new Uint8Array([1, 2]));
    stored.set(datasetId, { bytes: new Uint8Array([3]), mediaType: 'text/x' });
    expect((await errorOf(client.getDataset(datasetId))).type).toBe('DATASET_CORRUPT');
  });

  it('refuses columns of unequal length', async () => {
    const error = await errorOf(swarm.client.putTable({ a: [1], b: [1, 2] }));
    expect(error).toMatchObject({ type: 'BAD_INPUT' });
  });

  it('tries once more when the connection is lost under way', async () => {
    const { client, coordinator } = swarm;
    const { onMessage } = coordinator.script;
    coordinator.script.onMessage = (message, peer) => {
      if (message.type === 'PutDataset' && coordinator.peers.length === 1) void coordinator.cut();
      else onMessage(message, peer);
    };
    const { datasetId } = await client.putDataset(new Uint8Array([1, 2]));
    expect(stored.has(datasetId)).toBe(true);
    expect(coordinator.peers).toHaveLength(2);
  });

  it('stops an upload that the coordinator refuses before its end', async () => {
    const { client, coordinator } = swarm;
    const { onMessage } = coordinator.script;
    coordinator.script.onMessage = (message, peer) => {
      if (message.type !== 'PutDataset') {
        onMessage(message, peer);
        return;
      }
      const { requestId } = message.body;
      const body = { requestId, failure: failure('DATASETS_FULL', 'No room.') };
      peer.streams.get('dataset')?.write(encodeFrame({ type: 'ErrorReport', body }));
    };
    const error = await errorOf(client.putDataset(new Uint8Array(3_000_000)));
    expect(error).toMatchObject({ type: 'DATASETS_FULL', retryable: true });
    expect(client.isConnected).toBe(true);
  });
});
