/** Agents that take more tasks than they can begin: who gets them, which tasks go, and what comes back. */
import { describe, expect, it } from 'vitest';
import { CoreHarness, taskIdOf, type PlayedAgent } from './core-harness.ts';

const AHEAD = { slots: 2, credit: 200 };
const takenBy = (agents: readonly PlayedAgent[]): number[] =>
  agents.map((agent) => agent.takeTasks().length);

describe('tasks that go ahead', () => {
  it('go to an agent with a free slot first, however slow it was and however much others take', () => {
    const swarm = new CoreHarness();
    const client = swarm.client();
    const slow = swarm.agent('slow', { slots: 2, credit: 3 });
    client.submit(1);
    for (const task of slow.takeTasks()) slow.complete(task, { computeMs: 60_000 });
    const taking = swarm.agent('taking', AHEAD);
    for (let n = 10; n < 110; n++) client.submit(n);
    expect(takenBy([slow, taking])).toEqual([2, 98]);
  });

  it('leave no slot free among many agents of which some take much', () => {
    const swarm = new CoreHarness();
    const taking = Array.from({ length: 20 }, (_, n) => swarm.agent(`t${n}`, AHEAD));
    const client = swarm.client();
    for (let n = 0; n < 1000; n++) client.submit(n);
    expect(takenBy(taking).reduce((sum, count) => sum + count)).toBe(1000);
    const idle = Array.from({ length: 20 }, (_, n) =>
      swarm.agent(`i${n}`, { slots: 2, credit: 3 }),
    );
    for (let n = 1000; n < 1040; n++) client.submit(n);
    expect(takenBy(idle)).toEqual(idle.map(() => 2));
    expect(takenBy(taking)).toEqual(taking.map(() => 0));
  });

  it('are spread evenly over the agents that take them', () => {
    const swarm = new CoreHarness();
    const agents = ['a', 'b', 'c'].map((id) => swarm.agent(id, AHEAD));
    const client = swarm.client();
    for (let n = 0; n < 150; n++) client.submit(n);
    expect(takenBy(agents)).toEqual([50, 50, 50]);
  });

  it.each([
    ['with a data set', { datasets: [`sha256:${'1'.repeat(64)}`] }],
    ['with an input over 4 KiB', { payload: new Uint8Array(4097) }],
    ['that may be started only once', { idempotent: false }],
  ])('are none %s: of those an agent gets a tenth more than it has slots', (_what, rest) => {
    const swarm = new CoreHarness();
    swarm.feed({ type: 'DatasetStored', datasetId: `sha256:${'1'.repeat(64)}`, bytes: 10 });
    const agent = swarm.agent('a', { slots: 10, credit: 200 });
    const client = swarm.client();
    for (let n = 0; n < 50; n++) client.submit(n, rest);
    expect(agent.takeTasks()).toHaveLength(11);
    expect(swarm.row(taskIdOf(20))).toMatchObject({
      pendingReason: 'NO_FREE_SLOT',
      candidates: { capable: 1, free: 0 },
    });
    // Light ones of the same type do not wait for them.
    for (let n = 50; n < 60; n++) client.submit(n);
    expect(agent.takeTasks()).toHaveLength(10);
  });
});

describe('tasks that come back un-started', () => {
  it('are next again, in their order, and go to whoever has room', () => {
    const swarm = new CoreHarness();
    const client = swarm.client();
    const held = swarm.agent('held', { slots: 1, credit: 10 });
    for (let n = 1; n <= 20; n++) client.submit(n);
    const [, ...waiting] = held.takeTasks();
    expect(waiting).toHaveLength(9);
    held.say('CreditGrant', { credit: 1 });
    const leases = waiting.map(({ epoch, taskId, attempt }) => ({ epoch, taskId, attempt }));
    held.say('LeaseReturn', { leases, reason: 'held up' });
    expect(held.takeTasks()).toEqual([]);
    const other = swarm.agent('other', { slots: 1, credit: 30 });
    const order = other.takeTasks().map(({ taskId }) => taskId);
    expect(order).toEqual(Array.from({ length: 19 }, (_, i) => taskIdOf(i + 2)));
  });

  it('keep the priority that they gained by waiting', () => {
    const swarm = new CoreHarness({ priorityAgeingMs: 1000 });
    const client = swarm.client();
    const old = client.submit(1, { priority: 5 });
    swarm.advance(4500);
    const agent = swarm.agent('a', { slots: 1, credit: 1 });
    const [lease] = agent.takeTasks();
    expect(lease?.taskId).toBe(old);
    client.submit(2, { priority: 2 });
    agent.say('LeaseReturn', { leases: [leaseOf(lease)], reason: 'held up' });
    expect(agent.takeTasks().map(({ taskId }) => taskId)).toEqual([old]);
  });

  it('come back in thousands without disturbing those that wait', () => {
    const swarm = new CoreHarness();
    const client = swarm.client();
    for (let n = 1; n <= 600; n++) client.submit(n);
    for (const round of [1, 2, 3]) {
      const agent = swarm.agent(`a${round}`, { slots: 1, credit: 300 });
      const tasks = agent.takeTasks();
      expect(tasks.map(({ taskId }) => taskId)).toEqual(
        Array.from({ length: 300 }, (_, i) => taskIdOf(i + 1)),
      );
      agent.say('CreditGrant', { credit: 0 });
      agent.say('LeaseReturn', { leases: tasks.map(leaseOf), reason: 'held up' });
    }
  });
});

function leaseOf(lease: { epoch: number; taskId: string; attempt: number } | undefined) {
  if (lease === undefined) throw new Error('no lease');
  const { epoch, taskId, attempt } = lease;
  return { epoch, taskId, attempt };
}
