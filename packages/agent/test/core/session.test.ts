/** Joining, heartbeats, silence, coming back, leaving. */
import { failure } from '@quic-swarm/protocol';
import { expect, test } from 'vitest';
import { SESSION_TRANSITIONS } from '../../src/core/session.ts';
import { World, leaseOf } from './world.ts';

function joined(): World {
  const world = new World().join();
  world.take();
  return world;
}

test('every state can be reached and the last one is final', () => {
  const reachable = new Set(Object.values(SESSION_TRANSITIONS).flat());
  const states = Object.keys(SESSION_TRANSITIONS).filter((state) => state !== 'idle');
  expect([...reachable].sort()).toEqual(states.sort());
  expect(SESSION_TRANSITIONS.stopped).toEqual([]);
});

test('heartbeats go out at the interval and list what is held', () => {
  const world = joined().dispatch(1).dispatch(2).dispatch(3);
  world.take();
  const beats = world
    .pass(1000)
    .take()
    .filter(({ type }) => type === 'SendHeartbeat');
  expect(beats).toMatchObject([
    { sequence: 1, running: 2, waiting: 1, lastDispatchSequence: 3 },
    { sequence: 2, leases: [leaseOf(1), leaseOf(2), leaseOf(3)] },
  ]);
});

test('an agent without leases says less often that it is there, and waits for longer', () => {
  const world = new World().join({ idleHeartbeatIntervalMs: 2500, idleHeartbeatTimeoutMs: 9000 });
  world.take();
  expect(world.pass(2499).story()).toEqual([]);
  expect(world.pass(1).story()).toEqual(['SendHeartbeat']);
  expect(world.pass(6499).story()).not.toContain('CloseConnection');
  // The next one would have been the fourth.
  expect(world.pass(2500).story()).toEqual(['CloseConnection']);
});

test('its first lease starts the shorter interval, its last one ends it', () => {
  const world = new World().join({ idleHeartbeatIntervalMs: 2500, idleHeartbeatTimeoutMs: 9000 });
  world.pass(1000).dispatch(1).take();
  expect(world.pass(499).story()).toEqual([]);
  expect(world.pass(1).story()).toEqual(['SendHeartbeat']);
  expect(world.pass(500).story()).toEqual(['SendHeartbeat']);
  world.finish(1).acknowledge(1).take();
  expect(world.pass(2499).story()).toEqual([]);
  expect(world.pass(1).story()).toEqual(['SendHeartbeat']);
});

test('tasks that come now and then and end at once leave the heartbeats of an idle agent as they are', () => {
  const world = new World().join({ idleHeartbeatIntervalMs: 2500, idleHeartbeatTimeoutMs: 9000 });
  world.take();
  let beats = 0;
  for (let n = 1; n <= 10; n += 1) {
    world.dispatch(n).finish(n).acknowledge(n).pass(500);
    beats += world.take().filter(({ type }) => type === 'SendHeartbeat').length;
  }
  expect(beats).toBe(2);
});

test('a coordinator that falls silent is left, and the agent comes back', () => {
  const world = joined();
  expect(world.pass(2999).story()).not.toContain('CloseConnection');
  expect(world.pass(1).story()).toEqual(['CloseConnection']);
  world.lose(failure('CLOSED_LOCALLY', 'closed'));
  expect(world.take()).toMatchObject([
    { type: 'Notify', event: { type: 'disconnected', reason: { type: 'CONNECTION_LOST' } } },
  ]);
  expect(world.pass(50).story()).toEqual(['Connect']);
});

test('any message is a sign of life', () => {
  const world = joined();
  for (let i = 1; i < 10; i += 1) world.pass(500).hear('HeartbeatAck', { sequence: i });
  expect(world.story()).not.toContain('CloseConnection');
});

test('after a stall of its own the agent listens once more before it gives the coordinator up', () => {
  const world = joined();
  world.nowMs += 20_000;
  expect(world.tell({ type: 'TimeoutReached' }).story()).toEqual(['SendHeartbeat']);
  expect(world.pass(500).story()).toEqual(['CloseConnection']);
});

test('pauses grow with each failure, and a heartbeat that came back resets them', () => {
  const world = joined();
  const pauses: (number | undefined)[] = [];
  for (let i = 0; i < 3; i += 1) {
    world.take();
    world.lose();
    const [effect] = world.take();
    if (effect?.type === 'Notify' && effect.event.type === 'disconnected') {
      pauses.push(effect.event.willRetryInMs);
      // The next attempt fails as soon as it has begun.
      world.pass(effect.event.willRetryInMs ?? 0);
    }
  }
  expect(pauses).toEqual([50, 100, 200]);
  world.join().hear('HeartbeatAck', { sequence: 1 });
  world.take();
  expect(world.lose().take()).toMatchObject([{ event: { willRetryInMs: 50 } }]);
});

test('an agent whose path was cut asks again at least once a second, for some seconds', () => {
  const world = joined().lose();
  const askedAtMs: number[] = [];
  const timeoutsMs: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    while (!world.effects.some(({ type }) => type === 'Connect')) world.pass(1);
    for (const effect of world.take()) {
      if (effect.type === 'Connect') timeoutsMs.push(effect.timeoutMs);
    }
    askedAtMs.push(world.nowMs);
    // Nobody answers until the attempt is given up.
    world.pass(timeoutsMs.at(-1) ?? 0).lose(failure('CONNECT_FAILED', 'no answer'), 0.9);
  }
  const gapsMs = askedAtMs.map((atMs, i) => atMs - (askedAtMs[i - 1] ?? atMs));
  expect(Math.max(...gapsMs.slice(0, 4))).toBeLessThanOrEqual(1000);
  // The path may have become slower: later attempts have all the time that they are given.
  expect(timeoutsMs.slice(3)).toEqual([3000, 3000]);
});

test('on a path that was slow before, an agent waits for longer', () => {
  const world = new World().tell({ type: 'Started' }).tell({ type: 'ConnectionOpened' });
  world.pass(400).join().lose().pass(100);
  expect(world.take()).toContainEqual({ type: 'Connect', timeoutMs: 1600 });
});

test('the first connection fails with CONNECT_FAILED when nobody answers in time', () => {
  const world = new World().tell({ type: 'Started' });
  for (let i = 0; i < 20 && world.core.state !== 'stopped'; i += 1) {
    world.lose(failure('CONNECT_FAILED', 'nobody there'), 0.9).pass(500);
  }
  expect(world.take().at(-1)).toMatchObject({ type: 'Stop', failure: { type: 'CONNECT_FAILED' } });
  expect(world.nowMs).toBeLessThanOrEqual(1000 + 3000 + 500);
});

test('a coordinator that does not answer the handshake fails the first connection', () => {
  const world = new World().tell({ type: 'Started' }).tell({ type: 'ConnectionOpened' });
  world.take();
  expect(world.pass(3000).story()).toEqual(['CloseConnection']);
  world.lose();
  expect(world.take().at(-1)).toMatchObject({ type: 'Stop', failure: { type: 'CONNECT_FAILED' } });
});

test('a refusal with a reason stops the agent with that reason', () => {
  const world = new World().tell({ type: 'Started' }).tell({ type: 'ConnectionOpened' });
  const refusal = failure('DUPLICATE_AGENT', 'taken', { hint: 'choose another' });
  world.take();
  expect(world.hear('ErrorReport', { failure: refusal }).story()).toEqual(['CloseConnection']);
  expect(world.lose().take().at(-1)).toEqual({ type: 'Stop', failure: refusal });
});

test('an agent whose id is held by a silent one waits for that, once', () => {
  const world = new World().tell({ type: 'Started' }).tell({ type: 'ConnectionOpened' });
  const refusal = failure('DUPLICATE_AGENT', 'taken', { retryAfterMs: 2800 });
  world.hear('ErrorReport', { failure: refusal }).lose();
  world.take();
  expect(world.pass(2799).story()).toEqual([]);
  expect(world.pass(1).story()).toEqual(['Connect']);
  // Its time to connect begins again: 3 s were almost over.
  world.tell({ type: 'ConnectionOpened' }).hear('ErrorReport', { failure: refusal });
  world.take();
  expect(world.lose().take().at(-1)).toEqual({ type: 'Stop', failure: refusal });
});

test('a session that is not known any more is left behind', () => {
  const world = joined().lose(failure('SESSION_UNKNOWN', 'who?')).pass(100);
  world.take();
  world.tell({ type: 'ConnectionOpened' });
  expect(world.sent('AgentHandshake')[0]?.sessionToken).toBeUndefined();
});

test('an agent that was told to give up does so', () => {
  const world = new World({ giveUpAfterMs: 1000 }).join();
  for (let i = 0; i < 10 && world.core.state !== 'stopped'; i += 1) world.lose().pass(400);
  expect(world.take().at(-1)).toMatchObject({ type: 'Stop', failure: { type: 'CONNECTION_LOST' } });
});

test('a message that has no place ends the connection with UNEXPECTED_MESSAGE', () => {
  const world = joined();
  world.hear('AgentAck', {
    protocol: 1,
    sessionToken: 't',
    epoch: 1,
    heartbeatIntervalMs: 1,
    heartbeatTimeoutMs: 1,
    reconnectGraceMs: 1,
    streams: [],
    grants: { payloadBytesMax: 1, datasetBytesMax: 1, streamsMax: 1 },
    features: [],
    resumedLeases: [],
  });
  expect(world.story()).toEqual(['ErrorReport', 'CloseConnection']);
});

test('draining: announce, return what waits, finish what runs, wait for acknowledgements, goodbye', () => {
  const world = joined().dispatch(1).dispatch(2).dispatch(3);
  world.take();
  world.tell({ type: 'DrainRequested', deadlineMs: 5000, reason: 'enough' });
  expect(world.story()).toEqual(['Drain', 'LeaseReturn']);
  expect(world.dispatch(4).sent('MessageAck')).toMatchObject([
    { status: 'REJECTED', failure: { type: 'DRAINING' } },
  ]);
  expect(world.finish(1).finish(2).story()).toEqual(['TaskCompletion', 'TaskCompletion']);
  world.acknowledge(1);
  expect(world.story()).toEqual([]);
  expect(world.acknowledge(2).story()).toEqual(['Goodbye', 'CloseConnection']);
  expect(world.lose().take()).toEqual([{ type: 'Stop', failure: undefined }]);
});

test('what is refused or given back travels with the heartbeats and the farewell, which cannot overtake it', () => {
  // Heard the other way round, the coordinator would find the lease missing in the heartbeat, or the agent gone, and
  // count the task as lost: one that is not idempotent would fail although nobody has started it.
  const said = (world: World): string[] =>
    world.take().flatMap((effect) => {
      if (effect.type === 'SendHeartbeat') return ['control HeartbeatMessage'];
      return effect.type === 'Send' ? [`${effect.stream} ${effect.message.type}`] : [];
    });
  const refusing = joined().dispatch(1).dispatch(2).dispatch(3);
  refusing.take();
  expect(said(refusing.dispatch(4).pass(500))).toEqual([
    'control MessageAck',
    'control HeartbeatMessage',
  ]);
  const recalled = joined().dispatch(1).dispatch(2).dispatch(3);
  recalled.take();
  recalled.hear('LeaseRecall', { leases: [leaseOf(3)] });
  expect(said(recalled.pass(500))).toEqual(['control LeaseReturn', 'control HeartbeatMessage']);
  const draining = joined().dispatch(1).dispatch(2).dispatch(3);
  draining.take();
  draining.tell({ type: 'DrainRequested', deadlineMs: 5000, reason: 'enough' });
  expect(said(draining)).toEqual(['control Drain', 'control LeaseReturn']);
  const closing = joined().dispatch(1).dispatch(2).dispatch(3);
  closing.take();
  closing.tell({ type: 'CloseRequested', reason: 'bye' });
  expect(said(closing)).toEqual(['control LeaseReturn', 'control Goodbye']);
});

test('the coordinator can drain the agent', () => {
  const world = joined().hear('Drain', { deadlineMs: 1000, reason: 'maintenance' });
  expect(world.story()).toEqual(['Drain', 'Goodbye', 'CloseConnection']);
});

test('at the deadline of a drain running tasks are stopped and fail so that they are tried elsewhere', () => {
  const world = joined().dispatch(1);
  world.tell({ type: 'DrainRequested', deadlineMs: 2000, reason: 'enough' });
  world.take();
  expect(world.pass(1999).story()).not.toContain('AbortTask');
  expect(world.pass(1).story()).toContain('AbortTask');
  world.finish(1, { outcome: 'cancelled' });
  expect(world.sent('TaskCompletion')).toMatchObject([
    { outcome: 'failed', failure: { type: 'DRAINING', retryable: true } },
  ]);
});

test('a drain ends even when acknowledgements never come', () => {
  const world = joined().dispatch(1).finish(1);
  world.tell({ type: 'DrainRequested', deadlineMs: 0, reason: 'enough' });
  for (let i = 1; i < 12; i += 1) world.pass(500).hear('HeartbeatAck', { sequence: i });
  world.lose();
  expect(world.core.state).toBe('stopped');
});

test('an agent that drains without a connection comes back to deliver', () => {
  const world = joined().dispatch(1).lose();
  world.tell({ type: 'DrainRequested', deadlineMs: 5000, reason: 'enough' }).finish(1).pass(100);
  world.take();
  world.join({ resumedLeases: [leaseOf(1)] });
  expect(world.story()).toEqual([
    'AgentHandshake',
    'OpenDispatchStream',
    'TaskCompletion',
    'Drain',
  ]);
  expect(world.acknowledge(1).story()).toEqual(['Goodbye', 'CloseConnection']);
});

test('closing returns what waits and leaves at once', () => {
  const world = joined().dispatch(1).dispatch(2).dispatch(3);
  world.take();
  world.tell({ type: 'CloseRequested', reason: 'bye' });
  expect(world.story()).toEqual(['LeaseReturn', 'Goodbye', 'CloseConnection']);
  expect(world.lose().take()).toEqual([{ type: 'Stop', failure: undefined }]);
});

test('closing without a connection ends it at once', () => {
  const world = joined().lose();
  world.take();
  expect(world.tell({ type: 'CloseRequested', reason: 'bye' }).story()).toEqual(['Stop']);
});
