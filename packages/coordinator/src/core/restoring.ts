/**
 * A new life goes on with the durable tasks of the earlier ones. Those that an agent had wait for it to come back; all
 * others go on from where they were.
 */
import { failure } from '@quic-swarm/protocol';
import { claimDatasets } from './datasets.ts';
import { awaitDependencies } from './dependencies.ts';
import { foldRecord } from './journal-fold.ts';
import type { JournalRecord, TaskEnd, TaskRecord } from './journal-records.ts';
import { dropDeadLetter, keyOf, retain } from './retention.ts';
import type { CoreState } from './state.ts';
import { begin } from './submissions.ts';
import { awaitReturn, countPending, finish, keepBackingOff } from './task-flow.ts';
import { createTask, needsOf, termsOf } from './task-making.ts';
import { setTimerAt } from './task-timers.ts';
import { timersOf, troubleOf, type Task, type TaskTerms } from './task.ts';

/** Takes in records of the journal, in their order. */
export function takeRecords(core: CoreState, records: readonly JournalRecord[]): void {
  core.restoring ??= new Map();
  for (const record of records) foldRecord(core.restoring, record);
}

/** All records were read: their tasks go on. */
export function restore(core: CoreState): void {
  const records = [...(core.restoring?.values() ?? [])].sort((a, b) => a.order - b.order);
  core.restoring = undefined;
  const terms = new SharedTerms(core);
  const tasks = records.map((record) => ({ record, task: create(core, record, terms) }));
  // Only when all are there can one find those that it comes after.
  for (const { record, task } of tasks) {
    if (record.end === undefined) resume(core, task, record);
  }
  const ended = tasks.filter(({ record }) => record.end !== undefined);
  ended.sort((a, b) => (a.task.endedAtMs ?? 0) - (b.task.endedAtMs ?? 0));
  for (const { task } of ended) retain(core, task);
  for (const { task } of tasks) dropReplayed(core, task);
}

/** The last life may have ended between the record of a dead letter's new task and the one that the dead letter is gone. */
function dropReplayed(core: CoreState, { replayOf, order }: Task): void {
  const dead = replayOf === undefined ? undefined : core.deadLetters.get(replayOf);
  if (dead !== undefined && dead.order < order) dropDeadLetter(core, dead);
}

function create(core: CoreState, record: TaskRecord, terms: SharedTerms): Task {
  const { submission, order, clientName } = record;
  const whole = { ...submission, requestId: 0, watch: 'none' as const };
  const shared = {
    needs: core.queue.shared(needsOf(whole)),
    terms: terms.of(record),
    submitter: { connectionId: '', clientName },
  };
  const task = createTask(whole, shared, order, core.fromWallMs(record.acceptedAtMs));
  core.noteOrder(order);
  task.durability = {
    acceptedAt: 0,
    position: 0,
    isAcknowledged: record.isAcknowledged,
    returning: undefined,
    chunkCount: record.end?.chunkCount,
  };
  task.idempotency = record.idempotency;
  task.replayOf = record.replayOf;
  task.attempt = record.attempt;
  task.cancelRequested = record.cancelRequested;
  task.firstStartedAtMs = fromWall(core, record.firstStartedAtMs);
  if (record.errors > 0 || record.losses > 0 || record.failure !== undefined) {
    Object.assign(troubleOf(task), {
      errors: record.errors,
      losses: record.losses,
      failure: record.failure,
    });
  }
  if (record.end !== undefined) applyEnd(core, task, record.end);
  core.tasks.add(task);
  if (task.idempotency !== undefined) {
    core.taskIdByKey.set(keyOf(task.needs.taskType, task.idempotency.key), task.taskId);
  }
  return task;
}

function applyEnd(core: CoreState, task: Task, end: TaskEnd): void {
  task.state = end.state;
  task.attempt = end.attempt;
  task.agentId = end.agentId;
  task.endedAtMs = core.fromWallMs(end.endedAtMs);
  task.firstStartedAtMs = fromWall(core, end.firstStartedAtMs);
  task.computeMs = end.computeMs;
  task.result = end.payload;
  task.resultEncoding = end.payloadEncoding;
  task.resultType = end.resultType;
  if (end.failure !== undefined || end.deadLettered) {
    Object.assign(troubleOf(task), { failure: end.failure, deadLettered: end.deadLettered });
  }
}

/** Lets a task that has not ended go on. */
function resume(core: CoreState, task: Task, record: TaskRecord): void {
  countPending(core, task, 1);
  awaitDependencies(core, task);
  const { startByMs, endByMs, releaseAtMs, lease } = record;
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

function fromWall(core: CoreState, wallMs: number | undefined): number | undefined {
  return wallMs === undefined ? undefined : core.fromWallMs(wallMs);
}

/** Equal terms are one record for all tasks that have them, as when they were submitted. */
class SharedTerms {
  readonly #core: CoreState;
  readonly #known = new Map<string, TaskTerms>();

  constructor(core: CoreState) {
    this.#core = core;
    this.#known.set(JSON.stringify(core.terms), core.terms);
  }

  of({ submission }: TaskRecord): TaskTerms {
    const terms = termsOf(submission, this.#core.terms);
    const key = JSON.stringify(terms);
    const known = this.#known.get(key);
    if (known === undefined) this.#known.set(key, terms);
    return known ?? terms;
  }
}
