/**
 * A new life goes on with the durable tasks of the earlier ones. Those that an agent had wait for it to come back; all
 * others go on from where they were.
 */
import { failure } from '@quic-swarm/protocol';
import { claimDatasets } from './datasets.ts';
import { awaitDependencies } from './dependencies.ts';
import { foldRecord } from './journal-fold.ts';
import type { JournalRecord } from './journal-records.ts';
import { RestoredTasks, type Pending } from './restored-tasks.ts';
import { dropDeadLetter, keyOf, retain } from './retention.ts';
import type { CoreState } from './state.ts';
import { begin } from './submissions.ts';
import { awaitReturn, countPending, finish, keepBackingOff } from './task-flow.ts';
import { setTimerAt } from './task-timers.ts';
import { timersOf, type Task } from './task.ts';

/** Takes in records of the journal, in their order. */
export function takeRecords(core: CoreState, records: readonly JournalRecord[]): void {
  core.restoring ??= new RestoredTasks(core);
  for (const record of records) foldRecord(core.restoring, record);
}

/** All records were read: their tasks go on. Of the records so many were not of the snapshot, but behind it. */
export function restore(core: CoreState, recordsSinceSnapshot: number): void {
  core.journal.noteRestored(recordsSinceSnapshot);
  const { restoring } = core;
  if (restoring === undefined) return;
  core.restoring = undefined;
  // Only when all are there can one find those that it comes after.
  core.tasks = restoring.index;
  const ended: Task[] = [];
  const replays: Task[] = [];
  for (const task of restoring.takeInOrder()) {
    core.noteOrder(task.order);
    claimKey(core, task);
    if (task.replayOf !== undefined) replays.push(task);
    if (task.endedAtMs === undefined) resume(core, task, restoring.pendingOf(task));
    else ended.push(task);
  }
  ended.sort((a, b) => (a.endedAtMs ?? 0) - (b.endedAtMs ?? 0));
  for (const task of ended) retain(core, task);
  for (const task of replays) dropReplayed(core, task);
}

/** The last life may have ended between the record of a dead letter's new task and the one that the dead letter is gone. */
function dropReplayed(core: CoreState, { replayOf, order }: Task): void {
  const dead = replayOf === undefined ? undefined : core.deadLetters.get(replayOf);
  if (dead !== undefined && dead.order < order) dropDeadLetter(core, dead);
}

function claimKey(core: CoreState, { taskId, needs, idempotency }: Task): void {
  if (idempotency === undefined) return;
  core.taskIdByKey.set(keyOf(needs.taskType, idempotency.key), taskId);
}

/** Lets a task that has not ended go on. */
function resume(core: CoreState, task: Task, pending: Pending): void {
  countPending(core, task, 1);
  awaitDependencies(core, task);
  const { startByMs, endByMs, releaseAtMs, lease } = pending;
  if (startByMs !== undefined) {
    const timer = setTimerAt(core, task, 'scheduleToStart', core.fromWallMs(startByMs));
    timersOf(task).scheduleToStart = timer;
  }
  if (endByMs !== undefined) {
    const timer = setTimerAt(core, task, 'scheduleToClose', core.fromWallMs(endByMs));
    timersOf(task).scheduleToClose = timer;
  }
  const missing = claimDatasets(core, task.datasets);
  if (missing.length > 0) {
    // It cannot release what it has not claimed.
    task.datasets = [];
    finish(core, task, 'failed', datasetsLost(missing));
  } else if (lease !== undefined && task.split === undefined) {
    awaitReturn(core, task, lease);
  } else if (task.cancelRequested !== undefined) {
    finish(core, task, 'cancelled', failure('TASK_CANCELLED', task.cancelRequested));
  } else if (task.split !== undefined && !task.terms.idempotent) {
    finish(core, task, 'failed', partsMayRun());
  } else if (releaseAtMs !== undefined && core.fromWallMs(releaseAtMs) > core.nowMs) {
    keepBackingOff(core, task, core.fromWallMs(releaseAtMs));
  } else {
    begin(core, task);
  }
}

/** Of parts nothing is written down, so that nobody knows which of them were started. */
function partsMayRun(): ReturnType<typeof failure> {
  return failure(
    'AGENT_LOST',
    'The coordinator was restarted; parts of the task may have been started, which must not be started twice.',
  );
}

function datasetsLost(missing: readonly string[]): ReturnType<typeof failure> {
  return failure(
    'DATASET_NOT_FOUND',
    `The coordinator was restarted and does not have ${missing.join(', ')} any more.`,
    { hint: 'Upload the data set and submit the task again.' },
  );
}
