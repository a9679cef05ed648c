/** Tasks with different fairness keys take turns. */
import { describe, expect, it } from 'vitest';
import { CoreHarness, taskIdOf } from './core-harness.ts';

function orderOf(submissions: readonly (readonly [number, string | undefined, number?])[]) {
  const swarm = new CoreHarness({ features: ['fairness'] });
  const client = swarm.client();
  for (const [n, fairnessKey, priority = 3] of submissions) {
    client.submit(n, { priority, ...(fairnessKey === undefined ? {} : { fairnessKey }) });
  }
  const agent = swarm.agent('a1', { slots: 1, credit: 1 });
  const order: number[] = [];
  for (let [task] = agent.takeTasks(); task !== undefined; [task] = agent.takeTasks()) {
    order.push(Number.parseInt(task.taskId.slice(-12), 16));
    agent.complete(task);
  }
  return order;
}

describe('fairness keys', () => {
  it('take turns, whoever submitted how many and when', () => {
    const order = orderOf([
      [1, 'a'],
      [2, 'a'],
      [3, 'a'],
      [4, 'b'],
      [5, 'b'],
      [6, undefined],
      [7, 'a'],
    ]);
    expect(order).toEqual([1, 4, 6, 2, 5, 3, 7]);
  });

  it('change nothing between priorities, nor among tasks without one', () => {
    expect(
      orderOf([
        [1, 'a'],
        [2, 'b', 1],
        [3, 'a', 1],
        [4, 'a', 1],
      ]),
    ).toEqual([2, 3, 4, 1]);
    expect(
      orderOf([
        [1, undefined],
        [2, undefined],
        [3, undefined],
      ]),
    ).toEqual([1, 2, 3]);
  });

  it('forget a key with its last task, and leave out what was cancelled', () => {
    const swarm = new CoreHarness({ features: ['fairness'] });
    const client = swarm.client();
    for (const n of [1, 2, 3]) client.submit(n, { fairnessKey: n === 3 ? 'b' : 'a' });
    const cancel = { reason: 'test', graceMs: 0 };
    client.say('CancelTask', { requestId: 9, taskId: taskIdOf(1), ...cancel });
    expect(swarm.row(taskIdOf(2)).position).toBe(1);
    expect(swarm.row(taskIdOf(3)).position).toBe(2);
    for (const n of [2, 3])
      client.say('CancelTask', { requestId: 9, taskId: taskIdOf(n), ...cancel });
    const agent = swarm.agent('a1');
    client.submit(4, { fairnessKey: 'a' });
    expect(agent.takeTasks().map(({ taskId }) => taskId)).toEqual([taskIdOf(4)]);
  });
});
