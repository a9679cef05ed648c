import { CONTROL_FRAME_BYTES_MAX, encodeFrame, failure } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import { taskRows } from '../src/core/status.ts';
import { CoreHarness, taskIdOf, type PlayedAgent } from './core-harness.ts';

function oneTask(agent: PlayedAgent): ReturnType<PlayedAgent['takeTasks']>[number] {
  const tasks = agent.takeTasks();
  expect(tasks).toHaveLength(1);
  return tasks[0] as (typeof tasks)[number];
}

describe('the life of a task', () => {
  it('that is over before all parts of its answer have come leaves its agent neither busy nor waiting', () => {
    const swarm = new CoreHarness();
    const client = swarm.client();
    const agent = swarm.agent('a1', { credit: 1 });
    client.submit(1, { scheduleToCloseMs: 100 });
    const [task] = agent.takeTasks();
    if (task === undefined) throw new Error('no task');
    agent.complete(task, { chunkCount: 1 });
    swarm.advance(100);
    expect(client.ends().get(task.taskId)).toMatchObject({ state: 'timed_out' });
    expect(agent.take('MessageAck')).toMatchObject([{ status: 'STALE' }]);
    client.submit(2);
    expect(agent.takeTasks()).toHaveLength(1);
  });

  it('goes from submission to one end, with result, agent and times', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const client = swarm.client();
    const taskId = client.submit(1, { watch: 'all' });
    expect(client.take('SubmitAck')).toEqual([
      { requestId: 1, taskId, state: 'waiting', existing: false },
    ]);
    const task = oneTask(agent);
    expect(task).toMatchObject({ epoch: 7, attempt: 1, payload: new Uint8Array([1]) });
    swarm.nowMs += 5;
    agent.start(task);
    agent.say('TaskProgress', { epoch: 7, taskId, attempt: 1, fraction: 0.5 });
    swarm.nowMs += 10;
    agent.complete(task, {
      payload: new Uint8Array([9]),
      resultType: 'PatternMatchResult',
      computeMs: 10,
    });
    expect(client.take('TaskEvent')).toMatchObject([
      { kind: 'state', state: 'dispatched' },
      { kind: 'state', state: 'running' },
      { kind: 'progress', fraction: 0.5 },
      {
        kind: 'end',
        state: 'succeeded',
        agentId: 'a',
        payload: new Uint8Array([9]),
        queueMs: 5,
        computeMs: 10,
        totalMs: 15,
      },
    ]);
    expect(agent.take('MessageAck')).toEqual([
      { lease: { epoch: 7, taskId, attempt: 1 }, status: 'PROCESSED' },
    ]);
  });

  it('passes through running with its end when the agent left its start out, which was computeMs before', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const client = swarm.client();
    client.submit(1, { watch: 'all', scheduleToStartMs: 50 });
    swarm.nowMs += 20;
    agent.fail(oneTask(agent), 'TASK_FAILED', true);
    // Its time to start is over no more than with a start that was told.
    swarm.advance(200);
    const again = oneTask(agent);
    swarm.nowMs += 8;
    agent.complete(again, { computeMs: 3 });
    expect(client.take('TaskEvent')).toMatchObject([
      { kind: 'state', state: 'dispatched', attempt: 1 },
      { kind: 'state', state: 'running', attempt: 1 },
      { kind: 'state', state: 'queued' },
      { kind: 'state', state: 'dispatched', attempt: 2 },
      { kind: 'state', state: 'running', attempt: 2 },
      { kind: 'end', state: 'succeeded', queueMs: 19, computeMs: 3, totalMs: 228 },
    ]);
  });

  it('does not believe that an attempt began before the agent was given it', () => {
    const swarm = new CoreHarness();
    const client = swarm.client();
    client.submit(1);
    swarm.nowMs += 5;
    const agent = swarm.agent('a');
    swarm.nowMs += 2;
    agent.complete(oneTask(agent), { computeMs: 1e9 });
    expect(client.take('TaskEvent')).toMatchObject([{ kind: 'end', queueMs: 5, totalMs: 7 }]);
  });

  it('is not tried again when it may start only once and its agent was lost, though no start was told', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const client = swarm.client();
    const taskId = client.submit(1, { idempotent: false });
    oneTask(agent);
    agent.vanish();
    const other = swarm.agent('b');
    expect(client.ends().get(taskId)).toMatchObject({
      state: 'failed',
      attempt: 1,
      failure: { type: 'AGENT_LOST' },
    });
    expect(other.takeTasks()).toEqual([]);
  });

  it('settles once: a second completion is stale and changes nothing', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const client = swarm.client();
    client.submit(1);
    const task = oneTask(agent);
    agent.complete(task, { payload: new Uint8Array([1]) });
    agent.take('MessageAck');
    agent.complete(task, { payload: new Uint8Array([2]) });
    expect(agent.take('MessageAck')).toMatchObject([{ status: 'STALE' }]);
    expect(client.take('TaskEvent')).toHaveLength(1);
  });

  it('tries a retryable error again after a pause that grows, then gives up as dead letter', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const client = swarm.client();
    const taskId = client.submit(1);
    for (const attempt of [1, 2, 3]) {
      const task = oneTask(agent);
      expect(task.attempt).toBe(attempt);
      agent.fail(task, 'TASK_FAILED', true);
      if (attempt < 3) {
        expect(swarm.row(taskId)).toMatchObject({ state: 'queued', pendingReason: 'BACKOFF' });
        expect(agent.takeTasks()).toEqual([]);
        // Full jitter lies in [0, 100 ms × 2^(n−1)].
        swarm.advance(100 * 2 ** (attempt - 1));
        agent.heartbeat();
      }
    }
    expect(client.ends().get(taskId)).toMatchObject({
      state: 'failed',
      deadLettered: true,
      attempt: 3,
    });
  });

  it.each([
    ['is not retryable', { retryable: false, submit: {} }],
    [
      'is of a type that the task names',
      { retryable: true, submit: { retry: { nonRetryableErrorTypes: ['BAD_LUCK'] } } },
    ],
    [
      'came from a task that may start only once',
      { retryable: true, submit: { idempotent: false } },
    ],
    [
      'was the last attempt allowed',
      { retryable: true, submit: { retry: { maximumAttempts: 1 } } },
    ],
  ])('does not try again when the error %s', (_why, { retryable, submit }) => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const client = swarm.client();
    const taskId = client.submit(1, submit);
    agent.fail(oneTask(agent), 'BAD_LUCK', retryable);
    expect(client.ends().get(taskId)).toMatchObject({
      state: 'failed',
      failure: { type: 'BAD_LUCK' },
    });
  });

  it('runs elsewhere at once when its agent is lost, at most maximumDeliveries times', () => {
    const swarm = new CoreHarness();
    const client = swarm.client();
    const taskId = client.submit(1);
    for (const id of ['a', 'b', 'c']) {
      const agent = swarm.agent(id);
      agent.start(oneTask(agent));
      agent.vanish();
    }
    expect(client.ends().get(taskId)).toMatchObject({
      state: 'failed',
      deadLettered: true,
      failure: { type: 'AGENT_LOST' },
    });
  });

  it('is in front of those that wait when its agent is lost, behind what that had before it', () => {
    const swarm = new CoreHarness();
    const client = swarm.client();
    const lost = swarm.agent('a');
    const taskIds = [1, 2, 3, 4].map((number) => client.submit(number));
    expect(lost.takeTasks()).toHaveLength(2);
    lost.vanish();
    const other = swarm.agent('b', { slots: 4, credit: 4 });
    expect(other.takeTasks().map(({ taskId }) => taskId)).toEqual(taskIds);
  });

  it('believes no result of an attempt that was given to somebody else', () => {
    const swarm = new CoreHarness();
    const a = swarm.agent('a');
    const client = swarm.client();
    const taskId = client.submit(1);
    const first = oneTask(a);
    swarm.advance(3000);
    expect(a.closedWith).toBe('IDLE_TIMEOUT');
    const b = swarm.agent('b');
    const second = oneTask(b);
    expect(second.attempt).toBe(2);
    const again = swarm.agent('a', {
      sessionToken: `token-${a.connectionId}`,
      heldLeases: [first],
    });
    expect(again.take('AgentAck')).toMatchObject([{ resumedLeases: [] }]);
    again.complete(first, { payload: new Uint8Array([66]) });
    expect(again.take('MessageAck')).toMatchObject([{ status: 'STALE' }]);
    b.complete(second, { payload: new Uint8Array([1]) });
    expect(client.ends().get(taskId)?.payload).toEqual(new Uint8Array([1]));
  });

  it('resumes a lease when its agent comes back before anybody else had it', () => {
    const swarm = new CoreHarness();
    const a = swarm.agent('a');
    const client = swarm.client();
    const taskId = client.submit(1);
    const task = oneTask(a);
    a.start(task);
    a.vanish();
    expect(swarm.row(taskId).state).toBe('queued');
    const again = swarm.agent('a', {
      sessionToken: `token-${a.connectionId}`,
      heldLeases: [task],
      credit: 0,
    });
    expect(again.take('AgentAck')[0]?.resumedLeases).toHaveLength(1);
    expect(swarm.row(taskId)).toMatchObject({ state: 'running', attempt: 1, deliveries: 0 });
    again.complete(task);
    expect(client.ends().get(taskId)?.state).toBe('succeeded');
  });

  it('cancels: at once where nobody has it, otherwise when the agent answers', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a', { credit: 1 });
    const client = swarm.client();
    const running = client.submit(1);
    const queued = client.submit(2);
    const task = oneTask(agent);
    for (const [requestId, taskId] of [
      [11, running],
      [12, queued],
    ] as const) {
      client.say('CancelTask', { requestId, taskId, reason: 'no longer needed', graceMs: 50 });
    }
    expect(client.ends().get(queued)).toMatchObject({ state: 'cancelled' });
    expect(swarm.row(running)).toMatchObject({ state: 'dispatched', cancelRequested: true });
    expect(agent.take('CancelTask')).toMatchObject([{ taskId: running, attempt: 1, graceMs: 50 }]);
    agent.complete(task, { outcome: 'cancelled', failure: failure('TASK_CANCELLED', 'stopped') });
    expect(client.ends().get(running)).toMatchObject({
      state: 'cancelled',
      failure: { message: 'no longer needed' },
    });
  });

  it('lets a success stand that was there before the cancellation, and cancels when the agent is lost', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const client = swarm.client();
    const [first, second] = [client.submit(1), client.submit(2)];
    const tasks = agent.takeTasks();
    for (const taskId of [first, second])
      client.say('CancelTask', { requestId: 1, taskId, reason: 'r', graceMs: 0 });
    agent.complete(tasks[0] as (typeof tasks)[number]);
    agent.vanish();
    const ends = client.ends();
    expect([ends.get(first)?.state, ends.get(second)?.state]).toEqual(['succeeded', 'cancelled']);
  });

  it('ends at its limits: start, attempt and whole', () => {
    const swarm = new CoreHarness({ startToCloseSlackMs: 100 });
    const client = swarm.client();
    const neverStarted = client.submit(1, { scheduleToStartMs: 500 });
    swarm.advance(499);
    expect(client.ends().size).toBe(0);
    swarm.advance(1);
    expect(client.ends().get(neverStarted)).toMatchObject({
      state: 'timed_out',
      failure: { type: 'START_TIMEOUT' },
    });

    const agent = swarm.agent('a', { credit: 1 });
    const beat = (): void => agent.heartbeat();
    const overrunning = client.submit(2, { startToCloseMs: 200, retry: { maximumAttempts: 1 } });
    const task = oneTask(agent);
    agent.start(task);
    swarm.advance(299, beat);
    expect(swarm.row(overrunning).state).toBe('running');
    swarm.advance(1);
    expect(client.ends().get(overrunning)).toMatchObject({
      state: 'timed_out',
      failure: { type: 'TASK_TIMEOUT' },
    });
    expect(agent.take('CancelTask')).toHaveLength(1);

    // The slot is free only when the agent says so.
    const late = client.submit(3, { scheduleToCloseMs: 1000 });
    expect(agent.takeTasks()).toEqual([]);
    agent.complete(task, { outcome: 'cancelled', failure: failure('TASK_CANCELLED', 'stopped') });
    expect(agent.take('MessageAck')).toMatchObject([{ status: 'STALE' }]);
    agent.start(oneTask(agent));
    swarm.advance(1000, beat);
    expect(client.ends().get(late)).toMatchObject({
      state: 'timed_out',
      failure: { type: 'DEADLINE_PASSED' },
    });
  });

  it('measures each attempt by itself: the limit of the first does not end the second', () => {
    const swarm = new CoreHarness({ startToCloseSlackMs: 0 });
    const agent = swarm.agent('a', { credit: 1 });
    const taskId = swarm.client().submit(1, { startToCloseMs: 1000 });
    const first = oneTask(agent);
    agent.start(first);
    swarm.advance(900, () => agent.heartbeat([first]));
    agent.complete(first, {
      outcome: 'failed',
      failure: { code: 'ABORTED', type: 'WORKER_CRASHED', message: 'crash', retryable: true },
    });
    agent.heartbeat();
    const second = oneTask(agent);
    agent.start(second);
    swarm.advance(500, () => agent.heartbeat([second]));
    expect(swarm.row(taskId)).toMatchObject({ state: 'running', attempt: 2 });
  });

  it('never pauses longer than the policy allows', () => {
    const retry = {
      initialIntervalMs: 1000,
      backoffCoefficient: 10,
      maximumIntervalMs: 1500,
      maximumAttempts: 6,
    };
    const swarm = new CoreHarness();
    const agent = swarm.agent('a', { credit: 1 });
    swarm.client().submit(1, { retry });
    for (let attempt = 1; attempt < 6; attempt++) {
      agent.fail(oneTask(agent), 'TASK_FAILED', true);
      swarm.advance(1500, () => agent.heartbeat());
      agent.heartbeat();
    }
    expect(oneTask(agent).attempt).toBe(6);
  });

  it('is resumed only by the agent that had it', () => {
    const swarm = new CoreHarness();
    const a = swarm.agent('a');
    const b = swarm.agent('b', { credit: 0 });
    const taskId = swarm.client().submit(1);
    const task = oneTask(a);
    a.vanish();
    b.vanish();
    const thief = swarm.agent('b', {
      sessionToken: `token-${b.connectionId}`,
      heldLeases: [task],
      credit: 0,
    });
    expect(thief.take('AgentAck')).toMatchObject([{ resumedLeases: [] }]);
    expect(swarm.row(taskId).state).toBe('queued');
  });

  it('waits for its delay', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const taskId = swarm.client().submit(1, { delayMs: 700 });
    expect(swarm.row(taskId).state).toBe('waiting');
    swarm.advance(699);
    expect(agent.takeTasks()).toEqual([]);
    swarm.advance(1);
    expect(agent.takeTasks()).toHaveLength(1);
  });

  it('counts a returned or refused lease against nothing', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a', { credit: 1 });
    const taskId = swarm.client().submit(1, { idempotent: false });
    const task = oneTask(agent);
    agent.say('LeaseReturn', { leases: [{ epoch: 7, taskId, attempt: 1 }], reason: 'leaving' });
    const again = oneTask(agent);
    expect(again.attempt).toBe(2);
    agent.say('MessageAck', { lease: { epoch: 7, taskId, attempt: 2 }, status: 'REJECTED' });
    expect(swarm.row(taskId)).toMatchObject({
      state: 'queued',
      deliveries: 0,
      pendingReason: 'BACKOFF',
    });
    expect(task.attempt).toBe(1);
  });

  it('counts an attempt that its agent gave up to leave against nothing', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a', { credit: 1 });
    const taskId = swarm.client().submit(1, { retry: { maximumAttempts: 1 } });
    const task = oneTask(agent);
    agent.start(task);
    agent.say('Drain', { deadlineMs: 0, reason: 'leaving' });
    agent.complete(task, { outcome: 'failed', failure: failure('DRAINING', 'The agent leaves.') });
    expect(oneTask(swarm.agent('b'))).toMatchObject({ taskId, attempt: 2 });
  });

  it('is not tried again for ever because a handler fails with the word of a leaving agent', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a', { credit: 1 });
    const client = swarm.client();
    const taskId = client.submit(1, { retry: { maximumAttempts: 1 } });
    const task = oneTask(agent);
    agent.complete(task, { outcome: 'failed', failure: failure('DRAINING', 'Another swarm.') });
    expect(client.ends().get(taskId)?.state).toBe('failed');
  });

  it('keeps its limits when its agent comes back to it', () => {
    const swarm = new CoreHarness({ startToCloseSlackMs: 0 });
    const a = swarm.agent('a');
    const client = swarm.client();
    const taskId = client.submit(1, {
      scheduleToStartMs: 5000,
      startToCloseMs: 8000,
      retry: { maximumAttempts: 1 },
    });
    const task = oneTask(a);
    a.vanish();
    const held = [task];
    const token = `token-${a.connectionId}`;
    const back = swarm.agent('a', { sessionToken: token, heldLeases: held, credit: 0 });
    swarm.advance(7999, () => back.heartbeat(held));
    expect(swarm.row(taskId).state).toBe('running');
    swarm.advance(1);
    expect(client.ends().get(taskId)).toMatchObject({
      state: 'timed_out',
      failure: { type: 'TASK_TIMEOUT' },
    });
  });

  it('ends only when the parts that were sent before the result have come', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const client = swarm.client();
    const taskId = client.submit(1);
    const task = oneTask(agent);
    agent.start(task);
    const chunk = (sequence: number): void =>
      agent.say('ResultChunk', {
        epoch: 7,
        taskId,
        attempt: 1,
        sequence,
        payload: new Uint8Array(1),
      });
    chunk(1);
    agent.complete(task, { chunkCount: 2 });
    expect(client.ends().size).toBe(0);
    expect(agent.take('MessageAck')).toEqual([]);
    chunk(0);
    expect(client.ends().get(taskId)).toMatchObject({ state: 'succeeded', chunkCount: 2 });
    expect(agent.take('MessageAck')).toMatchObject([{ status: 'PROCESSED' }]);
  });

  it('fails when it sends more parts than a task may', () => {
    const swarm = new CoreHarness({ payloadBytesMax: 10 });
    const agent = swarm.agent('a');
    const client = swarm.client();
    const taskId = client.submit(1);
    agent.start(oneTask(agent));
    const payload = new Uint8Array(6);
    for (const sequence of [0, 1]) {
      agent.say('ResultChunk', { epoch: 7, taskId, attempt: 1, sequence, payload });
    }
    expect(client.ends().get(taskId)?.failure?.type).toBe('PAYLOAD_TOO_LARGE');
    expect(agent.take('CancelTask')).toHaveLength(1);
  });

  it('passes partial results on, once each, also to a client that starts to watch later', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const client = swarm.client();
    const taskId = client.submit(1);
    const task = oneTask(agent);
    agent.start(task);
    for (const sequence of [0, 1, 1]) {
      agent.say('ResultChunk', {
        epoch: 7,
        taskId,
        attempt: 1,
        sequence,
        payload: new Uint8Array([sequence]),
      });
    }
    const late = swarm.client('late');
    late.say('WatchTask', { requestId: 5, taskId, watch: 'result' });
    agent.complete(task, { chunkCount: 2 });
    for (const watcher of [client, late]) {
      const chunks = watcher.inbox.filter(
        ({ type, body }) => type === 'TaskEvent' && 'sequence' in body,
      );
      expect(chunks).toHaveLength(2);
      expect(watcher.ends().get(taskId)?.chunkCount).toBe(2);
    }
  });
});

describe('submission', () => {
  it('is idempotent by task id and by idempotency key', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const client = swarm.client();
    client.submit(1);
    client.submit(1);
    client.submit(2, { idempotencyKey: 'k', payload: new Uint8Array([1]) });
    client.submit(3, { idempotencyKey: 'k', payload: new Uint8Array([1]) });
    client.submit(4, { idempotencyKey: 'k', payload: new Uint8Array([2]) });
    client.submit(5, { idempotencyKey: 'k', taskType: 'other', payload: new Uint8Array([3]) });
    expect(client.take('SubmitAck').map(({ taskId, existing }) => [taskId, existing])).toEqual([
      [taskIdOf(1), false],
      [taskIdOf(1), true],
      [taskIdOf(2), false],
      [taskIdOf(2), true],
      [taskIdOf(5), false],
    ]);
    expect(client.take('ErrorReport')).toMatchObject([
      { requestId: 4, failure: { type: 'TASK_EXISTS' } },
    ]);
    expect(agent.takeTasks()).toHaveLength(2);
  });

  it('is bounded in tasks and bytes', () => {
    const swarm = new CoreHarness({ pendingTasksMax: 2, pendingBytesMax: 10 });
    const client = swarm.client();
    client.submit(1, { payload: new Uint8Array(9) });
    client.submit(2, { payload: new Uint8Array(9) });
    client.submit(3, { payload: new Uint8Array(1) });
    client.submit(4, { payload: new Uint8Array(0) });
    const refused = client.take('ErrorReport');
    expect(refused.map(({ requestId }) => requestId)).toEqual([2, 4]);
    expect(refused[0]?.failure).toMatchObject({
      type: 'QUEUE_FULL',
      code: 'RESOURCE_EXHAUSTED',
      retryable: true,
    });
    expect(refused[0]?.failure.retryAfterMs).toBeGreaterThan(0);
  });

  it('is refused with the missing data set, the missing feature, or while draining', () => {
    const swarm = new CoreHarness();
    const client = swarm.client();
    client.submit(1, { datasets: [`sha256:${'0'.repeat(64)}`] });
    client.submit(2, { durable: true });
    client.submit(3, { after: [taskIdOf(1)] });
    swarm.feed({ type: 'DrainRequested' });
    client.submit(4);
    expect(client.take('ErrorReport').map(({ failure: { type } }) => type)).toEqual([
      'DATASET_NOT_FOUND',
      'UNSUPPORTED_OPTION',
      'UNSUPPORTED_OPTION',
      'DRAINING',
    ]);
    expect(swarm.core.isIdle).toBe(true);
  });

  it('cancels tasks of a client that is gone only when they were submitted so', () => {
    const swarm = new CoreHarness();
    const client = swarm.client();
    const kept = client.submit(1);
    const dropped = client.submit(2, { onClientLoss: 'cancel', watch: 'none' });
    client.vanish();
    expect([swarm.row(kept).state, swarm.row(dropped).state]).toEqual(['queued', 'cancelled']);
  });

  it('fits a thousand failed tasks with long stories into one report', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a', { credit: 1000 });
    const client = swarm.client();
    for (let n = 1; n <= 1000; n++) client.submit(n, { retry: { maximumAttempts: 1 } });
    const story = { message: 'm'.repeat(4096), stack: 's'.repeat(16_384), hint: 'h'.repeat(4096) };
    for (const task of agent.takeTasks()) {
      agent.complete(task, {
        outcome: 'failed',
        failure: { code: 'UNKNOWN', type: 'TASK_FAILED', retryable: false, ...story },
      });
    }
    const { rows } = taskRows(swarm.core.state, undefined, 1000, swarm.nowMs);
    const frame = encodeFrame({
      type: 'StatusReport',
      body: { requestId: 1, view: 'tasks', tasks: rows, rowsInAll: 1000 },
    });
    expect(frame.length).toBeLessThan(CONTROL_FRAME_BYTES_MAX);
    expect(swarm.row(taskIdOf(1)).failure).toMatchObject(story);
  });

  it('forgets finished tasks by number, bytes and age', () => {
    const swarm = new CoreHarness({
      finishedTasksMax: 3,
      finishedBytesMax: 100,
      finishedTtlMs: 1000,
    });
    const agent = swarm.agent('a', { credit: 100 });
    const client = swarm.client();
    const run = (n: number, bytes: number): void => {
      client.submit(n);
      agent.complete(oneTask(agent), { payload: new Uint8Array(bytes) });
    };
    const known = (): string[] =>
      [...swarm.core.state.tasks.values()].map(({ taskId }) => taskId).sort();
    for (let n = 1; n <= 5; n++) run(n, 1);
    expect(known()).toEqual([3, 4, 5].map(taskIdOf));
    run(6, 99);
    expect(known()).toEqual([5, 6].map(taskIdOf));
    swarm.advance(1000, () => agent.heartbeat());
    expect(swarm.core.state.tasks.size).toBe(0);
  });
});
