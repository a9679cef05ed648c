/** Data sets on their way into shared memory. */
import { createHash } from 'node:crypto';
import { encodeTable } from '@quic-swarm/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { join, workerUrl, type Joined } from '../support/fixture.ts';

let joined: Joined;

beforeAll(async () => {
  const handlers = { 'test.do': workerUrl('handlers') };
  joined = await join({ handlers, threads: 2, datasetBytesMax: 2_000_000 });
});

afterAll(async () => {
  await joined[Symbol.asyncDispose]();
});

function tableOf(rows: number, first = 0): Uint8Array {
  const counter = new Float64Array(rows);
  counter[1] = first;
  return encodeTable(new Map([['counter', counter]]));
}

test('a data set is fetched once for twenty tasks, and all threads see the same memory', async () => {
  const { peer, coordinator } = joined;
  const datasetId = coordinator.addDataset(tableOf(50_000));
  const counts: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    const leases = await Promise.all(
      [0, 1].map(() =>
        peer.dispatch('test.do', { input: { do: 'countInDataset' }, datasets: [datasetId] }),
      ),
    );
    for (const lease of leases) counts.push((await peer.result(lease)) as number);
  }
  expect(counts.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(coordinator.fetches.filter((id) => id === datasetId)).toHaveLength(1);
});

test('bytes that do not have the hash that names them fail the task with DATASET_CORRUPT', async () => {
  const { peer, coordinator } = joined;
  const datasetId = `sha256:${createHash('sha256').update('something else').digest('hex')}`;
  coordinator.datasets.set(datasetId, tableOf(10));
  const lease = await peer.dispatch('test.do', { input: {}, datasets: [datasetId] });
  expect(await peer.completion(lease)).toMatchObject({
    outcome: 'failed',
    failure: { type: 'DATASET_CORRUPT' },
  });
});

test('a data set that the coordinator does not have fails the task', async () => {
  const datasetId = `sha256:${'0'.repeat(64)}`;
  const lease = await joined.peer.dispatch('test.do', { input: {}, datasets: [datasetId] });
  expect((await joined.peer.completion(lease)).failure?.type).toBe('DATASET_NOT_FOUND');
});

test('a data set over the bound fails clearly; the least recently used one makes room', async () => {
  const { peer, coordinator } = joined;
  const use = async (datasetId: string): Promise<string | undefined> => {
    const lease = await peer.dispatch('test.do', {
      input: { do: 'countInDataset' },
      datasets: [datasetId],
    });
    return (await peer.completion(lease)).failure?.type;
  };
  expect(await use(coordinator.addDataset(tableOf(250_001)))).toBe('PAYLOAD_TOO_LARGE');
  // Three of 0.8 MB under a bound of 2 MB: the first must go for the third.
  const ids = [1, 2, 3].map((n) => coordinator.addDataset(tableOf(100_000, n)));
  const [a = '', b = '', c = ''] = ids;
  for (const id of [a, b, c, b, a]) expect(await use(id)).toBeUndefined();
  const fetched = coordinator.fetches.filter((id) => ids.includes(id));
  expect(fetched).toEqual([a, b, c, a]);
});
