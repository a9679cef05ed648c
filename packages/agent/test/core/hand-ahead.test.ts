/** Tiny tasks that lie at hand: which share a slot, what happens behind a long one, and what goes back. */
import { failure } from '@quic-swarm/protocol';
import { expect, test } from 'vitest';
import { HELD_UP_MS } from '../../src/core/credit.ts';
import type { RunnableTask } from '../../src/core/effects.ts';
import { World, leaseOf, runnableOf, taskIdOf } from './world.ts';

const TINY = { serviceMs: 0.01, computeMs: 0.01 };
const FIRST = 1000;

/** A world whose tasks have proved to be tiny, with room for at least 16 ahead; everything is done and told. */
function taught(options: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(options).join();
  let n = FIRST;
  for (let round = 0; round < 16; round += 1) {
    const { granted } = world.core.tasks.credit;
    // Enough, and checking after each step takes longer the more there are.
    if (granted > 16) break;
    const from = n;
    while (world.core.tasks.leases.live < granted) world.dispatch((n += 1));
    for (let done = from + 1; done <= n; done += 1) world.finish(done, TINY).acknowledge(done);
  }
  world.take();
  expect(world.core.tasks.credit.granted).toBeGreaterThan(16);
  return world;
}

/** What each slot was given since the last call. */
function slotsOf(world: World): string[][] {
  return world
    .take()
    .map((effect) => runnableOf(effect).map(({ lease }) => lease.taskId))
    .filter(({ length }) => length > 0);
}

const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => taskIdOf(from + i));

/** Two long tasks in both slots and tiny ones behind them. */
function behindLong(options: ConstructorParameters<typeof World>[0] = {}): World {
  const world = taught({ capabilities: ['work', 'long'], ...options });
  world.dispatch(1, { taskType: 'long' }).dispatch(2, { taskType: 'long' }).begin(1).begin(2);
  for (let n = 3; n <= 6; n += 1) world.dispatch(n);
  world.take();
  return world;
}

test('tiny tasks that wait are given to a slot together, no more than its share', () => {
  const world = taught();
  for (let n = 1; n <= 10; n += 1) world.dispatch(n);
  expect(slotsOf(world)).toEqual([ids(1, 1), ids(2, 2)]);
  expect(slotsOf(world.finish(1, TINY))).toEqual([ids(3, 6)]);
  expect(slotsOf(world.finish(2, TINY))).toEqual([ids(7, 8)]);
  // A slot is free when all that it was given is done.
  for (let n = 3; n <= 5; n += 1) expect(slotsOf(world.finish(n, TINY))).toEqual([]);
  expect(slotsOf(world.finish(6, TINY))).toEqual([ids(9, 9)]);
});

test('handlers of the main thread and of threads do not share a slot, nor do inputs that must be decoded', () => {
  const world = new World({
    slots: 1,
    capabilities: ['work', 'here'],
    onMainThread: ['here'],
  }).join();
  for (const taskType of ['work', 'here']) {
    for (let n = FIRST; n < FIRST + 16; n += 1) {
      world.dispatch(n, { taskType }).finish(n, TINY).acknowledge(n);
    }
  }
  for (let n = FIRST; n < FIRST + 100; n += 2) {
    world.dispatch(n).dispatch(n + 1);
    for (const done of [n, n + 1]) world.finish(done, TINY).acknowledge(done);
  }
  world.take();
  const types = ['work', 'work', 'work', 'here', 'here', 'work'];
  for (const [i, taskType] of types.entries()) world.dispatch(i + 1, { taskType });
  const payloadEncoding = { name: 'deflate-raw', decodedBytes: 5 } as const;
  world.dispatch(7, { payload: Uint8Array.of(1), payloadEncoding });
  world.dispatch(8);
  const slots = [slotsOf(world)];
  for (let n = 1; n <= 8; n += 1) slots.push(slotsOf(world.finish(n, TINY)));
  expect(slots.flat()).toEqual([ids(1, 1), ids(2, 3), ids(4, 5), ids(6, 6), ids(7, 7), ids(8, 8)]);
});

test('grants are sent when they change, not with every task', () => {
  const world = new World().join();
  world.take();
  let n = FIRST;
  let tasks = 0;
  const grants: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    const from = n;
    while (world.core.tasks.leases.live < world.core.tasks.credit.granted) world.dispatch((n += 1));
    for (let done = from + 1; done <= n; done += 1) world.finish(done, TINY).acknowledge(done);
    tasks += n - from;
    grants.push(...world.sent('CreditGrant').map(({ credit }) => credit));
  }
  expect(tasks).toBeGreaterThan(500);
  expect(grants).toEqual([11, 19, 35, 67, 131, 259]);
});

test('no credit is granted before work is wanted, however tiny tasks are', () => {
  const world = taught();
  world.lose().pass(100);
  world.take();
  world.join();
  const [first] = world.sent('CreditGrant');
  expect(first?.credit).toBe(world.core.tasks.credit.granted);
});

test('startToCloseMs counts from the handler of each task, not from what it shares a slot with', () => {
  const world = taught({ slots: 1 }).dispatch(1).dispatch(2).dispatch(3, { startToCloseMs: 50 });
  world.finish(1, TINY);
  expect(slotsOf(world)).toEqual([ids(1, 1), ids(2, 3)]);
  world.begin(2);
  expect(world.pass(500).story()).not.toContain('AbortTask');
  world.finish(2, { ...TINY, computeMs: 500 }).begin(3);
  expect(world.pass(49).story()).not.toContain('AbortTask');
  expect(world.pass(1).take()).toContainEqual({
    type: 'AbortTask',
    lease: leaseOf(3),
    graceMs: 1000,
  });
});

test('the end of a task of which no start was heard says how long it waited', () => {
  const world = taught({ slots: 1 }).dispatch(1);
  world.nowMs += 30;
  world.finish(1, { serviceMs: 10, computeMs: 10 });
  expect(world.sent('TaskCompletion')).toMatchObject([{ computeMs: 10, waitMs: 20 }]);
});

test('what stood behind a task that turned out long goes on in front, in its order, wherever there is room', () => {
  const world = taught().dispatch(1).dispatch(2);
  const tasks = new Map<string, RunnableTask>();
  for (let n = 3; n <= 12; n += 1) world.dispatch(n);
  for (const effect of world.finish(1, TINY).take()) {
    for (const runnable of runnableOf(effect)) tasks.set(runnable.lease.taskId, runnable);
  }
  const behind = ids(4, 7).map((id) => tasks.get(id) as RunnableTask);
  world.tell({ type: 'TaskTurnedOutLong', lease: leaseOf(3), tookMs: 0.05 });
  expect(world.sent('TaskStarted')).toEqual([leaseOf(3)]);
  world.tell({ type: 'TasksTakenBack', tasks: behind });
  expect(slotsOf(world)).toEqual([]);
  // Task 3 keeps its slot, and nobody counts on it: all that wait may go together.
  expect(slotsOf(world.finish(2, TINY))).toEqual([ids(4, 12)]);
});

test('a task that is cancelled while it is taken back ends as cancelled', () => {
  const world = taught({ slots: 1 }).dispatch(1).dispatch(2).dispatch(3).finish(1, TINY);
  const [, second] = world.take().flatMap(runnableOf).slice(1);
  world.cancel(3);
  world.tell({ type: 'TasksTakenBack', tasks: [second as RunnableTask] });
  expect(world.sent('TaskCompletion')).toMatchObject([{ ...leaseOf(3), outcome: 'cancelled' }]);
});

test('what is taken back while the agent drains is returned', () => {
  const world = taught({ slots: 1 }).dispatch(1).dispatch(2).dispatch(3).finish(1, TINY);
  const [, second] = world.take().flatMap(runnableOf).slice(1);
  world.tell({ type: 'DrainRequested', deadlineMs: 1000, reason: 'a test' });
  world.take();
  world.tell({ type: 'TasksTakenBack', tasks: [second as RunnableTask] });
  expect(world.sent('LeaseReturn')).toMatchObject([{ leases: [leaseOf(3)] }]);
});

test('tiny tasks that long ones hold up go back, after a grant that keeps them away', () => {
  const world = behindLong();
  const before = world.core.tasks.credit.granted;
  expect(world.pass(HELD_UP_MS - 1).story()).toEqual([]);
  world.pass(1);
  const effects = world
    .take()
    .flatMap((effect) => (effect.type === 'Send' ? [effect.message] : []));
  expect(effects).toMatchObject([
    { type: 'CreditGrant', body: { credit: 2 } },
    { type: 'LeaseReturn', body: { leases: [3, 4, 5, 6].map((n) => leaseOf(n)) } },
  ]);
  const [again] = world.finish(1).sent('CreditGrant');
  expect(again?.credit).toBe(before - (before - 3) / 2);
});

test('what was on its way when the grant went down is taken, and goes back too', () => {
  const world = behindLong().pass(HELD_UP_MS);
  world.take();
  world.dispatch(7).dispatch(8);
  expect(world.sent('MessageAck')).toEqual([]);
  expect(world.pass(1).sent('LeaseReturn')).toMatchObject([{ leases: [leaseOf(7), leaseOf(8)] }]);
  // Once, and not again and again.
  expect(world.pass(400).sent('LeaseReturn')).toEqual([]);
});

test('nothing goes back while something moves, or what is not known to be quick, or when nobody would hear it', () => {
  const moving = behindLong();
  for (let round = 0; round < 20; round += 1) {
    moving
      .pass(HELD_UP_MS - 2)
      .finish(2, TINY)
      .dispatch(2, { taskType: 'long' });
    if (moving.core.tasks.leases.waiting.size < 2) break;
  }
  expect(moving.sent('LeaseReturn')).toEqual([]);

  const slow = taught({ capabilities: ['work', 'long'] });
  for (let n = 1; n <= 4; n += 1) slow.dispatch(n, { taskType: 'long' });
  expect(slow.pass(400).sent('LeaseReturn')).toEqual([]);

  const withData = taught({ slots: 1, capabilities: ['work', 'long'] });
  withData
    .dispatch(1, { taskType: 'long' })
    .dispatch(2, { datasets: [`sha256:${'0'.repeat(64)}`] });
  withData.tell({ type: 'DatasetsReady', lease: leaseOf(2) });
  expect(withData.pass(400).sent('LeaseReturn')).toEqual([]);

  const alone = behindLong().lose(failure('CONNECTION_LOST', 'gone'), 0.9);
  alone.pass(50);
  expect(alone.core.tasks.leases.waiting.size).toBe(4);
});

test('a process that had no turn hears first what has ended meanwhile', () => {
  const world = behindLong();
  world.nowMs += 10 * HELD_UP_MS;
  expect(world.tell({ type: 'TimeoutReached' }).sent('LeaseReturn')).toEqual([]);
  // The end of a task was waiting to be heard.
  world.finish(1, { serviceMs: 70, computeMs: 70 });
  expect(slotsOf(world)).toEqual([ids(3, 6)]);
  expect(
    behindLong()
      .pass(10 * HELD_UP_MS)
      .sent('LeaseReturn'),
  ).toHaveLength(1);
});

test('observers hear of each start once, also of tasks that were taken back', () => {
  const world = taught({ slots: 1 }).dispatch(1).dispatch(2).dispatch(3).finish(1, TINY);
  const second = world.effects.flatMap(runnableOf).at(-1);
  world.tell({ type: 'TaskTurnedOutLong', lease: leaseOf(2), tookMs: 2 });
  world.tell({ type: 'TasksTakenBack', tasks: [second as RunnableTask] });
  world.finish(2, TINY).finish(3, TINY);
  const told = world
    .take()
    .flatMap((effect) => (effect.type === 'Notify' ? [effect.event] : []))
    .flatMap((event) => (event.type === 'taskStarted' ? [event.taskId] : []));
  expect(told).toEqual(ids(1, 3));
});
