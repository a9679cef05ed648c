/** Tasks that come after others. */
import { describe, expect, it } from 'vitest';
import { CoreHarness, taskIdOf } from './core-harness.ts';

const FEATURES = { features: ['durable', 'dependencies'] as const };

describe('a task that comes after others', () => {
  it('waits until all have succeeded, and is told whose results it is given', () => {
    const swarm = new CoreHarness(FEATURES);
    const client = swarm.client();
    const agent = swarm.agent('a1', { slots: 4, credit: 4 });
    client.submit(1);
    client.submit(2);
    client.submit(3, { after: [taskIdOf(1), taskIdOf(2)] });
    const [first, second] = agent.takeTasks();
    expect(swarm.row(taskIdOf(3))).toMatchObject({ state: 'waiting', waitsFor: 2 });
    agent.complete(first as never);
    expect(agent.takeTasks()).toEqual([]);
    agent.complete(second as never);
    expect(agent.takeTasks()).toMatchObject([
      { taskId: taskIdOf(3), after: [taskIdOf(1), taskIdOf(2)] },
    ]);
  });

  it('fails at once when one of them does not succeed, and those behind it too', () => {
    const swarm = new CoreHarness(FEATURES);
    const client = swarm.client();
    const agent = swarm.agent('a1');
    client.submit(1);
    for (let n = 2; n <= 300; n++) client.submit(n, { after: [taskIdOf(n - 1)] });
    agent.fail(agent.takeTasks()[0] as never, 'BROKEN', false);
    const ends = client.ends();
    expect(ends.size).toBe(300);
    expect(ends.get(taskIdOf(2))).toMatchObject({
      state: 'failed',
      failure: { type: 'DEPENDENCY_FAILED' },
    });
  });

  it('waits for its delay as well', () => {
    const swarm = new CoreHarness(FEATURES);
    const client = swarm.client();
    const agent = swarm.agent('a1');
    client.submit(1);
    client.submit(2, { after: [taskIdOf(1)], delayMs: 1000 });
    client.submit(3, { after: [taskIdOf(1)] });
    agent.complete(agent.takeTasks()[0] as never);
    expect(agent.takeTasks().map(({ taskId }) => taskId)).toEqual([taskIdOf(3)]);
    swarm.advance(1001);
    expect(agent.takeTasks().map(({ taskId }) => taskId)).toEqual([taskIdOf(2)]);
  });

  it('may come after one that has ended, whose result is kept for it however many others end', () => {
    const swarm = new CoreHarness({ ...FEATURES, finishedTasksMax: 3 });
    const client = swarm.client();
    const agent = swarm.agent('a1', { slots: 9, credit: 9 });
    client.submit(1);
    agent.complete(agent.takeTasks()[0] as never);
    client.submit(2, { after: [taskIdOf(1)] });
    const [held] = agent.takeTasks();
    for (let n = 3; n < 30; n++) {
      client.submit(n);
      agent.complete(agent.takeTasks()[0] as never);
    }
    expect(swarm.row(taskIdOf(1)).state).toBe('succeeded');
    agent.complete(held as never);
    client.submit(30);
    agent.complete(agent.takeTasks()[0] as never);
    client.submit(31);
    agent.complete(agent.takeTasks()[0] as never);
    for (let n = 32; n < 40; n++) {
      client.submit(n);
      agent.complete(agent.takeTasks()[0] as never);
    }
    expect(swarm.core.state.tasks.get(taskIdOf(1))).toBeUndefined();
  });

  it('is refused when what it is to come after is unknown, is itself, or would not survive', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    client.submit(1, { after: [taskIdOf(9)] });
    client.submit(2, { after: [taskIdOf(2)] });
    client.submit(3);
    client.submit(4, { after: [taskIdOf(3)], durable: true });
    expect(client.take('ErrorReport').map(({ failure }) => failure.type)).toEqual([
      'TASK_NOT_FOUND',
      'BAD_OPTION',
      'BAD_OPTION',
    ]);
  });

  it('waits on in the next life, or fails there when what it came after had failed', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    const agent = swarm.agent('a1', { slots: 4, credit: 4 });
    for (const n of [1, 2]) client.submit(n, { durable: true });
    for (const n of [3, 4]) client.submit(n, { durable: true, after: [taskIdOf(n - 2)] });
    const [first, second] = agent.takeTasks();
    agent.complete(first as never);
    swarm.sync();
    const next = swarm.nextLife();
    expect(next.row(taskIdOf(3))).toMatchObject({ state: 'queued' });
    expect(next.row(taskIdOf(4))).toMatchObject({ state: 'waiting', waitsFor: 1 });
    const { epoch, taskId, attempt } = second as never as Record<string, never>;
    const back = next.agent('a1', { heldLeases: [{ epoch, taskId, attempt }] as never });
    back.fail(second as never, 'BROKEN', false);
    expect(next.row(taskIdOf(4))).toMatchObject({ state: 'failed' });
  });
});
