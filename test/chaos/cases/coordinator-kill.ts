/** The coordinator is killed again and again under load; what it has acknowledged as durable must end, once, and well. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { SwarmClient } from '@quic-swarm/client';
import {
  balanceOfClient,
  endsToldAgain,
  duplicatesOf,
  needlessStarts,
} from '../support/accounts.ts';
import { integerFrom, Skipped, type ChaosCase, type ChaosContext } from '../support/chaos-case.ts';
import { ROOT } from '../support/child-program.ts';
import { pauseMs, within } from '../support/clock.ts';
import { maximumOf, quantileOf } from '../support/findings.ts';
import type { JournalEntry } from '../support/journal.ts';
import { Ledger } from '../support/ledger.ts';
import { Load } from '../support/load.ts';
import { ProcessSwarm } from '../support/process-swarm.ts';

const AGENTS = 4;
const DISPATCHING_AGAIN_MS = 2000;
const PATIENCE_MS = 60_000;
/** An agent has noticed by then that its coordinator was killed. */
const STALE_START_MS = 3000;

/** A coordinator's life that was ended. */
interface Restart {
  readonly killedAtMs: number;
  /** From the start of the process that followed to its first dispatch; NaN: it never did. */
  readonly dispatchingMs: number;
}

export const coordinatorKill: ChaosCase = {
  name: 'coordinator-kill',
  about:
    'The coordinator is killed with SIGKILL under load; no acknowledged durable task is lost or ends twice.',
  minutesMax: 20,
  async run(context) {
    const { random, isQuick } = context;
    requireDurability();
    await using swarm = await ProcessSwarm.start({ isDurable: true });
    await swarm.startAgents(Array.from({ length: AGENTS }, (_, index) => `agent-${index}`));
    const client = await swarm.connect();
    const ledger = new Ledger();
    const load = new Load({
      client,
      ledger,
      concurrency: 4 * AGENTS,
      computeMs: () => integerFrom(random, 10, 40),
      submitOptions: (number) => ({
        durable: true,
        // What was on its way when the coordinator died is submitted again and must not become a second task.
        idempotencyKey: `chaos-${number}`,
        retry: { maximumDeliveries: 1000 },
      }),
    });
    const restarts: Restart[] = [];
    const killsMax = isQuick ? 5 : 100;
    while (restarts.length < killsMax) {
      await pauseMs(integerFrom(random, 200, 1200));
      restarts.push(await restart(swarm));
      if (restarts.length % 20 === 0) {
        const newest = restarts.slice(-20).map(({ dispatchingMs }) => dispatchingMs);
        context.say(
          `${restarts.length} coordinators killed; the last 20 dispatched after ${quantileOf(newest, 0.5).toFixed(0)} ms (median)`,
        );
      }
    }
    await load.stop();
    await report(swarm, restarts, ledger, client, context);
  },
};

/** Whether this build can keep tasks at all. */
function requireDurability(): void {
  const bin = join(ROOT, 'packages/cli/bin/coordinator.js');
  const { stdout } = spawnSync(process.execPath, [bin, '--help'], { encoding: 'utf8' });
  if (stdout.includes('--data')) return;
  throw new Skipped(
    '`coordinator --help` has no --data: this build keeps no task when its coordinator dies.',
  );
}

async function restart(swarm: ProcessSwarm): Promise<Restart> {
  const killedAtMs = swarm.coordinator.signal('SIGKILL');
  await swarm.coordinator.ended;
  const coordinator = await swarm.startCoordinator();
  const { atMs: readyAtMs } = await coordinator.line('"ready"');
  let dispatchingMs = NaN;
  await within(PATIENCE_MS, () => {
    const first = swarm.journal.read().find(
      // What is started before that, the agents had from the coordinator before.
      ({ event, atMs }) => event === 'start' && atMs > readyAtMs,
    );
    if (first !== undefined) dispatchingMs = first.atMs - coordinator.startedAtMs;
    return first !== undefined;
  });
  return { killedAtMs, dispatchingMs };
}

async function report(
  swarm: ProcessSwarm,
  restarts: readonly Restart[],
  ledger: Ledger,
  client: SwarmClient,
  { findings, isQuick }: ChaosContext,
): Promise<void> {
  const dispatchingMs = restarts.map((each) => each.dispatchingMs);
  findings.safety(
    'coordinators killed whose successor dispatched',
    dispatchingMs.filter((ms) => ms >= 0).length,
    { atLeast: isQuick ? 5 : 100 },
  );
  findings.goal('process started to the first dispatch, p50', quantileOf(dispatchingMs, 0.5), {
    atMost: DISPATCHING_AGAIN_MS,
  });
  findings.goal('process started to the first dispatch, longest', maximumOf(dispatchingMs), {
    atMost: DISPATCHING_AGAIN_MS,
  });
  const lost = ledger.acknowledged.filter(({ isRight }) => !isRight).length;
  findings.safety(`of ${ledger.acknowledged.length} acknowledged tasks lost`, lost, { atMost: 0 });
  balanceOfClient(ledger, findings);
  findings.safety(
    'ends that the last coordinator tells otherwise than they were heard',
    // What it does not know was forgotten, as finished tasks are in the end.
    (await endsToldAgain(ledger, client)).changed,
    { atMost: 0 },
  );
  // A lease of a coordinator that was killed is still good for a start until its agent is back at the next one.
  const isExcused = (before: JournalEntry, after: JournalEntry): boolean =>
    restarts.some(
      ({ killedAtMs }) => killedAtMs > before.atMs - STALE_START_MS && killedAtMs < after.atMs,
    );
  findings.safety('second starts that no kill explains', needlessStarts(swarm.journal, isExcused), {
    atMost: 0,
  });
  findings.safety('tasks that one key became twice', duplicatesOf(ledger), { atMost: 0 });
}
