/**
 * Tasks that are computed in parts: a task that was submitted with `shards` is split into tasks of its own kind, one per
 * range of positions. Each has its own attempts, retries and leases, so that a lost one is repeated alone; the queue and
 * the agents see nothing but tasks. The task that was split, their parent, is given to nobody:
 *
 * - It runs when its first shard does, and its progress is the mean of theirs.
 * - When all have succeeded their results are merged, and then it has succeeded.
 * - When one fails for good, the parent fails at once, and the others are stopped.
 * - Cancelling it cancels them, and it ends when they have. Its time limits are its own; its end is theirs.
 *
 * Shards live as long as their parent has not ended. task-flow.ts does not know of any of this: it puts those that moved
 * on a list, which is worked off after each event.
 */
import { failure, isTerminal, type Failure, type SubmitTask } from '@quic-swarm/protocol';
import { claimDatasets } from './datasets.ts';
import { refuseLong } from './durability.ts';
import type { ShardsMerged } from './events.ts';
import { startSplit } from './leasing.ts';
import { rangesOf, shardCountOf, shardIdOf } from './shard-plan.ts';
import type { CoreState } from './state.ts';
import * as flow from './task-flow.ts';
import { createShard } from './task-making.ts';
import {
  outputOf,
  triesOf,
  resultBytesOf,
  troubleOf,
  type AgentLease,
  type ShardRole,
  type Split,
  type Task,
} from './task.ts';
import { announceProgress } from './watchers.ts';

/** Words of others are quoted, and the whole must fit. */
const QUOTED_LENGTH_MAX = 3000;

/** Why a task cannot be split as its submission wants; undefined when it can, or wants nothing of the kind. */
export function refuseSplit(
  { options }: CoreState,
  { shards, positions, taskType }: SubmitTask,
): Failure | undefined {
  if (shards === undefined) return undefined;
  if (positions === undefined) {
    return failure('BAD_OPTION', 'The task is to be split, but nothing says how long it is.', {
      hint: 'Submit it with positions beside shards.',
    });
  }
  if (options.mergedTaskTypes.includes(taskType)) return undefined;
  return failure(
    'UNSUPPORTED_OPTION',
    `This coordinator cannot merge the results of ${taskType}, so that it cannot be split.`,
    {
      hint: `It can split: ${options.mergedTaskTypes.join(', ') || 'nothing'}. Start it with a merger for others.`,
    },
  );
}

/** Does what follows for the families of all that moved. */
export function followShards(core: CoreState): void {
  // What is done here moves others; they come behind.
  for (let task = core.shardNews.shift(); task !== undefined; task = core.shardNews.shift()) {
    if (task.shard !== undefined) followShard(core, task, task.shard);
    else if (task.split !== undefined) followParent(core, task, task.split);
  }
}

function followParent(core: CoreState, task: Task, split: Split): void {
  if (isTerminal(task.state)) dropShards(core, split);
  else if (task.state === 'queued' && split.shards.length === 0) splitTask(core, task, split);
}

function splitTask(core: CoreState, task: Task, split: Split): void {
  const count = shardCountOf(core, task, split);
  if (count === 1) {
    task.split = undefined;
    flow.makeRunnable(core, task);
    return;
  }
  split.count = count;
  split.shards = rangesOf(split.positions, count).map((range, index) => {
    const shardId = freeIdOf(core, task.taskId, index);
    const role = { index, count, ...range };
    return createShard(task, role, shardId, core.nextOrder(), core.nowMs);
  });
  for (const shard of split.shards) {
    core.tasks.add(shard);
    flow.countPending(core, shard, 1);
    claimDatasets(core, shard.datasets);
    flow.enqueue(core, shard);
  }
}

function freeIdOf(core: CoreState, parentId: string, index: number): string {
  for (let salt = 0; ; salt += 1) {
    const id = shardIdOf(parentId, index, salt);
    if (core.tasks.get(id) === undefined) return id;
  }
}

/** The parent has ended: nobody needs its shards, nor what they have answered. */
function dropShards(core: CoreState, split: Split): void {
  for (const shard of split.shards) {
    flow.abandon(core, shard, 'The task that it is a part of has ended.');
    core.tasks.delete(shard);
  }
  split.shards = [];
  split.results = [];
  split.ended.clear();
}

function followShard(core: CoreState, shard: Task, { parent, index }: ShardRole): void {
  const { split } = parent;
  if (split === undefined || isTerminal(parent.state)) return;
  if (parent.state === 'queued' && shard.firstStartedAtMs !== undefined) {
    parent.attempt = 1;
    startSplit(core, parent);
  }
  split.attempts = split.shards.reduce((sum, each) => sum + triesOf(each), 0);
  tellProgress(core, parent, split);
  if (!isTerminal(shard.state) || split.ended.has(shard)) return;
  split.ended.add(shard);
  parent.computeMs = (parent.computeMs ?? 0) + (shard.computeMs ?? 0);
  // As if it were one task: the first attempt, and one more for each that was repeated.
  parent.attempt += Math.max(0, triesOf(shard) - 1);
  if (shard.state === 'succeeded') keepResult(core, parent, split, shard, index);
  else if (parent.cancelRequested === undefined) fail(core, parent, split, shard, index);
  if (!isTerminal(parent.state) && split.ended.size === split.shards.length) {
    conclude(core, parent, split);
  }
}

function keepResult(core: CoreState, parent: Task, split: Split, shard: Task, index: number): void {
  split.results[index] = { payload: shard.result, payloadEncoding: shard.resultEncoding };
  split.resultType = shard.resultType;
  split.succeeded += 1;
  // What it has sent ahead is not passed on.
  shard.output = undefined;
  split.resultBytes += resultBytesOf(shard);
  shard.result = undefined;
  const { shardResultBytesMax } = core.options;
  if (split.resultBytes <= shardResultBytesMax) return;
  const reason = failure(
    'PAYLOAD_TOO_LARGE',
    `The results of the shards have more than ${shardResultBytesMax} bytes together.`,
    { hint: 'Ask for less, or split the task into fewer shards.' },
  );
  flow.finish(core, parent, 'failed', reason);
}

function fail(core: CoreState, parent: Task, split: Split, shard: Task, index: number): void {
  const reason = shard.trouble?.failure ?? failure('TASK_FAILED', 'No reason was given.');
  const words = reason.message.slice(0, QUOTED_LENGTH_MAX);
  troubleOf(parent).deadLettered = shard.trouble?.deadLettered ?? false;
  flow.finish(core, parent, shard.state === 'timed_out' ? 'timed_out' : 'failed', {
    ...reason,
    message: `Shard ${index + 1} of ${split.shards.length}: ${words}`,
  });
}

/** A shard has proved a bound, which all others may use; or it only wants to hear of theirs. */
export function shareBound(
  core: CoreState,
  { parent }: ShardRole,
  lease: AgentLease,
  distance: number = Infinity,
): void {
  const { split } = parent;
  if (split === undefined) return;
  lease.hearsBounds = true;
  if (distance > split.bound) tellBound(core, lease, split.bound);
  if (distance >= split.bound) return;
  split.bound = distance;
  for (const shard of split.shards) {
    // The shards of one agent tell each other.
    if (shard.agentId === lease.task.agentId || shard.lease?.hearsBounds !== true) continue;
    tellBound(core, shard.lease, distance);
  }
}

function tellBound(core: CoreState, { epoch, attempt, task }: AgentLease, distance: number): void {
  const agent = core.agents.get(task.agentId ?? '');
  if (agent?.connectionId === undefined) return;
  core.send(agent.connectionId, 'dispatch', {
    type: 'ShardBound',
    body: { epoch, taskId: task.taskId, attempt, distance },
  });
}

/** All shards have ended, and none has failed. */
function conclude(core: CoreState, parent: Task, split: Split): void {
  if (split.shards.some(({ state }) => state !== 'succeeded')) {
    const why = parent.cancelRequested ?? '';
    flow.finish(core, parent, 'cancelled', failure('TASK_CANCELLED', why));
    return;
  }
  split.isMerging = true;
  core.effects.push({
    type: 'MergeShards',
    taskId: parent.taskId,
    taskType: parent.needs.taskType,
    results: split.results,
    resultType: split.resultType,
    attempts: split.attempts,
  });
}

/** The results are one: the task has succeeded, unless it was ended meanwhile. */
export function finishMerged(core: CoreState, { taskId, merged }: ShardsMerged): void {
  const task = core.tasks.get(taskId);
  if (task?.split?.isMerging !== true || isTerminal(task.state)) return;
  if ('failure' in merged) {
    flow.finish(core, task, 'failed', merged.failure);
    return;
  }
  const tooLong =
    task.durability === undefined
      ? undefined
      : refuseLong(core, 'result', merged.payload?.length ?? 0);
  if (tooLong !== undefined) {
    flow.finish(core, task, 'failed', tooLong);
    return;
  }
  task.result = merged.payload;
  task.resultType = merged.resultType;
  flow.finish(core, task, 'succeeded');
}

function tellProgress(core: CoreState, parent: Task, split: Split): void {
  const sum = split.shards.reduce((done, { state, output }) => {
    return done + (state === 'succeeded' ? 1 : (output?.fraction ?? 0));
  }, 0);
  const fraction = sum / split.shards.length;
  outputOf(parent).fraction = fraction;
  const percent = Math.floor(100 * fraction);
  // A thousand shards would say ten thousand times a second what a person sees a hundred times in all.
  if (percent === split.toldPercent) return;
  split.toldPercent = percent;
  announceProgress(core, parent, fraction);
}

/** Somebody wants a task to stop: with all its shards, and the whole of it when it is one of those. */
export function cancelWhole(core: CoreState, task: Task, reason: string, graceMs: number): void {
  const whole = task.shard?.parent ?? task;
  const shards = whole.split?.shards ?? [];
  if (shards.length === 0) {
    flow.cancel(core, whole, reason, graceMs);
    return;
  }
  whole.cancelRequested ??= reason;
  for (const shard of shards) flow.cancel(core, shard, reason, graceMs);
}
