/**
 * Over QUIC: indicators from a feature agent become the input of a strategy agent. The question: do the four markets
 * move together, and does the answer change when outliers count less?
 *
 * Run it alone: npx tsx examples/02-correlation-over-quic.ts
 * Or with a swarm that has agents of the types feature and strategy: … --address 127.0.0.1:5000
 */
import { parseArgs } from 'node:util';
import { connect } from '@quic-swarm/client';
import { startSwarm } from './local-swarm.ts';
import { readPrices } from './prices.ts';

const { values } = parseArgs({ options: { address: { type: 'string' } } });
await using own =
  values.address === undefined
    ? await startSwarm([
        { id: 'agent-1', type: 'feature' },
        { id: 'agent-2', type: 'strategy' },
      ])
    : undefined;
await using swarm = await connect(values.address ?? own?.address ?? '');

const prices = await readPrices();
const names = Object.keys(prices);
const { datasetId } = await swarm.putTable(prices);

const returns = await Promise.all(
  names.map(async (name) => {
    const features = await swarm.run('FeatureEngineering', {
      series: { datasetId, column: name },
      indicators: ['logreturn', 'rsi14', 'bollinger20'],
    });
    const column = new Map(features.columns.map((each) => [each.name, each.values]));
    const last = (indicator: string): string => column.get(indicator)?.at(-1)?.toFixed(2) ?? '?';
    console.log(`${name}  RSI ${last('rsi14')}  upper Bollinger band ${last('bollingerUpper')}`);
    return { name, series: { values: column.get('logreturn') ?? new Float64Array(0) } };
  }),
);

for (const method of ['pearson', 'spearman'] as const) {
  const { matrix, overlap } = await swarm.run('StrategyCorrelation', { columns: returns, method });
  console.log(`${method} over ${overlap[1]} common days`);
  for (const [row, name] of names.entries()) {
    const cells = matrix.subarray(row * names.length, (row + 1) * names.length);
    console.log(`${name.padEnd(4)} ${Array.from(cells, (cell) => cell.toFixed(4)).join(' ')}`);
  }
}
