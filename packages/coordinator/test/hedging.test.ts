/** A task that takes too long is given to a second agent, and the first answer counts. */
import { describe, expect, it } from 'vitest';
import { AttemptTimes } from '../src/core/attempt-times.ts';
import { CoreHarness, taskIdOf, type PlayedAgent } from './core-harness.ts';

const USUAL_MS = 100;

/** A swarm that has seen thirty tasks of 100 ms, and one more that runs on. */
function straggling(rest: object = { hedge: true }) {
  const swarm = new CoreHarness({ features: ['hedging'] });
  const client = swarm.client();
  const slow = swarm.agent('slow', { slots: 1, credit: 1 });
  for (let n = 1; n <= 30; n++) {
    client.submit(n);
    slow.complete(slow.takeTasks()[0] as never, { computeMs: USUAL_MS });
  }
  client.ends();
  const taskId = client.submit(100, rest);
  const [task] = slow.takeTasks();
  if (task === undefined) throw new Error('no task came');
  slow.start(task);
  const fast = swarm.agent('fast', { slots: 1, credit: 1 });
  const wait = (ms: number): void => {
    swarm.advance(ms, () => slow.heartbeat([task]));
  };
  return { swarm, client, slow, fast, taskId, task, wait };
}

function takeOne(agent: PlayedAgent) {
  const [task] = agent.takeTasks();
  if (task === undefined) throw new Error('no task came');
  return task;
}

describe('a task that takes too long', () => {
  it('is given to a second agent, whose answer counts when it is the first', () => {
    const { swarm, client, slow, fast, taskId, task, wait } = straggling();
    wait(USUAL_MS * 1.4);
    expect(fast.takeTasks()).toEqual([]);
    wait(USUAL_MS);
    const copy = takeOne(fast);
    expect(copy.taskId).not.toBe(taskId);
    expect(copy.payload).toEqual(task.payload);
    fast.complete(copy, { payload: new Uint8Array([7]) });
    expect(client.ends().get(taskId)).toMatchObject({
      state: 'succeeded',
      agentId: 'fast',
      payload: new Uint8Array([7]),
    });
    expect(slow.take('CancelTask')).toMatchObject([{ taskId, attempt: 1 }]);
    slow.complete(task, { payload: new Uint8Array([8]) });
    expect(slow.take('MessageAck').at(-1)).toMatchObject({ status: 'STALE' });
    expect(swarm.core.isIdle).toBe(true);
  });

  it('keeps the first agent’s answer when that is the first, and the second is stopped', () => {
    const { swarm, client, slow, fast, taskId, task, wait } = straggling();
    wait(USUAL_MS * 3);
    const copy = takeOne(fast);
    slow.complete(task, { payload: new Uint8Array([8]) });
    expect(client.ends().get(taskId)).toMatchObject({ agentId: 'slow' });
    expect(fast.take('CancelTask')).toMatchObject([{ taskId: copy.taskId }]);
    fast.complete(copy);
    expect(fast.take('MessageAck')).toMatchObject([{ status: 'STALE' }]);
    expect(swarm.core.state.tasks.get(copy.taskId)).toBeUndefined();
  });

  it('goes on alone when its second copy fails, and is not copied again', () => {
    const { client, slow, fast, taskId, task, wait } = straggling();
    wait(USUAL_MS * 3);
    fast.fail(takeOne(fast), 'FLAKY', true);
    wait(USUAL_MS * 10);
    expect(fast.takeTasks()).toEqual([]);
    slow.complete(task);
    expect(client.ends().get(taskId)).toMatchObject({ state: 'succeeded', agentId: 'slow' });
  });

  it('has its second copy’s answer when its own agent was lost', () => {
    const { client, slow, fast, taskId, wait } = straggling();
    wait(USUAL_MS * 3);
    const copy = takeOne(fast);
    slow.vanish();
    fast.complete(copy);
    expect(client.ends().get(taskId)).toMatchObject({ state: 'succeeded', agentId: 'fast' });
  });

  it('is cancelled with its second copy', () => {
    const { swarm, client, slow, fast, taskId, task, wait } = straggling();
    wait(USUAL_MS * 3);
    const copy = takeOne(fast);
    client.say('CancelTask', { requestId: 9, taskId, reason: 'enough', graceMs: 1 });
    slow.complete(task, { outcome: 'cancelled' });
    expect(client.ends().get(taskId)).toMatchObject({ state: 'cancelled' });
    expect(fast.take('CancelTask')).toMatchObject([{ taskId: copy.taskId }]);
    expect(swarm.core.state.pendingTasks).toBe(0);
  });

  it('has no second copy unasked, nor where it may not be started twice, nor where nobody is free', () => {
    for (const rest of [{}, { hedge: true, idempotent: false }]) {
      const { fast, wait } = straggling(rest);
      wait(USUAL_MS * 10);
      expect(fast.takeTasks()).toEqual([]);
    }
    const { client, fast, wait } = straggling();
    client.submit(101);
    const busy = takeOne(fast);
    wait(USUAL_MS * 3);
    expect(fast.takeTasks()).toEqual([]);
    fast.complete(busy);
    wait(USUAL_MS * 3);
    expect(fast.takeTasks()).toHaveLength(1);
  });

  it('is none of which too little is known', () => {
    const swarm = new CoreHarness({ features: ['hedging'] });
    const client = swarm.client();
    const agent = swarm.agent('a1', { slots: 1, credit: 1 });
    client.submit(1, { hedge: true });
    agent.start(takeOne(agent));
    const other = swarm.agent('a2');
    swarm.advance(60_000, () => {
      agent.heartbeat([{ epoch: 7, taskId: taskIdOf(1), attempt: 1 }]);
      other.heartbeat();
    });
    expect(other.takeTasks()).toEqual([]);
  });
});

describe('attempt times', () => {
  it('tell a quantile within a step, and what is usual now', () => {
    const times = new AttemptTimes();
    expect(times.quantileMs('x', 0.95)).toBeUndefined();
    for (let ms = 1; ms <= 1000; ms++) times.note('x', ms);
    const p95 = times.quantileMs('x', 0.95) ?? 0;
    expect(p95).toBeGreaterThanOrEqual(950);
    expect(p95).toBeLessThan(950 * 2 ** 0.5);
    for (let i = 0; i < 20_000; i++) times.note('x', 10);
    expect(times.quantileMs('x', 0.95)).toBeLessThan(13);
  });
});
