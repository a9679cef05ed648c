/** One large search at a time, from a client through a coordinator to agents and back. */
import type { Workload } from '../harness/model.ts';
import type { KernelName } from '../peers/kernel-inputs.ts';
import { abilityOf, setting } from './support.ts';

interface ShardedSearch {
  readonly search: KernelName;
  readonly points: number;
}

/** One that is over before a second thread has got to work, and two that take long enough to be shared out. */
const SHARDED: readonly ShardedSearch[] = [
  { search: 'search m=256 r=26', points: 1_000_000 },
  { search: 'search m=256 r=26', points: 8_000_000 },
  { search: 'search noise m=128 r=6', points: 1_000_000 },
];

/** In the order of {@link SHARDED}. */
export const shardWorkloads: readonly Workload[] = SHARDED.map(({ search, points }) => ({
  name: `${search} of ${points.toLocaleString('en')}, in shards`,
  title: `${search}, ${points.toLocaleString('en')} points, over threads and agents`,
  ability: 'search',
  metrics: [
    { name: 'time', unit: 'ms', better: 'less' },
    { name: 'answer', unit: '', better: 'less' },
  ],
  operation: 'search',
  settings: { warmUpCount: 12, count: 16 },
  async prepare(abilities, settings) {
    const find = abilityOf(abilities, 'search');
    // The first one also brings the series to the agents; each thread compiles for itself.
    for (let left = setting(settings, 'warmUpCount'); left > 0; left -= 1)
      await find(search, points);
    return {
      async run() {
        const count = setting(settings, 'count');
        const startMs = performance.now();
        let answer = NaN;
        for (let left = count; left > 0; left -= 1) answer = await find(search, points);
        return {
          values: { time: (performance.now() - startMs) / count, answer },
          operations: count,
        };
      },
      dispose: async () => undefined,
    };
  },
}));
