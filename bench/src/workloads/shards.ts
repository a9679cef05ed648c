/** One large search at a time, from a client through a coordinator to agents and back. */
import type { Workload } from '../harness/model.ts';
import type { KernelName } from '../peers/kernel-inputs.ts';
import { abilityOf, setting } from './support.ts';

/** Searches that take long enough that the way to the agents is a small part of it. */
export const SHARDED = [
  'search m=256 r=26',
  'search noise m=128 r=6',
] as const satisfies KernelName[];

/** In the order of {@link SHARDED}. */
export const shardWorkloads: readonly Workload[] = SHARDED.map((search) => ({
  name: `${search}, in shards`,
  title: `${search}, 1,000,000 points, over threads and agents`,
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
    for (let left = setting(settings, 'warmUpCount'); left > 0; left -= 1) await find(search);
    return {
      async run() {
        const count = setting(settings, 'count');
        const startMs = performance.now();
        let answer = NaN;
        for (let left = count; left > 0; left -= 1) answer = await find(search);
        return {
          values: { time: (performance.now() - startMs) / count, answer },
          operations: count,
        };
      },
      dispose: async () => undefined,
    };
  },
}));
