/**
 * The agent: joins a coordinator, computes its tasks in worker threads, survives lost connections, leaves in good order.
 *
 * {@link QuicSwarmAgent} is what programs use. {@link AgentCore} is the same without the acting, for simulations.
 */
export { DRAIN_DEADLINE_MS, QuicSwarmAgent, type ConnectOptions } from './shell/agent.ts';
export type { AgentOptions } from './shell/options.ts';
export { AgentCore, type AgentCoreOptions } from './core/agent.ts';
export type { AgentEvent, Effect } from './core/effects.ts';
export type { Event, TaskResult } from './core/events.ts';
export { validate } from './core/validate.ts';
export type {
  DatasetView,
  HandleOptions,
  TaskContext,
  TaskHandler,
  TunableParameters,
} from './task-handler.ts';
