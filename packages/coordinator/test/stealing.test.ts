/** What an agent has not started is asked back when another one has nothing to do. */
import { describe, expect, it } from 'vitest';
import { CoreHarness, taskIdOf } from './core-harness.ts';

/** An agent that computes one task and holds another one behind it. */
function crowded() {
  const swarm = new CoreHarness();
  const client = swarm.client();
  const holder = swarm.agent('a1', { slots: 1, credit: 2 });
  for (const n of [1, 2]) client.submit(n);
  const [running, waiting] = holder.takeTasks();
  if (running === undefined || waiting === undefined) throw new Error('two tasks were expected');
  holder.start(running);
  return { swarm, client, holder, running, waiting };
}

function leaseOf({ epoch, taskId, attempt }: { epoch: number; taskId: string; attempt: number }) {
  return { epoch, taskId, attempt };
}

describe('a lease that was not started', () => {
  it('is asked back for an agent that joins, and given away when it has come back', () => {
    const { swarm, holder, waiting } = crowded();
    swarm.advance(50);
    const thief = swarm.agent('a2', { slots: 1, credit: 1 });
    expect(holder.take('LeaseRecall')).toEqual([{ leases: [leaseOf(waiting)] }]);
    expect(thief.takeTasks()).toEqual([]);
    holder.say('LeaseReturn', { leases: [leaseOf(waiting)], reason: 'recalled' });
    expect(thief.takeTasks()).toMatchObject([{ taskId: taskIdOf(2), attempt: 2 }]);
    expect(swarm.row(taskIdOf(2)).deliveries).toBe(0);
  });

  it('stays where its agent has started it meanwhile', () => {
    const { swarm, holder, waiting } = crowded();
    swarm.advance(50);
    const thief = swarm.agent('a2', { slots: 1, credit: 1 });
    holder.say('LeaseReturn', { leases: [], reason: 'recalled' });
    holder.complete(waiting);
    expect(thief.takeTasks()).toEqual([]);
    expect(swarm.row(taskIdOf(2)).state).toBe('succeeded');
  });

  it('is asked back when an agent becomes free, and only once', () => {
    const swarm = new CoreHarness();
    const client = swarm.client();
    const holder = swarm.agent('a1', { slots: 1, credit: 2 });
    const other = swarm.agent('a2', { slots: 1, credit: 1 });
    for (const n of [1, 2, 3]) client.submit(n);
    const tasks = holder.takeTasks();
    expect(tasks).toHaveLength(2);
    swarm.advance(50);
    other.complete(other.takeTasks()[0] as never, { computeMs: 50 });
    expect(holder.take('LeaseRecall')).toHaveLength(1);
    swarm.advance(450);
    holder.heartbeat(tasks);
    expect(holder.take('LeaseRecall')).toEqual([]);
  });

  it('is asked back when its agent is heard, where somebody was free all the time', () => {
    const { swarm, holder, running, waiting } = crowded();
    swarm.agent('a2', { slots: 1, credit: 1 });
    expect(holder.take('LeaseRecall')).toEqual([]);
    swarm.advance(500);
    holder.heartbeat([running, waiting]);
    expect(holder.take('LeaseRecall')).toEqual([{ leases: [leaseOf(waiting)] }]);
  });

  it('is left alone for an agent that cannot do it, or where it will begin at once', () => {
    const { swarm, holder } = crowded();
    swarm.advance(50);
    swarm.agent('a2', { slots: 1, credit: 1, agentType: 'feature', capabilities: ['my.task'] });
    expect(holder.take('LeaseRecall')).toEqual([]);
    const quick = crowded();
    quick.swarm.agent('a2', { slots: 1, credit: 1 });
    expect(quick.holder.take('LeaseRecall')).toEqual([]);
  });

  it('leaves an agent as many as it computes', () => {
    const swarm = new CoreHarness();
    const client = swarm.client();
    const holder = swarm.agent('a1', { slots: 10, credit: 11 });
    for (let n = 1; n <= 11; n++) client.submit(n);
    expect(holder.takeTasks()).toHaveLength(11);
    swarm.advance(50);
    swarm.agent('a2', { slots: 10, credit: 10 });
    expect(holder.take('LeaseRecall')).toMatchObject([{ leases: [{ taskId: taskIdOf(11) }] }]);
  });
});
