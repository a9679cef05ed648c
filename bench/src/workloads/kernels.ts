/** One kernel after the other on one thread; a workload each. */
import type { Workload } from '../harness/model.ts';
import { KERNELS, type KernelName } from '../peers/kernel-inputs.ts';
import { abilityOf, setting } from './support.ts';

/** The workload of a kernel. */
export const kernelWorkloads: Readonly<Record<KernelName, Workload>> = Object.fromEntries(
  KERNELS.map((kernel) => [kernel, workloadOf(kernel)]),
) as Record<KernelName, Workload>;

function workloadOf(kernel: KernelName): Workload {
  return {
    name: kernel,
    title: `${kernel}, one thread`,
    ability: 'kernel',
    metrics: [
      { name: 'CPU', unit: 'ms', better: 'less' },
      { name: 'time', unit: 'ms', better: 'less' },
      { name: 'answer', unit: '', better: 'less' },
    ],
    operation: 'call',
    settings: { warmUpMs: 200, durationMs: 400, countMin: 3 },
    async prepare(abilities, settings) {
      const compute = abilityOf(abilities, 'kernel')(kernel);
      const warmUpMs = setting(settings, 'warmUpMs');
      const durationMs = setting(settings, 'durationMs');
      const countMin = setting(settings, 'countMin');
      // Twice at least: what is compiled during the first call is used from the second on.
      compute();
      const warmUntilMs = performance.now() + warmUpMs;
      do compute();
      while (performance.now() < warmUntilMs);
      return {
        async run() {
          const startMs = performance.now();
          const startCpu = process.cpuUsage();
          let calls = 0;
          let answer = NaN;
          while (calls < countMin || performance.now() < startMs + durationMs) {
            answer = compute();
            calls += 1;
          }
          // It never waits, so its CPU is its time, without what other processes take away.
          const { user, system } = process.cpuUsage(startCpu);
          const time = (performance.now() - startMs) / calls;
          return {
            values: { CPU: (user + system) / 1000 / calls, time, answer },
            operations: calls,
          };
        },
        dispose: async () => undefined,
      };
    },
  };
}
