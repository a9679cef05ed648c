/**
 * What happens to a task, step by step: every function here is one arrow of the diagram in task-state.ts, with all
 * that belongs to it (timers, queue, lease, watchers, observers). Nothing else changes a task.
 */
import {
  failure,
  isTerminal,
  type BodyOf,
  type Failure,
  type Lease,
  type Message,
  type TaskCompletion,
  type TerminalTaskState,
} from '@quic-swarm/protocol';
import { removeLease, type Agent } from './agent-record.ts';
import type { TaskTimer } from './core-timer.ts';
import { releaseDatasets } from './datasets.ts';
import { watchAttempt } from './hedging.ts';
import { chooseAgent, noteServiceTime } from './scheduler.ts';
import type { CoreState } from './state.ts';
import {
  recordCancelRequest,
  recordEnd,
  recordLease,
  recordRequeued,
  recordStart,
  refuseLong,
  sendAbout,
} from './durability.ts';
import type { KeptLease } from './journal-records.ts';
import { forgetOldest, isDeadLetter, retain } from './retention.ts';
import { moveTo } from './task-state.ts';
import {
  chunksOf,
  deadlineMsOf,
  inputBytesOf,
  isHeldBack,
  isInBackoff,
  submittedOf,
  timersOf,
  troubleOf,
  wireShardOf,
  type AgentLease,
  type Task,
} from './task.ts';
import { announceChunk, announceEnd, announceState } from './watchers.ts';

/** Gives tasks to agents until no runnable task has an able agent. */
export function dispatchAll(core: CoreState): void {
  for (;;) {
    const next = core.queue.next(core.nowMs);
    if (next === undefined) return;
    core.queue.take(next.task);
    // Nothing is put behind other tasks while an agent would begin it at once.
    const { free, behind } = next.bucket;
    const candidates = free.size > 0 ? free : behind;
    dispatch(core, next.task, chooseAgent(next.task, candidates, core.holders, core.random));
  }
}

/** → queued, now or after `delayMs`. From waiting, or back from an agent. */
export function enqueue(core: CoreState, task: Task, delayMs: number = 0): void {
  toQueued(core, task);
  if (delayMs > 0) timersOf(task).release = setTimer(core, task, 'release', delayMs);
  else makeRunnable(core, task);
}

function toQueued(core: CoreState, task: Task): void {
  moveTo(task, 'queued');
  task.agentId = undefined;
  task.lease = undefined;
  if (task.output !== undefined) task.output.fraction = undefined;
  core.timers.cancel(task.startToCloseTimer);
  core.timers.cancel(task.hedging?.timer);
}

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
function tellFamily(core: CoreState, task: Task): void {
  if (task.shard !== undefined || task.split !== undefined) core.shardNews.push(task);
}

/** waiting → queued → dispatched: a second copy goes to the agent that it was made for. */
export function dispatchCopy(core: CoreState, copy: Task, agent: Agent): void {
  toQueued(core, copy);
  dispatch(core, copy, agent);
}

/** The second copy of a task was faster: its answer is the task's. */
export function succeedWith(core: CoreState, task: Task, copy: Task): void {
  fence(core, task, 'Another agent was faster.');
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
  finish(core, task, 'succeeded');
}

/** queued → dispatched: the agent holds a lease from here on. */
function dispatch(core: CoreState, task: Task, agent: Agent): void {
  moveTo(task, 'dispatched');
  task.attempt += 1;
  task.agentId = agent.agentId;
  // Another attempt begins: what the one before has sent counts no more.
  task.output = undefined;
  const dispatchSequence = nextSequence(agent);
  recordLease(core, task, giveLease(core, task, agent, dispatchSequence));
  core.queue.availabilityChanged(agent);
  if (agent.leases.size > agent.slots) core.crowded.add(agent);
  const body: BodyOf<'AgentTask'> = {
    epoch: core.options.epoch,
    taskId: task.taskId,
    attempt: task.attempt,
    dispatchSequence,
    taskType: task.needs.taskType,
    datasets: task.datasets,
    startToCloseMs: startToCloseMsOf(core, task),
  };
  if (task.after !== undefined) body.after = [...task.after.taskIds];
  if (task.shard !== undefined) body.shard = wireShardOf(task.shard);
  if (task.input !== undefined) body.payload = task.input;
  if (task.inputEncoding !== undefined) body.payloadEncoding = task.inputEncoding;
  const message: Message = { type: 'AgentTask', body };
  // The agent may compute while the disk writes, since nothing it says is believed before. Only what must not be started
  // twice waits: a lease that was lost would be given again.
  if (task.terms.idempotent) core.send(agent.connectionId ?? '', 'dispatch', message);
  else sendAbout(core, task, agent.connectionId ?? '', 'dispatch', message);
  announceState(core, task);
}

/** Those of tasks that were never sent are given again: the agent says up to which one all have arrived. */
function nextSequence(agent: Agent): number {
  const unsent = agent.unsentSequences.pop();
  if (unsent !== undefined) return unsent;
  agent.dispatchSequence += 1;
  return agent.dispatchSequence;
}

/** A task that an agent was to be given, and that it will not be sent. */
export function takeBackUnsent(
  core: CoreState,
  connectionId: string,
  { taskId, attempt, dispatchSequence }: BodyOf<'AgentTask'>,
): void {
  const agent = core.agentByConnection.get(connectionId);
  if (agent === undefined) return;
  agent.unsentSequences.push(dispatchSequence);
  const lease = agent.fenced.get(taskId);
  if (lease?.attempt !== attempt) return;
  removeLease(agent, lease);
  core.queue.availabilityChanged(agent);
}

function startToCloseMsOf(core: CoreState, task: Task): number {
  const { startToCloseMs } = task.terms;
  const deadlineMs = deadlineMsOf(task);
  if (deadlineMs === undefined) return startToCloseMs;
  return Math.max(1, Math.min(startToCloseMs, deadlineMs - core.nowMs));
}

function giveLease(
  core: CoreState,
  task: Task,
  agent: Agent,
  dispatchSequence: number,
  epoch: number = core.options.epoch,
): AgentLease {
  const lease: AgentLease = {
    epoch,
    task,
    attempt: task.attempt,
    dispatchSequence,
    dispatchedAtMs: core.nowMs,
    started: false,
    isRecalled: false,
    completion: undefined,
    fenced: false,
    next: undefined,
    previous: undefined,
  };
  // An agent answers for a task, whichever attempt of it: the newer one takes the place of one that is over.
  const before = agent.fenced.size === 0 ? undefined : agent.fenced.get(task.taskId);
  if (before !== undefined) removeLease(agent, before);
  agent.leases.push(lease);
  task.lease = lease;
  return lease;
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
  recordStart(core, task);
  core.timers.cancel(task.timers?.scheduleToStart);
  const startedAtMs = Math.max(lease.dispatchedAtMs, core.nowMs - computeMs);
  task.firstStartedAtMs ??= startedAtMs;
  tellFamily(core, task);
  announceState(core, task);
}

function noteStart(core: CoreState, task: Task): void {
  moveTo(task, 'running');
  recordStart(core, task);
  core.timers.cancel(task.timers?.scheduleToStart);
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
  const limitMs = task.terms.startToCloseMs + core.options.startToCloseSlackMs;
  task.startToCloseTimer = setTimer(core, task, 'startToClose', limitMs);
  watchAttempt(core, task);
}

/** queued → running: the agent came back before anybody else was given the task. */
export function resume(core: CoreState, task: Task, agent: Agent, { epoch, attempt }: Lease): void {
  core.queue.remove(task);
  core.timers.cancel(task.timers?.release);
  task.agentId = agent.agentId;
  task.attempt = attempt;
  // In this life the loss was counted; a task that was handed down by an earlier one was only awaited.
  if (epoch === core.options.epoch) {
    const trouble = troubleOf(task);
    trouble.losses = Math.max(0, trouble.losses - 1);
  }
  if (task.durability !== undefined) task.durability.returning = undefined;
  noteStart(core, task);
  limitAttempt(core, task);
  // Below every sequence of the new connection: the agent lists it or has lost it.
  const lease = giveLease(core, task, agent, 0, epoch);
  lease.started = true;
  recordLease(core, task, lease);
  announceState(core, task);
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
  enqueue(core, task, delayMs);
  recordRequeued(core, task);
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
  if (delayMs > 0) {
    enqueue(core, task, delayMs);
  } else {
    toQueued(core, task);
    core.queue.putBack(task);
  }
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
function fence(core: CoreState, task: Task, why: string): void {
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

/** Finished tasks are kept for a while, and with them what they refer to. */
function dropTimers(core: CoreState, task: Task): void {
  core.timers.cancel(task.startToCloseTimer);
  task.startToCloseTimer = undefined;
  core.timers.cancel(task.hedging?.timer);
  if (task.timers === undefined) return;
  core.timers.cancel(task.timers.release);
  core.timers.cancel(task.timers.scheduleToStart);
  core.timers.cancel(task.timers.scheduleToClose);
  task.timers = undefined;
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
    outcome,
    computeMs,
    failure: reason,
  });
}
