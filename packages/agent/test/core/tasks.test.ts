/** What happens to tasks, step by step, without streams, threads or clocks. */
import { failure } from '@quic-swarm/protocol';
import { expect, test } from 'vitest';
import { creditOf } from '../../src/core/credit.ts';
import { KEPT_CHUNK_BYTES_MAX } from '../../src/core/leases.ts';
import { World, leaseOf } from './world.ts';

function joined(): World {
  const world = new World().join();
  world.take();
  return world;
}

test('joining: handshake, then the dispatch stream, then credit once work is wanted', () => {
  const world = new World();
  expect(world.tell({ type: 'Started' }).story()).toEqual(['Connect']);
  expect(world.tell({ type: 'ConnectionOpened' }).story()).toEqual(['AgentHandshake']);
  expect(world.join().sent('CreditGrant')).toEqual([{ credit: 3 }]);
});

test.each([
  [1, 2],
  [2, 3],
  [10, 11],
  [11, 13],
  [64, 71],
])('%i slots give a credit of %i', (slots, credit) => {
  expect(creditOf(slots)).toBe(credit);
});

test('a task is started, completed, held until acknowledged, and then forgotten', () => {
  const world = joined().dispatch(1);
  expect(world.story()).toEqual(['RunTask']);
  expect(world.begin(1).sent('TaskStarted')).toEqual([leaseOf(1)]);
  expect(world.finish(1).sent('TaskCompletion')).toMatchObject([
    { ...leaseOf(1), outcome: 'succeeded', chunkCount: 0, computeMs: 5 },
  ]);
  expect(world.core.tasks.leases.held()).toEqual([leaseOf(1)]);
  world.acknowledge(1);
  expect(world.core.tasks.leases.held()).toEqual([]);
});

test('of a task that ends at once only the end is told; its start is told before anything else of it, and once', () => {
  const world = joined().dispatch(1).dispatch(2);
  expect(world.finish(1).story()).toEqual(['RunTask', 'RunTask', 'TaskCompletion']);
  expect(world.begin(1).story()).toEqual([]);
  world.tell({ type: 'ProgressReported', lease: leaseOf(2), fraction: 0.5 });
  world.tell({ type: 'ChunkEmitted', lease: leaseOf(2), payload: Uint8Array.of(1) });
  expect(world.begin(2).finish(2).story()).toEqual([
    'TaskStarted',
    'TaskProgress',
    'ResultChunk',
    'TaskCompletion',
  ]);
});

test('a start that could not be told is told on the next connection', () => {
  const world = joined().dispatch(1).lose();
  world.begin(1).pass(100);
  world.take();
  world.join({ resumedLeases: [leaseOf(1)] });
  expect(world.sent('TaskStarted')).toEqual([leaseOf(1)]);
});

test('what is told of each task is not made when nobody listens', () => {
  const told = (isObserved: boolean): string[] => {
    const world = new World({ isObserved }).join().dispatch(1).finish(1);
    return world.take().flatMap((effect) => (effect.type === 'Notify' ? [effect.event.type] : []));
  };
  expect(told(true)).toEqual(['connected', 'taskStarted', 'taskFinished']);
  expect(told(false)).toEqual(['connected']);
});

test('as many tasks run as there are slots; the next one starts when one ends, in order of arrival', () => {
  const world = joined().dispatch(1).dispatch(2).dispatch(3);
  expect(world.started()).toEqual([leaseOf(1), leaseOf(2)]);
  expect(world.finish(2).started()).toEqual([leaseOf(3)]);
});

test('a lease that is held already is ignored', () => {
  const world = joined().dispatch(1);
  world.take();
  expect(world.dispatch(1).story()).toEqual([]);
});

test('a task over the credit is rejected; a completed one uses up no credit even before its acknowledgement', () => {
  const world = joined().dispatch(1).dispatch(2).dispatch(3);
  world.take();
  expect(world.dispatch(4).sent('MessageAck')).toMatchObject([
    { lease: leaseOf(4), status: 'REJECTED', failure: { type: 'CREDIT_EXCEEDED' } },
  ]);
  world.finish(1).take();
  expect(world.dispatch(5).sent('MessageAck')).toEqual([]);
});

test('an unknown task type fails with the list of those that are known', () => {
  const world = joined().dispatch(1, { taskType: 'other' });
  expect(world.sent('TaskCompletion')).toMatchObject([
    {
      outcome: 'failed',
      failure: { type: 'UNKNOWN_TASK_TYPE', hint: expect.stringContaining('work') as string },
    },
  ]);
});

test('a new capability is announced and from then on accepted', () => {
  const world = joined();
  world.tell({ type: 'CapabilitiesChanged', capabilities: ['work', 'other'] });
  expect(world.sent('CapabilityUpdate')).toEqual([{ capabilities: ['work', 'other'] }]);
  expect(world.dispatch(1, { taskType: 'other' }).story()).toContain('RunTask');
});

test('cancelling a waiting task completes it at once', () => {
  const world = joined().dispatch(1).dispatch(2).dispatch(3);
  world.take();
  expect(world.cancel(3).sent('TaskCompletion')).toMatchObject([
    { ...leaseOf(3), outcome: 'cancelled', failure: { type: 'TASK_CANCELLED' } },
  ]);
});

test('cancelling a running task aborts it once, with the grace that was asked for', () => {
  const world = joined().dispatch(1);
  world.take();
  expect(world.cancel(1, 250).take()).toEqual([
    { type: 'AbortTask', lease: leaseOf(1), graceMs: 250 },
  ]);
  expect(world.cancel(1).story()).toEqual([]);
  world.finish(1, { outcome: 'failed', failure: failure('TASK_FAILED', 'torn down') });
  expect(world.sent('TaskCompletion')).toMatchObject([
    { outcome: 'cancelled', failure: { type: 'TASK_CANCELLED' } },
  ]);
});

test('a task that succeeded before it noticed its cancellation has succeeded', () => {
  const world = joined().dispatch(1).cancel(1);
  expect(world.finish(1).sent('TaskCompletion')).toMatchObject([{ outcome: 'succeeded' }]);
});

test('cancelling an unknown, another or a finished lease changes nothing', () => {
  const world = joined().dispatch(1).dispatch(2).finish(1);
  world.take();
  expect(world.cancel(9).cancel(1).story()).toEqual([]);
  world.hear('CancelTask', {
    taskId: leaseOf(2).taskId,
    epoch: 3,
    attempt: 2,
    reason: '',
    graceMs: 0,
  });
  expect(world.story()).toEqual([]);
});

test('an attempt over its startToCloseMs is aborted and fails with TASK_TIMEOUT', () => {
  const world = joined().dispatch(1, { startToCloseMs: 200 }).begin(1);
  world.take();
  expect(world.pass(199).story()).not.toContain('AbortTask');
  expect(world.pass(1).story()).toContain('AbortTask');
  world.finish(1, { outcome: 'cancelled' });
  expect(world.sent('TaskCompletion')).toMatchObject([
    { outcome: 'failed', failure: { type: 'TASK_TIMEOUT', retryable: true } },
  ]);
});

test('the clock of an attempt begins with its handler, not with its arrival nor with its slot', () => {
  const world = joined().dispatch(1).dispatch(2).dispatch(3, { startToCloseMs: 200 });
  world.pass(400).finish(1);
  expect(world.pass(400).story()).not.toContain('AbortTask');
  world.begin(3);
  world.take();
  expect(world.pass(199).story()).not.toContain('AbortTask');
  expect(world.pass(1).story()).toContain('AbortTask');
});

test('a result over the granted bytes fails with PAYLOAD_TOO_LARGE', () => {
  const world = joined()
    .dispatch(1)
    .finish(1, { payload: new Uint8Array(1001) });
  expect(world.sent('TaskCompletion')).toMatchObject([
    { outcome: 'failed', failure: { type: 'PAYLOAD_TOO_LARGE' } },
  ]);
});

test('partial results over the granted bytes in all fail with PAYLOAD_TOO_LARGE', () => {
  const world = joined().dispatch(1);
  world.take();
  const payload = new Uint8Array(600);
  world.tell({ type: 'ChunkEmitted', lease: leaseOf(1), payload });
  expect(world.story()).toEqual(['TaskStarted', 'ResultChunk']);
  world.tell({ type: 'ChunkEmitted', lease: leaseOf(1), payload });
  expect(world.story()).toEqual(['AbortTask']);
  world.finish(1, { outcome: 'cancelled' });
  expect(world.sent('TaskCompletion')).toMatchObject([
    { outcome: 'failed', failure: { type: 'PAYLOAD_TOO_LARGE' }, chunkCount: 1 },
  ]);
});

test('long reasons are cut to what a failure may say', () => {
  const world = joined().dispatch(1);
  const body = { taskId: leaseOf(1).taskId, reason: 'x'.repeat(4096), graceMs: 0 };
  world.hear('CancelTask', body).finish(1, { outcome: 'cancelled' });
  const [completion] = world.sent('TaskCompletion');
  expect(completion?.failure?.message).toHaveLength(4096);
});

test('a task waits for its data sets, and others pass it', () => {
  const datasets = [`sha256:${'0'.repeat(64)}`];
  const world = joined().dispatch(1, { datasets });
  expect(world.story()).toEqual(['FetchDatasets']);
  expect(world.dispatch(2).story()).toEqual(['RunTask']);
  world.tell({ type: 'DatasetsReady', lease: leaseOf(1) });
  expect(world.story()).toEqual(['RunTask']);
  expect(world.finish(1).story()).toEqual(['ReleaseDatasets', 'TaskCompletion']);
});

test('a data set that cannot be had fails the task', () => {
  const datasets = [`sha256:${'0'.repeat(64)}`];
  const world = joined().dispatch(1, { datasets });
  const reason = failure('DATASET_NOT_FOUND', 'no such data set');
  world.tell({ type: 'DatasetsFailed', lease: leaseOf(1), failure: reason });
  expect(world.sent('TaskCompletion')).toMatchObject([{ outcome: 'failed', failure: reason }]);
});

/** The first of two. */
const shard = {
  of: '00000000-0000-7000-8000-000000000099',
  index: 0,
  count: 2,
  start: 0,
  end: 5,
};

test('a shard of a search says what it has proved, and its threads hear what others have', () => {
  const options = { capabilities: ['PatternMatch', 'work'] };
  const world = new World(options).join({ features: ['bounds'] });
  const proved = (distance: number) =>
    world.tell({ type: 'BoundProved', lease: leaseOf(1), distance });
  world.dispatch(1, { taskType: 'PatternMatch', shard }).dispatch(2, { shard });
  world.take();
  // It asks with its start. What is no search has no bound.
  expect(world.begin(1).begin(2).story()).toEqual(['TaskStarted', 'ShardBound', 'TaskStarted']);
  expect(proved(8).sent('ShardBound')).toEqual([{ ...leaseOf(1), distance: 8 }]);
  // What is hardly better is not worth a message.
  expect(proved(7.99).story()).toEqual([]);
  world.hear('ShardBound', { ...leaseOf(1), distance: 5 });
  expect(world.take()).toEqual([{ type: 'ShareBound', lease: leaseOf(1), distance: 5 }]);
  // The watch notices it too.
  expect(proved(5).story()).toEqual([]);
  expect(world.hear('ShardBound', { ...leaseOf(1), distance: 6 }).story()).toEqual([]);
  expect(world.hear('ShardBound', { ...leaseOf(2), distance: 1 }).story()).toEqual([]);
  expect(world.hear('ShardBound', { ...leaseOf(7), distance: 1 }).story()).toEqual([]);
  // A new connection is told what there is.
  world.lose().pass(1000);
  world.take();
  world.join({ features: ['bounds'], resumedLeases: [leaseOf(1)] });
  expect(world.sent('ShardBound')).toEqual([{ ...leaseOf(1), distance: 5 }]);
  expect(world.finish(1).story()).not.toContain('ShardBound');
});

test('a coordinator that offers no bounds hears of none', () => {
  const world = new World({ capabilities: ['PatternMatch'] }).join();
  world.dispatch(1, { taskType: 'PatternMatch', shard });
  world.take();
  world.begin(1).tell({ type: 'BoundProved', lease: leaseOf(1), distance: 8 });
  expect(world.story()).toEqual(['TaskStarted']);
});

test('recalled leases are given back if they were not started', () => {
  const world = joined().dispatch(1).dispatch(2).dispatch(3);
  world.take();
  world.hear('LeaseRecall', { leases: [leaseOf(1), leaseOf(3), leaseOf(9)] });
  expect(world.sent('LeaseReturn')).toMatchObject([{ leases: [leaseOf(3)] }]);
});

test('chunks carry their sequence and are counted in the completion', () => {
  const world = joined().dispatch(1);
  world.take();
  for (const byte of [10, 11]) {
    world.tell({ type: 'ChunkEmitted', lease: leaseOf(1), payload: Uint8Array.of(byte) });
  }
  world.finish(1);
  const sent = world.take().flatMap((effect) => (effect.type === 'Send' ? [effect.message] : []));
  expect(sent).toMatchObject([
    { type: 'TaskStarted' },
    { type: 'ResultChunk', body: { sequence: 0 } },
    { type: 'ResultChunk', body: { sequence: 1 } },
    { type: 'TaskCompletion', body: { chunkCount: 2 } },
  ]);
});

test('the arm is reported when the handler used it', () => {
  const arm = { band: 3 };
  const world = joined().dispatch(1, { arm }).dispatch(2, { arm });
  world.finish(1, { usedArm: true }).finish(2);
  const [used, unused] = world.sent('TaskCompletion');
  expect(used?.arm).toEqual(arm);
  expect(unused?.arm).toBeUndefined();
});

test('after a reconnect resumed leases go on, owed completions and chunks are sent again, others are dropped', () => {
  const world = joined().dispatch(1).dispatch(2).dispatch(3);
  world.tell({ type: 'ChunkEmitted', lease: leaseOf(1), payload: Uint8Array.of(1) });
  world.finish(1).begin(3).lose().pass(100);
  world.take();
  world.tell({ type: 'ConnectionOpened' });
  const [handshake] = world.sent('AgentHandshake');
  expect(handshake?.sessionToken).toBe('token-1');
  expect(handshake?.heldLeases).toHaveLength(3);
  world.join({ resumedLeases: [leaseOf(1), leaseOf(3)] });
  const effects = world.take();
  const sent = effects.flatMap((effect) => (effect.type === 'Send' ? [effect.message.type] : []));
  expect(sent).toEqual([
    'TaskStarted',
    'ResultChunk',
    'TaskCompletion',
    'CreditGrant',
    'CreditGrant',
  ]);
  expect(effects).toContainEqual({ type: 'AbortTask', lease: leaseOf(2), graceMs: 1000 });
  // The dropped one ends silently, and frees its slot.
  expect(world.finish(2, { outcome: 'cancelled' }).sent('TaskCompletion')).toEqual([]);
});

test('an attempt that was taken away is not taken again while its handler has not ended', () => {
  const world = joined().dispatch(1).lose().pass(100);
  world.join().take();
  expect(world.dispatch(1).sent('MessageAck')).toMatchObject([
    { lease: leaseOf(1), status: 'REJECTED', failure: { type: 'CREDIT_EXCEEDED' } },
  ]);
  expect(world.core.tasks.leases.held()).toEqual([]);
  // The next attempt has a name of its own; it waits for a slot of the two, and its end is not that of the first.
  world.dispatch(2).dispatch(1, leaseOf(1, 2)).take();
  expect(world.finish(1, { outcome: 'cancelled' }).started()).toEqual([leaseOf(1, 2)]);
  expect(world.core.tasks.leases.held()).toEqual([leaseOf(2), leaseOf(1, 2)]);
});

test('what happens without a connection is told after it', () => {
  const world = joined().dispatch(1).lose();
  world.take();
  world.finish(1);
  expect(world.story()).toEqual([]);
  world.pass(100).join({ resumedLeases: [leaseOf(1)] });
  expect(world.sent('TaskCompletion')).toHaveLength(1);
});

test('a task whose chunks were too many to keep fails when the connection was lost', () => {
  const grants = { payloadBytesMax: 2 ** 28, datasetBytesMax: 1000, streamsMax: 10 };
  const world = new World().join({ grants }).dispatch(1);
  const payload = new Uint8Array(KEPT_CHUNK_BYTES_MAX / 2 + 1);
  for (let i = 0; i < 2; i += 1) world.tell({ type: 'ChunkEmitted', lease: leaseOf(1), payload });
  world.finish(1).lose().pass(100);
  world.take();
  world.join({ resumedLeases: [leaseOf(1)] });
  expect(world.sent('TaskCompletion')).toMatchObject([
    { outcome: 'failed', failure: { type: 'CONNECTION_LOST', retryable: true } },
  ]);
});

test('a fetch that fails with the connection begins again on the next one', () => {
  const datasets = [`sha256:${'0'.repeat(64)}`];
  const world = joined().dispatch(1, { datasets }).lose();
  const reason = failure('CONNECTION_LOST', 'gone');
  world.tell({ type: 'DatasetsFailed', lease: leaseOf(1), failure: reason }).pass(100);
  world.take();
  expect(world.join({ resumedLeases: [leaseOf(1)] }).story()).toContain('FetchDatasets');
});

test('a suggestion to adapt is declined with a reason', () => {
  const world = joined();
  world.hear('AdaptationSuggestion', {
    suggestionId: 's1',
    agentType: 'compute',
    taskType: 'work',
    from: {},
    to: {},
    canaryPercent: 5,
    expiresInMs: 1000,
    evidence: {
      taskType: 'work',
      candidateArmId: 'a',
      incumbentArmId: 'b',
      decision: 'adopt',
      pairs: 0,
      meanDifference: 0,
      lower: -1,
      upper: 1,
      logEvidence: 0,
      logEvidenceAgainst: 0,
      alpha: 0.05,
      unpaired: 0,
      explanation: '',
    },
  });
  expect(world.sent('AdaptationAck')).toMatchObject([{ suggestionId: 's1', accepted: false }]);
});
