/** quic-swarm with a folder for data: tasks are acknowledged, and their results told, when they are on disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type SwarmClient } from '@quic-swarm/client';
import { QuicSwarmCoordinator } from '@quic-swarm/coordinator';
import { formatAddress } from '@quic-swarm/transport';
import { addressOf, type FilledQueue, type Peer } from './contract.ts';
import { agentProcess } from './swarm.ts';

const TASK_TYPE = 'bench.nothing';
/** No agent has a handler for it. */
const WAITING_TYPE = 'bench.waiting';
/** Submissions that are on their way at the same time. */
const SUBMISSIONS = 512;
/** The beginning and the end of the filling, by which its rates are told. */
const PART = 0.1;

export const peer: Peer = {
  packages: [],
  processes: [
    {
      name: 'coordinator',
      async start({ identity: { certificate, privateKey } }) {
        const data = mkdtempSync(join(tmpdir(), 'quic-swarm-bench-'));
        const coordinator = await QuicSwarmCoordinator.start({
          address: '127.0.0.1:0',
          security: { certificate, privateKey },
          data,
        });
        return {
          address: formatAddress(coordinator.address),
          stop: async () => {
            await coordinator.close();
            rmSync(data, { recursive: true, force: true });
          },
        };
      },
    },
    agentProcess,
    {
      name: 'client',
      async start(context) {
        const client = await connect({
          address: addressOf(context, 'coordinator'),
          name: 'bench',
          security: { authority: context.identity.authority },
        });
        const durable = context.variant['durable'] === true;
        const runTask = async (): Promise<void> => {
          await client.run(TASK_TYPE, null, { durable });
        };
        await runTask();
        return {
          abilities: { runTask, fillQueue: async (count) => fillQueue(client, count, durable) },
          stop: async () => client.close(),
        };
      },
    },
  ],
};

async function fillQueue(
  client: SwarmClient,
  count: number,
  durable: boolean,
): Promise<FilledQueue> {
  const marksMs: number[] = [];
  let submitted = 0;
  const part = Math.floor(count * PART);
  const lane = async (): Promise<void> => {
    while (submitted < count) {
      submitted += 1;
      if (submitted === 1 || submitted === part || submitted === count - part)
        marksMs.push(performance.now());
      await client.submit(WAITING_TYPE, null, { durable, watch: 'none', submitTimeoutMs: 60_000 });
    }
  };
  await Promise.all(Array.from({ length: SUBMISSIONS }, lane));
  const endMs = performance.now();
  const [startMs = 0, firstMs = 0, lastMs = 0] = marksMs;
  const { memoryBytes } = await client.status();
  return {
    firstRate: part / ((firstMs - startMs) / 1000),
    lastRate: part / ((endMs - lastMs) / 1000),
    bytes: memoryBytes,
  };
}
