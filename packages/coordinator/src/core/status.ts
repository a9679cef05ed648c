/** The core's part of the status views. Counts over time come from the shell's statistics. */
import {
  type AgentRow,
  type Failure,
  type StatusSummary,
  type TaskRow,
  type TaskState,
} from '@quic-swarm/protocol';
import { stateOf, type Agent } from './agent-record.ts';
import { agentsFor, backoffReasonOf } from './pending-reason.ts';
import { bestOf } from './best-of.ts';
import type { CoreState } from './state.ts';
import {
  isInBackoff,
  submittedOf,
  triesOf,
  wireShardOf,
  type Task,
  type TaskNeeds,
} from './task.ts';

const BRIEF_MESSAGE_LENGTH = 200;

/** What the summary says of tasks at this moment. */
export type TaskCounts = Pick<
  StatusSummary['tasks'],
  'byState' | 'byPendingReason' | 'queuedBytes' | 'oldestQueuedMs'
>;

/** Counts tasks by state, and waiting ones by reason. Walks over all known tasks: for people, not for hot paths. */
export function countTasks(core: CoreState, nowMs: number): TaskCounts {
  const byState: Record<string, number> = {};
  const byPendingReason: Record<string, number> = {};
  let oldestQueuedMs = 0;
  const shardsByNeeds = new Map<TaskNeeds, number>();
  for (const task of core.tasks.values()) {
    // Parts of a task are no tasks of anybody's: their parent counts.
    if (submittedOf(task) !== task) {
      if (!task.isRunnable) continue;
      shardsByNeeds.set(task.needs, (shardsByNeeds.get(task.needs) ?? 0) + 1);
      continue;
    }
    byState[task.state] = (byState[task.state] ?? 0) + 1;
    if (task.state !== 'queued') continue;
    oldestQueuedMs = Math.max(oldestQueuedMs, nowMs - task.acceptedAtMs);
    const own = task.split === undefined ? undefined : agentsFor(core, task).pendingReason;
    const reason = isInBackoff(task) ? backoffReasonOf(task) : own;
    if (reason !== undefined) byPendingReason[reason] = (byPendingReason[reason] ?? 0) + 1;
  }
  for (const bucket of core.queue.buckets) {
    const [first] = core.queue.tasksOf(bucket);
    if (first === undefined) continue;
    const waiting = bucket.size - (shardsByNeeds.get(bucket.needs) ?? 0);
    if (waiting === 0) continue;
    const reason = agentsFor(core, first).pendingReason ?? 'NO_FREE_SLOT';
    byPendingReason[reason] = (byPendingReason[reason] ?? 0) + waiting;
  }
  return { byState, byPendingReason, queuedBytes: core.pendingBytes, oldestQueuedMs };
}

/** The core's part of an agent's row. */
export function agentRow(agent: Agent, nowMs: number): Omit<AgentRow, 'roundTripMs' | 'work'> {
  const { lastHeartbeat } = agent;
  return {
    agentId: agent.agentId,
    agentType: agent.agentType,
    state: stateOf(agent),
    address: agent.address,
    capabilities: [...agent.capabilities],
    labels: agent.labels,
    slots: agent.slots,
    credit: agent.credit,
    leases: agent.leases.size,
    running: [...agent.leases].filter(({ started }) => started).length,
    connectedForMs: nowMs - agent.connectedAtMs,
    lastHeardMs: nowMs - agent.lastHeardMs,
    eventLoopLagMs: lastHeartbeat?.eventLoopLagMs ?? 0,
    memoryBytes: lastHeartbeat?.memoryBytes ?? 0,
    datasets: agent.datasets.size,
    serviceTimeMs: agent.serviceTimeMs,
  };
}

/** Tasks in the given states (all without), newest first; the parts of a task behind it. */
export function taskRows(
  core: CoreState,
  states: readonly TaskState[] | undefined,
  limit: number,
  nowMs: number,
): { rows: TaskRow[]; rowsInAll: number } {
  const wanted = tasksIn(core, states);
  const newestFirst = (a: Task, b: Task): number => rankOf(b) - rankOf(a) || a.order - b.order;
  const { best, all } = bestOf(wanted, limit, newestFirst);
  return { rows: best.map((task) => taskRow(core, task, nowMs)), rowsInAll: all };
}

function* tasksIn(core: CoreState, states: readonly TaskState[] | undefined): Generator<Task> {
  for (const task of core.tasks.values()) {
    if (states?.includes(task.state) ?? true) yield task;
  }
}

/** Tasks that failed for good after all tries, the newest first. */
export function deadLetterRows(
  core: CoreState,
  limit: number,
  nowMs: number,
): { rows: TaskRow[]; rowsInAll: number } {
  const newest = [...core.deadLetters.values()].reverse();
  const rows = newest.slice(0, limit).map((task) => taskRow(core, task, nowMs));
  return { rows, rowsInAll: newest.length };
}

/** One task; `alone` with its place in the queue and the whole failure, otherwise as a row of many. */
export function taskRow(core: CoreState, task: Task, nowMs: number, alone = false): TaskRow {
  const { pendingReason, candidates } = agentsFor(core, task);
  const { output, trouble } = task;
  return {
    taskId: task.taskId,
    taskType: task.needs.taskType,
    state: task.state,
    ...(pendingReason === undefined ? {} : { pendingReason, candidates }),
    ...(alone && task.isRunnable ? { position: positionOf(core, task) } : {}),
    priority: task.terms.priority,
    attempt: task.attempt,
    deliveries: trouble?.losses ?? 0,
    ...(task.agentId === undefined ? {} : { agentId: task.agentId }),
    cancelRequested: task.cancelRequested !== undefined,
    ageMs: (task.endedAtMs ?? nowMs) - task.acceptedAtMs,
    ...(output?.fraction === undefined ? {} : { fraction: output.fraction }),
    ...(trouble?.failure === undefined
      ? {}
      : { failure: alone ? trouble.failure : briefly(trouble.failure) }),
    deadLettered: trouble?.deadLettered ?? false,
    durable: task.durability !== undefined,
    ...(task.after === undefined ? {} : { waitsFor: task.after.unfinished }),
    ...(task.replayOf === undefined ? {} : { replayOf: task.replayOf }),
    submittedBy: task.submitter.clientName,
    ...familyOf(task),
  };
}

function rankOf(task: Task): number {
  return submittedOf(task).order;
}

/** The parts of a task that has some, or which part it is. */
function familyOf({ split, shard }: Task): Pick<TaskRow, 'shards' | 'shard'> {
  if (shard !== undefined) return { shard: wireShardOf(shard) };
  if (split === undefined || split.count === 0) return {};
  const { count, shards } = split;
  const isOf = (state: TaskState): number => shards.filter((each) => each.state === state).length;
  // When it has ended its shards are gone, and what counts of them is how often they were tried.
  const attempts = shards.reduce((sum, each) => sum + triesOf(each), 0) || split.attempts;
  const succeeded = shards.length === 0 ? split.succeeded : isOf('succeeded');
  return { shards: { count, running: isOf('running'), succeeded, attempts } };
}

/** Tasks of its bucket that come before it, and one. */
function positionOf(core: CoreState, task: Task): number {
  for (const bucket of core.queue.buckets) {
    if (bucket.needs !== task.needs) continue;
    let position = 1;
    for (const other of core.queue.tasksOf(bucket)) {
      if (other === task) return position;
      position += 1;
    }
  }
  return 0;
}

/** A thousand rows must fit into one control frame, so they carry no stacks and no long messages. */
function briefly({ code, type, message, retryable }: Failure): Failure {
  return { code, type, message: message.slice(0, BRIEF_MESSAGE_LENGTH), retryable };
}
