/** `swarm bench`: small real tasks through a swarm that runs. */
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import {
  measureSequential,
  measureThroughput,
  type SequentialFigures,
  type ThroughputFigures,
} from '../measurement/round-trips.ts';
import { smallTaskFor, type SmallTask } from '../measurement/small-task.ts';
import { EXIT } from '../output/exit-codes.ts';
import { toJson } from '../output/json.ts';
import { ProgressBar } from '../output/progress-bar.ts';
import { formatDuration } from '../command-line/duration.ts';
import { readSessionOptions, withSwarm } from '../session/client-session.ts';

/** How much is sent. */
export interface BenchOptions {
  readonly sequential: number;
  readonly tasks: number;
  readonly inFlight: number;
}

/** Reads the options. @throws BAD_OPTION */
export function parseBenchOptions(values: Values): BenchOptions {
  return {
    sequential: values.integer('sequential', { min: 1, max: 1_000_000 }) ?? 300,
    tasks: values.integer('tasks', { min: 1, max: 1_000_000 }) ?? 3000,
    inFlight: values.integer('in-flight', { min: 1, max: 10_000 }) ?? 64,
  };
}

/** The command. */
export const benchCommand: Command = {
  async run(values, context) {
    const options = parseBenchOptions(values);
    const session = await readSessionOptions(values, context);
    const { terminal, json, interruption } = context;
    return withSwarm(context, session, async (swarm) => {
      const agents = await interruption.orInterrupted(swarm.agents());
      const task = smallTaskFor(agents);
      const { signal } = interruption;
      const bar = new ProgressBar(terminal, task.taskType);
      try {
        const sequential = await interruption.orInterrupted(
          measureSequential(swarm, task, options.sequential, {
            signal,
            onProgress: (fraction) => bar.update(fraction / 2, 'one at a time'),
          }),
        );
        const throughput = await interruption.orInterrupted(
          measureThroughput(swarm, task, options, {
            signal,
            onProgress: (fraction) => bar.update(0.5 + fraction / 2, 'many in flight'),
          }),
        );
        bar.stop();
        const able = agents.filter(({ agentType }) => agentType === task.agentType).length;
        const measured = { task, agents: able, sequential, throughput };
        if (json) terminal.printJson(benchJson(measured));
        else for (const line of benchLines(measured)) terminal.print(line);
        return EXIT.ok;
      } finally {
        bar.stop();
      }
    });
  },
};

interface Measured {
  readonly task: SmallTask;
  readonly agents: number;
  readonly sequential: SequentialFigures;
  readonly throughput: ThroughputFigures;
}

function benchJson({ task, agents, sequential, throughput }: Measured): string {
  const { taskType, description } = task;
  const { version: node, platform, arch } = process;
  const environment = { node, platform, arch };
  return toJson({ taskType, description, agents, sequential, throughput, environment });
}

/** The figures, then what they are. */
export function benchLines({ task, agents, sequential, throughput }: Measured): string[] {
  const { p50Ms, p90Ms, p99Ms, maxMs, computeP50Ms } = sequential;
  return [
    `task            ${task.taskType}: ${task.description}, on ${agents} ${task.agentType} agent${agents === 1 ? '' : 's'}`,
    `one at a time   p50 ${formatDuration(p50Ms)}  p90 ${formatDuration(p90Ms)}  p99 ${formatDuration(p99Ms)}  max ${formatDuration(maxMs)}  (${sequential.tasks} tasks)`,
    `  of which compute p50 ${formatDuration(computeP50Ms)}`,
    `${throughput.inFlight} in flight`.padEnd(16) +
      `${Math.round(throughput.tasksPerSecond)} tasks/s  (${throughput.tasks} tasks in ${formatDuration(throughput.elapsedMs)})`,
    'Measured in this process from submit to decoded result: client, coordinator, agent and worker thread, there and',
    'back. Processes on one machine share its processors, so the figures say little about more machines.',
  ];
}
