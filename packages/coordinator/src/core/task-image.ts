/** A durable task as it is written down. How it is made of that again is in restored-tasks.ts. */
import type { TerminalTaskState } from '@quic-swarm/protocol';
import type { KeptSubmission, TaskEnd, TaskRecord } from './journal-records.ts';
import { chunkCountOf, type KeptLease, type Task } from './task.ts';
import type { Scheduled } from './timers.ts';
import type { WallClock } from './wall-clock.ts';

/** Everything about a task that the next life needs. */
export function imageOf(clock: WallClock, task: Task): TaskRecord {
  const { trouble, timers, durability } = task;
  const wall = (ms: number | undefined): number | undefined =>
    ms === undefined ? undefined : clock.toWallMs(ms);
  return {
    kind: 'task',
    submission: submissionOf(task),
    idempotency: task.idempotency,
    replayOf: task.replayOf,
    clientName: task.submitter.clientName,
    order: task.order,
    acceptedAtMs: clock.toWallMs(task.acceptedAtMs),
    attempt: task.attempt,
    errors: trouble?.errors ?? 0,
    losses: trouble?.losses ?? 0,
    failure: trouble?.failure,
    cancelRequested: task.cancelRequested,
    firstStartedAtMs: wall(task.firstStartedAtMs),
    releaseAtMs: wall(timeOf(timers?.release)),
    startByMs: wall(timeOf(timers?.scheduleToStart)),
    endByMs: wall(timeOf(timers?.scheduleToClose)),
    lease: leaseOfImage(task),
    end: task.endedAtMs === undefined ? undefined : endOf(clock, task),
    isAcknowledged: durability?.isAcknowledged ?? false,
  };
}

/** How a final task ended. */
export function endOf(clock: WallClock, task: Task): TaskEnd {
  const { endedAtMs = clock.nowMs, firstStartedAtMs, trouble } = task;
  return {
    state: task.state as TerminalTaskState,
    attempt: task.attempt,
    agentId: task.agentId,
    failure: trouble?.failure,
    deadLettered: trouble?.deadLettered ?? false,
    endedAtMs: clock.toWallMs(endedAtMs),
    firstStartedAtMs: firstStartedAtMs === undefined ? undefined : clock.toWallMs(firstStartedAtMs),
    computeMs: task.computeMs,
    payload: task.result,
    payloadEncoding: task.resultEncoding,
    resultType: task.resultType,
    chunkCount: chunkCountOf(task),
  };
}

/** The submission again, with everything spelled out that its defaults were. */
export function submissionOf(task: Task): KeptSubmission {
  const { needs, terms, split, input, inputEncoding, after, learning } = task;
  const submission: KeptSubmission = {
    taskId: task.taskId,
    taskType: needs.taskType,
    datasets: task.datasets,
    priority: terms.priority,
    idempotent: terms.idempotent,
    startToCloseMs: terms.startToCloseMs,
    retry: terms.retry,
    onClientLoss: terms.onClientLoss,
    durable: task.durability !== undefined,
    hedge: terms.hedge,
  };
  if (needs.agentType !== undefined) submission.agentType = needs.agentType;
  if (needs.labels !== undefined) submission.labels = needs.labels;
  if (terms.fairnessKey !== undefined) submission.fairnessKey = terms.fairnessKey;
  if (after !== undefined) submission.after = [...after.taskIds];
  if (split !== undefined) {
    submission.shards = split.wanted;
    submission.positions = split.positions;
  }
  if (learning !== undefined) {
    const { context, seriesId, step, wantsShadow } = learning;
    const series = seriesId === undefined ? {} : { seriesId };
    submission.learn = { context, step, shadow: wantsShadow, ...series };
  }
  if (input !== undefined) submission.payload = input;
  if (inputEncoding !== undefined) submission.payloadEncoding = inputEncoding;
  return submission;
}

function leaseOfImage({ lease, agentId = '', durability }: Task): KeptLease | undefined {
  if (lease === undefined) return durability?.returning;
  return { epoch: lease.epoch, attempt: lease.attempt, agentId };
}

/** When a timer will fire; undefined when it is not set. */
function timeOf(timer: Scheduled | undefined): number | undefined {
  return timer === undefined || timer.index < 0 ? undefined : timer.atMs;
}
