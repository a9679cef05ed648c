/** Tasks that kill whoever runs them: the agent's process, or the worker thread. The others must not suffer. */
import type { SwarmClient, TaskOutcome } from '@quic-swarm/client';
import { balance } from '../support/accounts.ts';
import { integerFrom, type ChaosCase, type ChaosContext } from '../support/chaos-case.ts';
import { pauseMs } from '../support/clock.ts';
import { maximumOf, quantileOf } from '../support/findings.ts';
import { Ledger } from '../support/ledger.ts';
import { Load } from '../support/load.ts';
import { connected, ProcessSwarm } from '../support/process-swarm.ts';
import type { PoisonInput } from '../support/work.ts';

const AGENTS = 5;
const DELIVERIES_MAX = 3;
/** Numbers of poisonous tasks begin here. */
const POISON = 1_000_000_000;

export const poisonTask: ChaosCase = {
  name: 'poison-task',
  about:
    'Tasks that kill their agent or their thread are given up after three deliveries; the others go on.',
  minutesMax: 5,
  async run(context) {
    const { findings, isQuick } = context;
    await using swarm = await ProcessSwarm.start();
    const supervisor = new AbortController();
    const supervised = Array.from({ length: AGENTS }, async (_, index) =>
      supervise(swarm, `agent-${index}`, supervisor.signal),
    );
    await Promise.all(swarm.agents.map(connected));
    const client = await swarm.connect();
    const tasks = isQuick ? 1500 : 5000;
    const without = await work(client, context, tasks, 0);
    const [beside, outcomes] = await Promise.all([
      work(client, context, tasks, tasks),
      poison(client, isQuick ? 1 : 2),
    ]);
    supervisor.abort();
    findings.safety(
      `of ${outcomes.length} poisonous tasks not failed with deadLettered`,
      outcomes.filter(({ state, deadLettered }) => state !== 'failed' || !deadLettered).length,
      { atMost: 0 },
    );
    const starts = swarm.journal.startsByTask();
    const deliveries = outcomes.map((_, index) => starts.get(POISON + index)?.length ?? 0);
    findings.safety('most deliveries of a poisonous task', maximumOf(deliveries), {
      atMost: DELIVERIES_MAX,
    });
    const p99 = (ledger: Ledger): number => quantileOf(ledger.latenciesMs, 0.99);
    findings.goal(
      'p99 of the other tasks, times that without poison',
      p99(beside) / p99(without),
      {
        atMost: 2,
      },
      { digits: 2 },
    );
    context.say(
      `p99 without poison ${p99(without).toFixed(1)} ms, beside it ${p99(beside).toFixed(1)} ms`,
    );
    beside.rows.push(...without.rows);
    await balance(beside, client, findings);
    await Promise.all([...swarm.agents.map(async ({ program }) => program.kill()), ...supervised]);
  },
};

/** Starts an agent, and another one whenever it has ended, as a service manager does. */
async function supervise(swarm: ProcessSwarm, id: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await swarm.startAgent(id).program.ended;
}

async function work(
  client: SwarmClient,
  { random }: ChaosContext,
  tasksMax: number,
  firstNumber: number,
): Promise<Ledger> {
  const ledger = new Ledger();
  const computeMs = (): number => integerFrom(random, 10, 20);
  await new Load({ client, ledger, concurrency: 2 * AGENTS, computeMs, tasksMax, firstNumber })
    .over;
  return ledger;
}

/** Submits poisonous tasks of both kinds one after the other, so that each kill is the only one at its time. */
async function poison(client: SwarmClient, ofEachKind: number): Promise<TaskOutcome[]> {
  const outcomes: TaskOutcome[] = [];
  for (let index = 0; index < 2 * ofEachKind; index += 1) {
    await pauseMs(500);
    const kills = index % 2 === 0 ? 'thread' : 'process';
    const handle = await client.submit<never, PoisonInput>('chaos.poison', {
      number: POISON + index,
      kills,
    });
    outcomes.push(await handle.outcome());
  }
  return outcomes;
}
