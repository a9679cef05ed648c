/**
 * Coordinator, agent and client in one process, with memory in the place of a network. The question: when did the DAX
 * look most like its last 60 days?
 *
 * Run it: npx tsx examples/01-one-process.ts
 */
import { QuicSwarmAgent } from '@quic-swarm/agent';
import { connect } from '@quic-swarm/client';
import { QuicSwarmCoordinator } from '@quic-swarm/coordinator';
import { MemoryNetwork } from '@quic-swarm/transport';
import { readPrices } from './prices.ts';

const QUERY_DAYS = 60;

const address = '127.0.0.1:5000'; // a name on the memory network; no port of this machine is used
const transport = new MemoryNetwork().transport();

await using coordinator = await QuicSwarmCoordinator.start({ address, transport });
await using agent = await QuicSwarmAgent.connect({
  address,
  id: 'agent-1',
  type: 'pattern',
  threads: 1,
  transport,
});
void agent.run();
await using swarm = await connect({ address, transport });

// The prices travel once; tasks name them by the hash of their bytes.
const table = await swarm.putTable(await readPrices());
const query = { start: table.rows - QUERY_DAYS, end: table.rows };
const dax = { datasetId: table.datasetId, column: 'DAX' };

const { matches, stats } = await swarm.run('PatternMatch', {
  series: dax,
  query: { ...dax, ...query },
  excludeRows: query, // a query must not find itself
  algorithm: 'dtw',
  band: 5,
  topK: 3,
});

console.log(`The DAX looked most like days ${query.start} to ${query.end - 1} on`);
for (const { start, length, distance } of matches) {
  console.log(`days ${start} to ${start + length - 1}  DTW distance ${distance.toFixed(4)}`);
}
console.log(`${stats['positions']} windows, ${stats['dtwComputed']} of them compared in full`);
console.log(`tasks done: ${coordinator.status().tasks.byState['succeeded']}`);
