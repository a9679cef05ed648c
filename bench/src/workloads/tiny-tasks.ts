/** Tasks that take next to nothing, computed in threads of another process where the contestant has any. */
import type { Workload } from '../harness/model.ts';
import { abilityOf, keepInFlight, setting } from './support.ts';

function tinyTasks(name: string, title: string, computeMs: number): Workload {
  return {
    name,
    title,
    ability: 'runTinyTask',
    metrics: [{ name: 'rate', unit: 'tasks/s', better: 'more' }],
    operation: 'task',
    settings: { inFlight: 256, warmUpMs: 1000, durationMs: 1500 },
    async prepare(abilities, settings) {
      const runTinyTask = abilityOf(abilities, 'runTinyTask');
      const inFlight = setting(settings, 'inFlight');
      const run = async (): Promise<void> => runTinyTask(computeMs);
      await keepInFlight(inFlight, setting(settings, 'warmUpMs'), run);
      return {
        async run() {
          const { operations, elapsedMs } = await keepInFlight(
            inFlight,
            setting(settings, 'durationMs'),
            run,
          );
          return { values: { rate: (operations / elapsedMs) * 1000 }, operations };
        },
        dispose: async (): Promise<void> => undefined,
      };
    },
  };
}

export const tinyTasksInThreads: Workload = tinyTasks(
  'tiny-tasks-in-threads',
  'Tasks that do nothing, in threads with the default slots, 256 in flight',
  0,
);

export const shortTasksInThreads: Workload = tinyTasks(
  'tiny-tasks-in-threads-100us',
  'Tasks of 0.1 ms, in threads with the default slots, 256 in flight',
  0.1,
);
