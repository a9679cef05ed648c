/** The words for where a task is. The rules between them are the coordinator's (`core/task-state.ts`). */

/**
 * waiting: its delay or dependencies are not over. queued: could run, see the pending reason. dispatched: leased to an
 * agent, not started. running: started. The last four are final.
 */
export const TASK_STATES = [
  'waiting',
  'queued',
  'dispatched',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
] as const;

/** One of {@link TASK_STATES}. */
export type TaskState = (typeof TASK_STATES)[number];

/** States that never change again. */
export const TERMINAL_TASK_STATES = ['succeeded', 'failed', 'cancelled', 'timed_out'] as const;

/** One of {@link TERMINAL_TASK_STATES}. */
export type TerminalTaskState = (typeof TERMINAL_TASK_STATES)[number];

/** True for states that never change again. */
export function isTerminal(state: TaskState): state is TerminalTaskState {
  return (TERMINAL_TASK_STATES as readonly string[]).includes(state);
}

/**
 * Why a task that is not running is not running. AGENT_MAY_RETURN: the coordinator was restarted, and the agent that had
 * the task has some time to come back with it.
 */
export const PENDING_REASONS = [
  'NO_AGENT_OF_TYPE',
  'NO_CAPABILITY_MATCH',
  'NO_FREE_SLOT',
  'RATE_LIMITED',
  'BACKOFF',
  'PAUSED',
  'AGENT_MAY_RETURN',
] as const;

/** One of {@link PENDING_REASONS}. */
export type PendingReason = (typeof PENDING_REASONS)[number];

/** What the coordinator thinks of an agent. suspect: heartbeats are missing; cordoned: no new work; draining: leaving. */
export const AGENT_STATES = ['ready', 'suspect', 'cordoned', 'draining', 'lost'] as const;

/** One of {@link AGENT_STATES}. */
export type AgentState = (typeof AGENT_STATES)[number];
