/** What a task waits for: its timers, set and taken out again. */
import type { TaskTimer } from './core-timer.ts';
import type { CoreState } from './state.ts';
import type { Task } from './task.ts';

/** An attempt is looked at when it is older than so many times what nineteen of twenty attempts take. */
const QUANTILE = 0.95;
const TIMES = 1.5;

/** Sets a timer about a task; whoever does keeps it, to cancel it. */
export function setTimer(
  core: CoreState,
  task: Task,
  kind: TaskTimer['kind'],
  delayMs: number,
): TaskTimer {
  return setTimerAt(core, task, kind, core.nowMs + delayMs);
}

/** The same, for a time on the core's clock; one that has passed fires at once. */
export function setTimerAt(
  core: CoreState,
  task: Task,
  kind: TaskTimer['kind'],
  atMs: number,
): TaskTimer {
  const timer: TaskTimer = { atMs, kind, task, index: -1 };
  core.timers.schedule(timer);
  return timer;
}

/** Finished tasks are kept for a while, and with them what they refer to. */
export function dropTimers(core: CoreState, task: Task): void {
  core.timers.cancel(task.startToCloseTimer);
  task.startToCloseTimer = undefined;
  core.timers.cancel(task.hedging?.timer);
  if (task.timers === undefined) return;
  core.timers.cancel(task.timers.release);
  core.timers.cancel(task.timers.scheduleToStart);
  core.timers.cancel(task.timers.scheduleToClose);
  task.timers = undefined;
}

/** Looks at a running attempt when it has lasted longer than is usual. */
export function watchAttempt(core: CoreState, task: Task): void {
  const isAlone = task.shard === undefined && task.hedging?.copy === undefined;
  if (!task.terms.hedge || !task.terms.idempotent || !isAlone) return;
  if (task.hedging?.original !== undefined) return;
  const usualMs = core.attemptTimes.quantileMs(task.needs.taskType, QUANTILE);
  if (usualMs === undefined) return;
  task.hedging ??= { timer: undefined, copy: undefined, original: undefined };
  core.timers.cancel(task.hedging.timer);
  task.hedging.timer = setTimer(core, task, 'hedge', TIMES * usualMs);
}
