/** Networks that lose, swap, repeat, delay and change datagrams between everybody and the coordinator. */
import type { SwarmClient } from '@quic-swarm/client';
import type { LinkFaults } from '@quic-swarm/testkit';
import { integerFrom, type ChaosCase, type ChaosContext } from '../support/chaos-case.ts';
import { FaultyPaths } from '../support/proxied.ts';
import { Ledger } from '../support/ledger.ts';
import { Load } from '../support/load.ts';
import { ProcessSwarm } from '../support/process-swarm.ts';
import { areValuesOf, type StreamInput, type StreamPart } from '../support/work.ts';

const AGENTS = 3;
const STREAMS: readonly StreamInput[] = [
  ...Array.from({ length: 20 }, (_, index) => ({
    number: 10_000 * index,
    parts: 20,
    numbers: 200,
  })),
  // Results of 320 KB travel on streams of their own.
  ...Array.from({ length: 3 }, (_, index) => ({ number: index, parts: 10, numbers: 4000 })),
];

const CLEAR = 'no faults';
const LOSS_1 = '1 % loss';

const WEATHER: readonly (readonly [name: string, faults: Partial<LinkFaults>])[] = [
  [CLEAR, {}],
  [LOSS_1, { lossRate: 0.01 }],
  ['5 % loss', { lossRate: 0.05 }],
  ['20 % loss', { lossRate: 0.2 }],
  ['25 % reordered', { reorderRate: 0.25 }],
  ['5 % twice', { duplicateRate: 0.05 }],
  ['delay of 0–200 ms', { jitterMs: 200 }],
  ['2 % with a changed bit', { flipRate: 0.02 }],
];

export const badNetwork: ChaosCase = {
  name: 'bad-network',
  about:
    'Loss, reordering, duplicates, delay and changed bits; all tasks complete, bit for bit and in order.',
  minutesMax: 10,
  async run(context) {
    const { findings } = context;
    await using swarm = await ProcessSwarm.start();
    const tasksPerSecond = new Map<string, number>();
    for (const [index, [name, faults]] of WEATHER.entries()) {
      tasksPerSecond.set(name, await weather(swarm, context, { index, name, faults }));
    }
    findings.goal(
      'tasks per second at 1 % loss, of those without faults',
      (100 * (tasksPerSecond.get(LOSS_1) ?? 0)) / (tasksPerSecond.get(CLEAR) ?? 0),
      { atLeast: 50 },
      { unit: '%' },
    );
  },
};

/** Works in one kind of network. Returns the tasks per second. */
async function weather(
  swarm: ProcessSwarm,
  { seed, random, isQuick, findings, say }: ChaosContext,
  { index, name, faults }: { index: number; name: string; faults: Partial<LinkFaults> },
): Promise<number> {
  await using paths = await FaultyPaths.open(swarm, seed + 2 * index, faults);
  const ids = Array.from({ length: AGENTS }, (_, number) => `agent-${index}-${number}`);
  const agents = await swarm.startAgents(ids, { address: paths.agentsAddress });
  const client = await swarm.connect({ address: paths.clientsAddress });
  const ledger = new Ledger();
  const beganMs = performance.now();
  await new Load({
    client,
    ledger,
    concurrency: 16,
    computeMs: () => integerFrom(random, 0, 5),
    tasksMax: isQuick ? 200 : 500,
    firstNumber: 1_000_000 * index,
  }).over;
  const tasksPerSecond = (1000 * ledger.rows.length) / (performance.now() - beganMs);
  const streams = await Promise.all(STREAMS.map(async (input) => streamed(client, input)));
  const faulty = (['toServer', 'toClient'] as const).flatMap((direction) =>
    [paths.agents, paths.clients].map((proxy) => proxy.statistics(direction)),
  );
  const count = (what: 'datagrams' | 'lost' | 'heldBack' | 'duplicated' | 'flipped'): number =>
    faulty.reduce((sum, statistics) => sum + statistics[what], 0);
  say(
    `${name}: ${tasksPerSecond.toFixed(0)} tasks/s; of ${count('datagrams')} datagrams ${count('lost')} lost, ` +
      `${count('heldBack')} held back, ${count('duplicated')} twice, ${count('flipped')} changed`,
  );
  const lost = ledger.rows.length - ledger.succeeded.length;
  const why = lost === 0 ? '' : ` (${ledger.troubles})`;
  findings.safety(`${name}: of ${ledger.rows.length} tasks not right${why}`, lost, { atMost: 0 });
  const broken = streams.filter((trouble) => trouble !== undefined);
  findings.safety(
    `${name}: of ${streams.length} streamed results not whole, in order and exact${broken.length === 0 ? '' : ` (${broken.join('; ')})`}`,
    broken.length,
    { atMost: 0 },
  );
  await client.close();
  // In good order, or the next network would begin with agents that nobody knows to be gone.
  for (const { program } of agents) program.signal('SIGTERM');
  await Promise.all(agents.map(async ({ program }) => program.ended));
  return tasksPerSecond;
}

/** Runs a task that streams its result. Returns what is wrong with it; undefined: nothing. */
async function streamed(client: SwarmClient, input: StreamInput): Promise<string | undefined> {
  const { number, parts, numbers } = input;
  try {
    const options = { submitTimeoutMs: 60_000 };
    const handle = await client.submit<Float64Array, StreamInput>('chaos.stream', input, options);
    let next = 0;
    for await (const { part, values } of handle.chunks<StreamPart>()) {
      if (part !== next) return `part ${part} of ${number} came in the place of ${next}`;
      if (!areValuesOf(number + part, numbers, values))
        return `part ${part} of ${number} is changed`;
      next += 1;
    }
    if (next !== parts) return `${number} ended after ${next} of ${parts} parts`;
    const isExact = areValuesOf(number, numbers * parts, await handle.result());
    return isExact ? undefined : `the result of ${number} is changed`;
  } catch (error) {
    return String(error);
  }
}
