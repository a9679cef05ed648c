/** A million tasks that nobody can compute yet are submitted: does the coordinator keep its pace, and how much it keeps of them. */
import type { Workload } from '../harness/model.ts';
import { abilityOf, setting } from './support.ts';

const MEBIBYTE = 2 ** 20;

export const fillQueue: Workload = {
  name: 'fill-queue',
  title: 'A queue is filled with small tasks that wait',
  ability: 'fillQueue',
  metrics: [
    { name: 'memory', unit: 'MiB', better: 'less' },
    { name: 'first tenth', unit: 'tasks/s', better: 'more' },
    { name: 'last tenth', unit: 'tasks/s', better: 'more' },
  ],
  operation: 'task',
  // The coordinator takes no more: the two that show that all is well have ended by then.
  settings: { count: 1_000_000 },
  async prepare(abilities, settings) {
    const fill = abilityOf(abilities, 'fillQueue');
    const count = setting(settings, 'count');
    return {
      async run() {
        const { bytes, firstRate, lastRate } = await fill(count);
        const values = {
          memory: bytes / MEBIBYTE,
          'first tenth': firstRate,
          'last tenth': lastRate,
        };
        return { values, operations: count };
      },
      dispose: async () => undefined,
    };
  },
};
