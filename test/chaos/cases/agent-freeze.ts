/** Agents are stopped for ten seconds, as a laptop that sleeps, and go on afterwards as if nothing had happened. */
import { balance, needlessStarts, waitsAfter } from '../support/accounts.ts';
import { integerFrom, type ChaosCase, type ChaosContext } from '../support/chaos-case.ts';
import { pauseMs, within } from '../support/clock.ts';
import { maximumOf } from '../support/findings.ts';
import type { JournalEntry } from '../support/journal.ts';
import { Ledger } from '../support/ledger.ts';
import { Load } from '../support/load.ts';
import { ProcessSwarm, type ProcessAgent } from '../support/process-swarm.ts';

const AGENTS = 5;
const FROZEN_AT_ONCE = 2;
const FREEZE_MS = 10_000;
/** Two heartbeats missed, and a turn of the coordinator. */
const SUSPECT_MS = 1750;
const REDISPATCH_MS = 3500;
const SERVES_AGAIN_MS = 2000;
const PATIENCE_MS = 20_000;

interface Freeze {
  readonly pid: number;
  readonly atMs: number;
  readonly suspectMs: number;
  readonly servesAgainMs: number;
}

export const agentFreeze: ChaosCase = {
  name: 'agent-freeze',
  about:
    'Agents are frozen for 10 s (SIGSTOP, SIGCONT); their tasks run elsewhere and late answers are dropped.',
  minutesMax: 5,
  async run(context) {
    const { findings, isQuick, random, say } = context;
    await using swarm = await ProcessSwarm.start();
    const agents = await swarm.startAgents(
      Array.from({ length: AGENTS }, (_, index) => `agent-${index}`),
    );
    const client = await swarm.connect();
    const ledger = new Ledger();
    const load = new Load({
      client,
      ledger,
      concurrency: 3 * AGENTS,
      computeMs: () => integerFrom(random, 20, 100),
    });
    const freezes: Freeze[] = [];
    for (let round = 0; round < (isQuick ? 1 : 3); round += 1) {
      await pauseMs(1000);
      const victims = agents.slice(round % 3, (round % 3) + FROZEN_AT_ONCE);
      freezes.push(...(await Promise.all(victims.map(async (agent) => frozen(swarm, agent)))));
    }
    await load.stop();
    report(swarm, freezes, context);
    const { staleCompletions } = (await client.status()).tasks;
    say(`late answers that were dropped: ${staleCompletions}`);
    await balance(ledger, client, findings);
  },
};

async function frozen(swarm: ProcessSwarm, { id, program }: ProcessAgent): Promise<Freeze> {
  const { pid } = program;
  const atMs = program.signal('SIGSTOP');
  await pauseMs(FREEZE_MS);
  const continuedAtMs = program.signal('SIGCONT');
  const suspected = swarm.coordinator.lines.find(
    (line) => line.atMs > atMs && line.text.includes(`${id} suspect`),
  );
  let firstStart: JournalEntry | undefined;
  await within(PATIENCE_MS, () => {
    swarm.journal.read();
    firstStart = swarm.journal.entries.findLast(
      // What the agent had when it was frozen it may start at once; nobody believes it.
      (entry) => entry.event === 'start' && entry.pid === pid && isNew(swarm, entry),
    );
    return firstStart !== undefined && firstStart.atMs > continuedAtMs;
  });
  return {
    pid,
    atMs,
    suspectMs: (suspected?.atMs ?? NaN) - atMs,
    servesAgainMs: (firstStart?.atMs ?? NaN) - continuedAtMs,
  };
}

/** Whether nobody else was given the task before. */
function isNew({ journal }: ProcessSwarm, start: JournalEntry): boolean {
  const first = journal.entries.find(
    ({ event, number }) => event === 'start' && number === start.number,
  );
  return first === start;
}

function report(swarm: ProcessSwarm, freezes: readonly Freeze[], { findings }: ChaosContext): void {
  const waits = freezes.flatMap(({ pid, atMs }) => waitsAfter(swarm.journal, pid, atMs));
  const suspected = freezes.filter(({ suspectMs }) => suspectMs >= 0).length;
  const serving = freezes.filter(({ servesAgainMs }) => servesAgainMs >= 0).length;
  findings.safety('frozen agents that became suspect', suspected, { atLeast: freezes.length });
  findings.goal('freeze to suspect, longest', maximumOf(freezes.map((each) => each.suspectMs)), {
    atMost: SUSPECT_MS,
  });
  findings.safety('tasks that were running and were started elsewhere', waits.length, {
    atLeast: 1,
  });
  findings.goal('freeze to the next start elsewhere, longest', maximumOf(waits), {
    atMost: REDISPATCH_MS,
  });
  findings.safety('agents that serve again afterwards', serving, { atLeast: freezes.length });
  findings.goal(
    'going on to the first new task, longest',
    maximumOf(freezes.map((each) => each.servesAgainMs)),
    { atMost: SERVES_AGAIN_MS },
  );
  const wasFrozen = ({ pid }: JournalEntry): boolean => freezes.some((each) => each.pid === pid);
  findings.safety(
    'second starts that involve no frozen agent',
    // An agent that goes on may start what it had before it hears that others have it.
    needlessStarts(swarm.journal, (before, after) => wasFrozen(before) || wasFrozen(after)),
    { atMost: 0 },
  );
}
