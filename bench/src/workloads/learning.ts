/** What a learner of parameters gains, and what a decision of it costs. */
import type { Workload } from '../harness/model.ts';
import { quantile } from '../harness/statistics.ts';
import { abilityOf, setting } from './support.ts';

export const learnedParameters: Workload = {
  name: 'learned parameters',
  title:
    '1,476 forecasts of volatility by analogues, 16 arms, cold start, on four held-out indices',
  ability: 'learnParameters',
  metrics: [
    { name: 'error', unit: 'MSE of log volatility', better: 'less' },
    { name: 'cut', unit: '% of random arms', better: 'more' },
    { name: 'cut from', unit: '%, 95 % interval', better: 'more' },
    { name: 'cut to', unit: '%', better: 'more' },
    { name: 'gap closed', unit: '% random to best', better: 'more' },
    { name: 'series better', unit: 'of 4', better: 'more' },
  ],
  operation: 'forecast',
  settings: {},
  async prepare(abilities) {
    const learnParameters = abilityOf(abilities, 'learnParameters');
    return {
      async run() {
        const { error, cut, interval, gapClosed, seriesBetter, tasks } = learnParameters();
        return {
          values: {
            error,
            cut: 100 * cut,
            'cut from': 100 * interval.lower,
            'cut to': 100 * interval.upper,
            'gap closed': 100 * gapClosed,
            'series better': seriesBetter,
          },
          operations: tasks,
        };
      },
      dispose: async () => undefined,
    };
  },
};

export const learnerDecisions: Workload = {
  name: 'decisions of a learner',
  title:
    'An arm and its shadow are chosen among 16 with 6 numbers of context, and four outcomes learnt',
  ability: 'chooseAndLearn',
  metrics: [
    { name: 'p50', unit: 'µs', better: 'less' },
    { name: 'p99', unit: 'µs', better: 'less' },
    { name: 'CPU p50', unit: 'µs', better: 'less' },
    { name: 'CPU p99', unit: 'µs', better: 'less' },
  ],
  operation: 'task',
  settings: { warmUpCount: 5000, count: 20_000 },
  async prepare(abilities, settings) {
    const chooseAndLearn = abilityOf(abilities, 'chooseAndLearn');
    const count = setting(settings, 'count');
    for (let each = 0; each < setting(settings, 'warmUpCount'); each += 1) chooseAndLearn();
    return {
      async run() {
        const micros = new Float64Array(count);
        const cpuMicros = new Float64Array(count);
        for (let each = 0; each < count; each += 1) {
          const startCpu = process.cpuUsage();
          const startMs = performance.now();
          chooseAndLearn();
          micros[each] = (performance.now() - startMs) * 1000;
          // On a busy machine one in a hundred decisions is interrupted by another process; its CPU is not.
          const { user, system } = process.cpuUsage(startCpu);
          cpuMicros[each] = user + system;
        }
        micros.sort();
        cpuMicros.sort();
        return {
          values: {
            p50: quantile(micros, 0.5),
            p99: quantile(micros, 0.99),
            'CPU p50': quantile(cpuMicros, 0.5),
            'CPU p99': quantile(cpuMicros, 0.99),
          },
          operations: count,
        };
      },
      dispose: async () => undefined,
    };
  },
};
