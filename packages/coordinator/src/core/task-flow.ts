/**
 * What happens to a task, step by step: every function here is one arrow of the diagram in task-state.ts, with all
 * that belongs to it (timers, queue, lease, watchers, observers). How it gets to an agent and is started is in leasing.ts;
 * nothing else changes a task.
 */
import {
  failure,
  isTerminal,
  type Failure,
  type TaskCompletion,
  type TerminalTaskState,
} from '@quic-swarm/protocol';
import { removeLease, type Agent } from './agent-record.ts';
import { releaseDatasets } from './datasets.ts';
import { recordCancelRequest, recordEnd, recordRequeued, refuseLong } from './durability.ts';
import { forgetOldest, isDeadLetter, retain } from './retention.ts';
import { noteServiceTime } from './scheduler.ts';
import type { CoreState } from './state.ts';
import { moveTo } from './task-state.ts';
import { dropTimers, setTimer, setTimerAt } from './task-timers.ts';
import {
  inputBytesOf,
  isHeldBack,
  isInBackoff,
  submittedOf,
  timersOf,
  triesOf,
  troubleOf,
  type AgentLease,
  type KeptLease,
  type Task,
} from './task.ts';
import { announceEnd, announceState } from './watchers.ts';

/** → queued, now or after `delayMs`. From waiting, or back from an agent. */
export function enqueue(core: CoreState, task: Task, delayMs: number = 0): void {
  toQueued(core, task);
  if (delayMs > 0) timersOf(task).release = setTimer(core, task, 'release', delayMs);
  else makeRunnable(core, task);
}

/** → queued, without a place in the queue: whoever calls this finds it one. */
export function toQueued(core: CoreState, task: Task): void {
  moveTo(task, 'queued');
  task.agentId = undefined;
  task.lease = undefined;
  if (task.output !== undefined) task.output.fraction = undefined;
  core.timers.cancel(task.startToCloseTimer);
  core.timers.cancel(task.hedging?.timer);
}

/** The delay, the back-off, or what it waited for is over. */
export function release(core: CoreState, task: Task): void {
  if (task.state === 'waiting') {
    if (isHeldBack(task)) return;
    enqueue(core, task);
    announceState(core, task);
  } else if (task.durability?.returning !== undefined) {
    giveUpReturn(core, task, task.durability.returning.agentId);
  } else if (isInBackoff(task)) {
    makeRunnable(core, task);
  }
}

/** waiting → queued, of a task of an earlier life: the agent that had it has some time to come back with it. */
export function awaitReturn(core: CoreState, task: Task, lease: KeptLease): void {
  moveTo(task, 'queued');
  task.attempt = lease.attempt;
  if (task.durability !== undefined) task.durability.returning = lease;
  const { reconnectGraceMs } = core.options;
  timersOf(task).release = setTimer(core, task, 'release', reconnectGraceMs);
}

/** A task of an earlier life whose delay (in state waiting) or back-off (→ queued) is not over. */
export function keepBackingOff(core: CoreState, task: Task, untilMs: number): void {
  if (task.attempt > 0) moveTo(task, 'queued');
  timersOf(task).release = setTimerAt(core, task, 'release', untilMs);
}

/** Lets it be given to an agent, or be split, where its shards are what is given away. */
export function makeRunnable(core: CoreState, task: Task): void {
  // That saves a boxed number for each task that is queued only once, which is almost every one.
  if (core.nowMs !== task.acceptedAtMs) task.requeuedAtMs = core.nowMs;
  if (task.split === undefined) core.queue.add(task);
  else core.shardNews.push(task);
}

/** Its parent, or its shards, should follow. */
export function tellFamily(core: CoreState, task: Task): void {
  if (task.shard !== undefined || task.split !== undefined) core.shardNews.push(task);
}

/** The agent that had the task when the coordinator was restarted has not come back with it. */
function giveUpReturn(core: CoreState, task: Task, agentId: string): void {
  if (task.durability !== undefined) task.durability.returning = undefined;
  const reason = failure('AGENT_LOST', `Agent ${agentId} had the task and did not come back.`);
  observeAttempt(core, task, agentId, 'lost', 0, reason);
  if (task.cancelRequested !== undefined) {
    finish(core, task, 'cancelled', cancelled(task.cancelRequested));
  } else if (mayTryAgain(core, task, reason)) {
    troubleOf(task).failure = reason;
    makeRunnable(core, task);
    recordRequeued(core, task);
  }
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
  if (outcome === 'succeeded') {
    noteServiceTime(agent, computeMs);
    core.attemptTimes.note(task.needs.taskType, computeMs);
  }
  observeAttempt(core, task, agent.agentId, outcome, computeMs, completion.failure);
  const tooLong = whyTooLong(core, task, completion);
  if (outcome === 'succeeded' && tooLong !== undefined) {
    finish(core, task, 'failed', tooLong);
    return;
  }
  if (outcome === 'succeeded') {
    task.result = completion.payload;
    task.resultEncoding = completion.payloadEncoding;
    task.resultType = completion.resultType;
    noteArm(core, task, agent, completion);
    finish(core, task, 'succeeded');
    return;
  }
  const reason = completion.failure ?? failure('TASK_FAILED', 'The agent gave no reason.');
  if (task.cancelRequested !== undefined) {
    finish(core, task, 'cancelled', cancelled(task.cancelRequested));
  } else if (agent.draining && (outcome === 'cancelled' || reason.type === 'DRAINING')) {
    // The agent gave it up by itself, because it leaves: that counts against nothing.
    enqueueOrEnd(core, task, 0, reason, task.terms.idempotent);
  } else {
    retryOrFail(core, task, reason);
  }
}

/** What an attempt says of the arm that it used is to be learnt from. Parts of a task are not: they are no answer. */
function noteArm(core: CoreState, task: Task, agent: Agent, completion: TaskCompletion): void {
  if (completion.arm === undefined || task.shard !== undefined) return;
  const { agentId, agentType } = agent;
  const { input, inputEncoding } = task;
  core.learningNews.push({ task, agentId, agentType, completion, input, inputEncoding });
}

/** Why the result of a durable task cannot be written down; undefined when it can. */
function whyTooLong(
  core: CoreState,
  { durability }: Task,
  { payload }: TaskCompletion,
): Failure | undefined {
  if (durability === undefined || payload === undefined) return undefined;
  return refuseLong(core, 'result', payload.length);
}

/** An attempt ended with an error: another one, or the end. */
export function retryOrFail(core: CoreState, task: Task, reason: Failure): void {
  if (!mayTryAgain(core, task, reason)) return;
  const { errors, losses } = troubleOf(task);
  const { retry } = task.terms;
  const retries = errors + losses - 1;
  const ceilingMs = Math.min(
    retry.maximumIntervalMs,
    retry.initialIntervalMs * retry.backoffCoefficient ** retries,
  );
  // Full jitter, so that tasks which failed together do not come back together.
  const delayMs = isCrash(reason)
    ? 0
    : Math.max(reason.retryAfterMs ?? 0, core.random.next() * ceilingMs);
  enqueueOrEnd(core, task, delayMs, reason, true);
}

/** Counts what went wrong; ends the task when that was too much. */
function mayTryAgain(core: CoreState, task: Task, reason: Failure): boolean {
  const trouble = troubleOf(task);
  if (isCrash(reason)) trouble.losses += 1;
  else trouble.errors += 1;
  const { errors, losses } = trouble;
  const { retry, idempotent } = task.terms;
  const left = errors < retry.maximumAttempts && losses < retry.maximumDeliveries;
  const worthIt =
    reason.retryable && idempotent && !retry.nonRetryableErrorTypes.includes(reason.type);
  if (worthIt && left) return true;
  trouble.deadLettered = reason.retryable && !left;
  finish(core, task, reason.type === 'TASK_TIMEOUT' ? 'timed_out' : 'failed', reason);
  return false;
}

function isCrash({ type }: Failure): boolean {
  return type === 'WORKER_CRASHED' || type === 'AGENT_LOST';
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
  troubleOf(task).failure = reason;
  // It has waited for its turn once, and for its agent to be missed.
  if (reason.type === 'AGENT_LOST') putBack(core, task);
  else enqueue(core, task, delayMs);
  recordRequeued(core, task);
  announceState(core, task);
}

/** → queued, as near its turn as before. */
function putBack(core: CoreState, task: Task): void {
  toQueued(core, task);
  core.queue.putBack(task);
}

/** The agent that held the task is gone, or says that it does not have it. */
export function lose(core: CoreState, task: Task, agentId: string): void {
  const reason = failure('AGENT_LOST', `Agent ${agentId} was lost while it had the task.`);
  observeAttempt(core, task, agentId, 'lost', 0, reason);
  if (task.cancelRequested !== undefined)
    finish(core, task, 'cancelled', cancelled(task.cancelRequested));
  else retryOrFail(core, task, reason);
}

/**
 * The agent gave back a lease that it had not started. Counts against nothing, and the task is as near its turn as it
 * was before.
 */
export function giveBack(core: CoreState, task: Task, agentId: string, delayMs: number): void {
  observeAttempt(core, task, agentId, 'returned', 0, undefined);
  if (task.cancelRequested !== undefined) {
    finish(core, task, 'cancelled', cancelled(task.cancelRequested));
    return;
  }
  if (delayMs > 0) enqueue(core, task, delayMs);
  else putBack(core, task);
  recordRequeued(core, task);
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
    recordCancelRequest(core, task, reason);
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
    `The attempt ran longer than ${task.terms.startToCloseMs} ms and its agent did not end it.`,
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
export function fence(core: CoreState, task: Task, why: string): void {
  if (task.state !== 'dispatched' && task.state !== 'running') return;
  const { lease } = task;
  const agent = core.agents.get(task.agentId ?? '');
  if (lease !== undefined) {
    lease.fenced = true;
    agent?.fenced.set(task.taskId, lease);
    if (agent !== undefined && lease.completion !== undefined) {
      refuseAnswer(core, agent, lease);
      return;
    }
  }
  tellAgentToStop(core, task, why, core.options.cancelGraceMs);
}

/** The agent has answered, and only parts of its answer are missing: it is not busy, and would wait for its receipt for ever. */
function refuseAnswer(core: CoreState, agent: Agent, lease: AgentLease): void {
  const { epoch, attempt } = lease;
  const { taskId } = lease.task;
  removeLease(agent, lease);
  core.queue.availabilityChanged(agent);
  core.send(agent.connectionId ?? '', 'dispatch', {
    type: 'MessageAck',
    body: { lease: { epoch, taskId, attempt }, status: 'STALE' },
  });
  core.effects.push({ type: 'StaleCompletionDropped', taskId, agentId: agent.agentId, attempt });
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
      epoch: task.lease?.epoch ?? core.options.epoch,
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
  task.lease = undefined;
  if (reason !== undefined) troubleOf(task).failure = reason;
  else if (task.trouble !== undefined) task.trouble.failure = undefined;
  task.endedAtMs = core.nowMs;
  dropTimers(core, task);
  countPending(core, task, -1);
  const isSubmitted = submittedOf(task) === task;
  if (!isDeadLetter(task) || !isSubmitted) task.input = undefined;
  releaseDatasets(core, task);
  tellFamily(core, task);
  if (task.hedging !== undefined) core.copyNews.push(task);
  if (task.learning?.shadowOf !== undefined) core.endedShadows.push(task);
  if (core.judgements.size > 0 && core.judgements.has(task.taskId)) core.endedJudgements.push(task);
  if (!isSubmitted) {
    // What becomes of it is its parent's to say, and whoever observes counts tasks and not their parts.
    announceEnd(core, task);
    return;
  }
  recordEnd(core, task);
  if (task.after !== undefined || core.waitingFor.has(task.taskId)) core.dependencyNews.push(task);
  const endedAtMs = task.endedAtMs;
  core.effects.push({
    type: 'TaskEnded',
    taskId: task.taskId,
    taskType: task.needs.taskType,
    agentId: task.agentId,
    state,
    attempt: task.attempt,
    retries: Math.max(0, (task.split === undefined ? triesOf(task) : task.attempt) - 1),
    queueMs: (task.firstStartedAtMs ?? endedAtMs) - task.acceptedAtMs,
    computeMs: task.computeMs ?? 0,
    totalMs: endedAtMs - task.acceptedAtMs,
    failure: reason,
  });
  announceEnd(core, task);
  retain(core, task);
  forgetOldest(core);
}

/** Counts a task that is not final, or counts it no more. */
export function countPending(core: CoreState, task: Task, by: 1 | -1): void {
  core.pendingTasks += by;
  core.pendingBytes += by * inputBytesOf(task);
  const { durability } = submittedOf(task);
  if (durability === undefined) core.pendingEphemeralTasks += by;
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
    taskType: task.needs.taskType,
    agentId,
    attempt: task.attempt,
    isRetry: (task.trouble?.errors ?? 0) + (task.trouble?.losses ?? 0) > 0,
    outcome,
    computeMs,
    failure: reason,
  });
}
