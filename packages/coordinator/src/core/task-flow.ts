/**
 * What happens to a task, step by step: every function here is one arrow of the diagram in task-state.ts, with all
 * that belongs to it (timers, queue, lease, watchers, observers). Nothing else changes a task.
 */
import {
  failure,
  isTerminal,
  type BodyOf,
  type Failure,
  type TaskCompletion,
  type TerminalTaskState,
} from '@quic-swarm/protocol';
import type { Agent, AgentLease } from './agent-record.ts';
import { releaseDatasets } from './datasets.ts';
import { chooseAgent, noteServiceTime } from './scheduler.ts';
import type { CoreState } from './state.ts';
import { moveTo } from './task-state.ts';
import { dropChunks, resultBytesOf, wireShardOf, type Task } from './task.ts';
import { announceEnd, announceState } from './watchers.ts';

/** Gives tasks to agents until no runnable task has an able agent. */
export function dispatchAll(core: CoreState): void {
  for (;;) {
    const next = core.queue.next(core.nowMs);
    if (next === undefined) return;
    core.queue.remove(next.task);
    dispatch(
      core,
      next.task,
      chooseAgent(next.task, next.bucket.available, core.holders, core.random),
    );
  }
}

/** → queued, now or after `delayMs`. From waiting, or back from an agent. */
export function enqueue(core: CoreState, task: Task, delayMs: number = 0): void {
  moveTo(task, 'queued');
  task.agentId = undefined;
  task.fraction = undefined;
  core.timers.cancel(task.startToCloseTimer);
  if (delayMs > 0) {
    task.inBackoff = true;
    task.releaseTimer = core.timers.schedule(core.nowMs + delayMs, {
      kind: 'release',
      taskId: task.taskId,
    });
  } else {
    makeRunnable(core, task);
  }
}

/** The delay or back-off is over. */
export function release(core: CoreState, task: Task): void {
  if (task.state === 'waiting') {
    enqueue(core, task);
    announceState(core, task);
  } else if (task.state === 'queued' && task.inBackoff) {
    makeRunnable(core, task);
  }
}

/** Lets it be given to an agent, or be split, where its shards are what is given away. */
export function makeRunnable(core: CoreState, task: Task): void {
  task.inBackoff = false;
  task.queuedAtMs = core.nowMs;
  if (task.split === undefined) core.queue.add(task);
  else core.shardNews.push(task);
}

/** Its parent, or its shards, should follow. */
function tellFamily(core: CoreState, task: Task): void {
  if (task.shard !== undefined || task.split !== undefined) core.shardNews.push(task);
}

/** queued → dispatched: the agent holds a lease from here on. */
function dispatch(core: CoreState, task: Task, agent: Agent): void {
  moveTo(task, 'dispatched');
  task.attempt += 1;
  task.agentId = agent.agentId;
  dropChunks(task);
  agent.dispatchSequence += 1;
  agent.leases.set(task.taskId, {
    task,
    attempt: task.attempt,
    dispatchSequence: agent.dispatchSequence,
    dispatchedAtMs: core.nowMs,
    started: false,
    completion: undefined,
    fenced: false,
  });
  core.queue.availabilityChanged(agent);
  const body: BodyOf<'AgentTask'> = {
    epoch: core.options.epoch,
    taskId: task.taskId,
    attempt: task.attempt,
    dispatchSequence: agent.dispatchSequence,
    taskType: task.taskType,
    datasets: task.datasets,
    startToCloseMs:
      task.deadlineMs === undefined
        ? task.startToCloseMs
        : Math.max(1, Math.min(task.startToCloseMs, task.deadlineMs - core.nowMs)),
  };
  if (task.shard !== undefined) body.shard = wireShardOf(task.shard);
  if (task.input !== undefined) body.payload = task.input;
  if (task.inputEncoding !== undefined) body.payloadEncoding = task.inputEncoding;
  core.send(agent.connectionId ?? '', 'dispatch', { type: 'AgentTask', body });
  announceState(core, task);
}

/** dispatched → running. */
export function start(core: CoreState, task: Task, lease: AgentLease): void {
  lease.started = true;
  if (task.state !== 'dispatched') return;
  noteStart(core, task);
  limitAttempt(core, task);
  announceState(core, task);
}

/**
 * dispatched → running, known from the end alone: an agent leaves TaskStarted out when a task ends as soon as it was
 * started. The attempt began `computeMs` before its end, and not before the agent was given it, whatever the agent says.
 * No time limit is set, since nothing runs any more.
 */
export function startWithEnd(
  core: CoreState,
  task: Task,
  lease: AgentLease,
  computeMs: number,
): void {
  lease.started = true;
  if (task.state !== 'dispatched') return;
  moveTo(task, 'running');
  core.timers.cancel(task.scheduleToStartTimer);
  const startedAtMs = Math.max(lease.dispatchedAtMs, core.nowMs - computeMs);
  task.firstStartedAtMs ??= startedAtMs;
  tellFamily(core, task);
  announceState(core, task);
}

function noteStart(core: CoreState, task: Task): void {
  moveTo(task, 'running');
  core.timers.cancel(task.scheduleToStartTimer);
  task.firstStartedAtMs ??= core.nowMs;
  tellFamily(core, task);
}

/** queued → running, of a task whose first shard runs. */
export function startSplit(core: CoreState, task: Task): void {
  noteStart(core, task);
  announceState(core, task);
}

function limitAttempt(core: CoreState, task: Task): void {
  // The agent enforces the limit; this one is for an agent that does not.
  task.startToCloseTimer = core.timers.schedule(
    core.nowMs + task.startToCloseMs + core.options.startToCloseSlackMs,
    { kind: 'startToClose', taskId: task.taskId },
  );
}

/** queued → running: the agent came back before anybody else was given the task. */
export function resume(core: CoreState, task: Task, agent: Agent): void {
  core.queue.remove(task);
  core.timers.cancel(task.releaseTimer);
  task.inBackoff = false;
  task.agentId = agent.agentId;
  task.losses = Math.max(0, task.losses - 1);
  noteStart(core, task);
  limitAttempt(core, task);
  agent.leases.set(task.taskId, {
    task,
    attempt: task.attempt,
    // Below every sequence of the new connection: the agent lists it or has lost it.
    dispatchSequence: 0,
    dispatchedAtMs: core.nowMs,
    started: true,
    completion: undefined,
    fenced: false,
  });
  announceState(core, task);
}

/** The agent's answer under a lease that holds: success, failure or cancellation. */
export function complete(
  core: CoreState,
  task: Task,
  agent: Agent,
  completion: TaskCompletion,
): void {
  const { outcome, computeMs } = completion;
  task.computeMs = computeMs;
  if (outcome === 'succeeded') noteServiceTime(agent, computeMs);
  observeAttempt(core, task, agent.agentId, outcome, computeMs, completion.failure);
  if (outcome === 'succeeded') {
    task.result = completion.payload;
    task.resultEncoding = completion.payloadEncoding;
    task.resultType = completion.resultType;
    finish(core, task, 'succeeded');
    return;
  }
  const reason = completion.failure ?? failure('TASK_FAILED', 'The agent gave no reason.');
  if (task.cancelRequested !== undefined) {
    finish(core, task, 'cancelled', cancelled(task.cancelRequested));
  } else if (agent.draining && (outcome === 'cancelled' || reason.type === 'DRAINING')) {
    // The agent gave it up by itself, because it leaves: that counts against nothing.
    enqueueOrEnd(core, task, 0, reason, task.idempotent);
  } else {
    retryOrFail(core, task, reason);
  }
}

/** An attempt ended with an error: another one, or the end. */
export function retryOrFail(core: CoreState, task: Task, reason: Failure): void {
  const crashed = reason.type === 'WORKER_CRASHED' || reason.type === 'AGENT_LOST';
  if (crashed) task.losses += 1;
  else task.errors += 1;
  const { retry } = task;
  const left = task.errors < retry.maximumAttempts && task.losses < retry.maximumDeliveries;
  const worthIt =
    reason.retryable && task.idempotent && !retry.nonRetryableErrorTypes.includes(reason.type);
  if (!worthIt || !left) {
    task.deadLettered = reason.retryable && !left;
    finish(core, task, reason.type === 'TASK_TIMEOUT' ? 'timed_out' : 'failed', reason);
    return;
  }
  const retries = task.errors + task.losses - 1;
  const ceilingMs = Math.min(
    retry.maximumIntervalMs,
    retry.initialIntervalMs * retry.backoffCoefficient ** retries,
  );
  // Full jitter, so that tasks which failed together do not come back together.
  const delayMs = crashed ? 0 : Math.max(reason.retryAfterMs ?? 0, core.random.next() * ceilingMs);
  enqueueOrEnd(core, task, delayMs, reason, true);
}

function enqueueOrEnd(
  core: CoreState,
  task: Task,
  delayMs: number,
  reason: Failure,
  mayRunAgain: boolean,
): void {
  if (!mayRunAgain) {
    finish(core, task, 'failed', reason);
    return;
  }
  task.failure = reason;
  enqueue(core, task, delayMs);
  announceState(core, task);
}

/** The agent that held the task is gone, or says that it does not have it. */
export function lose(core: CoreState, task: Task, agentId: string): void {
  const reason = failure('AGENT_LOST', `Agent ${agentId} was lost while it had the task.`);
  observeAttempt(core, task, agentId, 'lost', 0, reason);
  if (task.cancelRequested !== undefined)
    finish(core, task, 'cancelled', cancelled(task.cancelRequested));
  else retryOrFail(core, task, reason);
}

/** The agent gave back a lease that it had not started. Counts against nothing. */
export function giveBack(core: CoreState, task: Task, agentId: string, delayMs: number): void {
  observeAttempt(core, task, agentId, 'returned', 0, undefined);
  if (task.cancelRequested !== undefined) {
    finish(core, task, 'cancelled', cancelled(task.cancelRequested));
    return;
  }
  enqueue(core, task, delayMs);
  announceState(core, task);
}

/** Somebody wants it to stop. At once where no agent has it; otherwise when its agent answers. */
export function cancel(core: CoreState, task: Task, reason: string, graceMs: number): void {
  if (isTerminal(task.state)) return;
  const first = task.cancelRequested === undefined;
  task.cancelRequested ??= reason;
  if (task.state === 'waiting' || task.state === 'queued') {
    finish(core, task, 'cancelled', cancelled(reason));
  } else if (first) {
    tellAgentToStop(core, task, reason, graceMs);
  }
}

/** A limit of the task as a whole has passed: it is over, whatever its agent does. */
export function timeOut(core: CoreState, task: Task, reason: Failure): void {
  if (isTerminal(task.state)) return;
  fence(core, task, reason.message);
  finish(core, task, 'timed_out', reason);
}

/** The attempt has overrun and its agent did not end it: the agent is fenced and the task tried again. */
export function overrun(core: CoreState, task: Task): void {
  if (task.state !== 'running') return;
  const reason = failure(
    'TASK_TIMEOUT',
    `The attempt ran longer than ${task.startToCloseMs} ms and its agent did not end it.`,
  );
  observeAttempt(core, task, task.agentId ?? '', 'timed_out', 0, reason);
  fence(core, task, reason.message);
  if (task.cancelRequested !== undefined)
    finish(core, task, 'cancelled', cancelled(task.cancelRequested));
  else retryOrFail(core, task, reason);
}

/** Nobody needs it any more: it is over at once, and its agent is told to stop. */
export function abandon(core: CoreState, task: Task, why: string): void {
  if (isTerminal(task.state)) return;
  fence(core, task, why);
  finish(core, task, 'cancelled', cancelled(why));
}

/** The task cannot succeed any more, whatever its agent does. */
export function failNow(core: CoreState, task: Task, reason: Failure): void {
  fence(core, task, reason.message);
  finish(core, task, 'failed', reason);
}

/** The lease stays counted, since the agent is still busy with it, but nothing that comes under it is believed. */
function fence(core: CoreState, task: Task, why: string): void {
  if (task.state !== 'dispatched' && task.state !== 'running') return;
  const lease = core.agents.get(task.agentId ?? '')?.leases.get(task.taskId);
  if (lease !== undefined) lease.fenced = true;
  tellAgentToStop(core, task, why, core.options.cancelGraceMs);
}

/** Sends CancelTask for the attempt that the agent has. */
export function tellAgentToStop(
  core: CoreState,
  task: Task,
  reason: string,
  graceMs: number,
): void {
  const agent = core.agents.get(task.agentId ?? '');
  if (agent?.connectionId === undefined) return;
  core.send(agent.connectionId, 'control', {
    type: 'CancelTask',
    body: {
      taskId: task.taskId,
      epoch: core.options.epoch,
      attempt: task.attempt,
      reason,
      graceMs,
    },
  });
}

/** → a final state. The first one to get here wins; nothing changes it afterwards. */
export function finish(
  core: CoreState,
  task: Task,
  state: TerminalTaskState,
  reason?: Failure,
): void {
  moveTo(task, state);
  core.queue.remove(task);
  task.inBackoff = false;
  task.failure = reason;
  task.endedAtMs = core.nowMs;
  dropTimers(core, task);
  core.pendingTasks -= 1;
  core.pendingBytes -= task.inputBytes;
  task.input = undefined;
  releaseDatasets(core, task);
  tellFamily(core, task);
  if (task.shard !== undefined) {
    // What becomes of it is its parent's to say, and whoever observes counts tasks and not their parts.
    announceEnd(core, task);
    return;
  }
  core.finished.push(task);
  core.finishedBytes += resultBytesOf(task) + task.chunkBytes;
  const endedAtMs = task.endedAtMs;
  core.effects.push({
    type: 'TaskEnded',
    taskId: task.taskId,
    taskType: task.taskType,
    agentId: task.agentId,
    state,
    attempt: task.attempt,
    queueMs: (task.firstStartedAtMs ?? endedAtMs) - task.acceptedAtMs,
    computeMs: task.computeMs,
    totalMs: endedAtMs - task.acceptedAtMs,
    failure: reason,
  });
  announceEnd(core, task);
  forgetOldest(core);
}

/** Finished tasks are kept for a while, and with them what they refer to. */
function dropTimers(core: CoreState, task: Task): void {
  core.timers.cancel(task.releaseTimer);
  core.timers.cancel(task.scheduleToStartTimer);
  core.timers.cancel(task.scheduleToCloseTimer);
  core.timers.cancel(task.startToCloseTimer);
  task.releaseTimer = undefined;
  task.scheduleToStartTimer = undefined;
  task.scheduleToCloseTimer = undefined;
  task.startToCloseTimer = undefined;
}

/** Drops finished tasks beyond the bounds of count, bytes and age. */
export function forgetOldest(core: CoreState): void {
  const { finishedTasksMax, finishedBytesMax, finishedTtlMs } = core.options;
  for (;;) {
    const task = core.finished.peek();
    if (task === undefined) return;
    const tooMany = core.finished.size > finishedTasksMax || core.finishedBytes > finishedBytesMax;
    const tooOld = core.nowMs - (task.endedAtMs ?? 0) >= finishedTtlMs;
    if (!tooMany && !tooOld) return;
    core.finished.shift();
    core.finishedBytes -= resultBytesOf(task) + task.chunkBytes;
    core.tasks.delete(task.taskId);
    if (task.idempotencyKey !== undefined)
      core.taskIdByKey.delete(keyOf(task.taskType, task.idempotencyKey));
  }
}

/** The name under which an idempotency key is kept: keys of different task types do not meet. */
export function keyOf(taskType: string, idempotencyKey: string): string {
  return `${taskType}\n${idempotencyKey}`;
}

function cancelled(reason: string): Failure {
  return failure('TASK_CANCELLED', reason);
}

function observeAttempt(
  core: CoreState,
  task: Task,
  agentId: string,
  outcome: 'succeeded' | 'failed' | 'cancelled' | 'lost' | 'returned' | 'timed_out',
  computeMs: number,
  reason: Failure | undefined,
): void {
  core.effects.push({
    type: 'AttemptEnded',
    taskId: task.taskId,
    taskType: task.taskType,
    agentId,
    attempt: task.attempt,
    outcome,
    computeMs,
    failure: reason,
  });
}
