/**
 * Durable tasks: what of them is written down, when, and who waits for it. Called at each arrow of task-flow.ts; for a
 * task that is not durable every function here does nothing.
 */
import { failure, type Failure, type Message } from '@quic-swarm/protocol';
import type { CoordinatorEffect } from './effects.ts';
import type { JournalRecord } from './journal-records.ts';
import type { CoreState } from './state.ts';
import { endOf, imageOf } from './task-image.ts';
import type { AgentLease, Task } from './task.ts';

/** Writes down that a task was accepted. */
export function recordAccepted(core: CoreState, task: Task): void {
  const position = core.journal.position + 1;
  task.durability = {
    acceptedAt: position,
    position,
    isAcknowledged: false,
    returning: undefined,
    chunkCount: undefined,
  };
  core.journal.append(imageOf(core, task), core.effects);
}

/** Writes down that an agent has a lease of the task. */
export function recordLease(core: CoreState, task: Task, { epoch, attempt }: AgentLease): void {
  const { taskId, agentId = '' } = task;
  write(core, task, () => ({ kind: 'leased', taskId, epoch, attempt, agentId }));
}

/** Writes down that a task was started, if that ends a time limit. */
export function recordStart(core: CoreState, task: Task): void {
  const { taskId, firstStartedAtMs = core.nowMs, timers } = task;
  if (timers?.scheduleToStart === undefined) return;
  write(core, task, () => ({
    kind: 'started',
    taskId,
    firstStartedAtMs: core.toWallMs(firstStartedAtMs),
  }));
}

/** Writes down that an attempt is over and another one follows. */
export function recordRequeued(core: CoreState, task: Task): void {
  const { taskId, attempt, trouble } = task;
  const release = task.timers?.release;
  write(core, task, () => ({
    kind: 'requeued',
    taskId,
    attempt,
    errors: trouble?.errors ?? 0,
    losses: trouble?.losses ?? 0,
    failure: trouble?.failure,
    releaseAtMs:
      release === undefined || release.index < 0 ? undefined : core.toWallMs(release.atMs),
  }));
}

/** Writes down that somebody wants the task to stop. */
export function recordCancelRequest(core: CoreState, task: Task, reason: string): void {
  const { taskId } = task;
  write(core, task, () => ({ kind: 'cancelRequested', taskId, reason }));
}

/** Writes down how the task ended. */
export function recordEnd(core: CoreState, task: Task): void {
  const { taskId } = task;
  write(core, task, () => ({ kind: 'ended', taskId, end: endOf(core, task) }));
}

/** Writes down that somebody has heard of its end. */
export function recordAcknowledged(core: CoreState, task: Task): void {
  const { taskId } = task;
  write(core, task, () => ({ kind: 'acknowledged', taskId }));
}

/** Writes down that the task is known no more. */
export function recordForgotten(core: CoreState, task: Task): void {
  const { taskId } = task;
  write(core, task, () => ({ kind: 'forgotten', taskId }));
}

function write(core: CoreState, task: Task, make: () => JournalRecord): void {
  const { durability } = task;
  if (durability === undefined) return;
  durability.position = core.journal.append(make(), core.effects);
}

/** Sends what is about a task: of a durable one when all that was decided about it so far is on disk. */
export function sendAbout(
  core: CoreState,
  task: Task,
  connectionId: string,
  on: 'control' | 'dispatch' | 'client',
  message: Message,
): void {
  const effect: CoordinatorEffect = { type: 'Send', connectionId, on, message };
  const { durability } = task;
  const { journal } = core;
  if (durability === undefined || !journal.isOpen(durability.position)) {
    core.effects.push(effect);
    return;
  }
  journal.hold(effect, task);
}

/** Why a durable task cannot be accepted now; undefined when it can. */
export function refuseDurable(core: CoreState, inputBytes: number): Failure | undefined {
  const { journal, unclaimedBytes, options } = core;
  if (journal.failure !== undefined) return journal.failure;
  const tooLong = refuseLong(core, 'input', inputBytes);
  if (tooLong !== undefined) return tooLong;
  if (unclaimedBytes <= options.unclaimedBytesMax) return undefined;
  return failure(
    'QUEUE_FULL',
    `Results of ${unclaimedBytes} bytes wait for somebody to fetch them, the bound is ${options.unclaimedBytesMax}.`,
    {
      hint: 'Fetch results of earlier durable tasks (client.attach, or swarm submit with the same --idempotency-key), or wait until they expire.',
      retryAfterMs: options.queueFullRetryAfterMs,
    },
  );
}

/** Why an input or a result is too long to be written down; undefined when it is not. */
export function refuseLong(
  { options }: CoreState,
  what: 'input' | 'result',
  bytes: number,
): Failure | undefined {
  const { durablePayloadBytesMax } = options;
  if (bytes <= durablePayloadBytesMax) return undefined;
  return failure(
    'PAYLOAD_TOO_LARGE',
    `The ${what} of a durable task has ${bytes} bytes, the bound is ${durablePayloadBytesMax}.`,
    {
      hint: 'Put large data into a data set (client.putTable), or submit the task without durable.',
    },
  );
}
