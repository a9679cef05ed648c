/**
 * From the records of a journal to the tasks that they describe. Records are taken in their order; one that is behind a
 * snapshot which knows more already is overtaken by those that follow it (see journal-records.ts).
 */
import { InvariantError } from './invariant.ts';
import type { JournalRecord, KeptSubmission, TaskRecord } from './journal-records.ts';

/** Tasks by id; a Map of records is one way to keep them. */
export interface FoldedTasks {
  get(taskId: string): TaskRecord | undefined;
  set(taskId: string, record: TaskRecord): unknown;
  delete(taskId: string): unknown;
}

/** Takes in one record. */
export function foldRecord(tasks: FoldedTasks, record: JournalRecord): void {
  if (record.kind === 'task') {
    foldTask(tasks, record);
    return;
  }
  const { taskId } = record;
  const task = tasks.get(taskId);
  // What is about a forgotten task comes from before it was forgotten.
  if (task === undefined) return;
  if (record.kind === 'forgotten') tasks.delete(taskId);
  else if (record.kind === 'acknowledged') tasks.set(taskId, { ...task, isAcknowledged: true });
  // Final states never change.
  else if (task.end === undefined) tasks.set(taskId, changed(task, record));
}

/** A known task is known better than when it was accepted; but its id may be used again when it has ended. */
function foldTask(tasks: FoldedTasks, record: TaskRecord): void {
  const { taskId } = record.submission;
  const known = tasks.get(taskId);
  if (known !== undefined && (known.end === undefined || record.order <= known.order)) return;
  tasks.set(taskId, record);
}

function changed(
  task: TaskRecord,
  record: Exclude<JournalRecord, { kind: 'task' | 'forgotten' | 'acknowledged' }>,
): TaskRecord {
  switch (record.kind) {
    case 'leased': {
      const { epoch, attempt, agentId } = record;
      const lease = { epoch, attempt, agentId };
      const submission = unsplit(task.submission);
      return { ...task, submission, attempt, lease, releaseAtMs: undefined };
    }
    case 'started':
      return { ...task, firstStartedAtMs: record.firstStartedAtMs, startByMs: undefined };
    case 'requeued': {
      const { attempt, errors, losses, failure, releaseAtMs } = record;
      return { ...task, attempt, errors, losses, failure, releaseAtMs, lease: undefined };
    }
    case 'cancelRequested':
      return { ...task, cancelRequested: record.reason };
    case 'ended': {
      // A dead letter keeps its input, so that it can be submitted again.
      const { end } = record;
      const submission = end.deadLettered ? task.submission : withoutInput(task.submission);
      return { ...task, submission, lease: undefined, end };
    }
    default: {
      const { kind }: { kind: string } = record;
      throw new InvariantError(`a record of the unknown kind ${kind}`);
    }
  }
}

/** Whoever is given a task gets the whole of it: there was nothing to split it for. */
function unsplit(submission: KeptSubmission): KeptSubmission {
  if (submission.shards === undefined) return submission;
  const { shards: _shards, positions: _positions, ...whole } = submission;
  return whole;
}

function withoutInput(submission: KeptSubmission): KeptSubmission {
  if (submission.payload === undefined) return submission;
  const { payload: _payload, ...rest } = submission;
  return rest;
}
