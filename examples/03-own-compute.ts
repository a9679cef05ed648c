/**
 * Your own compute: a backtest of moving-average crossovers runs in a worker thread of an agent, says how far it is and
 * sends what it has found while it runs. The question: which pair of averages would have done best on the DAX?
 * (Best in hindsight. On a random walk one pair would have been best, too.)
 *
 * Run it: npx tsx examples/03-own-compute.ts
 */
import { connect } from '@quic-swarm/client';
import { startSwarm } from './local-swarm.ts';
import { readPrices } from './prices.ts';

interface Crossover {
  readonly fast: number;
  readonly slow: number;
  /** Annualised, costs and interest left out. */
  readonly sharpe: number;
}

// Worker threads load modules by themselves, so the handler is JavaScript; `agent.handle(name, url)` adds one later.
const backtest = new URL('03-own-compute.worker.js', import.meta.url);
await using own = await startSwarm([
  { id: 'agent-1', type: 'compute', handlers: { 'backtest.crossover': backtest } },
]);
await using swarm = await connect(own.address);

const { datasetId } = await swarm.putTable(await readPrices());
const handle = await swarm.submit<Crossover>(
  'backtest.crossover',
  { datasetId, column: 'DAX', fast: [5, 10, 20, 40], slow: [50, 100, 150, 200] },
  { datasets: [datasetId] },
);

let fractionSeen = 0;
const watching = (async () => {
  for await (const { fraction } of handle.progress())
    fractionSeen = Math.max(fractionSeen, fraction);
})();
// Parts arrive in order and once, also when the task has to be repeated on another agent.
for await (const { fast, slow, sharpe } of handle.chunks<Crossover>()) {
  console.log(
    `best with a fast average of ${fast} days: slow ${slow}, Sharpe ${sharpe.toFixed(3)}`,
  );
}
await watching;

const best = await handle.result();
console.log(`best of all: ${best.fast}/${best.slow}, Sharpe ${best.sharpe.toFixed(3)}`);
console.log(`progress was heard: ${fractionSeen > 0 ? 'yes' : 'no'}; state: ${handle.state}`);
