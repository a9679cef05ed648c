/** Durable tasks: nothing is promised that is not on disk, and the next life goes on with all that was promised. */
import { failure, type BodyOf } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import { CoreHarness, taskIdOf, type PlayedAgent } from './core-harness.ts';

const DURABLE = { durable: true } as const;
const RETRY = {
  initialIntervalMs: 1000,
  backoffCoefficient: 2,
  maximumIntervalMs: 10_000,
  maximumAttempts: 3,
  maximumDeliveries: 3,
  nonRetryableErrorTypes: [],
};

function leaseOf({ epoch, taskId, attempt }: { epoch: number; taskId: string; attempt: number }) {
  return { epoch, taskId, attempt };
}

function takeOne(agent: PlayedAgent): BodyOf<'AgentTask'> {
  const [task] = agent.takeTasks();
  if (task === undefined) throw new Error('no task came');
  return task;
}

/** An agent with one task, all of it on disk. */
function runningTask(rest: object = {}) {
  const swarm = CoreHarness.durable();
  const client = swarm.client();
  const agent = swarm.agent('a1');
  const taskId = client.submit(1, { ...DURABLE, ...rest });
  swarm.sync();
  const task = takeOne(agent);
  agent.start(task);
  return { swarm, client, agent, taskId, task };
}

describe('what is promised', () => {
  it('is that a task was accepted only when that is on disk', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    client.submit(1, DURABLE);
    expect(client.take('SubmitAck')).toEqual([]);
    swarm.sync();
    expect(client.take('SubmitAck')).toMatchObject([{ taskId: taskIdOf(1), existing: false }]);
  });

  it('does not keep an agent from computing meanwhile', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    const agent = swarm.agent('a1');
    client.submit(1, DURABLE);
    expect(agent.takeTasks()).toHaveLength(1);
  });

  it('is the end of a task, to its client and to its agent, only when that is on disk', () => {
    const { swarm, client, agent, task } = runningTask();
    agent.complete(task, { payload: new Uint8Array([9]) });
    expect(client.ends().size).toBe(0);
    expect(agent.take('MessageAck')).toEqual([]);
    swarm.sync();
    expect(client.ends().get(task.taskId)).toMatchObject({ state: 'succeeded', durable: true });
    expect(agent.take('MessageAck')).toMatchObject([{ status: 'PROCESSED' }]);
  });

  it('starts a task that must not be started twice only when its lease is on disk', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    const agent = swarm.agent('a1');
    client.submit(1, { ...DURABLE, idempotent: false });
    expect(agent.takeTasks()).toEqual([]);
    swarm.sync();
    expect(agent.takeTasks()).toHaveLength(1);
  });

  it('starts no part of such a task before it is on disk that there is one', () => {
    const swarm = CoreHarness.durable({ mergedTaskTypes: ['PatternMatch'] });
    const agent = swarm.agent('a1');
    swarm.client().submit(1, { ...DURABLE, idempotent: false, shards: 2, positions: 100 });
    expect(agent.takeTasks()).toEqual([]);
    swarm.sync();
    expect(agent.takeTasks()).toHaveLength(2);
  });

  it('does not make tasks wait that are not durable', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    client.submit(1, DURABLE);
    client.submit(2);
    expect(client.take('SubmitAck')).toMatchObject([{ taskId: taskIdOf(2) }]);
  });

  it('is refused without a journal, and by default where all tasks are durable is not needed', () => {
    const without = new CoreHarness();
    const client = without.client();
    client.submit(1, DURABLE);
    expect(client.take('ErrorReport')).toMatchObject([{ failure: { type: 'UNSUPPORTED_OPTION' } }]);
    const byDefault = CoreHarness.durable({ durableByDefault: true });
    const other = byDefault.client();
    other.submit(1);
    other.submit(2, { durable: false });
    expect(other.take('SubmitAck')).toMatchObject([{ taskId: taskIdOf(2) }]);
  });
});

describe('the next life', () => {
  it('knows what was acknowledged, and nothing of what was not written', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    client.submit(1, { ...DURABLE, priority: 2, labels: { zone: 'a' } });
    swarm.sync();
    client.submit(2, DURABLE);
    const next = swarm.nextLife();
    expect(next.row(taskIdOf(1))).toMatchObject({ state: 'queued', priority: 2 });
    expect(next.core.state.tasks.get(taskIdOf(2))).toBeUndefined();
  });

  it('gives waiting tasks away in the order in which they were accepted, with their inputs', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    for (let n = 1; n <= 40; n++) client.submit(n, DURABLE);
    swarm.sync();
    const agent = swarm.nextLife().agent('a1', { slots: 40, credit: 40 });
    const tasks = agent.takeTasks();
    expect(tasks.map(({ taskId }) => taskId)).toEqual(
      Array.from({ length: 40 }, (_, n) => taskIdOf(n + 1)),
    );
    expect(tasks.map(({ payload }) => payload?.[0])).toEqual(tasks.map((_, n) => n + 1));
  });

  it('lets an agent go on with what it has, and takes its result', () => {
    const { swarm, agent, task, taskId } = runningTask();
    const lease = leaseOf(task);
    agent.vanish();
    const next = swarm.nextLife();
    expect(next.row(taskId)).toMatchObject({ state: 'queued', pendingReason: 'AGENT_MAY_RETURN' });
    const other = next.agent('a2');
    expect(other.takeTasks()).toEqual([]);
    const back = next.agent('a1', { heldLeases: [lease] });
    expect(back.take('AgentAck')).toMatchObject([{ epoch: 8, resumedLeases: [lease] }]);
    expect(next.row(taskId)).toMatchObject({ state: 'running', attempt: 1, deliveries: 0 });
    const client = next.client();
    client.say('WatchTask', { requestId: 1, taskId, watch: 'result' });
    back.heartbeat([lease]);
    back.complete(lease);
    next.sync();
    expect(client.ends().get(taskId)).toMatchObject({ state: 'succeeded', attempt: 1 });
    expect(back.take('MessageAck')).toMatchObject([{ status: 'PROCESSED', lease }]);
  });

  it('gives the task to somebody else when its agent does not come back in time', () => {
    const { swarm, task, taskId } = runningTask();
    const next = swarm.nextLife();
    const other = next.agent('a2');
    next.advance(next.core.state.options.reconnectGraceMs - 1, () => other.heartbeat());
    expect(other.takeTasks()).toEqual([]);
    next.advance(2);
    expect(other.takeTasks()).toMatchObject([{ taskId, epoch: 8, attempt: 2 }]);
    expect(next.row(taskId)).toMatchObject({ deliveries: 1 });
    const late = next.agent('a1', { heldLeases: [leaseOf(task)] });
    expect(late.take('AgentAck')).toMatchObject([{ resumedLeases: [] }]);
    late.complete(task);
    expect(late.take('MessageAck')).toMatchObject([{ status: 'STALE' }]);
  });

  it('lets an agent go on whose lease was not written before the power was cut', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    client.submit(1, DURABLE);
    swarm.sync();
    const agent = swarm.agent('a1');
    const task = takeOne(agent);
    const next = swarm.nextLife();
    const back = next.agent('a1', { heldLeases: [leaseOf(task)], credit: 0 });
    expect(back.take('AgentAck')).toMatchObject([{ resumedLeases: [leaseOf(task)] }]);
  });

  it('does not start a task again that must not be started twice', () => {
    const { swarm, taskId } = runningTask({ idempotent: false });
    const next = swarm.nextLife();
    const other = next.agent('a2');
    next.advance(next.core.state.options.reconnectGraceMs + 1, () => other.heartbeat());
    expect(other.takeTasks()).toEqual([]);
    expect(next.row(taskId)).toMatchObject({ state: 'failed', failure: { type: 'AGENT_LOST' } });
  });

  it('remembers how often a task has failed, and the pause before it is tried again', () => {
    const { swarm, agent, task, taskId } = runningTask({ retry: RETRY });
    agent.fail(task, 'FLAKY', true);
    swarm.sync();
    const next = swarm.nextLife();
    expect(next.row(taskId)).toMatchObject({ state: 'queued', attempt: 1 });
    const other = next.agent('a2');
    for (let attempt = 2; attempt <= 3; attempt++) {
      next.advance(20_000, () => other.heartbeat());
      const again = takeOne(other);
      expect(again).toMatchObject({ attempt });
      other.fail(again, 'FLAKY', true);
    }
    expect(next.row(taskId)).toMatchObject({ state: 'failed', deadLettered: true });
  });

  it('keeps to the limits that a task was given, although nobody counted meanwhile', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    client.submit(1, { ...DURABLE, scheduleToCloseMs: 5000 });
    client.submit(2, { ...DURABLE, delayMs: 5000 });
    swarm.sync();
    swarm.nowMs += 4000;
    const next = swarm.nextLife();
    expect(next.row(taskIdOf(2)).state).toBe('waiting');
    next.advance(1001);
    expect(next.row(taskIdOf(1)).state).toBe('timed_out');
    expect(next.row(taskIdOf(2)).state).toBe('queued');
  });

  it('does not cancel what was started in time, nor forget what was to be cancelled', () => {
    const { swarm, client, task, taskId } = runningTask({ scheduleToStartMs: 2000 });
    client.say('CancelTask', { requestId: 9, taskId, reason: 'enough', graceMs: 1 });
    swarm.sync();
    const next = swarm.nextLife();
    next.advance(3000);
    expect(next.row(taskId)).toMatchObject({ state: 'queued', cancelRequested: true });
    const back = next.agent('a1', { heldLeases: [leaseOf(task)] });
    back.heartbeat([leaseOf(task)]);
    expect(back.take('CancelTask')).toMatchObject([leaseOf(task)]);
    const gone = swarm.nextLife();
    gone.advance(10_001);
    expect(gone.row(taskId)).toMatchObject({ state: 'cancelled' });
  });

  it('finds a task again by its idempotency key, when it runs and when it has ended', () => {
    const { swarm, agent, task } = runningTask({ idempotencyKey: 'k' });
    const next = swarm.nextLife();
    const client = next.client();
    client.submit(2, { ...DURABLE, idempotencyKey: 'k', payload: new Uint8Array([1]) });
    next.sync();
    expect(client.take('SubmitAck')).toMatchObject([{ taskId: task.taskId, existing: true }]);
    agent.complete(task);
    swarm.sync();
    const after = swarm.nextLife().client();
    after.submit(3, { ...DURABLE, idempotencyKey: 'k', payload: new Uint8Array([1]) });
    expect(after.take('SubmitAck')).toMatchObject([{ taskId: task.taskId, state: 'succeeded' }]);
  });

  it('splits a task again that was computed in parts', () => {
    const swarm = CoreHarness.durable({ mergedTaskTypes: ['PatternMatch'] });
    const client = swarm.client();
    swarm.agent('a1').takeTasks();
    client.submit(1, { ...DURABLE, shards: 2, positions: 100 });
    swarm.sync();
    const tasks = swarm.nextLife().agent('a1').takeTasks();
    expect(tasks.map(({ shard }) => shard)).toMatchObject([
      { of: taskIdOf(1), start: 0, end: 50 },
      { of: taskIdOf(1), start: 50, end: 100 },
    ]);
  });

  it('does not take a task for split that one agent had as a whole', () => {
    const swarm = CoreHarness.durable({ mergedTaskTypes: ['PatternMatch'] });
    const agent = swarm.agent('a1');
    swarm.client().submit(1, { ...DURABLE, shards: 'auto', positions: 100 });
    agent.complete(takeOne(agent));
    swarm.sync();
    // The harness checks the whole state of the next life.
    expect(swarm.nextLife().row(taskIdOf(1))).toMatchObject({ state: 'succeeded', agentId: 'a1' });
  });

  it('does not take shards for started because those of the earlier life were', () => {
    const swarm = CoreHarness.durable({
      mergedTaskTypes: ['PatternMatch'],
      snapshotRecordsMin: 1,
    });
    const agent = swarm.agent('a1');
    swarm.client().submit(1, { ...DURABLE, shards: 2, positions: 100 });
    for (const task of agent.takeTasks()) agent.start(task);
    swarm.disk.replace([...swarm.core.snapshot()], 99);
    const next = swarm.nextLife();
    expect(next.row(taskIdOf(1)).state).toBe('queued');
    const [again] = next.agent('a1').takeTasks();
    expect(again).toMatchObject({ attempt: 1 });
    expect(next.row(taskIdOf(1)).state).toBe('queued');
  });

  it('starts no part of a task anew that may be started only once', () => {
    const swarm = CoreHarness.durable({ mergedTaskTypes: ['PatternMatch'] });
    swarm.agent('a1');
    swarm.client().submit(1, { ...DURABLE, idempotent: false, shards: 2, positions: 100 });
    swarm.sync();
    const next = swarm.nextLife();
    expect(next.agent('a1').takeTasks()).toEqual([]);
    expect(next.row(taskIdOf(1))).toMatchObject({
      state: 'failed',
      failure: { type: 'AGENT_LOST' },
    });
  });

  it('says how many parts a result had, although it does not have them any more', () => {
    const { swarm, agent, task, taskId } = runningTask();
    const { epoch, attempt } = task;
    agent.say('ResultChunk', { epoch, taskId, attempt, sequence: 0, payload: new Uint8Array(1) });
    agent.complete(task, { chunkCount: 1 });
    swarm.sync();
    let next = swarm.nextLife();
    // A snapshot of the next life says it too.
    next.disk.replace([...next.core.snapshot()], 0);
    next = next.nextLife();
    const client = next.client();
    client.say('WatchTask', { requestId: 1, taskId, watch: 'result' });
    expect(client.ends().get(taskId)).toMatchObject({ state: 'succeeded', chunkCount: 1 });
  });

  it('does not answer a durable submission with a task that is not', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    const same = { idempotencyKey: 'k', payload: new Uint8Array([1]) };
    client.submit(1, same);
    client.submit(2, { ...same, ...DURABLE });
    swarm.sync();
    expect(client.take('ErrorReport')).toMatchObject([
      { requestId: 2, failure: { type: 'TASK_EXISTS' } },
    ]);
  });

  it('does not split a task that was given away as a whole', () => {
    const swarm = CoreHarness.durable({ mergedTaskTypes: ['PatternMatch'] });
    const client = swarm.client();
    const agent = swarm.agent('a1');
    client.submit(1, { ...DURABLE, shards: 'auto', positions: 10, retry: RETRY });
    agent.fail(takeOne(agent), 'FLAKY', true);
    swarm.sync();
    const next = swarm.nextLife();
    const other = next.agent('a2');
    next.advance(2000, () => other.heartbeat());
    expect(takeOne(other)).not.toHaveProperty('shard');
  });

  it('fails a task whose data set is gone, and says so', () => {
    const swarm = CoreHarness.durable();
    const datasetId = `sha256:${'0'.repeat(64)}`;
    swarm.feed({ type: 'DatasetStored', datasetId, bytes: 8 });
    swarm.client().submit(1, { ...DURABLE, datasets: [datasetId] });
    swarm.sync();
    expect(swarm.nextLife().row(taskIdOf(1))).toMatchObject({
      state: 'failed',
      failure: { type: 'DATASET_NOT_FOUND' },
    });
  });
});

describe('results', () => {
  function ended(agent: PlayedAgent, task: Parameters<PlayedAgent['complete']>[0]): void {
    agent.complete(task, { payload: new Uint8Array([9]) });
  }

  it('are told in the next life to a client that asks again', () => {
    const { swarm, agent, task, taskId } = runningTask();
    ended(agent, task);
    swarm.sync();
    const client = swarm.nextLife().client();
    client.say('WatchTask', { requestId: 1, taskId, watch: 'result' });
    expect(client.ends().get(taskId)).toMatchObject({ payload: new Uint8Array([9]) });
  });

  it('are kept until somebody has heard of them, however long that takes', () => {
    const { swarm, client, agent, task, taskId } = runningTask();
    ended(agent, task);
    swarm.sync();
    swarm.advance(3_600_000, () => agent.heartbeat());
    expect(swarm.row(taskId).state).toBe('succeeded');
    client.say('MessageAck', { taskId, status: 'RECEIVED' });
    swarm.advance(swarm.core.state.options.finishedTtlMs + 1);
    expect(swarm.core.state.tasks.get(taskId)).toBeUndefined();
  });

  it('expire when nobody asks, also when that was in an earlier life', () => {
    const { swarm, agent, task, taskId } = runningTask();
    ended(agent, task);
    swarm.sync();
    swarm.nowMs += swarm.core.state.options.unclaimedTtlMs + 1;
    const next = swarm.nextLife();
    next.advance(1);
    expect(next.core.state.tasks.get(taskId)).toBeUndefined();
  });

  it('that nobody fetches keep new durable tasks out, and no others', () => {
    const { swarm, agent, task } = runningTask();
    agent.complete(task, { payload: new Uint8Array(300) });
    swarm.sync();
    const next = swarm.nextLife({ unclaimedBytesMax: 299 });
    const other = next.client();
    other.submit(2, DURABLE);
    other.submit(3);
    expect(other.take('ErrorReport')).toMatchObject([
      { requestId: 2, failure: { type: 'QUEUE_FULL' } },
    ]);
    expect(other.take('SubmitAck')).toMatchObject([{ taskId: taskIdOf(3) }]);
  });
});

describe('a disk that fails', () => {
  const broken = failure('INTERNAL', 'The disk is full.');

  it('has those refused that nobody was told of, and their agents stopped', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    const agent = swarm.agent('a1');
    const taskId = client.submit(1, DURABLE);
    const task = takeOne(agent);
    swarm.feed({ type: 'JournalFailed', failure: broken });
    expect(client.take('ErrorReport')).toMatchObject([
      { requestId: 1, failure: { message: 'The disk is full.' } },
    ]);
    expect(agent.take('CancelTask')).toMatchObject([leaseOf(task)]);
    expect(swarm.core.state.tasks.get(taskId)).toBeUndefined();
    agent.complete(task);
    expect(agent.take('MessageAck')).toMatchObject([{ status: 'STALE' }]);
    client.submit(2, DURABLE);
    client.submit(3);
    expect(client.take('ErrorReport')).toMatchObject([{ requestId: 2 }]);
    expect(client.take('SubmitAck')).toMatchObject([{ taskId: taskIdOf(3) }]);
  });

  it.each([
    ['a task', {}],
    ['parts of one', { shards: 2, positions: 100 }],
  ])('does not count what an agent was to be given and was never sent: %s', (_, split) => {
    const swarm = CoreHarness.durable({ mergedTaskTypes: ['PatternMatch'] });
    const client = swarm.client();
    const agent = swarm.agent('a1', { credit: 1 });
    client.submit(1, { ...DURABLE, ...split, idempotent: false });
    expect(agent.takeTasks()).toEqual([]);
    swarm.feed({ type: 'JournalFailed', failure: broken });
    client.submit(2);
    // The one place of the agent is free again, and it can say that all has arrived.
    expect(agent.takeTasks()).toMatchObject([{ taskId: taskIdOf(2), dispatchSequence: 1 }]);
  });

  it('does not leave an agent waiting that has answered before', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    const agent = swarm.agent('a1');
    client.submit(1, DURABLE);
    const task = takeOne(agent);
    agent.complete(task);
    expect(agent.take('MessageAck')).toEqual([]);
    swarm.feed({ type: 'JournalFailed', failure: broken });
    expect(client.take('ErrorReport')).toMatchObject([{ requestId: 1 }]);
    expect(agent.take('MessageAck')).toMatchObject([{ lease: leaseOf(task), status: 'STALE' }]);
  });

  it('promises nothing of what happens meanwhile, and all of it when it works again', () => {
    const { swarm, client, agent, task, taskId } = runningTask();
    client.take('SubmitAck');
    swarm.feed({ type: 'JournalFailed', failure: broken });
    agent.complete(task, { payload: new Uint8Array([9]) });
    expect(client.ends().size).toBe(0);
    expect(agent.take('MessageAck')).toEqual([]);
    swarm.feed({ type: 'JournalReopened' });
    expect(client.ends().size).toBe(0);
    swarm.sync();
    expect(client.ends().get(taskId)).toMatchObject({ state: 'succeeded' });
    expect(agent.take('MessageAck')).toMatchObject([{ status: 'PROCESSED' }]);
    expect(swarm.nextLife().row(taskId)).toMatchObject({ state: 'succeeded' });
  });
});

describe('a disk that fails later', () => {
  it('takes nothing back that was acknowledged, whatever still waits for it', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    const agent = swarm.agent('a1');
    const taskId = client.submit(1, DURABLE);
    // Of what happened at once only the acceptance is written in time.
    const position = swarm.core.state.journal.position;
    agent.complete(takeOne(agent));
    swarm.feed({ type: 'JournalCommitted', position });
    expect(client.take('SubmitAck')).toMatchObject([{ taskId }]);
    swarm.feed({ type: 'JournalFailed', failure: failure('STORE_FULL', 'The disk is full.') });
    swarm.feed({ type: 'JournalReopened' });
    swarm.sync();
    expect(client.ends().get(taskId)).toMatchObject({ state: 'succeeded' });
  });
});

describe('a snapshot', () => {
  it('is due for what earlier lives have written, too', () => {
    const isDue = (recordsSinceSnapshot: number): boolean => {
      const swarm = CoreHarness.durable({ snapshotRecordsMin: 30 });
      swarm.feed({ type: 'JournalRestored', recordsSinceSnapshot });
      return swarm.effects.some(({ type }) => type === 'TakeSnapshot');
    };
    expect(isDue(29)).toBe(false);
    expect(isDue(30)).toBe(true);
  });

  it('is wanted when much has come since the last one, and says all that the journal said', () => {
    const swarm = CoreHarness.durable({ snapshotRecordsMin: 30 });
    const client = swarm.client();
    const agent = swarm.agent('a1');
    for (let n = 1; n <= 20; n++) {
      client.submit(n, DURABLE);
      swarm.sync();
      if (n % 2 === 0) for (const task of agent.takeTasks()) agent.complete(task);
    }
    swarm.sync();
    const snapshots = swarm.effects.filter(({ type }) => type === 'TakeSnapshot');
    expect(snapshots.length).toBeGreaterThan(0);
    expect(swarm.disk.synced.length).toBeLessThan(60);
    const before = swarm.core.state;
    const after = swarm.nextLife().core.state;
    for (let n = 1; n <= 20; n++) {
      const task = before.tasks.get(taskIdOf(n));
      const restored = after.tasks.get(taskIdOf(n));
      const isHeld = task?.state === 'dispatched' || task?.state === 'running';
      expect(restored?.state).toBe(isHeld ? 'queued' : task?.state);
      expect(restored?.attempt).toBe(task?.attempt);
    }
  });
});
