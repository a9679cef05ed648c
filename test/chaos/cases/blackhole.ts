/** For five seconds nothing passes, and nobody is told; then the network is as before. */
import { balance } from '../support/accounts.ts';
import { integerFrom, type ChaosCase, type ChaosContext } from '../support/chaos-case.ts';
import { pauseMs, wallMs, within } from '../support/clock.ts';
import { maximumOf, quantileOf } from '../support/findings.ts';
import { FaultyPaths } from '../support/proxied.ts';
import { Ledger } from '../support/ledger.ts';
import { Load } from '../support/load.ts';
import { ProcessSwarm } from '../support/process-swarm.ts';

const AGENTS = 4;
const HOLE_MS = 5000;
const BACK_MS = 1000;
const PATIENCE_MS = 60_000;

/** Who is cut off. */
const CUTS = ['agents', 'clients', 'everybody'] as const;
type Cut = (typeof CUTS)[number];

/** What a swarm under test is made of. */
interface World {
  readonly swarm: ProcessSwarm;
  readonly paths: FaultyPaths;
  readonly ledger: Ledger;
}

export const blackhole: ChaosCase = {
  name: 'blackhole',
  about:
    'For 5 s nothing passes between the coordinator and agents, clients or both; then all go on at once.',
  minutesMax: 6,
  async run(context) {
    const { seed, random, findings, isQuick } = context;
    await using swarm = await ProcessSwarm.start();
    await using paths = await FaultyPaths.open(swarm, seed);
    await swarm.startAgents(
      Array.from({ length: AGENTS }, (_, index) => `agent-${index}`),
      { address: paths.agentsAddress },
    );
    const client = await swarm.connect({ address: paths.clientsAddress });
    const ledger = new Ledger();
    const load = new Load({
      client,
      ledger,
      concurrency: 4 * AGENTS,
      computeMs: () => integerFrom(random, 20, 50),
      // A network that is cut again and again is no sign of a poisonous task.
      submitOptions: () => ({ retry: { maximumDeliveries: 100 } }),
    });
    for (const cut of CUTS) {
      const backMs: number[] = [];
      for (let round = 0; round < (isQuick ? 2 : 4); round += 1) {
        await pauseMs(integerFrom(random, 1000, 2000));
        backMs.push(await cutOff({ swarm, paths, ledger }, cut, context));
      }
      findings.safety(
        `${cut} cut off: times that work went on`,
        backMs.filter(Number.isFinite).length,
        {
          atLeast: backMs.length,
        },
      );
      findings.goal(`${cut} cut off: healed to new work, p50`, quantileOf(backMs, 0.5), {
        atMost: BACK_MS,
      });
      findings.goal(`${cut} cut off: healed to new work, longest`, maximumOf(backMs), {
        atMost: BACK_MS,
      });
    }
    await load.stop();
    await balance(ledger, client, findings);
  },
};

/**
 * Cuts off and heals. Returns how long after that new work was going on again: a handler was started, and the client had
 * heard of the end of a task that was started after the healing. Infinity: never.
 */
async function cutOff(world: World, cut: Cut, { say }: ChaosContext): Promise<number> {
  const { paths } = world;
  const proxies = [
    ...(cut === 'clients' ? [] : [paths.agents]),
    ...(cut === 'agents' ? [] : [paths.clients]),
  ];
  for (const proxy of proxies) proxy.change({ isDown: true });
  await pauseMs(HOLE_MS);
  for (const proxy of proxies) proxy.change({ isDown: false });
  const healedAtMs = wallMs();
  let first = { startMs: Infinity, endMs: Infinity };
  await within(PATIENCE_MS, () => {
    first = firstAfter(world, healedAtMs);
    return Number.isFinite(first.startMs) && Number.isFinite(first.endMs);
  });
  say(
    `${cut}: first start ${first.startMs.toFixed(0)} ms, first end heard ${first.endMs.toFixed(0)} ms after it healed`,
  );
  return Math.max(first.startMs, first.endMs);
}

function firstAfter({ swarm, ledger }: World, atMs: number): { startMs: number; endMs: number } {
  swarm.journal.read();
  const starts = swarm.journal.entries.filter(
    (entry) => entry.event === 'start' && entry.atMs > atMs,
  );
  const ends = ledger.rows.flatMap(({ endedAtMs = 0 }) => (endedAtMs > atMs ? [endedAtMs] : []));
  return {
    startMs: Math.min(...starts.map((start) => start.atMs)) - atMs,
    endMs: Math.min(...ends) - atMs,
  };
}
