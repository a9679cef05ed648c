/**
 * Names that travel on the wire. Each is a plain string with a checked shape, so that a value can be used as
 * a key, in a log line or in a file name without any further care.
 */

/** An agent chooses its own id; the coordinator refuses a second live agent with the same one. */
export const AGENT_ID_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A UUID in lower case. Clients make it (UUIDv7), so that a submission can be repeated after a lost connection. */
export const TASK_ID_PATTERN: RegExp =
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The SHA-256 of a data set's bytes: `sha256:` and 64 hexadecimal digits in lower case. */
export const DATASET_ID_PATTERN: RegExp = /^sha256:[0-9a-f]{64}$/;

/**
 * What an agent can fetch: a data set by its id, or the result of a task that has succeeded, which never changes either,
 * by `task:` and the id of the task. The pattern is the shape that the two have in common.
 */
export const CONTENT_ID_PATTERN: RegExp = /^[a-z0-9]{4,6}:[0-9a-f-]{36,64}$/;

/** What a result is that is fetched as if it were a data set: one CBOR item. */
export const RESULT_MEDIA_TYPE = 'application/cbor';

/** What a ReasoningBank is that is uploaded or fetched as a data set: one CBOR item. */
export const REASONING_MEDIA_TYPE = 'application/vnd.quic-swarm.reasoning';

/** The name under which the result of a task can be fetched. */
export function resultIdOf(taskId: string): string {
  return `task:${taskId}`;
}

/** The task whose result has this name; undefined when it is a data set's. */
export function taskIdOfResult(contentId: string): string | undefined {
  return contentId.startsWith('task:') ? contentId.slice('task:'.length) : undefined;
}

/** A task type: one of {@link BUILT_IN_TASK_TYPES} or a user's own dotted name such as `my.task`. */
export const TASK_TYPE_PATTERN: RegExp = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;

/** What an agent is for. A built-in task type belongs to exactly one of them (see {@link AGENT_TYPE_OF_TASK}). */
export const AGENT_TYPES = [
  'pattern',
  'strategy',
  'feature',
  'trainer',
  'reasoning',
  'compute',
] as const;

/** One of {@link AGENT_TYPES}. */
export type AgentType = (typeof AGENT_TYPES)[number];

/** The task types that ship with the system. Every other task type is a user's own and runs on a handler of theirs. */
export const BUILT_IN_TASK_TYPES = [
  'PatternMatch',
  'VolatilityForecast',
  'StrategyCorrelation',
  'FeatureEngineering',
  'NeuralTraining',
  'ReasoningJudge',
] as const;

/** One of {@link BUILT_IN_TASK_TYPES}. */
export type BuiltInTaskType = (typeof BUILT_IN_TASK_TYPES)[number];

/** Which agent type computes a built-in task type. */
export const AGENT_TYPE_OF_TASK: Readonly<Record<BuiltInTaskType, AgentType>> = {
  PatternMatch: 'pattern',
  VolatilityForecast: 'pattern',
  StrategyCorrelation: 'strategy',
  FeatureEngineering: 'feature',
  NeuralTraining: 'trainer',
  ReasoningJudge: 'reasoning',
};

/** True when `name` is one of {@link AGENT_TYPES}. */
export function isAgentType(name: string): name is AgentType {
  return (AGENT_TYPES as readonly string[]).includes(name);
}

/** True when `name` is one of {@link BUILT_IN_TASK_TYPES}. */
export function isBuiltInTaskType(name: string): name is BuiltInTaskType {
  return (BUILT_IN_TASK_TYPES as readonly string[]).includes(name);
}
