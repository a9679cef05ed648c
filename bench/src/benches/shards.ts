/** Large searches: one thread beside two, and one agent beside two that have as many threads together. */
import type { Bench, Target } from '../harness/model.ts';
import { shardWorkloads } from '../workloads/shards.ts';

const ONE_THREAD = 'one agent, one thread';
const TWO_THREADS = 'one agent, two threads';
const TWO_AGENTS = 'two agents, a thread each';

/** How many times as long the other one takes. */
function faster(workload: string, contestant: string, other: string, times: number): Target {
  return {
    name: `${workload}: ${contestant}, to ${other}`,
    unit: '×',
    comparator: '>=',
    target: times,
    measure: (results) => results.ratio(workload, 'time', other, contestant),
  };
}

export const shards: Bench = {
  name: 'shards',
  title: 'One large search over threads and agents',
  rounds: 5,
  quickRounds: 2,
  contestants: [
    {
      name: ONE_THREAD,
      kind: 'ours',
      peer: 'swarm-shards',
      variant: { agents: 1, threads: 1, shards: 1 },
    },
    {
      name: TWO_THREADS,
      kind: 'ours',
      peer: 'swarm-shards',
      variant: { agents: 1, threads: 2, shards: 1 },
      note: 'the agent shares the search out among its threads',
    },
    {
      name: TWO_AGENTS,
      kind: 'ours',
      peer: 'swarm-shards',
      variant: { agents: 2, threads: 1, shards: 2 },
      note: 'the coordinator shares the search out among the agents',
    },
  ],
  plans: shardWorkloads.map((workload) => ({ workload, quick: { warmUpCount: 2, count: 3 } })),
  targets: shardWorkloads.flatMap(({ name }) => [
    faster(name, TWO_THREADS, ONE_THREAD, 1.7),
    // "No slower" within what two runs of the same differ by.
    faster(name, TWO_AGENTS, TWO_THREADS, 0.95),
  ]),
};
