/**
 * What a task costs on its way: from `submit` in this process over the coordinator to an agent's thread and back.
 * Sequential gives the latency of one task alone; many in flight gives what the swarm carries.
 */
import type { SwarmClient } from '@quic-swarm/client';
import type { SmallTask } from './small-task.ts';

/** Latencies of tasks that were sent one after the other. */
export interface SequentialFigures {
  readonly tasks: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Time in the handler, as the agent measured it. */
  readonly computeP50Ms: number;
}

/** Tasks per second with many in flight. */
export interface ThroughputFigures {
  readonly tasks: number;
  readonly inFlight: number;
  readonly elapsedMs: number;
  readonly tasksPerSecond: number;
}

/** How a measurement tells how far it is, and learns that it should stop. */
export interface MeasurementOptions {
  readonly signal: AbortSignal;
  /** Ends early, with what it has, after so long. @default never */
  readonly budgetMs?: number;
  readonly onProgress?: (fraction: number) => void;
}

/** Sends tasks one after the other; the first tenth warms up and is not counted. */
export async function measureSequential(
  swarm: SwarmClient,
  task: SmallTask,
  tasks: number,
  { signal, onProgress, budgetMs = Number.POSITIVE_INFINITY }: MeasurementOptions,
): Promise<SequentialFigures> {
  const warmUp = Math.ceil(tasks / 10);
  const endMs = performance.now() + budgetMs;
  const latencies: number[] = [];
  const computes: number[] = [];
  for (let index = -warmUp; index < tasks; index++) {
    signal.throwIfAborted();
    const startedMs = performance.now();
    if (startedMs > endMs && latencies.length > 0) break;
    const handle = await swarm.submit(task.taskType, task.input());
    const outcome = await handle.outcome();
    if (outcome.error !== undefined) throw outcome.error;
    if (index < 0) continue;
    latencies.push(performance.now() - startedMs);
    computes.push(outcome.computeMs);
    onProgress?.((index + 1) / tasks);
  }
  latencies.sort((a, b) => a - b);
  computes.sort((a, b) => a - b);
  return {
    tasks: latencies.length,
    p50Ms: percentile(latencies, 0.5),
    p90Ms: percentile(latencies, 0.9),
    p99Ms: percentile(latencies, 0.99),
    maxMs: percentile(latencies, 1),
    computeP50Ms: percentile(computes, 0.5),
  };
}

/** Keeps `inFlight` tasks under way until all are done. */
export async function measureThroughput(
  swarm: SwarmClient,
  task: SmallTask,
  { tasks, inFlight }: { readonly tasks: number; readonly inFlight: number },
  { signal, onProgress, budgetMs = Number.POSITIVE_INFINITY }: MeasurementOptions,
): Promise<ThroughputFigures> {
  const startedMs = performance.now();
  function* inputs(): Generator {
    for (let sent = 0; sent < tasks && performance.now() - startedMs < budgetMs; sent++) {
      yield task.input();
    }
  }
  let done = 0;
  const options = { concurrency: inFlight, ordered: false, signal };
  for await (const _item of swarm.map(task.taskType, inputs(), options)) {
    done += 1;
    if (done % 50 === 0) onProgress?.(done / tasks);
  }
  const elapsedMs = performance.now() - startedMs;
  return { tasks: done, inFlight, elapsedMs, tasksPerSecond: (done * 1000) / elapsedMs };
}

/** Nearest rank of a sorted list; NaN when it is empty. */
export function percentile(sorted: readonly number[], share: number): number {
  const rank = Math.max(1, Math.ceil(sorted.length * share));
  return sorted[rank - 1] ?? Number.NaN;
}
