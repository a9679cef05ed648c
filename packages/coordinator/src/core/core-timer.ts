/** What the core waits for. A timer holds what it is about, so that nothing is looked up when it fires. */
import type { Agent } from './agent-record.ts';
import type { Task } from './task.ts';
import type { Scheduled } from './timers.ts';

/** A timer about an agent. */
export interface AgentTimer extends Scheduled {
  /**
   * `liveness`: when an agent has been silent, look whether it is suspect or lost; `session`: when a lost agent's time to
   * come back is over.
   */
  readonly kind: 'liveness' | 'session';
  readonly agent: Agent;
}

/** A timer about a task. */
export interface TaskTimer extends Scheduled {
  /**
   * `release`: when a delay or a back-off is over and the task may be queued; `scheduleToStart`: when it should have been
   * started; `scheduleToClose`: when it should have ended for good; `startToClose`: when the attempt should have ended
   * although its agent was to see to it; `hedge`: when it lasts longer than is usual.
   */
  readonly kind: 'release' | 'scheduleToStart' | 'scheduleToClose' | 'startToClose' | 'hedge';
  readonly task: Task;
}

/** Any timer of the core. */
export type CoreTimer = AgentTimer | TaskTimer;
