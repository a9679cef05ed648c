/**
 * Hedging: a task that takes much longer than others of its type is given to a second agent, and whichever answers first
 * counts (Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013). Only where its submitter asked for it, only for tasks
 * that may be started twice and are not computed in parts, and only where an agent has nothing else to do.
 *
 * The second copy is a task of its own that nobody watches, like the part of a split task: it has its own lease, so that a
 * task has at most one at any time. It is made once, is not tried again, and lives as long as its original.
 */
import { isTerminal } from '@quic-swarm/protocol';
import type { Agent } from './agent-record.ts';
import { claimDatasets } from './datasets.ts';
import { shardIdOf } from './shard-plan.ts';
import type { CoreState } from './state.ts';
import * as flow from './task-flow.ts';
import { createCopy, type Task } from './task.ts';

/** A second copy is made of what is older than so many times what nineteen of twenty attempts take. */
const QUANTILE = 0.95;
const TIMES = 1.5;

/** No part of a task has this number, so that the ids of copies and parts do not meet. */
const COPY_INDEX = -1;

/** The time has come when the task's attempt should have ended long ago: another agent gets it too, if one has time. */
export function hedge(core: CoreState, task: Task): void {
  if (task.state !== 'running' || task.hedging?.copy !== undefined) return;
  if (task.cancelRequested !== undefined || core.pendingTasks >= core.options.pendingTasksMax)
    return;
  const agent = core.queue.freeAgentFor(task.needs, task.agentId);
  if (agent === undefined) watchAttempt(core, task);
  else copyTo(core, task, agent);
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
  task.hedging.timer = flow.setTimer(core, task, 'hedge', TIMES * usualMs);
}

function copyTo(core: CoreState, task: Task, agent: Agent): void {
  const copy = createCopy(task, copyIdOf(core, task), core.nextOrder(), core.nowMs);
  task.hedging = { timer: undefined, copy, original: undefined };
  core.tasks.add(copy);
  flow.countPending(core, copy, 1);
  claimDatasets(core, copy.datasets);
  flow.dispatchCopy(core, copy, agent);
}

/** Ends what tasks and their copies are to each other, when one of the two has ended. */
export function followCopies(core: CoreState): void {
  for (let task = core.copyNews.shift(); task !== undefined; task = core.copyNews.shift()) {
    const { copy, original } = task.hedging ?? {};
    if (original !== undefined) followCopy(core, task, original);
    else if (copy !== undefined) dropCopy(core, copy);
  }
}

function followCopy(core: CoreState, copy: Task, original: Task): void {
  if (copy.state === 'succeeded' && !isTerminal(original.state)) {
    flow.succeedWith(core, original, copy);
  }
}

function dropCopy(core: CoreState, copy: Task): void {
  flow.abandon(core, copy, 'The other copy of the task has ended.');
  core.tasks.delete(copy);
}

function copyIdOf(core: CoreState, { taskId }: Task): string {
  for (let salt = 0; ; salt += 1) {
    const id = shardIdOf(taskId, COPY_INDEX, salt);
    if (core.tasks.get(id) === undefined) return id;
  }
}
