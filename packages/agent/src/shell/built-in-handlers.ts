/** Which handlers ship with an agent of each type. */
import type { AgentType, BuiltInTaskType } from '@quic-swarm/protocol';
import { threadModule } from './thread-modules.ts';

const HANDLERS: Readonly<Record<AgentType, readonly [BuiltInTaskType, string] | undefined>> = {
  pattern: ['PatternMatch', 'pattern'],
  strategy: ['StrategyCorrelation', 'strategy'],
  feature: ['FeatureEngineering', 'feature'],
  trainer: ['NeuralTraining', 'trainer'],
  reasoning: ['ReasoningJudge', 'reasoning'],
  compute: undefined,
};

/** Task type and module of the built-in handler; none for `compute`. */
export function builtInHandlersOf(agentType: AgentType): Map<string, string> {
  const found = HANDLERS[agentType];
  if (found === undefined) return new Map();
  const [taskType, file] = found;
  return new Map([[taskType, threadModule(`handlers/${file}`).href]]);
}
