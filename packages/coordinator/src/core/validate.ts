/** Checks the whole state against the invariants that its types name. Tests call it after every event. */
import { isTerminal } from '@quic-swarm/protocol';
import { hasRoomFor, isCapable, roomOf } from './agent-record.ts';
import { invariant } from './invariant.ts';
import type { CoreState } from './state.ts';
import type { Task } from './task.ts';

/** Throws InvariantError at the first contradiction. */
export function validate(core: CoreState): void {
  let pending = 0;
  let pendingBytes = 0;
  let inBuckets = 0;
  for (const task of core.tasks.values()) {
    validateTask(core, task);
    if (!isTerminal(task.state)) {
      pending += 1;
      pendingBytes += task.inputBytes;
    }
    if (task.laneEntry !== undefined) inBuckets += 1;
  }
  invariant(
    pending === core.pendingTasks,
    `${core.pendingTasks} tasks counted, ${pending} pending`,
  );
  invariant(pendingBytes === core.pendingBytes, 'pendingBytes is wrong');
  invariant(inBuckets === core.queue.size, 'the queue lost count');
  validateAgents(core);
  validateBuckets(core);
  validateDatasets(core);
}

function validateTask(core: CoreState, task: Task): void {
  const { taskId, state } = task;
  const leased = state === 'dispatched' || state === 'running';
  const lease = core.agents.get(task.agentId ?? '')?.leases.get(taskId);
  invariant(!leased || lease?.attempt === task.attempt, `task ${taskId}: ${state} without a lease`);
  invariant(!leased || lease?.fenced === false, `task ${taskId}: its lease is fenced`);
  invariant(
    (task.laneEntry !== undefined) === (state === 'queued' && !task.inBackoff),
    `task ${taskId}: its place in the queue is wrong`,
  );
  if (!isTerminal(state)) return;
  invariant(task.input === undefined, `task ${taskId} is final and keeps its input`);
  const timers = [
    task.releaseTimer,
    task.scheduleToStartTimer,
    task.scheduleToCloseTimer,
    task.startToCloseTimer,
  ];
  invariant(
    timers.every((timer) => timer === undefined || timer.index < 0),
    `task ${taskId} is final and has timers`,
  );
}

function validateAgents(core: CoreState): void {
  const holders = new Map<string, string>();
  for (const agent of core.agents.values()) {
    invariant(
      agent.connectionId !== undefined || agent.leases.size === 0,
      `lost agent ${agent.agentId} has leases`,
    );
    for (const [taskId, { task: leased, fenced, attempt }] of agent.leases) {
      if (fenced) continue;
      invariant(!holders.has(taskId), `task ${taskId} is leased to two agents`);
      holders.set(taskId, agent.agentId);
      const task = core.tasks.get(taskId);
      invariant(
        task === leased && task.agentId === agent.agentId && task.attempt === attempt,
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
      const room = isCapable(agent, bucket) ? roomOf(agent) : 'none';
      const hasRoom = hasRoomFor(room, bucket);
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
