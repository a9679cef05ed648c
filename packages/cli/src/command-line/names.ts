/**
 * The names that the protocol has for agents and tasks, once more: loading the protocol package costs several times
 * what an answer to a mistyped word may take. A test compares them with the protocol's own.
 */
import type { AgentType, BuiltInTaskType, CompressionMode } from '@quic-swarm/protocol';

/** What an agent is for. */
export const AGENT_TYPES: readonly AgentType[] = [
  'pattern',
  'strategy',
  'feature',
  'trainer',
  'reasoning',
  'compute',
];

/** Which agent type computes a built-in task type. */
export const AGENT_TYPE_OF_TASK: Readonly<Record<BuiltInTaskType, AgentType>> = {
  PatternMatch: 'pattern',
  VolatilityForecast: 'pattern',
  StrategyCorrelation: 'strategy',
  FeatureEngineering: 'feature',
  NeuralTraining: 'trainer',
  ReasoningJudge: 'reasoning',
};

/** Whether payloads travel compressed. */
export const COMPRESSION_MODES: readonly CompressionMode[] = ['auto', 'always', 'never'];

/** The id of an agent. */
export const AGENT_ID_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The id of a task. */
export const TASK_ID_PATTERN: RegExp =
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The name of a task type. */
export const TASK_TYPE_PATTERN: RegExp = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;
