/** What clients ask about tasks: submit, watch, cancel. */
import {
  decodedBytesOf,
  failure,
  type CancelTask,
  type Failure,
  type SubmitTask,
  type WatchTask,
} from '@quic-swarm/protocol';
import { refuseTask } from './admission.ts';
import { claimDatasets } from './datasets.ts';
import { awaitDependencies, failedDependency, refuseDependencies } from './dependencies.ts';
import { recordAccepted, refuseDurable, sendAbout } from './durability.ts';
import { missingFeature } from './features.ts';
import { hashBytes } from './hash.ts';
import { takeBackUnsent } from './leasing.ts';
import { bringBackDeadLetter, keyOf, removeUnheard } from './retention.ts';
import { cancelWhole, followShards, refuseSplit } from './shards.ts';
import type { Client, CoreState } from './state.ts';
import { abandon, countPending, enqueue, finish } from './task-flow.ts';
import { createTask, needsOf, termsOf } from './task-making.ts';
import { setTimer } from './task-timers.ts';
import { isHeldBack, timersOf, type Task } from './task.ts';
import { announceState, tellSoFar } from './watchers.ts';

/** Accepts a task, finds that it was accepted before, or refuses it with the reason. */
export function submit(core: CoreState, client: Client, submission: SubmitTask): void {
  const existing = findExisting(core, submission);
  if (existing !== undefined && isSameTask(core, existing, submission)) {
    acceptAgain(core, client, submission, existing);
    return;
  }
  const refusal = existing === undefined ? whyRefused(core, submission) : takenBy(existing);
  if (refusal === undefined) accept(core, client, submission);
  else core.refuse(client.connectionId, 'client', submission.requestId, refusal);
}

/** Why a new task cannot be accepted; undefined when it can, and then its data sets are claimed for it. */
function whyRefused(core: CoreState, submission: SubmitTask): Failure | undefined {
  const isDurable = isToBeDurable(core, submission);
  const refusal =
    missingFeature(submission, core.options.features) ??
    refuseSplit(core, submission) ??
    refuseDependencies(core, submission, isDurable) ??
    refuseTask(core, decodedBytesOf(submission)) ??
    (isDurable ? refuseDurable(core, submission.payload?.length ?? 0) : undefined);
  if (refusal !== undefined) return refusal;
  const missing = claimDatasets(core, submission.datasets);
  if (missing.length === 0) return undefined;
  return failure('DATASET_NOT_FOUND', `The coordinator does not have ${missing.join(', ')}.`, {
    hint: 'Upload the data set first (client.putTable or client.putDataset).',
  });
}

function takenBy({ taskId }: Task): Failure {
  return failure(
    'TASK_EXISTS',
    `Task ${taskId} was submitted with another input or type, or not as durable.`,
    {
      hint: 'Use a new task id or idempotency key for a new task.',
    },
  );
}

/** Submits a dead letter again; false when that was refused. */
export function submitReplay(
  core: CoreState,
  client: Client,
  submission: SubmitTask,
  replayOf: string,
): boolean {
  const refusal = whyRefused(core, submission);
  if (refusal === undefined) accept(core, client, submission, replayOf);
  else core.refuse(client.connectionId, 'client', submission.requestId, refusal);
  return refusal === undefined;
}

function accept(core: CoreState, client: Client, submission: SubmitTask, replayOf?: string): void {
  const { requestId, taskType, idempotencyKey } = submission;
  const shared = {
    needs: core.queue.shared(needsOf(submission)),
    terms: termsOf(submission, core.terms),
    submitter: client.submitter,
  };
  const task = createTask(submission, shared, core.nextOrder(), core.nowMs);
  core.tasks.add(task);
  if (idempotencyKey !== undefined)
    core.taskIdByKey.set(keyOf(taskType, idempotencyKey), task.taskId);
  task.replayOf = replayOf;
  awaitDependencies(core, task);
  setLimits(core, task, submission);
  if (isToBeDurable(core, submission)) recordAccepted(core, task);
  countPending(core, task, 1);
  core.effects.push({ type: 'TaskAccepted', taskId: task.taskId, taskType });
  watch(core, client, task, submission.watch);
  if (task.terms.onClientLoss === 'cancel') client.cancelledWithIt.add(task);
  acknowledge(core, client, requestId, task, false);
  begin(core, task);
  if (submission.watch === 'all') core.newlyQueued.push(task);
}

function isToBeDurable({ options }: CoreState, { durable }: SubmitTask): boolean {
  return durable ?? options.durableByDefault;
}

/**
 * The disk has failed before it could be told to whoever submitted them that tasks were accepted: they were not. Whatever
 * an agent does with one of them is stale.
 */
export function takeBack(core: CoreState, failure: Failure): void {
  for (const { effect, task } of core.journal.fail(failure)) {
    if (effect.type !== 'Send') continue;
    if (core.tasks.get(task.taskId) === task) {
      abandon(core, task, failure.message);
      followShards(core);
      removeUnheard(core, task);
    }
    bringBackDeadLetter(core, task.taskId);
    const { message, connectionId, on } = effect;
    if (message.type === 'SubmitAck') {
      core.refuse(connectionId, 'client', message.body.requestId, failure);
    } else if (message.type === 'MessageAck') {
      // An agent that has already answered keeps its answer until it hears what became of it.
      core.send(connectionId, on, {
        type: 'MessageAck',
        body: { ...message.body, status: 'STALE' },
      });
    } else if (message.type === 'AgentTask') {
      takeBackUnsent(core, connectionId, message.body);
    }
  }
}

function setLimits(core: CoreState, task: Task, submission: SubmitTask): void {
  const { delayMs = 0, scheduleToStartMs, scheduleToCloseMs } = submission;
  if (scheduleToStartMs !== undefined) {
    timersOf(task).scheduleToStart = setTimer(core, task, 'scheduleToStart', scheduleToStartMs);
  }
  if (scheduleToCloseMs !== undefined) {
    timersOf(task).scheduleToClose = setTimer(core, task, 'scheduleToClose', scheduleToCloseMs);
  }
  if (delayMs > 0) timersOf(task).release = setTimer(core, task, 'release', delayMs);
}

/** Queues a new task, unless it has to wait, or cannot run any more. */
export function begin(core: CoreState, task: Task): void {
  const reason = failedDependency(core, task);
  if (reason !== undefined) finish(core, task, 'failed', reason);
  else if (!isHeldBack(task)) enqueue(core, task);
}

/** Tells those who watch everything which of the tasks that were just accepted found no agent. */
export function announceQueued(core: CoreState): void {
  if (core.newlyQueued.length === 0) return;
  for (const task of core.newlyQueued) if (task.state === 'queued') announceState(core, task);
  core.newlyQueued = [];
}

function findExisting(
  core: CoreState,
  { taskId, taskType, idempotencyKey }: SubmitTask,
): Task | undefined {
  const byId = core.tasks.get(taskId);
  if (byId !== undefined || idempotencyKey === undefined) return byId;
  return core.tasks.get(core.taskIdByKey.get(keyOf(taskType, idempotencyKey)) ?? '');
}

/** The same id is the same task when the type agrees, the same idempotency key only when the input does too, and neither
 *  when it is to be durable and the task is not. */
function isSameTask(core: CoreState, task: Task, submission: SubmitTask): boolean {
  if (task.needs.taskType !== submission.taskType) return false;
  // What is to survive a restart cannot be answered with a task that does not.
  if (isToBeDurable(core, submission) && task.durability === undefined) return false;
  if (task.taskId === submission.taskId) return true;
  return (
    task.idempotency?.inputBytes === decodedBytesOf(submission) &&
    task.idempotency.inputHash === hashBytes(submission.payload)
  );
}

/** What is asked for is there already: says so, and what the client has missed. */
export function acceptAgain(
  core: CoreState,
  client: Client,
  { requestId, watch: level }: Pick<SubmitTask, 'requestId' | 'watch'>,
  task: Task,
): void {
  acknowledge(core, client, requestId, task, true);
  attach(core, client, task, level);
}

/** A client wants to hear of a task from now on, and what it missed. */
export function startWatching(
  core: CoreState,
  client: Client,
  { requestId, taskId, watch: level }: WatchTask,
): void {
  const task = core.tasks.get(taskId);
  if (task === undefined) {
    core.refuse(client.connectionId, 'client', requestId, notFound(taskId));
    return;
  }
  acceptAgain(core, client, { requestId, watch: level }, task);
}

function attach(core: CoreState, client: Client, task: Task, level: WatchTask['watch']): void {
  if (level === 'none') return;
  if (task.endedAtMs === undefined) watch(core, client, task, level);
  tellSoFar(core, task, client.connectionId);
}

/** A client wants a task to stop; answered at once, the end is told to those who watch. */
export function requestCancel(core: CoreState, client: Client, message: CancelTask): void {
  const { taskId, reason, graceMs, requestId = 0 } = message;
  const task = core.tasks.get(taskId);
  if (task === undefined) {
    core.refuse(client.connectionId, 'control', requestId, notFound(taskId));
    return;
  }
  cancelWhole(core, task, reason, graceMs);
  core.send(client.connectionId, 'control', {
    type: 'MessageAck',
    body: { requestId, status: 'PROCESSED' },
  });
}

/** The client is gone: tasks that were only for it are cancelled. Those that it watched learn of it when they look. */
export function dropClient(core: CoreState, client: Client): void {
  core.clients.delete(client.connectionId);
  for (const task of client.cancelledWithIt) {
    const why = 'The client that submitted the task is gone.';
    cancelWhole(core, task, why, core.options.cancelGraceMs);
  }
}

function watch(core: CoreState, client: Client, task: Task, level: WatchTask['watch']): void {
  if (task.watchers.length === 0) {
    task.watchers = client.alone[level];
    return;
  }
  // Those who are gone are left out, so that the list does not grow with each reconnect of a client.
  const others = task.watchers.filter(
    ({ connectionId }) => connectionId !== client.connectionId && core.clients.has(connectionId),
  );
  task.watchers = others.length === 0 ? client.alone[level] : [...others, ...client.alone[level]];
}

function acknowledge(
  core: CoreState,
  client: Client,
  requestId: number,
  task: Task,
  existing: boolean,
): void {
  sendAbout(core, task, client.connectionId, 'client', {
    type: 'SubmitAck',
    body: { requestId, taskId: task.taskId, state: task.state, existing },
  });
}

/** What is said of a task that is not known, or not any more. */
export function notFound(taskId: string): Failure {
  return failure('TASK_NOT_FOUND', `No task ${taskId} is known.`, {
    hint: 'Finished tasks are forgotten after a while, durable ones when their end was heard, others with the coordinator; see swarm tasks.',
  });
}
