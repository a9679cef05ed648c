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
import { dispatchCopy, noteStart } from './leasing.ts';
import { shardIdOf } from './shard-plan.ts';
import type { CoreState } from './state.ts';
import * as flow from './task-flow.ts';
import { createCopy } from './task-making.ts';
import { watchAttempt } from './task-timers.ts';
import { chunksOf, type Task } from './task.ts';
import { announceChunk } from './watchers.ts';

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

function copyTo(core: CoreState, task: Task, agent: Agent): void {
  const copy = createCopy(task, copyIdOf(core, task), core.nextOrder(), core.nowMs);
  task.hedging = { timer: undefined, copy, original: undefined };
  core.tasks.add(copy);
  flow.countPending(core, copy, 1);
  claimDatasets(core, copy.datasets);
  dispatchCopy(core, copy, agent);
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
    succeedWith(core, original, copy);
  }
}

/** The second copy of a task was faster: its answer is the task's. */
function succeedWith(core: CoreState, task: Task, copy: Task): void {
  flow.fence(core, task, 'Another agent was faster.');
  const sent = new Set(chunksOf(task).map(({ sequence }) => sequence));
  task.output = copy.output;
  for (const chunk of chunksOf(copy))
    if (!sent.has(chunk.sequence)) announceChunk(core, task, chunk);
  task.agentId = copy.agentId;
  task.computeMs = copy.computeMs;
  task.result = copy.result;
  task.resultEncoding = copy.resultEncoding;
  task.resultType = copy.resultType;
  // It may have been on its way to another attempt.
  if (task.state === 'queued') noteStart(core, task);
  flow.finish(core, task, 'succeeded');
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
