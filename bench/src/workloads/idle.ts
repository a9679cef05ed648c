/** Nothing is asked of anybody; the CPU of each process shows what it does all the same. */
import type { Workload } from '../harness/model.ts';
import { abilityOf, setting } from './support.ts';

export const idle: Workload = {
  name: 'idle',
  title: 'Nothing to do (10,000 µs/s are 1 % of a core)',
  ability: 'beIdle',
  metrics: [],
  operation: 's',
  settings: { warmUpMs: 0, durationMs: 2000 },
  async prepare(abilities, settings) {
    const beIdle = abilityOf(abilities, 'beIdle');
    const durationMs = setting(settings, 'durationMs');
    await beIdle(setting(settings, 'warmUpMs'));
    return {
      async run() {
        const startMs = performance.now();
        await beIdle(durationMs);
        return { values: {}, operations: (performance.now() - startMs) / 1000 };
      },
      dispose: async () => undefined,
    };
  },
};
