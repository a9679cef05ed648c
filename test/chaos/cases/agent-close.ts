/** Agents leave while they compute: told to end with little time to finish, and closing at once. */
import { balance, waitsAfter } from '../support/accounts.ts';
import { integerFrom, type ChaosCase } from '../support/chaos-case.ts';
import { within } from '../support/clock.ts';
import { maximumOf, quantileOf } from '../support/findings.ts';
import { Ledger } from '../support/ledger.ts';
import { Load } from '../support/load.ts';
import { connected, ProcessSwarm, type ProcessAgent } from '../support/process-swarm.ts';

/** Agents that stay and have room for what comes back. */
const STAYING = ['stays-1', 'stays-2', 'stays-3'];
const REDISPATCH_MS = 100;
/** Longer than an agent waits that was told to end: its grace of 100 ms, and one second for the handler to stop by itself. */
const COMPUTE_MS = { min: 1800, max: 2500 };

export const agentClose: ChaosCase = {
  name: 'agent-close',
  about:
    'Agents end in good order while they compute (SIGTERM, close()); what they had runs elsewhere at once.',
  minutesMax: 5,
  async run({ findings, isQuick, random }) {
    await using swarm = await ProcessSwarm.start();
    await swarm.startAgents(STAYING);
    const client = await swarm.connect();
    const ledger = new Ledger();
    const load = new Load({
      client,
      ledger,
      // Fewer than the agents that stay: what comes back finds one that is free.
      concurrency: STAYING.length - 1,
      computeMs: () => integerFrom(random, COMPUTE_MS.min, COMPUTE_MS.max),
    });
    const rounds = isQuick ? 3 : 6;
    for (const kind of ['SIGTERM', 'close()'] as const) {
      const waits: number[] = [];
      let ends = 0;
      for (let round = 0; round < rounds; round += 1) {
        const id = `leaves-${kind === 'SIGTERM' ? 'a' : 'b'}-${round}`;
        const agent =
          kind === 'SIGTERM'
            ? swarm.startAgent(id, { words: ['--grace', '100ms'] })
            : swarm.startClosingAgent(id);
        await connected(agent);
        waits.push(...(await leave(swarm, agent)));
        ends += (await agent.program.ended).code === 0 ? 1 : 0;
      }
      findings.safety(`${kind}: agents that ended with exit code 0`, ends, { atLeast: rounds });
      findings.safety(`${kind}: tasks that were stopped and started elsewhere`, waits.length, {
        atLeast: 1,
      });
      findings.goal(`${kind}: end of the agent to the next start, p50`, quantileOf(waits, 0.5), {
        atMost: REDISPATCH_MS,
      });
      findings.goal(`${kind}: end of the agent to the next start, longest`, maximumOf(waits), {
        atMost: REDISPATCH_MS,
      });
    }
    await load.stop();
    await balance(ledger, client, findings);
  },
};

/** Ends the agent while it computes. Returns how long after its end its tasks were started elsewhere, or how long before. */
async function leave({ journal }: ProcessSwarm, { program }: ProcessAgent): Promise<number[]> {
  const has = (event: 'start' | 'end'): number =>
    journal.entries.filter((entry) => entry.pid === program.pid && entry.event === event).length;
  const isComputing = await within(20_000, () => {
    journal.read();
    return has('start') > has('end');
  });
  if (!isComputing) throw new Error('The agent was given nothing within 20 s.');
  const signalledAtMs = program.signal('SIGTERM');
  const { atMs } = await program.ended;
  const waits = (): number[] => waitsAfter(journal, program.pid, signalledAtMs);
  await within(5000, () => waits().length > 0);
  return waits().map((wait) => wait - (atMs - signalledAtMs));
}
