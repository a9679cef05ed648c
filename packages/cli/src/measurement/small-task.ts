/** The small tasks that a measurement sends: real ones of a kind that a connected agent computes, over few numbers. */
import type { AgentRow } from '@quic-swarm/protocol';
import { CommandError } from '../output/command-error.ts';

/** A task whose compute is next to nothing, so that the way of a task is what is measured. */
export interface SmallTask {
  readonly taskType: string;
  readonly agentType: AgentRow['agentType'];
  /** In words. */
  readonly description: string;
  input(): unknown;
}

const ROWS = 32;

function wave(): Float64Array {
  return Float64Array.from({ length: ROWS }, (_, row) => Math.sin(row / 3));
}

/** Cheapest first. */
const SMALL_TASKS: readonly SmallTask[] = [
  {
    taskType: 'FeatureEngineering',
    agentType: 'feature',
    description: `sma5 over ${ROWS} numbers`,
    input: () => ({ series: { values: wave() }, indicators: ['sma5'] }),
  },
  {
    taskType: 'StrategyCorrelation',
    agentType: 'strategy',
    description: `Pearson of 2 columns of ${ROWS} numbers`,
    input: () => ({
      method: 'pearson',
      columns: [
        { name: 'a', series: { values: wave() } },
        { name: 'b', series: { values: wave() } },
      ],
    }),
  },
  {
    taskType: 'PatternMatch',
    agentType: 'pattern',
    description: `DTW of 8 in ${ROWS} numbers`,
    input: () => ({
      series: { values: wave() },
      query: { values: wave().subarray(0, 8).slice() },
      algorithm: 'dtw',
      topK: 1,
    }),
  },
  {
    taskType: 'NeuralTraining',
    agentType: 'trainer',
    description: `a gradient of a 2-2-1 network over ${ROWS} numbers`,
    input: () => ({
      series: { values: wave().map((value) => value + 2) },
      lags: 2,
      hidden: [2],
      seed: 1,
    }),
  },
];

/** A task that one of these agents computes. @throws CONNECT_FAILED-like error when none can */
export function smallTaskFor(agents: readonly AgentRow[]): SmallTask {
  const task = SMALL_TASKS.find(({ agentType }) =>
    agents.some((agent) => agent.state === 'ready' && agent.agentType === agentType),
  );
  if (task !== undefined) return task;
  throw new CommandError(
    'CONNECT_FAILED',
    'No agent is connected that could be measured (feature, strategy, pattern or trainer).',
    { hint: 'Start one:  agent ADDR agent-1 feature' },
  );
}
