/** Which handlers ship with an agent of each type. */
import type { AgentType, BuiltInTaskType, Tunable } from '@quic-swarm/protocol';
import { builtInTunableOf } from '../handlers/built-in-tunables.ts';
import { threadModule } from './thread-modules.ts';

const MODULES: Readonly<Record<BuiltInTaskType, string>> = {
  PatternMatch: 'pattern',
  VolatilityForecast: 'volatility',
  StrategyCorrelation: 'strategy',
  FeatureEngineering: 'feature',
  NeuralTraining: 'trainer',
  ReasoningJudge: 'reasoning',
};

const TASK_TYPES: Readonly<Record<AgentType, readonly BuiltInTaskType[]>> = {
  pattern: ['PatternMatch', 'VolatilityForecast'],
  strategy: ['StrategyCorrelation'],
  feature: ['FeatureEngineering'],
  trainer: ['NeuralTraining'],
  // It judges, and tries on what others have computed what they should perhaps have done.
  reasoning: ['ReasoningJudge', 'PatternMatch', 'VolatilityForecast'],
  compute: [],
};

/** A handler that ships with the agent. */
export interface BuiltInHandler {
  readonly taskType: BuiltInTaskType;
  readonly module: string;
  readonly tunable: Tunable | undefined;
}

/** The built-in handlers of an agent; none for `compute`. */
export function builtInHandlersOf(agentType: AgentType): BuiltInHandler[] {
  return TASK_TYPES[agentType].map((taskType) => ({
    taskType,
    module: threadModule(`handlers/${MODULES[taskType]}`).href,
    tunable: builtInTunableOf(taskType),
  }));
}
