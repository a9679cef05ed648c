/**
 * The agent: joins a coordinator, computes its tasks in worker threads, survives lost connections, leaves in good order.
 */
export { DRAIN_DEADLINE_MS, QuicSwarmAgent, type ConnectOptions } from './shell/agent.ts';
export type { AgentOptions } from './shell/options.ts';
export type { AgentEvent } from './core/effects.ts';
export type { DatasetView, TaskContext, TaskHandler } from './task-handler.ts';
