/**
 * How long final tasks are known. Most stay for a while, so that a client that lost its connection can ask. Durable ones
 * stay until somebody has heard of their end, or for `unclaimedTtlMs`. Those that others come after stay until those have
 * ended, and dead letters until they are replayed or dropped.
 */
import { isTerminal } from '@quic-swarm/protocol';
import { recordAcknowledged, recordForgotten } from './durability.ts';
import type { CoreState } from './state.ts';
import { inputBytesOf, resultBytesOf, type Task } from './task.ts';

/** Of tasks that cannot be forgotten yet, so many are passed over at once, so that no event costs more for them. */
const PASSED_MAX = 8;

/** Puts a final task where it stays. */
export function retain(core: CoreState, task: Task): void {
  if (isDeadLetter(task)) {
    keepDeadLetter(core, task);
  } else if (task.durability?.isAcknowledged === false) {
    core.unclaimed.push(task);
    core.unclaimedBytes += resultBytesOf(task);
  } else {
    core.finished.push(task);
    core.finishedBytes += resultBytesOf(task);
  }
}

/** It failed, and was tried so often that it is not tried again by itself. */
export function isDeadLetter({ trouble }: Task): boolean {
  return trouble?.deadLettered === true;
}

/** Somebody has heard of the end of a durable task. */
export function acknowledge(core: CoreState, task: Task): void {
  const { durability } = task;
  if (durability?.isAcknowledged !== false || !isTerminal(task.state)) return;
  recordAcknowledged(core, task);
  durability.isAcknowledged = true;
  if (isDeadLetter(task)) return;
  takeUnclaimed(core, task);
  retain(core, task);
  forgetOldest(core);
}

function takeUnclaimed(core: CoreState, task: Task): void {
  core.unclaimed.remove(task);
  core.unclaimedBytes -= resultBytesOf(task);
}

/** Drops final tasks beyond the bounds of count, bytes and age. */
export function forgetOldest(core: CoreState): void {
  const { finishedTasksMax, finishedBytesMax, finishedTtlMs, unclaimedTtlMs } = core.options;
  for (let passed = 0; passed < PASSED_MAX;) {
    const task = core.finished.peek();
    if (task === undefined) break;
    const tooMany = core.finished.size > finishedTasksMax || core.finishedBytes > finishedBytesMax;
    // The oldest is looked at only when that decides: it has long left the caches.
    if (!tooMany && core.nowMs - (task.endedAtMs ?? 0) < finishedTtlMs) break;
    core.finished.shift();
    if (task.dependents > 0) {
      core.finished.push(task);
      passed += 1;
    } else {
      core.finishedBytes -= resultBytesOf(task);
      forget(core, task);
    }
  }
  for (let passed = 0; passed < PASSED_MAX;) {
    const task = core.unclaimed.first;
    if (task === undefined || core.nowMs - (task.endedAtMs ?? 0) < unclaimedTtlMs) return;
    if (task.dependents > 0) {
      core.unclaimed.remove(task);
      core.unclaimed.push(task);
      passed += 1;
    } else {
      takeUnclaimed(core, task);
      forget(core, task);
    }
  }
}

/** Forgets a durable task that has ended and of whose end nobody has heard. */
export function removeUnheard(core: CoreState, task: Task): void {
  if (isDeadLetter(task)) {
    dropDeadLetter(core, task);
  } else {
    takeUnclaimed(core, task);
    forget(core, task);
  }
}

/** Nothing is known of the task from here on. */
export function forget(core: CoreState, task: Task): void {
  core.tasks.delete(task);
  const { idempotency, needs, taskId } = task;
  if (idempotency === undefined) return;
  const key = keyOf(needs.taskType, idempotency.key);
  if (core.taskIdByKey.get(key) === taskId) core.taskIdByKey.delete(key);
}

/** The name under which an idempotency key is kept: keys of different task types do not meet. */
export function keyOf(taskType: string, idempotencyKey: string): string {
  return `${taskType}\n${idempotencyKey}`;
}

function keepDeadLetter(core: CoreState, task: Task): void {
  const { deadLettersMax, deadLetterBytesMax } = core.options;
  core.deadLetters.set(task.taskId, task);
  core.deadLetterBytes += deadLetterBytesOf(task);
  for (const oldest of core.deadLetters.values()) {
    const isWithin =
      core.deadLetters.size <= deadLettersMax && core.deadLetterBytes <= deadLetterBytesMax;
    // The one that came last is kept whatever its size, or nobody would ever see it.
    if (isWithin || oldest === task) return;
    dropDeadLetter(core, oldest);
  }
}

/** The new task of a dead letter was taken back, since it could not be written down: it is a dead letter as before. */
export function bringBackDeadLetter(core: CoreState, replayId: string): void {
  const replayed = core.replaying.get(replayId);
  core.replaying.delete(replayId);
  if (replayed === undefined) return;
  const { dead, input } = replayed;
  // It may be the new task of another one itself, and be taken back too; or its id is that of another task by now.
  if (
    core.journal.isOpen(dead.durability?.acceptedAt ?? 0) ||
    core.tasks.get(dead.taskId) !== undefined
  )
    return;
  dead.input = input;
  core.tasks.add(dead);
  if (dead.idempotency !== undefined) {
    const key = keyOf(dead.needs.taskType, dead.idempotency.key);
    if (!core.taskIdByKey.has(key)) core.taskIdByKey.set(key, dead.taskId);
  }
  keepDeadLetter(core, dead);
}

/** Forgets a dead letter, and its input with it. */
export function dropDeadLetter(core: CoreState, task: Task): void {
  core.deadLetters.delete(task.taskId);
  core.deadLetterBytes -= deadLetterBytesOf(task);
  task.input = undefined;
  recordForgotten(core, task);
  forget(core, task);
}

function deadLetterBytesOf(task: Task): number {
  return inputBytesOf(task) + resultBytesOf(task);
}
