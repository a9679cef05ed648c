/** Checks the whole state against the invariants that its types name. Tests call it after every event. */
import { isTerminal } from '@quic-swarm/protocol';
import { hasRoomFor, isCapable, roomOf } from './agent-record.ts';
import { invariant } from './invariant.ts';
import { isDeadLetter } from './retention.ts';
import type { CoreState } from './state.ts';
import {
  inputBytesOf,
  resultBytesOf,
  submittedOf,
  type AgentLease,
  type Dependencies,
  type Task,
} from './task.ts';

/** Throws InvariantError at the first contradiction. */
export function validate(core: CoreState): void {
  let pending = 0;
  let pendingBytes = 0;
  let pendingEphemeral = 0;
  let inBuckets = 0;
  const counted = new Set([...core.agents.values()].flatMap(({ leases }) => [...leases]));
  for (const task of core.tasks.values()) {
    validateTask(task, counted);
    validateFamily(core, task);
    validateCopies(core, task);
    if (!isTerminal(task.state)) {
      pending += 1;
      pendingBytes += inputBytesOf(task);
      if (submittedOf(task).durability === undefined) pendingEphemeral += 1;
    }
    if (task.isRunnable) inBuckets += 1;
  }
  invariant(
    pending === core.pendingTasks,
    `${core.pendingTasks} tasks counted, ${pending} pending`,
  );
  invariant(pendingBytes === core.pendingBytes, 'pendingBytes is wrong');
  invariant(pendingEphemeral === core.pendingEphemeralTasks, 'pendingEphemeralTasks is wrong');
  invariant(inBuckets === core.queue.size, 'the queue lost count');
  invariant(core.shardNews.length === 0, 'news of shards were not heard');
  invariant(core.dependencyNews.length === 0, 'news of dependencies were not heard');
  invariant(core.copyNews.length === 0, 'news of copies were not heard');
  invariant(core.learningNews.length === 0, 'news of what is to be learnt were not heard');
  invariant(core.endedJudgements.length === 0, 'judgements were not heard');
  invariant(core.endedShadows.length === 0, 'news of shadows were not heard');
  for (const task of core.shadows) {
    const isKnown = core.tasks.get(task.taskId) === task && !isTerminal(task.state);
    invariant(isKnown, `shadow ${task.taskId} has ended and is kept`);
  }
  validateRetention(core);
  validateAgents(core);
  validateBuckets(core);
  validateDatasets(core);
}

function validateTask(task: Task, counted: ReadonlySet<AgentLease>): void {
  const { taskId, state } = task;
  const leased = task.split === undefined && (state === 'dispatched' || state === 'running');
  const { lease } = task;
  invariant(leased === (lease !== undefined), `task ${taskId}: ${state}, but its lease is wrong`);
  if (lease !== undefined) {
    invariant(lease.attempt === task.attempt, `task ${taskId}: its lease is of another attempt`);
    invariant(!lease.fenced, `task ${taskId}: its lease is fenced`);
    invariant(counted.has(lease), `task ${taskId}: no agent counts its lease`);
  }
  const isReleased = (task.timers?.release?.index ?? -1) < 0;
  invariant(
    task.isRunnable === (state === 'queued' && isReleased && task.split === undefined),
    `task ${taskId}: its place in the queue is wrong`,
  );
  if (!isTerminal(state)) return;
  invariant(
    task.input === undefined || isDeadLetter(task),
    `task ${taskId} is final and keeps its input`,
  );
  invariant(
    task.timers === undefined && task.startToCloseTimer === undefined,
    `task ${taskId} is final and has timers`,
  );
}

/** Where final tasks stay, and what waits for others. */
function validateRetention(core: CoreState): void {
  const dependents = new Map<string, number>();
  let needed = 0;
  for (const task of core.tasks.values()) {
    needed += task.dependents;
    if (isTerminal(task.state)) validateFinal(core, task);
    else if (task.after !== undefined && submittedOf(task) === task) {
      validateDependencies(core, task, task.after);
      for (const id of task.after.taskIds) dependents.set(id, (dependents.get(id) ?? 0) + 1);
    }
  }
  for (const [taskId, count] of dependents) {
    needed -= count;
    const found = core.tasks.get(taskId)?.dependents;
    invariant(found === count, `${found} tasks need ${taskId}, expected ${count}`);
  }
  invariant(needed === 0, `${needed} tasks are needed that have ended`);
  let unclaimedBytes = 0;
  for (const task of core.unclaimed) {
    invariant(task.durability?.isAcknowledged === false, `task ${task.taskId} waits to be claimed`);
    unclaimedBytes += resultBytesOf(task);
  }
  invariant(unclaimedBytes === core.unclaimedBytes, 'unclaimedBytes is wrong');
}

function validateFinal(core: CoreState, task: Task): void {
  if (submittedOf(task) !== task) return;
  const isKept = core.deadLetters.get(task.taskId) === task;
  invariant(isDeadLetter(task) === isKept, `dead letter ${task.taskId} is not among them`);
}

function validateDependencies(
  core: CoreState,
  { taskId, state }: Task,
  { taskIds, unfinished }: Dependencies,
): void {
  const open = taskIds.filter((id) => {
    const other = core.tasks.get(id);
    return other !== undefined && !isTerminal(other.state);
  });
  invariant(open.length === unfinished, `task ${taskId} lost count of others`);
  invariant(
    open.length === 0 || state === 'waiting',
    `task ${taskId} is ${state} before ${open[0]}`,
  );
}

/** A task in parts and its parts. */
function validateFamily(core: CoreState, task: Task): void {
  const { taskId, split, shard } = task;
  if (shard !== undefined) {
    const { parent, index } = shard;
    invariant(parent.split?.shards[index] === task, `shard ${taskId} is not its parent's`);
    invariant(core.tasks.get(parent.taskId) === parent, `the parent of ${taskId} is not known`);
  }
  if (split === undefined) return;
  const { shards, ended } = split;
  invariant(task.agentId === undefined, `task ${taskId} is split and has an agent`);
  if (isTerminal(task.state)) {
    invariant(shards.length === 0, `task ${taskId} has ended and has shards`);
    return;
  }
  invariant((task.state === 'waiting') === (shards.length === 0), `task ${taskId}: split too late`);
  for (const each of shards) {
    invariant(core.tasks.get(each.taskId) === each, `shard ${each.taskId} is not known`);
    invariant(isTerminal(each.state) === ended.has(each), `shard ${each.taskId} ended unnoticed`);
    invariant(
      each.firstStartedAtMs === undefined || task.state === 'running',
      `task ${taskId} is ${task.state}, its shard has begun`,
    );
  }
  const isOver = ended.size === shards.length && shards.length > 0;
  invariant(isOver === split.isMerging, `task ${taskId}: its shards have ended and it has not`);
}

/** A task that two agents may have, and its copy. */
function validateCopies(core: CoreState, { taskId, state, hedging }: Task): void {
  const { copy, original } = hedging ?? {};
  if (copy !== undefined && !isTerminal(state)) {
    invariant(copy.hedging?.original?.taskId === taskId, `the copy of ${taskId} is another's`);
    invariant(core.tasks.get(copy.taskId) === copy, `the copy of ${taskId} is not known`);
  }
  if (original !== undefined) {
    invariant(!isTerminal(original.state), `the copy ${taskId} has outlived its original`);
    invariant(
      original.hedging?.copy?.taskId === taskId,
      `the original of ${taskId} has another copy`,
    );
  }
}

function validateAgents(core: CoreState): void {
  const holders = new Map<string, string>();
  for (const agent of core.agents.values()) {
    invariant(
      agent.connectionId !== undefined || agent.leases.size === 0,
      `lost agent ${agent.agentId} has leases`,
    );
    const leases = [...agent.leases];
    const { length } = leases;
    invariant(length === agent.leases.size, `the leases of agent ${agent.agentId} lost count`);
    invariant(
      leases.filter(({ fenced }) => fenced).length === agent.fenced.size,
      `agent ${agent.agentId}: its fenced leases lost count`,
    );
    for (const lease of leases) {
      const { taskId } = lease.task;
      if (lease.fenced) {
        invariant(agent.fenced.get(taskId) === lease, `the fenced lease of ${taskId} is lost`);
        continue;
      }
      invariant(!holders.has(taskId), `task ${taskId} is leased to two agents`);
      holders.set(taskId, agent.agentId);
      const task = core.tasks.get(taskId);
      invariant(
        task === lease.task && task.agentId === agent.agentId && task.lease === lease,
        `agent ${agent.agentId} holds a lease of ${taskId} that its task does not know`,
      );
    }
  }
}

function validateBuckets(core: CoreState): void {
  for (const bucket of core.queue.buckets) {
    invariant(
      [...core.queue.tasksOf(bucket)].length === bucket.size,
      `bucket ${bucket.key} lost count`,
    );
    for (const agent of core.agents.values()) {
      const room = isCapable(agent, bucket.needs) ? roomOf(agent) : 'none';
      const hasRoom = hasRoomFor(room, bucket.needs);
      invariant(
        bucket.free.has(agent) === (hasRoom && room === 'slot') &&
          bucket.behind.has(agent) === (hasRoom && room !== 'slot'),
        `agent ${agent.agentId} in bucket ${bucket.key}`,
      );
    }
    const stuck = bucket.size > 0 && bucket.free.size + bucket.behind.size > 0;
    invariant(!stuck, `bucket ${bucket.key} has tasks and free agents`);
  }
}

function validateDatasets(core: CoreState): void {
  for (const agent of core.agents.values()) {
    for (const datasetId of agent.datasets) {
      invariant(
        core.holders.get(datasetId)?.has(agent) === true,
        `agent ${agent.agentId} is no holder of ${datasetId}`,
      );
    }
  }
  for (const [datasetId, holders] of core.holders) {
    invariant(holders.size > 0, `the holders of ${datasetId} are empty`);
    for (let place = 0; place < holders.size; place++) {
      invariant(
        holders.at(place).datasets.has(datasetId),
        `${holders.at(place).agentId} does not hold ${datasetId}`,
      );
    }
  }
  for (const { users, datasetId } of core.datasets.values()) {
    let expected = 0;
    for (const task of core.tasks.values()) {
      if (!isTerminal(task.state))
        expected += task.datasets.filter((id) => id === datasetId).length;
    }
    invariant(users === expected, `data set ${datasetId} has ${users} users, expected ${expected}`);
  }
}
