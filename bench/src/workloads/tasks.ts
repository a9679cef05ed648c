/** Tasks that do nothing, so that only their way is measured: to another process, through one in between, and back. */
import type { Workload } from '../harness/model.ts';
import { latencyValues } from '../harness/statistics.ts';
import { abilityOf, keepInFlight, repeatFor, setting } from './support.ts';

const nothing = async (): Promise<void> => undefined;

export const taskLatency: Workload = {
  name: 'task-latency',
  title: 'A task that does nothing, there and back, one at a time',
  ability: 'runTask',
  metrics: [
    { name: 'p50', unit: 'ms', better: 'less' },
    { name: 'p99', unit: 'ms', better: 'less' },
    { name: 'p999', unit: 'ms', better: 'less' },
  ],
  operation: 'task',
  settings: { warmUpMs: 400, durationMs: 1200, countMin: 2000 },
  async prepare(abilities, settings) {
    const runTask = abilityOf(abilities, 'runTask');
    await repeatFor(setting(settings, 'warmUpMs'), runTask);
    return {
      async run() {
        const latenciesMs = await repeatFor(
          setting(settings, 'durationMs'),
          runTask,
          setting(settings, 'countMin'),
        );
        return { values: latencyValues(latenciesMs), operations: latenciesMs.length };
      },
      dispose: nothing,
    };
  },
};

export const tasksInFlight: Workload = {
  name: 'tasks-in-flight',
  title: 'Tasks that do nothing, 256 in flight',
  ability: 'runTask',
  metrics: [{ name: 'rate', unit: 'tasks/s', better: 'more' }],
  operation: 'task',
  settings: { inFlight: 256, warmUpMs: 500, durationMs: 1500 },
  async prepare(abilities, settings) {
    const runTask = abilityOf(abilities, 'runTask');
    const inFlight = setting(settings, 'inFlight');
    await keepInFlight(inFlight, setting(settings, 'warmUpMs'), runTask);
    return {
      async run() {
        const { operations, elapsedMs } = await keepInFlight(
          inFlight,
          setting(settings, 'durationMs'),
          runTask,
        );
        return { values: { rate: (operations / elapsedMs) * 1000 }, operations };
      },
      dispose: nothing,
    };
  },
};
