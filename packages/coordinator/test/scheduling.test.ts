import { describe, expect, it } from 'vitest';
import { CoreHarness, taskIdOf, type PlayedAgent } from './core-harness.ts';

describe('scheduling', () => {
  it('gives a task to an agent of its type and to no other', () => {
    const swarm = new CoreHarness();
    const pattern = swarm.agent('p', { agentType: 'pattern' });
    const feature = swarm.agent('f', {
      agentType: 'feature',
      capabilities: ['FeatureEngineering'],
    });
    const client = swarm.client();
    client.submit(1, { taskType: 'FeatureEngineering' });
    expect(feature.takeTasks().map(({ taskId }) => taskId)).toEqual([taskIdOf(1)]);
    expect(pattern.takeTasks()).toEqual([]);
  });

  it('never has more leases at an agent than it granted credit for', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a', { credit: 3 });
    const client = swarm.client();
    for (let n = 1; n <= 10; n++) client.submit(n);
    const first = agent.takeTasks();
    expect(first).toHaveLength(3);
    agent.complete(first[1] ?? { epoch: 0, taskId: '', attempt: 1 });
    expect(agent.takeTasks()).toHaveLength(1);
  });

  it('gives nothing before the dispatch stream is open and credit was granted', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a', { credit: 0 });
    const taskId = swarm.client().submit(1);
    expect(agent.takeTasks()).toEqual([]);
    expect(swarm.row(taskId).pendingReason).toBe('NO_FREE_SLOT');
    agent.say('CreditGrant', { credit: 1 });
    expect(agent.takeTasks()).toHaveLength(1);
  });

  it('spreads tasks over agents by load', () => {
    const swarm = new CoreHarness();
    const agents = ['a', 'b', 'c', 'd'].map((id) => swarm.agent(id, { credit: 8, slots: 8 }));
    const client = swarm.client();
    for (let n = 1; n <= 16; n++) client.submit(n);
    expect(agents.map((agent) => agent.takeTasks().length)).toEqual([4, 4, 4, 4]);
  });

  it('gives a task whose agent was lost to the one that was heard last, whatever its load', () => {
    const swarm = new CoreHarness();
    const client = swarm.client();
    const lost = swarm.agent('lost', { credit: 1 });
    const taskId = client.submit(1);
    // More than it has slots, so that the task is put behind others.
    const busy = swarm.agent('busy', { slots: 2, credit: 4 });
    client.submit(2);
    client.submit(3);
    swarm.agent('silent');
    swarm.advance(100);
    busy.heartbeat(busy.takeTasks());
    lost.vanish();
    expect(swarm.row(taskId)).toMatchObject({ state: 'dispatched', agentId: 'busy' });
  });

  it('prefers the agent that has the data set in memory', () => {
    const swarm = new CoreHarness();
    const a = swarm.agent('a', { credit: 8, slots: 8 });
    const b = swarm.agent('b', { credit: 8, slots: 8 });
    const datasetId = `sha256:${'1'.repeat(64)}`;
    swarm.feed({ type: 'DatasetStored', datasetId, bytes: 10 });
    swarm.feed({ type: 'DatasetServed', connectionId: b.connectionId, datasetId });
    const client = swarm.client();
    for (let n = 1; n <= 4; n++) client.submit(n, { datasets: [datasetId] });
    expect([a.takeTasks().length, b.takeTasks().length]).toEqual([0, 4]);
  });

  describe('with a thousand agents, of which three have the data set', () => {
    const datasetId = `sha256:${'1'.repeat(64)}`;

    function crowd(): { swarm: CoreHarness; agents: PlayedAgent[]; near: PlayedAgent[] } {
      const swarm = new CoreHarness();
      const agents = Array.from({ length: 1000 }, (_, n) =>
        swarm.agent(`a${n}`, { credit: 8, slots: 8 }),
      );
      const near = [agents[3], agents[500], agents[999]].filter((agent) => agent !== undefined);
      swarm.feed({ type: 'DatasetStored', datasetId, bytes: 10 });
      for (const { connectionId } of near) {
        swarm.feed({ type: 'DatasetServed', connectionId, datasetId });
      }
      return { swarm, agents, near };
    }

    const taken = (agents: readonly PlayedAgent[]): number[] =>
      agents.map((agent) => agent.takeTasks().length);

    it('gives them the tasks that need it, as evenly as others, until they are full', () => {
      const { swarm, agents, near } = crowd();
      const client = swarm.client();
      for (let n = 1; n <= 12; n++) client.submit(n, { datasets: [datasetId] });
      expect(taken(near)).toEqual([4, 4, 4]);
      for (let n = 13; n <= 30; n++) client.submit(n, { datasets: [datasetId] });
      // Each holds eight at most; what they cannot take goes elsewhere and waits for nobody.
      const atHolders = taken(near).reduce((sum, count) => sum + count);
      const elsewhere = taken(agents).reduce((sum, count) => sum + count);
      expect(atHolders + elsewhere).toBe(18);
      expect(atHolders).toBeLessThanOrEqual(12);
    });

    it('does not send other tasks there, nor any when they are gone', () => {
      const { swarm, agents, near } = crowd();
      const client = swarm.client();
      for (let n = 1; n <= 9; n++) client.submit(n);
      expect(taken(near).reduce((sum, count) => sum + count)).toBeLessThan(3);
      for (const agent of near) agent.vanish();
      client.submit(10, { datasets: [datasetId] });
      expect(taken(near)).toEqual([0, 0, 0]);
      expect(taken(agents)).toContain(1);
      expect(swarm.core.state.holders.size).toBe(0);
    });

    it('sends them elsewhere when the holders are slower than a transfer costs', () => {
      const { swarm, agents, near } = crowd();
      const client = swarm.client();
      for (let n = 1; n <= 3; n++) client.submit(n, { datasets: [datasetId] });
      for (const agent of near) {
        for (const task of agent.takeTasks()) agent.complete(task, { computeMs: 10_000 });
      }
      client.submit(4, { datasets: [datasetId] });
      expect(taken(near)).toEqual([0, 0, 0]);
      expect(taken(agents)).toContain(1);
    });
  });

  it('forgets who has a data set that was dropped', () => {
    const swarm = new CoreHarness({ datasetsBytesMax: 10 });
    const agent = swarm.agent('a');
    const [first, second] = ['1', '2'].map((digit) => `sha256:${digit.repeat(64)}`);
    if (first === undefined || second === undefined) throw new Error('two data sets');
    swarm.feed({ type: 'DatasetStored', datasetId: first, bytes: 10 });
    swarm.feed({ type: 'DatasetServed', connectionId: agent.connectionId, datasetId: first });
    expect([...swarm.core.state.holders.keys()]).toEqual([first]);
    swarm.feed({ type: 'DatasetStored', datasetId: second, bytes: 10 });
    swarm.feed({ type: 'DatasetServed', connectionId: agent.connectionId, datasetId: first });
    expect(swarm.core.state.holders.size).toBe(0);
  });

  it('asks for all labels', () => {
    const swarm = new CoreHarness();
    const plain = swarm.agent('plain');
    const client = swarm.client();
    const taskId = client.submit(1, { labels: { zone: 'a' } });
    expect(plain.takeTasks()).toEqual([]);
    expect(swarm.row(taskId)).toMatchObject({
      pendingReason: 'NO_CAPABILITY_MATCH',
      candidates: { connected: 1, ofType: 1, capable: 0, free: 0 },
    });
    const zoned = swarm.agent('zoned', { labels: { zone: 'a', disk: 'ssd' } });
    expect(zoned.takeTasks()).toHaveLength(1);
  });

  it('names the reason why a task waits', () => {
    const swarm = new CoreHarness();
    const client = swarm.client();
    const taskId = client.submit(1, { watch: 'all' });
    expect(client.take('TaskEvent')).toMatchObject([
      { state: 'queued', pendingReason: 'NO_AGENT_OF_TYPE' },
    ]);
    swarm.agent('f', { agentType: 'feature', capabilities: ['FeatureEngineering'] });
    expect(swarm.row(taskId).pendingReason).toBe('NO_AGENT_OF_TYPE');
    const other = client.submit(2, { taskType: 'my.task' });
    expect(swarm.row(other).pendingReason).toBe('NO_CAPABILITY_MATCH');
  });

  it('runs a user’s own task type on any agent that has a handler, also one added later', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('c', { agentType: 'compute', capabilities: [] });
    const client = swarm.client();
    client.submit(1, { taskType: 'my.task' });
    expect(agent.takeTasks()).toEqual([]);
    agent.say('CapabilityUpdate', { capabilities: ['my.task'] });
    expect(agent.takeTasks()).toHaveLength(1);
  });

  it('serves priority 1 first, equal ones in order, and old ones in the end', () => {
    const swarm = new CoreHarness({ priorityAgeingMs: 1000 });
    const client = swarm.client();
    client.submit(1, { priority: 5 });
    swarm.advance(4500);
    client.submit(2, { priority: 3 });
    client.submit(3, { priority: 1 });
    client.submit(4, { priority: 3 });
    const agent = swarm.agent('a', { credit: 8 });
    // Task 1 has waited four steps: it ranks 1 like task 3 and came before it.
    expect(agent.takeTasks().map(({ taskId }) => taskId)).toEqual([1, 3, 2, 4].map(taskIdOf));
  });

  it('gives nothing to an agent that is cordoned or draining, and again after resume', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const client = swarm.client();
    client.say('AgentControl', { requestId: 9, agentId: 'a', action: 'cordon', deadlineMs: 0 });
    expect(client.take('MessageAck')).toMatchObject([{ requestId: 9, status: 'PROCESSED' }]);
    client.submit(1);
    expect(agent.takeTasks()).toEqual([]);
    client.say('AgentControl', { requestId: 10, agentId: 'a', action: 'resume', deadlineMs: 0 });
    expect(agent.takeTasks()).toHaveLength(1);
    agent.say('Drain', { deadlineMs: 100, reason: 'leaving' });
    client.submit(2);
    expect(agent.takeTasks()).toEqual([]);
  });

  it('finds its agent again for a task that comes back after all tasks like it were forgotten', () => {
    const swarm = new CoreHarness();
    const labels = { zone: 'a' };
    const agent = swarm.agent('a', { credit: 1, labels });
    const client = swarm.client();
    const taskId = client.submit(1, { labels });
    const [task] = agent.takeTasks();
    if (task === undefined) throw new Error('no task came');
    // So many other needs that those of the running task are forgotten: nobody else waits with them.
    for (let n = 2; n <= 1100; n++) {
      const other = client.submit(n, { labels: { zone: String(n) } });
      client.say('CancelTask', { requestId: n, taskId: other, reason: 'x', graceMs: 0 });
    }
    expect(
      [...swarm.core.state.queue.buckets].some(({ needs }) => needs.labels?.['zone'] === 'a'),
    ).toBe(false);
    agent.say('LeaseReturn', { leases: [{ epoch: 7, taskId, attempt: 1 }], reason: 'test' });
    const [again] = agent.takeTasks();
    expect(again).toMatchObject({ taskId, attempt: 2 });
    const alike = client.submit(2000, { labels });
    if (again !== undefined) agent.complete(again);
    expect(agent.takeTasks().map((each) => each.taskId)).toEqual([alike]);
  });

  it('counts one lease of a task at an agent, also when it gets the task again after an overrun', () => {
    const retry = { initialIntervalMs: 0, maximumIntervalMs: 0 };
    const swarm = new CoreHarness({ startToCloseSlackMs: 0 });
    const agent = swarm.agent('a', { credit: 2 });
    const client = swarm.client();
    const taskId = client.submit(1, { startToCloseMs: 100, retry });
    const [first] = agent.takeTasks();
    if (first === undefined) throw new Error('no task came');
    agent.start(first);
    swarm.advance(100);
    const [second] = agent.takeTasks();
    if (second === undefined) throw new Error('no second attempt came');
    expect(second).toMatchObject({ taskId, attempt: 2 });
    const leases = (): number | undefined => swarm.core.state.agents.get('a')?.leases.size;
    expect(leases()).toBe(1);
    agent.complete(first);
    expect(agent.take('MessageAck')).toMatchObject([{ status: 'STALE' }]);
    expect(leases()).toBe(1);
    agent.complete(second);
    expect(client.ends().get(taskId)).toMatchObject({ state: 'succeeded', attempt: 2 });
    expect(leases()).toBe(0);
  });
});
