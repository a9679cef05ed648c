/**
 * Agents that die: three agent processes train one network on shards of the data, and one is killed in the middle.
 * Each round averages the gradients of all shards into one step, so a shard that was lost or counted twice would
 * change every number that follows. None does.
 *
 * Run it: npx tsx examples/05-agents-that-die.ts
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect } from '@quic-swarm/client';
import { QuicSwarmCoordinator } from '@quic-swarm/coordinator';
import { initialiseMlp } from '@quic-swarm/kernels';
import { formatAddress } from '@quic-swarm/transport';
import { readPrices } from './prices.ts';

const ROUNDS = 12;
const SHARDS = 6;
const LAGS = 8;
const HIDDEN = 16;
const KILL_BEFORE_ROUND = 5;
const STEP_SIZE = 0.1;
const AGENT = fileURLToPath(new URL('../packages/cli/bin/agent.js', import.meta.url));

await using coordinator = await QuicSwarmCoordinator.start({ address: '127.0.0.1:0' });
const address = formatAddress(coordinator.address);
const agents = await Promise.all(['agent-1', 'agent-2', 'agent-3'].map(startAgent));
await using swarm = await connect(address);
const { datasetId } = await swarm.putTable(await readPrices());

// Everybody gets the parameters with the task, so no agent has to remember anything.
let parameters = initialiseMlp([LAGS, HIDDEN, 1], 1);
for (let round = 0; round < ROUNDS; round += 1) {
  // Without a word, and before the coordinator can know: it still gives this agent its part of the round.
  if (round === KILL_BEFORE_ROUND) agents[0]?.kill('SIGKILL');
  const shards = Array.from({ length: SHARDS }, (_, index) => ({
    series: { datasetId, column: 'DAX' },
    lags: LAGS,
    hidden: [HIDDEN],
    parameters,
    shard: { index, count: SHARDS },
    round,
  }));
  const sum = new Float64Array(parameters.length);
  let loss = 0;
  let samples = 0;
  for await (const { result } of swarm.map('NeuralTraining', shards)) {
    for (const [i, value] of result.values.entries())
      sum[i] = (sum[i] ?? 0) + result.samples * value;
    loss += result.samples * result.lossBefore;
    samples += result.samples;
  }
  console.log(`round ${round}: ${samples} samples, loss ${(loss / samples).toExponential(8)}`);
  parameters = parameters.map((value, i) => value - (STEP_SIZE * (sum[i] ?? 0)) / samples);
}

const { tasks, byTaskType } = await swarm.status();
const { retried } = byTaskType['NeuralTraining'] ?? {};
console.log(
  `${tasks.byState['succeeded']} of ${ROUNDS * SHARDS} tasks succeeded, ${retried} were run again`,
);
await Promise.all(agents.map(stopAgent));

/** What `npx agent ADDRESS ID trainer` does in a terminal. Resolves when the agent is connected. */
async function startAgent(id: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    // Three start at once, which takes a busy machine its time.
    [AGENT, address, id, 'trainer', '--threads', '1', '--connect-timeout', '20s', '--json'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const first = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  if (!String(first[0]).includes('"connected"')) throw new Error(`Agent ${id} did not connect.`);
  return child;
}

/** SIGTERM lets an agent finish what it has. */
async function stopAgent(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
