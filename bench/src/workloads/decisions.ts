/** What the decisions of the coordinator cost for each task, without anything around them. */
import type { Workload } from '../harness/model.ts';
import { abilityOf, setting } from './support.ts';

export const decisions: Workload = {
  name: 'decisions',
  title: 'Decisions only: a task is submitted, one ends, its place is given away',
  ability: 'decideTasks',
  metrics: [
    { name: 'CPU', unit: 'µs/task', better: 'less' },
    { name: 'time', unit: 'µs/task', better: 'less' },
  ],
  operation: 'task',
  settings: { warmUpCount: 20_000, count: 50_000 },
  async prepare(abilities, settings) {
    const decideTasks = abilityOf(abilities, 'decideTasks');
    const count = setting(settings, 'count');
    await decideTasks(setting(settings, 'warmUpCount'));
    return {
      async run() {
        const startMs = performance.now();
        const startCpu = process.cpuUsage();
        await decideTasks(count);
        // It never waits, so its CPU is its time, without what other processes take away; with what the collection of
        // garbage does on other threads.
        const { user, system } = process.cpuUsage(startCpu);
        const time = ((performance.now() - startMs) * 1000) / count;
        return { values: { CPU: (user + system) / count, time }, operations: count };
      },
      dispose: async () => undefined,
    };
  },
};
