/**
 * Many tasks: how sure is the Sharpe ratio of the DAX? A block bootstrap, cut into tasks, a few at a time. Then what
 * goes wrong in real runs: an error that passes, an error that stays, and a run that somebody stops.
 *
 * Run it: npx tsx examples/04-many-tasks.ts
 */
import { connect, isSwarmError } from '@quic-swarm/client';
import { startSwarm } from './local-swarm.ts';
import { readPrices } from './prices.ts';

const TASKS = 40;
const CONCURRENCY = 4;

const handler = new URL('04-many-tasks.worker.js', import.meta.url);
const handlers = { 'bootstrap.sharpe': handler };
await using own = await startSwarm([
  { id: 'agent-1', type: 'compute', handlers },
  { id: 'agent-2', type: 'compute', handlers },
]);
await using swarm = await connect(own.address);
const { datasetId } = await swarm.putTable(await readPrices());
const series = { datasetId, column: 'DAX', blockDays: 20, resamples: 50 };
const options = { datasets: [datasetId], concurrency: CONCURRENCY };

// Inputs are pulled when there is room for them, so this could as well be an endless generator.
let pulled = 0;
function* inputs(): Generator<typeof series & { seed: number }> {
  for (; pulled < TASKS; pulled += 1) yield { ...series, seed: pulled };
}
const ratios: number[] = [];
let done = 0;
let aheadMax = 0;
for await (const { result } of swarm.map<number[]>('bootstrap.sharpe', inputs(), options)) {
  aheadMax = Math.max(aheadMax, pulled - done);
  done += 1;
  ratios.push(...result);
}
ratios.sort((a, b) => a - b);
const quantile = (q: number): string =>
  (ratios[Math.floor(q * (ratios.length - 1))] ?? NaN).toFixed(3);
console.log(`Sharpe ratio of the DAX, 90 % interval: ${quantile(0.05)} to ${quantile(0.95)}`);
console.log(`${done} tasks, ${ratios.length} resamples; inputs pulled ahead: at most ${aheadMax}`);

// Seed −1 fails on its first attempt and is tried again. Seed −2 can never succeed, and says so.
const troubles = [-1, -2].map((seed) => ({ ...series, seed }));
const outcomes = swarm.map<number[]>('bootstrap.sharpe', troubles, {
  ...options,
  onFailure: 'yield',
});
for await (const item of outcomes) {
  if ('error' in item) console.log(`seed ${troubles[item.index]?.seed}: ${item.error.message}`);
  else
    console.log(`seed ${troubles[item.index]?.seed}: ${item.result.length} resamples in the end`);
}
const { retried, failed } = (await swarm.status()).byTaskType['bootstrap.sharpe'] ?? {};
console.log(`retried attempts: ${retried}, failed tasks: ${failed}`);

// An AbortSignal cancels a task that runs; the handler sees it, and its thread is free again.
const stop = new AbortController();
const endless = await swarm.submit(
  'bootstrap.sharpe',
  { ...series, seed: 0, resamples: 1e9 },
  { datasets: [datasetId], signal: stop.signal, watch: 'all' },
);
for await (const { state, fraction } of endless.progress()) {
  if (state === 'running' && fraction > 0) stop.abort();
}
const cancelled = await endless.result().catch((error: unknown) => error);
console.log(`the endless one: ${isSwarmError(cancelled) ? cancelled.type : String(cancelled)}`);
