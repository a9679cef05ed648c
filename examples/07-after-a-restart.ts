/**
 * Durable tasks: a small calculation in two steps, whose coordinator ends in the middle and begins again. Each index is
 * summarised by a task, and a last task comes after those and compares them. One input is broken: its task fails after all
 * its tries, and is submitted again when what was wrong is repaired.
 *
 * Run it: npx tsx examples/07-after-a-restart.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuicSwarmAgent } from '@quic-swarm/agent';
import { connect } from '@quic-swarm/client';
import { QuicSwarmCoordinator } from '@quic-swarm/coordinator';
import { MemoryNetwork } from '@quic-swarm/transport';
import { readPrices } from './prices.ts';

interface Summary {
  readonly name: string;
  readonly change: number;
}

const address = '127.0.0.1:5000'; // a name on the memory network; no port of this machine is used
const transport = new MemoryNetwork().transport();
const data = await mkdtemp(join(tmpdir(), 'swarm-data-')); // what the next coordinator goes on with
const start = async (): Promise<QuicSwarmCoordinator> =>
  QuicSwarmCoordinator.start({ address, transport, data });

let coordinator = await start();
await using swarm = await connect({ address, transport });
const prices = await readPrices();
const { datasetId } = await swarm.putTable(prices);

// Nobody is there yet who could compute. What is durable is on disk when submit() resolves.
const durable = { durable: true, datasets: [datasetId] } as const;
const names = Object.keys(prices);
const summaries = await Promise.all(
  names.map(async (name) => swarm.submit<Summary>('summary', { datasetId, name }, durable)),
);
const best = await swarm.submit<string>('best', null, { durable: true, after: summaries });
const { waitsFor } = await swarm.task(best.id);
console.log(`the last task is ${best.state}: ${waitsFor} others come first`);

await coordinator.close();
coordinator = await start();
console.log('the coordinator was started again');

// A function on the agent's main thread is enough for a few sums.
let isRepaired = false;
await using agent = await QuicSwarmAgent.connect({
  address,
  transport,
  id: 'agent-1',
  type: 'compute',
  handlers: {
    summary: (input, { datasets }): Summary => {
      const { datasetId: id, name } = input as { datasetId: string; name: string };
      const closes = datasets.get(id)?.table().columns.get(name);
      const [first = NaN, last = NaN] = [closes?.at(0), closes?.at(-1)];
      return { name, change: last / first - 1 };
    },
    best: (_input, { results }): string =>
      (results as Summary[]).reduce((a, b) => (b.change > a.change ? b : a)).name,
    fragile: () => {
      if (!isRepaired) throw new Error('the disk of the archive is not mounted');
      return 'archived';
    },
  },
});
void agent.run();

// The same handles: the client has found its tasks again.
for (const handle of summaries) {
  const { name, change } = await handle.result();
  console.log(`${name}: ${(100 * change).toFixed(1)} %`);
}
console.log(`the best was ${await best.result()}`);

const retry = { maximumAttempts: 2, initialIntervalMs: 1 };
const fragile = await swarm.submit('fragile', null, { durable: true, retry });
const { error, attempt } = await fragile.outcome();
console.log(`failed after ${attempt} attempts: ${error?.message}`);
isRepaired = true;
const { rows } = await swarm.deadLetters();
for (const { taskId } of rows) {
  const again = await swarm.replayDeadLetter<string>(taskId);
  console.log(`replayed: ${await again.result()}`);
}

await agent.drain();
await coordinator.close();
await rm(data, { recursive: true });
