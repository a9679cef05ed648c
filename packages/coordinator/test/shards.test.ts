/** The life of a task in parts: parent and shards, whatever happens to either. */
import type { BodyOf } from '@quic-swarm/protocol';
import { TASK_ID_PATTERN } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import type { MergeShards } from '../src/core/effects.ts';
import { rangesOf, shardIdOf } from '../src/core/shard-plan.ts';
import { CoreHarness, taskIdOf, type PlayedAgent, type PlayedClient } from './core-harness.ts';

type AgentTask = BodyOf<'AgentTask'>;

const OPTIONS = { features: ['shards'] as const, mergedTaskTypes: ['PatternMatch'] };

function swarmWith(
  agents: number,
  options: ConstructorParameters<typeof CoreHarness>[0] = {},
): { swarm: CoreHarness; client: PlayedClient; agents: PlayedAgent[] } {
  const swarm = new CoreHarness({ ...OPTIONS, ...options });
  const client = swarm.client();
  return {
    swarm,
    client,
    agents: Array.from({ length: agents }, (_, n) => swarm.agent(`agent-${n}`)),
  };
}

function takeAll(agents: readonly PlayedAgent[]): { agent: PlayedAgent; task: AgentTask }[] {
  return agents.flatMap((agent) => agent.takeTasks().map((task) => ({ agent, task })));
}

function idsOf({ core }: CoreHarness): string[] {
  return [...core.state.tasks.values()].map(({ taskId }) => taskId);
}

function mergesOf({ effects }: CoreHarness): MergeShards[] {
  return effects.filter((effect) => effect.type === 'MergeShards');
}

function merge(swarm: CoreHarness, taskId: string, payload = new Uint8Array([9])): void {
  swarm.feed({
    type: 'ShardsMerged',
    taskId,
    merged: { payload, resultType: 'PatternMatchResult' },
  });
}

function kinds(client: PlayedClient): string[] {
  return client.take('TaskEvent').map(({ kind, state }) => `${kind} ${state}`);
}

describe('what shards have proved', () => {
  it('is passed on to those on other agents that want to hear of it, and to whoever asks later', () => {
    const { client, agents } = swarmWith(3);
    client.submit(1, { shards: 4, positions: 40 });
    const given = takeAll(agents).map(({ agent, task: { epoch, taskId, attempt } }) => ({
      agent,
      lease: { epoch, taskId, attempt },
    }));
    expect(new Set(given.slice(0, 3).map(({ agent }) => agent)).size).toBeGreaterThan(1);
    const [first] = given;
    const twin = given.find((each) => each !== first && each.agent === first?.agent);
    const others = given.filter(({ agent }) => agent !== first?.agent);
    const [second, third] = others;
    if (first === undefined || twin === undefined || second === undefined || third === undefined) {
      throw new Error('Four shards on three agents were expected.');
    }
    for (const { agent, lease } of [first, twin, second]) agent.say('ShardBound', { ...lease });
    const heard = (): unknown[] =>
      [...new Set(agents)].flatMap((agent) => agent.take('ShardBound'));
    expect(heard()).toEqual([]);
    first.agent.say('ShardBound', { ...first.lease, distance: 3 });
    // Not to the other shard of the same agent, nor to one that has never asked.
    expect(heard()).toEqual([{ ...second.lease, distance: 3 }]);
    // What is no better is answered, and goes no further.
    second.agent.say('ShardBound', { ...second.lease, distance: 4 });
    expect(heard()).toEqual([{ ...second.lease, distance: 3 }]);
    third.agent.say('ShardBound', { ...third.lease });
    expect(heard()).toEqual([{ ...third.lease, distance: 3 }]);
    third.agent.say('ShardBound', { ...third.lease, distance: 0 });
    const told = heard();
    expect(told).toContainEqual({ ...first.lease, distance: 0 });
    expect(told).toContainEqual({ ...twin.lease, distance: 0 });
    // An attempt that is over proves nothing any more, and hears nothing.
    first.agent.complete(first.lease);
    first.agent.say('ShardBound', { ...first.lease, distance: 0 });
    expect(heard()).not.toContainEqual(expect.objectContaining({ taskId: first.lease.taskId }));
  });

  it('counts for the shard that is tried again elsewhere', () => {
    const { swarm, client, agents } = swarmWith(2);
    client.submit(1, { shards: 2, positions: 20 });
    const [first] = takeAll(agents);
    if (first === undefined) throw new Error('Shards were expected.');
    const { epoch, taskId, attempt } = first.task;
    first.agent.say('ShardBound', { epoch, taskId, attempt, distance: 2 });
    first.agent.fail(first.task, 'WORKER_CRASHED', true);
    swarm.advance(200);
    const [again] = takeAll(agents);
    if (again === undefined) throw new Error('The shard was to be given again.');
    expect(again.task.taskId).toBe(taskId);
    const lease = { epoch, taskId, attempt: again.task.attempt };
    again.agent.say('ShardBound', lease);
    expect(again.agent.take('ShardBound')).toEqual([{ ...lease, distance: 2 }]);
  });
});

describe('a task in parts', () => {
  it('is given to agents by ranges that cover it, and ends with the merged result of all, in their order', () => {
    const { swarm, client, agents } = swarmWith(2);
    const taskId = client.submit(1, { shards: 3, positions: 10, watch: 'all', priority: 2 });
    const given = takeAll(agents);
    expect(given).toHaveLength(3);
    const shards = given.map(({ task }) => task.shard);
    expect(shards.toSorted((a, b) => (a?.index ?? 0) - (b?.index ?? 0))).toEqual([
      { of: taskId, index: 0, count: 3, start: 0, end: 4 },
      { of: taskId, index: 1, count: 3, start: 4, end: 7 },
      { of: taskId, index: 2, count: 3, start: 7, end: 10 },
    ]);
    for (const { task } of given) {
      expect(task.taskId).toMatch(TASK_ID_PATTERN);
      expect(task.payload).toEqual(new Uint8Array([1]));
    }
    expect(new Set(given.map(({ task }) => task.taskId)).size).toBe(3);
    expect(swarm.row(taskId)).toMatchObject({ state: 'queued', shards: { count: 3, running: 0 } });
    kinds(client);

    const byIndex = given.toSorted(
      (a, b) => (b.task.shard?.index ?? 0) - (a.task.shard?.index ?? 0),
    );
    for (const { agent, task } of byIndex) {
      agent.start(task);
      agent.complete(task, { payload: new Uint8Array([task.shard?.index ?? 99]), computeMs: 5 });
    }
    expect(mergesOf(swarm)).toEqual([
      expect.objectContaining({
        taskId,
        attempts: 3,
        results: [0, 1, 2].map((n) => ({
          payload: new Uint8Array([n]),
          payloadEncoding: undefined,
        })),
      }),
    ]);
    expect(swarm.core.isIdle).toBe(false);
    merge(swarm, taskId);
    const events = client.take('TaskEvent');
    expect(events.map(({ kind }) => kind)).toEqual([
      'state',
      'progress',
      'progress',
      'progress',
      'end',
    ]);
    expect(events.every((event) => event.taskId === taskId)).toBe(true);
    expect(events.map(({ fraction }) => fraction).filter((x) => x !== undefined)).toEqual([
      1 / 3,
      2 / 3,
      1,
    ]);
    expect(events.at(-1)).toMatchObject({
      state: 'succeeded',
      attempt: 1,
      payload: new Uint8Array([9]),
      resultType: 'PatternMatchResult',
      computeMs: 15,
    });
    expect(swarm.core.isIdle).toBe(true);
    expect(idsOf(swarm)).toEqual([taskId]);
    expect(swarm.row(taskId).shards).toEqual({ count: 3, running: 0, succeeded: 3, attempts: 3 });
    // A task is counted once, however many parts it has.
    expect(swarm.effects.filter(({ type }) => type === 'TaskEnded')).toHaveLength(1);
    expect(swarm.effects.filter(({ type }) => type === 'AttemptEnded')).toHaveLength(3);
  });

  it('repeats only the shards of an agent that is lost', () => {
    const { swarm, client, agents } = swarmWith(2);
    const taskId = client.submit(1, { shards: 4, positions: 100 });
    const [first, second] = agents as [PlayedAgent, PlayedAgent];
    const lost = first.takeTasks();
    const kept = second.takeTasks();
    expect([lost.length, kept.length]).toEqual([2, 2]);
    for (const task of lost) first.start(task);
    for (const task of kept) second.complete(task);
    first.vanish();
    expect(swarm.row(taskId).state).toBe('running');
    const again = second.takeTasks();
    expect(new Set(again.map(({ taskId: id }) => id))).toEqual(
      new Set(lost.map((task) => task.taskId)),
    );
    expect(again.map(({ attempt }) => attempt)).toEqual([2, 2]);
    for (const task of again) second.complete(task);
    expect(mergesOf(swarm)[0]?.attempts).toBe(6);
    merge(swarm, taskId);
    expect(client.ends().get(taskId)).toMatchObject({ state: 'succeeded', attempt: 3 });
  });

  it('fails with the first shard that fails for good, and stops the others', () => {
    const { swarm, client, agents } = swarmWith(2);
    const taskId = client.submit(1, { shards: 6, positions: 100 });
    const given = takeAll(agents);
    expect(given).toHaveLength(4);
    const [bad, other] = given as [(typeof given)[0], (typeof given)[0]];
    other.agent.start(other.task);
    bad.agent.fail(bad.task, 'BAD_INPUT', false);
    const end = client.ends().get(taskId);
    expect(end).toMatchObject({ state: 'failed', failure: { type: 'BAD_INPUT' } });
    expect(end?.failure?.message).toBe(`Shard ${(bad.task.shard?.index ?? 9) + 1} of 6: because`);
    const stopped = agents.flatMap((agent) => agent.take('CancelTask').map((each) => each.taskId));
    const others = given.filter((each) => each !== bad).map(({ task }) => task.taskId);
    expect(new Set(stopped)).toEqual(new Set(others));
    // Those that waited are never given to anybody.
    expect(takeAll(agents)).toEqual([]);
    expect(swarm.core.isIdle).toBe(true);
    other.agent.complete(other.task);
    expect(other.agent.take('MessageAck').at(-1)?.status).toBe('STALE');
    expect(mergesOf(swarm)).toEqual([]);
  });

  it('tries a shard again that may succeed, and dies of it in the end', () => {
    const { client, agents, swarm } = swarmWith(1);
    const taskId = client.submit(1, { shards: 2, positions: 100, retry: { maximumAttempts: 2 } });
    const [agent] = agents as [PlayedAgent];
    const [bad, good] = agent.takeTasks() as [AgentTask, AgentTask];
    agent.complete(good);
    agent.fail(bad, 'TASK_FAILED', true);
    expect(client.ends().size).toBe(0);
    swarm.advance(1000);
    const [again] = agent.takeTasks();
    expect(again).toMatchObject({ taskId: bad.taskId, attempt: 2 });
    agent.fail(again as AgentTask, 'TASK_FAILED', true);
    expect(client.ends().get(taskId)).toMatchObject({ state: 'failed', deadLettered: true });
  });

  it('ends when all shards have answered its cancellation', () => {
    const { swarm, client, agents } = swarmWith(1);
    const taskId = client.submit(1, { shards: 4, positions: 100 });
    const [agent] = agents as [PlayedAgent];
    const [one, two] = agent.takeTasks() as [AgentTask, AgentTask];
    agent.start(one);
    client.say('CancelTask', { requestId: 5, taskId, reason: 'enough', graceMs: 30 });
    expect(agent.take('CancelTask').map((each) => [each.taskId, each.graceMs])).toEqual([
      [one.taskId, 30],
      [two.taskId, 30],
    ]);
    agent.complete(one, { outcome: 'cancelled' });
    expect(client.ends().size).toBe(0);
    agent.complete(two);
    expect(client.ends().get(taskId)).toMatchObject({
      state: 'cancelled',
      failure: { type: 'TASK_CANCELLED', message: 'enough' },
    });
    expect(swarm.core.isIdle).toBe(true);
    expect(agent.takeTasks()).toEqual([]);
  });

  it('succeeds when all shards were faster than the cancellation', () => {
    const { swarm, client, agents } = swarmWith(1);
    const taskId = client.submit(1, { shards: 2, positions: 100 });
    const [agent] = agents as [PlayedAgent];
    const tasks = agent.takeTasks();
    client.say('CancelTask', { requestId: 5, taskId, reason: 'enough', graceMs: 30 });
    for (const task of tasks) agent.complete(task);
    merge(swarm, taskId);
    expect(client.ends().get(taskId)?.state).toBe('succeeded');
  });

  it('is cancelled as a whole when one of its shards is', () => {
    const { client, agents, swarm } = swarmWith(0);
    const taskId = client.submit(1, { shards: 2, positions: 100 });
    const shardId = idsOf(swarm).find((id) => id !== taskId) ?? '';
    client.say('CancelTask', { requestId: 5, taskId: shardId, reason: 'one', graceMs: 1 });
    expect(client.ends().get(taskId)?.state).toBe('cancelled');
    expect(agents).toEqual([]);
  });

  it('is over when its own time is, and only then', () => {
    const { swarm, client, agents } = swarmWith(1);
    const late = client.submit(1, { shards: 2, positions: 100, scheduleToCloseMs: 500 });
    const [agent] = agents as [PlayedAgent];
    const [one, two] = agent.takeTasks() as [AgentTask, AgentTask];
    expect(one.startToCloseMs).toBe(500);
    agent.complete(one);
    swarm.advance(500, () => agent.heartbeat([two]));
    expect(client.ends().get(late)).toMatchObject({
      state: 'timed_out',
      failure: { type: 'DEADLINE_PASSED' },
    });
    expect(agent.take('CancelTask').map((each) => each.taskId)).toContain(two.taskId);
    expect(swarm.core.isIdle).toBe(true);

    const unstarted = client.submit(2, {
      shards: 2,
      positions: 100,
      scheduleToStartMs: 400,
      labels: { zone: 'a' },
    });
    swarm.advance(399);
    expect(client.ends().size).toBe(0);
    swarm.advance(1);
    expect(client.ends().get(unstarted)?.failure?.type).toBe('START_TIMEOUT');
  });

  it('is over when its time is while its results are merged, and stays so', () => {
    const { swarm, client, agents } = swarmWith(1);
    const taskId = client.submit(1, { shards: 2, positions: 100, scheduleToCloseMs: 500 });
    for (const { agent, task } of takeAll(agents)) agent.complete(task);
    swarm.advance(500);
    expect(client.ends().get(taskId)?.state).toBe('timed_out');
    merge(swarm, taskId);
    expect(client.ends().size).toBe(0);
    expect(swarm.row(taskId).state).toBe('timed_out');
  });

  it('goes on elsewhere when an agent gives its shards back to leave', () => {
    const { swarm, client, agents } = swarmWith(2);
    const taskId = client.submit(1, { shards: 4, positions: 100 });
    const [leaving, staying] = agents as [PlayedAgent, PlayedAgent];
    leaving.say('Drain', { deadlineMs: 1000, reason: 'r' });
    const [held, running] = leaving.takeTasks() as [AgentTask, AgentTask];
    leaving.start(running);
    leaving.say('LeaseReturn', {
      leases: [{ epoch: 7, taskId: held.taskId, attempt: 1 }],
      reason: 'r',
    });
    leaving.complete(running);
    leaving.say('Goodbye', { reason: 'r' });
    for (let round = 0; round < 2; round += 1)
      for (const task of staying.takeTasks()) staying.complete(task);
    merge(swarm, taskId);
    expect(client.ends().get(taskId)?.state).toBe('succeeded');
  });

  it('lets a coordinator that drains wait for the merge', () => {
    const { swarm, client, agents } = swarmWith(1);
    const taskId = client.submit(1, { shards: 2, positions: 100 });
    swarm.feed({ type: 'DrainRequested' });
    for (const { agent, task } of takeAll(agents)) agent.complete(task);
    expect(swarm.core.isIdle).toBe(false);
    swarm.feed({
      type: 'ShardsMerged',
      taskId,
      merged: {
        failure: { code: 'INTERNAL', type: 'BAD_MESSAGE', message: 'no', retryable: false },
      },
    });
    expect(client.ends().get(taskId)).toMatchObject({
      state: 'failed',
      failure: { message: 'no' },
    });
    expect(swarm.core.isIdle).toBe(true);
  });

  it('takes up a shard again with an agent that comes back', () => {
    const { swarm, client, agents } = swarmWith(1);
    const taskId = client.submit(1, { shards: 2, positions: 100 });
    const [agent] = agents as [PlayedAgent];
    const tasks = agent.takeTasks();
    for (const task of tasks) agent.start(task);
    const heldLeases = tasks.map(({ epoch, taskId: id, attempt }) => ({
      epoch,
      taskId: id,
      attempt,
    }));
    agent.vanish();
    expect(swarm.row(taskId).state).toBe('running');
    const back = swarm.agent('agent-0', {
      sessionToken: `token-${agent.connectionId}`,
      heldLeases,
    });
    expect(back.take('AgentAck')[0]?.resumedLeases).toEqual(heldLeases);
    for (const task of tasks) back.complete(task);
    expect(mergesOf(swarm)[0]?.attempts).toBe(2);
  });

  it('gives up when the shards say more than the coordinator merges', () => {
    const { client, agents } = swarmWith(1, { shardResultBytesMax: 10 });
    const taskId = client.submit(1, { shards: 2, positions: 100 });
    const [agent] = agents as [PlayedAgent];
    const [one, two] = agent.takeTasks() as [AgentTask, AgentTask];
    agent.complete(one, { payload: new Uint8Array(10) });
    expect(client.ends().size).toBe(0);
    agent.complete(two, { payload: new Uint8Array(1) });
    expect(client.ends().get(taskId)?.failure?.type).toBe('PAYLOAD_TOO_LARGE');
  });

  it('is split when its delay is over, by what there is then', () => {
    const { swarm, client } = swarmWith(2);
    client.submit(1, { shards: 'auto', positions: 1_000_000, delayMs: 100 });
    expect(swarm.core.state.tasks.size).toBe(1);
    swarm.agent('agent-2');
    swarm.advance(100);
    // Three agents of two slots each, and the task itself.
    expect(swarm.core.state.tasks.size).toBe(7);
  });

  it('is shown before its shards, and counted once', () => {
    const { swarm, client } = swarmWith(0);
    client.submit(1, { shards: 3, positions: 100 });
    client.submit(2);
    expect(swarm.row(taskIdOf(1))).toMatchObject({
      pendingReason: 'NO_AGENT_OF_TYPE',
      shards: { count: 3, running: 0, succeeded: 0, attempts: 0 },
    });
  });
});

describe('how many parts', () => {
  const partsOf = (
    agents: readonly number[],
    positions: number,
    shards: 'auto' | number = 'auto',
    options: ConstructorParameters<typeof CoreHarness>[0] = {},
  ): number => {
    const swarm = new CoreHarness({ ...OPTIONS, ...options });
    const client = swarm.client();
    agents.forEach((slots, n) => swarm.agent(`a${n}`, { slots, credit: 0 }));
    client.submit(1, { shards, positions });
    return Math.max(1, swarm.core.state.tasks.size - 1);
  };

  it.each([
    // One per slot, when the series is long enough.
    [[2, 2], 1_000_000, 4],
    [[8, 2], 5_000_000, 10],
    [[64, 64], 1_000_000, 10],
    [[2, 2], 199_999, 1],
    [[2, 2], 200_000, 2],
    // The threads of a single agent share a task among themselves.
    [[8], 10_000_000, 1],
    [[], 10_000_000, 1],
  ] as const)('auto for agents with %j slots and %i positions: %i', (agents, positions, count) => {
    expect(partsOf(agents, positions)).toBe(count);
  });

  it('is what was asked for, but never more than positions or places in the queue', () => {
    expect(partsOf([], 1000, 7)).toBe(7);
    expect(partsOf([], 3, 7)).toBe(3);
    expect(partsOf([], 0, 7)).toBe(1);
    expect(partsOf([], 1000, 7, { pendingTasksMax: 6 })).toBe(5);
  });

  it('leaves out agents that will take nothing', () => {
    const { swarm, client, agents } = swarmWith(3);
    (agents[0] as PlayedAgent).say('Drain', { deadlineMs: 1, reason: 'r' });
    client.submit(1, { shards: 'auto', positions: 10_000_000 });
    expect(swarm.core.state.tasks.size).toBe(5);
  });

  it('covers the positions with ranges whose sizes differ by one at most', () => {
    for (const [positions, count] of [
      [10, 3],
      [7, 7],
      [1000, 1],
      [123, 11],
    ] as const) {
      const ranges = rangesOf(positions, count);
      const sizes = ranges.map(({ start, end }) => end - start);
      expect(ranges[0]?.start).toBe(0);
      expect(ranges.at(-1)?.end).toBe(positions);
      ranges.slice(1).forEach(({ start }, i) => expect(start).toBe(ranges[i]?.end));
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
  });

  it('has ids that are task ids, differ, and stand beside their parent', () => {
    const ids = new Set<string>();
    for (let n = 0; n < 200; n += 1)
      for (let index = 0; index < 50; index += 1) ids.add(shardIdOf(taskIdOf(n), index, 0));
    expect(ids.size).toBe(10_000);
    for (const id of ids) expect(id).toMatch(TASK_ID_PATTERN);
    expect([...ids][0]).toMatch(/^00000000-0000-8/);
  });

  it('does not take the id of a task that exists', () => {
    const { swarm, client } = swarmWith(0);
    const taken = shardIdOf(taskIdOf(5), 0, 0);
    client.submit(1, { taskId: taken });
    client.submit(5, { shards: 2, positions: 100 });
    expect(swarm.core.state.tasks.get(taken)?.shard).toBeUndefined();
    expect(swarm.core.state.tasks.get(shardIdOf(taskIdOf(5), 0, 1))?.shard?.index).toBe(0);
  });
});

describe('a submission with shards is refused', () => {
  const refusalOf = (
    rest: Parameters<PlayedClient['submit']>[1],
    options: ConstructorParameters<typeof CoreHarness>[0] = OPTIONS,
  ): string | undefined => {
    const swarm = new CoreHarness(options);
    const client = swarm.client();
    client.submit(1, rest);
    return client.take('ErrorReport')[0]?.failure.type;
  };

  it('without positions, without a merger and by a coordinator that does not offer it', () => {
    expect(refusalOf({ shards: 2, positions: 5 })).toBeUndefined();
    expect(refusalOf({ shards: 2 })).toBe('BAD_OPTION');
    expect(refusalOf({ shards: 2, positions: 5, taskType: 'my.task' })).toBe('UNSUPPORTED_OPTION');
    expect(refusalOf({ shards: 2, positions: 5 }, {})).toBe('UNSUPPORTED_OPTION');
  });
});
