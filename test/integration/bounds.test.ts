/** Nothing grows without a bound: what does not fit is refused with the reason, before it is read, and nobody is disconnected for it. */
import { TestSwarm } from '@quic-swarm/testkit';
import { describe, expect, it } from 'vitest';

const MEGABYTE = 1024 * 1024;

describe.each(['memory', 'quic'] as const)('bounds over %s', (transport) => {
  it('hold for inputs, data sets and the number of tasks, and leave the connection in peace', async () => {
    await using swarm = await TestSwarm.start({
      transport,
      decisions: {
        pendingBytesMax: MEGABYTE,
        pendingTasksMax: 3,
        datasetsBytesMax: 2 * MEGABYTE,
        payloadBytesMax: 10 * MEGABYTE,
      },
    });
    const client = await swarm.connect();
    const large = new Uint8Array(5 * MEGABYTE);
    await expect(client.submit('sum', large)).rejects.toMatchObject({
      type: 'QUEUE_FULL',
      code: 'RESOURCE_EXHAUSTED',
      retryable: true,
    });
    await expect(client.submit('sum', new Uint8Array(11 * MEGABYTE))).rejects.toMatchObject({
      type: 'PAYLOAD_TOO_LARGE',
    });
    await expect(client.putDataset(new Uint8Array(3 * MEGABYTE))).rejects.toMatchObject({
      type: 'DATASETS_FULL',
    });
    const { datasetId } = await client.putDataset(new Uint8Array(MEGABYTE));
    expect((await client.getDataset(datasetId)).bytes).toHaveLength(MEGABYTE);

    for (const n of [1, 2, 3]) await client.submit('sum', n);
    await expect(client.submit('sum', 4)).rejects.toMatchObject({ type: 'QUEUE_FULL' });
    // Once an agent has done what waits there is room again.
    const waiting = await client.tasks({ states: ['queued'] });
    expect(waiting).toHaveLength(3);
    await swarm.addAgent({ id: 'late', type: 'compute', handlers: { sum: (x) => x } });
    for (const { taskId } of waiting) await (await client.attach(taskId)).result();
    expect(await client.run('sum', 4)).toBe(4);
    expect(swarm.coordinator.status()).toMatchObject({
      connections: { acceptedInAll: 2 },
      errorsByType: { QUEUE_FULL: 2, DATASETS_FULL: 1 },
      tasks: { queuedBytes: 0 },
    });
  });
});
