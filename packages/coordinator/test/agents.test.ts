import { describe, expect, it } from 'vitest';
import { CoreHarness, taskIdOf } from './core-harness.ts';

describe('agents', () => {
  const changesOf = (swarm: CoreHarness): string[] =>
    swarm.effects.flatMap((effect) => (effect.type === 'AgentChanged' ? [effect.change] : []));

  it('at work are suspect after two missed heartbeats, lost after three seconds, and recover by a word', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const client = swarm.client();
    client.submit(1);
    const [task] = agent.takeTasks();
    if (task === undefined) throw new Error('no task');
    agent.start(task);
    swarm.advance(1249);
    expect(changesOf(swarm)).toEqual(['joined']);
    swarm.advance(1);
    expect(changesOf(swarm)).toEqual(['joined', 'suspect']);
    client.submit(2);
    expect(agent.takeTasks()).toEqual([]);
    agent.heartbeat([task]);
    expect(changesOf(swarm)).toEqual(['joined', 'suspect', 'recovered']);
    expect(agent.takeTasks()).toHaveLength(1);
    swarm.advance(2999);
    expect(agent.closedWith).toBeUndefined();
    swarm.advance(1);
    expect(agent.closedWith).toBe('IDLE_TIMEOUT');
    expect(changesOf(swarm).at(-1)).toBe('lost');
  });

  it('are judged at the moment of their timer, however the fractions of that moment are rounded', () => {
    // Times for which `since + patience` has come although `now - since < patience`.
    for (let n = 1; n <= 100; n += 1) {
      const swarm = new CoreHarness();
      swarm.nowMs = 10_000 + n / 7;
      swarm.agent('a');
      swarm.advance(9001);
      expect(changesOf(swarm)).toEqual(['joined', 'suspect', 'lost']);
    }
  });

  it('without work may be silent for longer', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    swarm.advance(2999);
    expect(changesOf(swarm)).toEqual(['joined']);
    swarm.advance(1);
    expect(changesOf(swarm)).toEqual(['joined', 'suspect']);
    swarm.advance(5999);
    expect(agent.closedWith).toBeUndefined();
    swarm.advance(1);
    expect(agent.closedWith).toBe('IDLE_TIMEOUT');
  });

  it('that died while they were idle lose a task three seconds after they were given it', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    swarm.advance(2700);
    const taskId = swarm.client().submit(1);
    swarm.advance(2999);
    // It may not know of the task yet, whose payload can be on its way: no reason to suspect it.
    expect(changesOf(swarm)).toEqual(['joined']);
    expect(swarm.row(taskId)).toMatchObject({ state: 'dispatched', deliveries: 0 });
    swarm.advance(1);
    expect(agent.closedWith).toBe('IDLE_TIMEOUT');
    expect(swarm.row(taskId)).toMatchObject({ state: 'queued', deliveries: 1 });
  });

  it('are not blamed when the coordinator itself was held up', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    swarm.nowMs += 10_000;
    swarm.feed({ type: 'TimePassed' });
    expect(agent.closedWith).toBeUndefined();
    agent.heartbeat();
    swarm.advance(500);
    expect(agent.closedWith).toBeUndefined();
  });

  it('keep their id to themselves, unless the holder is silent or it is the same session', () => {
    const swarm = new CoreHarness();
    const first = swarm.agent('a');
    const second = swarm.agent('a');
    expect(second.closedWith).toBe('DUPLICATE_AGENT');
    const [refused] = second.take('ErrorReport');
    expect(refused?.failure.message).toContain('127.0.0.1:1');
    // As long as it takes until the holder is seen to be silent, if it is.
    expect(refused?.failure.retryAfterMs).toBe(3000);
    expect(first.closedWith).toBeUndefined();
    const same = swarm.agent('a', { sessionToken: `token-${first.connectionId}` });
    expect([first.closedWith, same.closedWith]).toEqual(['SESSION_UNKNOWN', undefined]);
    swarm.advance(3000);
    const replacement = swarm.agent('a');
    expect([same.closedWith, replacement.closedWith]).toEqual(['SESSION_UNKNOWN', undefined]);
  });

  it('keep the work of the old connection when they come back on a new one', () => {
    const swarm = new CoreHarness();
    const old = swarm.agent('a', { credit: 1 });
    const taskId = swarm.client().submit(1);
    const [task] = old.takeTasks();
    const heldLeases = task === undefined ? [] : [task];
    const back = swarm.agent('a', {
      sessionToken: `token-${old.connectionId}`,
      heldLeases,
      credit: 1,
    });
    expect(back.take('AgentAck')[0]?.resumedLeases).toHaveLength(1);
    expect(back.takeTasks()).toEqual([]);
    old.vanish();
    expect(swarm.row(taskId)).toMatchObject({ state: 'running', agentId: 'a' });
  });

  it('keep their work while they change a connection that was too old, unless they stay away', () => {
    const swarm = new CoreHarness();
    const old = swarm.agent('a', { credit: 1 });
    const client = swarm.client();
    const taskId = client.submit(1);
    const [task] = old.takeTasks();
    const other = swarm.agent('b', { credit: 1 });
    const { connectionId } = old;
    swarm.feed({ type: 'ConnectionEnded', connectionId, reason: 'too old', hasExpired: true });
    expect(other.takeTasks()).toEqual([]);
    const back = swarm.agent('a', {
      sessionToken: `token-${connectionId}`,
      heldLeases: task === undefined ? [] : [task],
    });
    expect(back.take('AgentAck')[0]?.resumedLeases).toHaveLength(1);
    expect(other.takeTasks()).toEqual([]);
    expect(swarm.row(taskId)).toMatchObject({ state: 'running', agentId: 'a' });

    const again = back.connectionId;
    swarm.feed({ type: 'ConnectionEnded', connectionId: again, reason: 'old', hasExpired: true });
    for (let elapsedMs = 0; elapsedMs < 3000; elapsedMs += 500) {
      other.heartbeat();
      swarm.advance(500);
    }
    expect(other.takeTasks()).toHaveLength(1);
  });

  it('keep a lease that they list before a result of an earlier attempt of the same task', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a1', { credit: 2 });
    const client = swarm.client();
    client.submit(1, { retry: { initialIntervalMs: 0 } });
    const [first] = agent.takeTasks();
    if (first === undefined) throw new Error('no task came');
    agent.fail(first, 'Sorry', true);
    swarm.advance(10);
    const [second] = agent.takeTasks();
    if (second === undefined) throw new Error('the task did not come again');
    // The receipt for the first attempt is still on its way to it.
    agent.heartbeat([second, first]);
    agent.complete(second);
    expect(client.ends().get(taskIdOf(1))).toMatchObject({ state: 'succeeded', attempt: 2 });
  });

  it('lose leases that they do not list once those must have arrived', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a', { credit: 1 });
    const client = swarm.client();
    const taskId = client.submit(1);
    agent.heartbeat();
    expect(swarm.row(taskId)).toMatchObject({ state: 'dispatched', attempt: 1 });
    agent.takeTasks();
    agent.heartbeat();
    expect(swarm.row(taskId)).toMatchObject({ state: 'dispatched', attempt: 2, deliveries: 1 });
  });

  it('are told to stop leases that the coordinator does not count', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const stranger = { epoch: 6, taskId: '00000000-0000-7000-8000-00000000ffff', attempt: 1 };
    agent.heartbeat([stranger]);
    expect(agent.take('CancelTask')).toMatchObject([stranger]);
    expect(agent.take('HeartbeatAck')).toHaveLength(1);
  });

  it('leave in good order by a goodbye, and their tasks go on elsewhere', () => {
    const swarm = new CoreHarness();
    const a = swarm.agent('a');
    swarm.client().submit(1);
    expect(a.takeTasks()).toHaveLength(1);
    const b = swarm.agent('b');
    a.say('Goodbye', { reason: 'done' });
    expect(b.takeTasks()).toHaveLength(1);
    expect(swarm.core.state.agents.has('a')).toBe(false);
  });

  it('are forgotten when they do not come back within the grace time', () => {
    const swarm = new CoreHarness();
    swarm.agent('a').vanish();
    swarm.advance(9_999);
    expect(swarm.core.state.agents.has('a')).toBe(true);
    swarm.advance(1);
    expect(swarm.core.state.agents.has('a')).toBe(false);
  });
});

describe('data sets', () => {
  it('make room for each other, least recently used first, but never while a task needs them', () => {
    const swarm = new CoreHarness({ datasetsBytesMax: 100 });
    const id = (n: number): string => `sha256:${String(n).repeat(64)}`;
    const client = swarm.client();
    for (const n of [1, 2, 3]) swarm.feed({ type: 'DatasetStored', datasetId: id(n), bytes: 30 });
    client.submit(1, { datasets: [id(1)] });
    swarm.feed({ type: 'DatasetStored', datasetId: id(4), bytes: 30 });
    const dropped = swarm.effects.flatMap((effect) =>
      effect.type === 'DropDataset' ? [effect.datasetId] : [],
    );
    expect(dropped).toEqual([id(2)]);
    expect([...swarm.core.state.datasets.keys()].sort()).toEqual([id(1), id(3), id(4)]);
  });
});
