/** A coordinator with a data folder ends without a word to its tasks and begins again: over real QUIC, in one process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuicSwarmAgent } from '@quic-swarm/agent';
import { connect } from '@quic-swarm/client';
import { QuicSwarmCoordinator } from '@quic-swarm/coordinator';
import {
  createQuicTransport,
  createSelfSignedCertificate,
  fingerprintOf,
  formatAddress,
} from '@quic-swarm/transport';
import { afterAll, beforeAll, expect, it } from 'vitest';

const TASKS = 20;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quic-swarm-durable-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

it('goes on with durable tasks, their dependencies, dead letters and data sets after a restart', async () => {
  const names = { commonName: 'test', hosts: ['127.0.0.1'], days: 1 };
  const server = createSelfSignedCertificate(names);
  const trust = { fingerprints: [fingerprintOf(server.certificate)] };
  const transport = createQuicTransport({ server, client: { trust } });
  const start = async (address: string): Promise<QuicSwarmCoordinator> =>
    QuicSwarmCoordinator.start({ address, transport, data: join(folder, 'data') });

  let coordinator = await start('127.0.0.1:0');
  const address = formatAddress(coordinator.address);
  let openGate = (): void => {};
  const gate = new Promise<void>((resolve) => {
    openGate = resolve;
  });
  let isRepaired = false;
  await using agent = await QuicSwarmAgent.connect({
    address,
    transport,
    id: 'worker',
    type: 'compute',
    slots: 4,
    handlers: {
      'hold.square': async (n) => {
        await gate;
        return (n as number) ** 2;
      },
      sum: (_input, { results }) => (results as number[]).reduce((sum, each) => sum + each, 0),
      'fragile.double': (n) => {
        if (!isRepaired) throw new Error('not repaired yet');
        return (n as number) * 2;
      },
    },
  });
  void agent.run();
  await using client = await connect({ address, transport });

  const { datasetId } = await client.putTable({ price: Float64Array.of(1, 2, 3) });
  const durable = { durable: true } as const;
  const fragile = await client.submit<number>('fragile.double', 21, {
    ...durable,
    retry: { maximumAttempts: 2, initialIntervalMs: 1 },
  });
  expect(await fragile.outcome()).toMatchObject({ state: 'failed', deadLettered: true });
  // Nobody hears of the end of this one before the restart.
  const unheard = await client.submit<number>('sum', null, { ...durable, watch: 'none' });
  while ((await client.task(unheard.id)).state !== 'succeeded');
  const squares = await Promise.all(
    Array.from({ length: TASKS }, async (_, n) => client.submit<number>('hold.square', n, durable)),
  );
  const sum = await client.submit<number>('sum', null, { ...durable, after: squares });
  expect(sum.state).toBe('waiting');
  await using other = await connect({ address, transport });
  const attached = await other.attach<number>(sum.id);

  await coordinator.close();
  coordinator = await start(address);
  await using _coordinator = coordinator;
  openGate();
  expect(await Promise.all(squares.map(async (handle) => handle.result()))).toEqual(
    Array.from({ length: TASKS }, (_, n) => n ** 2),
  );
  expect(await sum.result()).toBe(((TASKS - 1) * TASKS * (2 * TASKS - 1)) / 6);
  expect(await attached.result()).toBe(await sum.result());
  for (let time = 0; time < 2; time++) {
    expect(await (await other.attach<number>(unheard.id)).result()).toBe(0);
  }
  expect((await client.status()).tasks.byState).toEqual({ succeeded: TASKS + 2, failed: 1 });
  expect((await client.tasks()).every((row) => row.durable)).toBe(true);

  expect(await client.deadLetters()).toMatchObject({
    rowsInAll: 1,
    rows: [{ taskId: fragile.id, failure: { message: 'not repaired yet' } }],
  });
  isRepaired = true;
  const replayed = await client.replayDeadLetter<number>(fragile.id);
  expect(await replayed.result()).toBe(42);
  expect(await client.task(replayed.id)).toMatchObject({ replayOf: fragile.id, durable: true });
  expect((await client.deadLetters()).rows).toEqual([]);

  const { columns } = (await client.getDataset(datasetId)).table();
  expect(columns).toEqual(new Map([['price', Float64Array.of(1, 2, 3)]]));
  await agent.drain();
});
