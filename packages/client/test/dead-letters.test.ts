import { afterEach, describe, expect, it } from 'vitest';
import type { BodyOf, TaskRow } from '@quic-swarm/protocol';
import { newTaskId } from '../src/index.ts';
import type { FakeCoordinator, Peer } from './support/fake-coordinator.ts';
import { errorOf, testSwarm, type TestSwarm } from './support/swarm.ts';

let swarm: TestSwarm;
afterEach(async () => {
  await swarm.client.close();
});

type Order = BodyOf<'ControlDeadLetter'>;

const start = async (onOrder: (order: Order, peer: Peer) => void): Promise<FakeCoordinator> => {
  swarm = await testSwarm({}, ({ script }) => {
    script.onMessage = (message, peer) => {
      if (message.type === 'ControlDeadLetter') onOrder(message.body, peer);
    };
  });
  return swarm.coordinator;
};

const acknowledgeReplay = ({ requestId, replayId = '' }: Order, peer: Peer): void => {
  peer.acknowledge({ requestId, taskId: replayId });
};

const acknowledgeDrop = ({ requestId }: Order, peer: Peer): void => {
  peer.send('client', { type: 'MessageAck', body: { requestId, status: 'PROCESSED' } });
};

describe('dead letters', () => {
  it('are listed with how many there are in all', async () => {
    const coordinator = await start(() => {});
    const row: TaskRow = {
      taskId: newTaskId(),
      taskType: 'my.task',
      state: 'failed',
      priority: 3,
      attempt: 3,
      deliveries: 0,
      cancelRequested: false,
      ageMs: 5,
      deadLettered: true,
      durable: true,
    };
    coordinator.script.onMessage = (message, peer) => {
      if (message.type !== 'QueryStatus') return;
      const { requestId, view } = message.body;
      const body = { requestId, view, tasks: [row], rowsInAll: 7 };
      peer.send('control', { type: 'StatusReport', body });
    };
    expect(await swarm.client.deadLetters({ limit: 1 })).toEqual({ rows: [row], rowsInAll: 7 });
    expect(coordinator.of('QueryStatus')[0]).toMatchObject({ view: 'deadLetters', limit: 1 });
  });

  it('are replayed as a new task, whose end the handle hears', async () => {
    const coordinator = await start(acknowledgeReplay);
    const taskId = newTaskId();
    const handle = await swarm.client.replayDeadLetter<number>(taskId);
    const [order] = coordinator.of('ControlDeadLetter');
    expect(order).toMatchObject({ taskId, action: 'replay', replayId: handle.id, watch: 'result' });
    expect(handle.id).not.toBe(taskId);
    coordinator.peer.succeed(handle.id, 42, { durable: true });
    expect(await handle.result()).toBe(42);
    // The coordinator may forget the result now.
    expect(await coordinator.until('MessageAck')).toEqual([
      { taskId: handle.id, status: 'RECEIVED' },
    ]);
  });

  it('are replayed under the same id when the connection is lost before the answer', async () => {
    let isFirst = true;
    const coordinator = await start((order, peer) => {
      if (!isFirst) acknowledgeReplay(order, peer);
      else void coordinator.cut();
      isFirst = false;
    });
    const handle = await swarm.client.replayDeadLetter(newTaskId());
    const [first, second] = coordinator.of('ControlDeadLetter');
    expect(second).toEqual(first);
    expect(handle.id).toBe(first?.replayId);
    // Watched like any other task: after the next loss the client asks for it again.
    await coordinator.cut();
    expect(await coordinator.until('WatchTask')).toMatchObject([{ taskId: handle.id }]);
  });

  it('are not watched when nobody wants to hear', async () => {
    const coordinator = await start(acknowledgeReplay);
    const handle = await swarm.client.replayDeadLetter(newTaskId(), { watch: 'none' });
    expect(handle.state).toBe('queued');
    void handle.result();
    const [{ requestId, taskId } = { requestId: 0, taskId: '' }] =
      await coordinator.until('WatchTask');
    coordinator.peer.acknowledge({ requestId, taskId });
    coordinator.peer.succeed(handle.id, 'done');
    expect(await handle.result()).toBe('done');
  });

  it('are dropped, also when the answer was lost and they are gone already', async () => {
    let orders = 0;
    const coordinator = await start((order, peer) => {
      orders += 1;
      if (orders === 1) acknowledgeDrop(order, peer);
      else if (orders === 2) void coordinator.cut();
      else peer.refuse(order.requestId, 'TASK_NOT_FOUND', 'There is no such dead letter.');
    });
    await swarm.client.dropDeadLetter(newTaskId());
    await swarm.client.dropDeadLetter(newTaskId());
    expect(coordinator.of('ControlDeadLetter')).toHaveLength(3);
    // Nobody has heard this one before, so it was never there.
    const refused = await errorOf(swarm.client.dropDeadLetter(newTaskId()));
    expect(refused.type).toBe('TASK_NOT_FOUND');
  });

  it('reject what the coordinator refuses, and watch nothing then', async () => {
    const coordinator = await start(({ requestId }, peer) => {
      peer.refuse(requestId, 'TASK_NOT_FOUND', 'There is no such dead letter.');
    });
    const refused = await errorOf(swarm.client.replayDeadLetter(newTaskId()));
    expect(refused).toMatchObject({ type: 'TASK_NOT_FOUND' });
    await coordinator.cut();
    await coordinator.until('ClientHandshake', 2);
    expect(coordinator.of('WatchTask')).toEqual([]);
  });

  it.each([
    ['replay', async () => swarm.client.replayDeadLetter('nonsense')],
    ['drop', async () => swarm.client.dropDeadLetter('nonsense')],
    ['list', async () => swarm.client.deadLetters({ limit: 0 })],
  ])('%s: a wrong option does not trouble the coordinator', async (_what, act) => {
    const coordinator = await start(() => {});
    expect((await errorOf(act())).type).toBe('BAD_OPTION');
    expect(coordinator.of('ControlDeadLetter')).toEqual([]);
  });
});
