/**
 * Tasks that wait for others. A task with `after` is given to nobody until all those have succeeded; their results are
 * kept for it until it has ended, and its agent fetches them like data sets. When one of them ends in another way, the
 * task fails at once.
 *
 * task-flow.ts does not know of any of this: it puts a task that has ended, and for which others wait, on a list that is
 * worked off after each event. So a long row of tasks that fail one after the other takes no deep stack.
 */
import { failure, isTerminal, type Failure, type SubmitTask } from '@quic-swarm/protocol';
import type { CoreState } from './state.ts';
import * as flow from './task-flow.ts';
import type { Task } from './task.ts';

/** Why a task cannot wait for what its submission names; undefined when it can. */
export function refuseDependencies(
  core: CoreState,
  { taskId, after = [] }: Pick<SubmitTask, 'taskId' | 'after'>,
  isDurable: boolean,
): Failure | undefined {
  for (const other of after) {
    const task = core.tasks.get(other);
    if (other === taskId || task?.shard !== undefined) {
      return failure('BAD_OPTION', `A task cannot come after ${other}.`, {
        hint: 'Name tasks that were submitted before it.',
      });
    }
    if (task === undefined) {
      return failure('TASK_NOT_FOUND', `The task is to come after ${other}, which is not known.`, {
        hint: 'Submit it first. Finished tasks are forgotten after a while.',
      });
    }
    if (isDurable && task.durability === undefined) {
      return failure(
        'BAD_OPTION',
        `The task is durable and is to come after ${other}, which is not: a restart would lose it.`,
        { hint: 'Submit both with durable: true, or neither.' },
      );
    }
  }
  return undefined;
}

/** Has the task keep the results of those that it comes after, and counts those that have not ended. */
export function awaitDependencies(core: CoreState, task: Task): void {
  const { after } = task;
  if (after === undefined) return;
  for (const taskId of after.taskIds) {
    const other = core.tasks.get(taskId);
    if (other === undefined) continue;
    other.dependents += 1;
    if (isTerminal(other.state)) continue;
    after.unfinished += 1;
    const waiting = core.waitingFor.get(taskId);
    if (waiting === undefined) core.waitingFor.set(taskId, [task]);
    else waiting.push(task);
  }
}

/** Why the task cannot run any more, because of how another one ended; undefined when it can, now or later. */
export function failedDependency(core: CoreState, { after }: Task): Failure | undefined {
  for (const taskId of after?.taskIds ?? []) {
    const other = core.tasks.get(taskId);
    if (other !== undefined && (!isTerminal(other.state) || other.state === 'succeeded')) continue;
    const how = other === undefined ? 'is not known any more' : `has ended as ${other.state}`;
    return failure('DEPENDENCY_FAILED', `Task ${taskId}, which this one comes after, ${how}.`);
  }
  return undefined;
}

/** Lets tasks go on, or fail, whose dependencies have ended. */
export function followDependencies(core: CoreState): void {
  // What is done here ends others; they come behind.
  for (let ended = core.dependencyNews.shift(); ended; ended = core.dependencyNews.shift()) {
    const waiting = core.waitingFor.get(ended.taskId) ?? [];
    core.waitingFor.delete(ended.taskId);
    for (const task of waiting) follow(core, task);
    release(core, ended);
  }
}

function follow(core: CoreState, task: Task): void {
  const { after } = task;
  if (after === undefined || isTerminal(task.state)) return;
  after.unfinished -= 1;
  const reason = failedDependency(core, task);
  if (reason !== undefined) flow.finish(core, task, 'failed', reason);
  else if (after.unfinished === 0) flow.release(core, task);
}

/** The task has ended: it needs the results of others no more. */
function release(core: CoreState, { after }: Task): void {
  for (const taskId of after?.taskIds ?? []) {
    const other = core.tasks.get(taskId);
    if (other !== undefined) other.dependents -= 1;
  }
}
