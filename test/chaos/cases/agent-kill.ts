/** Agents are killed again and again under load. Every second one comes back under its own name, the others under new ones. */
import { balance, needlessStarts, waitsAfter } from '../support/accounts.ts';
import { integerFrom, pickOne, type ChaosCase, type ChaosContext } from '../support/chaos-case.ts';
import { pauseMs } from '../support/clock.ts';
import { maximumOf, quantileOf } from '../support/findings.ts';
import { Ledger } from '../support/ledger.ts';
import { Load } from '../support/load.ts';
import { isServing, ProcessSwarm } from '../support/process-swarm.ts';

const AGENTS = 6;
/** Silence after which the coordinator gives an agent up, and what dispatching may add to it. */
const REDISPATCH_MS = 3500;

interface Kill {
  readonly pid: number;
  readonly atMs: number;
}

export const agentKill: ChaosCase = {
  name: 'agent-kill',
  about: 'Agents are killed with SIGKILL under load; what they had runs elsewhere, and ends once.',
  minutesMax: 15,
  async run(context) {
    const { findings, random } = context;
    await using swarm = await ProcessSwarm.start();
    await swarm.startAgents(Array.from({ length: AGENTS }, (_, index) => `agent-${index}`));
    const client = await swarm.connect();
    const ledger = new Ledger();
    const load = new Load({
      client,
      ledger,
      concurrency: 4 * AGENTS,
      computeMs: () => integerFrom(random, 10, 60),
      // Killing is what this case does all the time: that a task meets it thrice is no sign of a poisonous task.
      submitOptions: () => ({ retry: { maximumDeliveries: 100 } }),
    });
    const kills = await killAgents(swarm, context);
    await load.stop();
    report(swarm, kills, context);
    findings.goal('longest time of a task', maximumOf(ledger.latenciesMs), {
      // A task that lay at an agent un-started waits as long, and may be killed with the next one as well.
      atMost: 2 * REDISPATCH_MS,
    });
    await balance(ledger, client, findings);
  },
};

async function killAgents(
  swarm: ProcessSwarm,
  { isQuick, random, say }: ChaosContext,
): Promise<Kill[]> {
  const kills: Kill[] = [];
  const killsMax = killsOf(isQuick);
  let names = AGENTS;
  while (kills.length < killsMax) {
    await pauseMs(integerFrom(random, 300, 900));
    const serving = swarm.agents.filter(isServing);
    const victim = pickOne(random, serving);
    // On a busy machine agents start slowly: without any left, tasks would wait for that and not for the coordinator.
    if (victim === undefined || serving.length <= AGENTS / 2) continue;
    kills.push({ pid: victim.program.pid, atMs: victim.program.signal('SIGKILL') });
    await victim.program.ended;
    if (kills.length % 2 === 0) {
      swarm.startAgent(victim.id);
    } else {
      swarm.startAgent(`agent-${names}`);
      names += 1;
    }
    if (kills.length % 20 === 0) say(`${kills.length} agents killed`);
  }
  return kills;
}

function killsOf(isQuick: boolean): number {
  return isQuick ? 12 : 100;
}

function report(
  swarm: ProcessSwarm,
  kills: readonly Kill[],
  { findings, isQuick }: ChaosContext,
): void {
  const waitsOf = (isCounted: (attempts: number) => boolean): number[] =>
    kills.flatMap(({ pid, atMs }) =>
      waitsAfter(swarm.journal, pid, atMs, (before, after) =>
        isCounted(after.attempt - before.attempt),
      ),
    );
  const waits = waitsOf((attempts) => attempts === 1);
  // Given meanwhile to an agent that never began them, since it was killed as well: twice the same silence.
  const doubleWaits = waitsOf((attempts) => attempts > 1);
  const killed = new Set(kills.map(({ pid }) => pid));
  findings.safety('agents killed', kills.length, { atLeast: killsOf(isQuick) });
  findings.safety('tasks that were running at a kill and were started elsewhere', waits.length, {
    atLeast: 1,
  });
  findings.goal('kill to the next start elsewhere, p50', quantileOf(waits, 0.5), {
    atMost: REDISPATCH_MS,
  });
  findings.goal('kill to the next start elsewhere, longest', maximumOf(waits), {
    atMost: REDISPATCH_MS,
  });
  if (doubleWaits.length > 0) {
    findings.goal('the same of tasks that two kills have hit, longest', maximumOf(doubleWaits), {
      atMost: 2 * REDISPATCH_MS,
    });
  }
  findings.safety(
    'second starts although the first agent was not killed',
    needlessStarts(swarm.journal, ({ pid }) => killed.has(pid)),
    { atMost: 0 },
  );
}
