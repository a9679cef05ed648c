/** Many small tasks with deadlines, while agents are killed and frozen and the network loses, swaps and repeats. */
import { balance } from '../support/accounts.ts';
import { integerFrom, pickOne, type ChaosCase, type ChaosContext } from '../support/chaos-case.ts';
import { pauseMs } from '../support/clock.ts';
import { maximumOf, quantileOf } from '../support/findings.ts';
import { Ledger } from '../support/ledger.ts';
import { Load } from '../support/load.ts';
import { isServing, ProcessSwarm, type ProcessAgent } from '../support/process-swarm.ts';
import { FaultyPaths } from '../support/proxied.ts';

const AGENTS = 6;
const TASKS = 100_000;
const QUICK_TASKS = 5000;
const CONCURRENCY = 256;
/** A task is given so long. Its agent may be lost (3 s), and the next one as well. */
const DEADLINE_MS = { min: 8000, max: 30_000 };
const FREEZE_MS = 5000;
/** Share of the tasks that end within their deadline, in percent. */
const IN_TIME_PERCENT = 99.99;

const FAULTS = {
  lossRate: 0.01,
  reorderRate: 0.05,
  duplicateRate: 0.02,
  flipRate: 0.002,
  jitterMs: 2,
};

export const mixedFaults: ChaosCase = {
  name: 'mixed-faults',
  about:
    'Many small tasks while agents are killed and frozen and the network is bad; all end, nearly all in time.',
  minutesMax: 20,
  async run(context) {
    const { seed, random, findings, isQuick, say } = context;
    await using swarm = await ProcessSwarm.start();
    await using paths = await FaultyPaths.open(swarm, seed, FAULTS);
    const address = paths.agentsAddress;
    await swarm.startAgents(
      Array.from({ length: AGENTS }, (_, index) => `agent-${index}`),
      { address },
    );
    const client = await swarm.connect({ address: paths.clientsAddress });
    const ledger = new Ledger();
    const tasksMax = isQuick ? QUICK_TASKS : TASKS;
    const load = new Load({
      client,
      ledger,
      concurrency: CONCURRENCY,
      computeMs: () => (random() < 0.01 ? integerFrom(random, 5, 30) : 0),
      tasksMax,
      submitOptions: () => ({ retry: { maximumDeliveries: 100 } }),
    });
    const beganMs = performance.now();
    const disturbed = await disturb(swarm, address, context, load);
    await load.over;
    const seconds = (performance.now() - beganMs) / 1000;
    say(
      `${disturbed.killed} agents killed, ${disturbed.frozen} frozen, in ${seconds.toFixed(0)} s`,
    );
    report(ledger, context);
    findings.safety('agents killed', disturbed.killed, { atLeast: 1 });
    await balance(ledger, client, findings);
  },
};

/** Kills and freezes agents until the work is done. */
async function disturb(
  swarm: ProcessSwarm,
  address: string,
  { random, say }: ChaosContext,
  load: Load,
): Promise<{ killed: number; frozen: number }> {
  const counts = { killed: 0, frozen: 0 };
  const frozen = new Set<ProcessAgent>();
  while (!load.isOver) {
    await Promise.race([load.over, pauseMs(integerFrom(random, 1500, 4000))]);
    const serving = swarm.agents.filter((agent) => isServing(agent) && !frozen.has(agent));
    const victim = pickOne(random, serving);
    // On a busy machine agents start slowly, and without any left nothing would be tried.
    if (victim === undefined || serving.length <= AGENTS / 2) continue;
    if (random() < 0.25 && frozen.size === 0) {
      counts.frozen += 1;
      frozen.add(victim);
      void frozenFor(victim).then(() => frozen.delete(victim));
    } else {
      counts.killed += 1;
      await victim.program.kill();
      swarm.startAgent(victim.id, { address });
    }
    if ((counts.killed + counts.frozen) % 20 === 0) {
      say(`${counts.killed} agents killed, ${counts.frozen} frozen`);
    }
  }
  return counts;
}

async function frozenFor({ program }: ProcessAgent): Promise<void> {
  program.signal('SIGSTOP');
  await pauseMs(FREEZE_MS);
  program.signal('SIGCONT');
}

function report(ledger: Ledger, { random, findings, isQuick }: ChaosContext): void {
  const late = ledger.rows.filter(({ submittedAtMs, endedAtMs, isRight }) => {
    const deadlineMs = integerFrom(random, DEADLINE_MS.min, DEADLINE_MS.max);
    return !isRight || endedAtMs === undefined || endedAtMs - submittedAtMs > deadlineMs;
  }).length;
  const { length } = ledger.rows;
  findings.safety('tasks', length, { atLeast: isQuick ? QUICK_TASKS : TASKS });
  findings.goal(
    `right within a deadline of ${DEADLINE_MS.min / 1000}–${DEADLINE_MS.max / 1000} s`,
    (100 * (length - late)) / length,
    { atLeast: IN_TIME_PERCENT },
    { unit: '%', digits: 3 },
  );
  findings.goal('time of a task, p50', quantileOf(ledger.latenciesMs, 0.5), { atMost: 1000 });
  findings.goal('time of a task, longest', maximumOf(ledger.latenciesMs), {
    atMost: DEADLINE_MS.max,
  });
}
