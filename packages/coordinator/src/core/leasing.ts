/**
 * Leases: who is given a task, and what is known of its start. Each function is an arrow of the diagram in task-state.ts, as
 * in task-flow.ts.
 */
import type { BodyOf, Lease, Message } from '@quic-swarm/protocol';
import { removeLease, type Agent } from './agent-record.ts';
import { recordLease, recordStart, sendAbout } from './durability.ts';
import { armOf } from './arms.ts';
import type { Bucket } from './queue.ts';
import { chooseAgent, lastHeardOf } from './scheduler.ts';
import type { CoreState } from './state.ts';
import { tellFamily, toQueued } from './task-flow.ts';
import { moveTo } from './task-state.ts';
import { setTimer, watchAttempt } from './task-timers.ts';
import {
  deadlineMsOf,
  submittedOf,
  troubleOf,
  wireShardOf,
  type AgentLease,
  type Task,
} from './task.ts';
import { announceState } from './watchers.ts';

/** Gives tasks to agents until no runnable task has an able agent. */
export function dispatchAll(core: CoreState): void {
  for (;;) {
    const next = core.queue.next(core.nowMs);
    if (next === undefined) return;
    core.queue.take(next.task);
    dispatch(core, next.task, chooseFor(core, next.task, next.bucket));
  }
}

function chooseFor({ holders, random }: CoreState, task: Task, { free, behind }: Bucket): Agent {
  // What has taken one agent away may have taken others, of which it is not known yet.
  if (task.trouble?.failure?.type === 'AGENT_LOST') return lastHeardOf([free, behind]);
  // Nothing is put behind other tasks while an agent would begin it at once.
  return chooseAgent(task, free.size > 0 ? free : behind, holders, random);
}

/** waiting → queued → dispatched: a second copy goes to the agent that it was made for. */
export function dispatchCopy(core: CoreState, copy: Task, agent: Agent): void {
  toQueued(core, copy);
  dispatch(core, copy, agent);
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
  const arm = armOf(core, task);
  if (arm !== undefined) body.arm = arm;
  if (task.after !== undefined) body.after = [...task.after.taskIds];
  if (task.shard !== undefined) body.shard = wireShardOf(task.shard);
  if (task.input !== undefined) body.payload = task.input;
  if (task.inputEncoding !== undefined) body.payloadEncoding = task.inputEncoding;
  const message: Message = { type: 'AgentTask', body };
  // The agent may compute while the disk writes, since nothing it says is believed before. Only what must not be started
  // twice waits: a lease that was lost would be given again. Of a shard it is the whole task that the disk knows.
  if (task.terms.idempotent) core.send(agent.connectionId ?? '', 'dispatch', message);
  else sendAbout(core, submittedOf(task), agent.connectionId ?? '', 'dispatch', message);
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
    hearsBounds: false,
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

/** → running: whoever calls this gives it its lease, or its end. */
export function noteStart(core: CoreState, task: Task): void {
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
