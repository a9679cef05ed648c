/**
 * Which state of a task may follow which, and why. The only place that changes a task's state is `moveTo`, so a
 * transition that is not in the table is found where it happens, and not as a promise that never settles.
 *
 * ```
 *            delay over          lease             started
 *  waiting ────────────▶ queued ───────▶ dispatched ───────▶ running ──▶ succeeded
 *     │                    ▲ │               │ │                │ │
 *     │                    │ │   returned, lost, failed, timed out│ │
 *     │                    └─┼───────────────┴─┼────────────────┘ │
 *     └──────────────────────┴─────────────────┴──────────────────┴──▶ failed | cancelled | timed_out
 * ```
 *
 * An agent may leave out that it started what has ended at once; the end then says both, and the task passes through
 * `running` all the same.
 */
import type { TaskState } from '@quic-swarm/protocol';
import { InvariantError } from './invariant.ts';

const ended = ['failed', 'cancelled', 'timed_out'] as const;

/** For each state those that may follow it. */
export const LEGAL_TRANSITIONS: Readonly<Record<TaskState, readonly TaskState[]>> = {
  waiting: ['queued', ...ended],
  queued: ['dispatched', 'running', ...ended],
  dispatched: ['running', 'queued', 'succeeded', ...ended],
  running: ['queued', 'succeeded', ...ended],
  succeeded: [],
  failed: [],
  cancelled: [],
  timed_out: [],
};

/** Moves a task; breaking the table is a bug. queued → running happens when an agent resumes a lease after a reconnect. */
export function moveTo(
  task: { readonly taskId: string; state: TaskState },
  state: TaskState,
): void {
  // No final state has a successor in the table, so that one look is enough. The message is made only when it is needed.
  if (!LEGAL_TRANSITIONS[task.state].includes(state)) {
    throw new InvariantError(`task ${task.taskId} moved from ${task.state} to ${state}`);
  }
  task.state = state;
}
