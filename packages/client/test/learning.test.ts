import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import {
  encodeFrame,
  failure,
  type BodyOf,
  type ErrorType,
  type Message,
  type ReasoningArmRow,
  type ReasoningExplanation,
  type Verdict,
} from '@quic-swarm/protocol';
import { REASONING_MEDIA_TYPE } from '@quic-swarm/protocol';
import { datasetIdOf, newTaskId } from '../src/index.ts';
import type { FakeCoordinator, Peer } from './support/fake-coordinator.ts';
import { errorOf, testSwarm, type TestSwarm } from './support/swarm.ts';

let swarm: TestSwarm;
afterEach(async () => {
  await swarm.client.close();
});

const start = async (
  onMessage: (message: Message, peer: Peer) => void = () => {},
  features = ['learning'],
): Promise<FakeCoordinator> => {
  swarm = await testSwarm({}, (coordinator) => {
    coordinator.features = features;
    coordinator.script.onMessage = onMessage;
  });
  return swarm.coordinator;
};

const process = (requestId: number, peer: Peer): void => {
  peer.send('control', { type: 'MessageAck', body: { requestId, status: 'PROCESSED' } });
};

const refuse = (requestId: number, peer: Peer, type: ErrorType, message: string): void => {
  peer.send('control', {
    type: 'ErrorReport',
    body: { requestId, failure: failure(type, message) },
  });
};

const report = (peer: Peer, body: BodyOf<'ReasoningReport'>): void => {
  peer.send('control', { type: 'ReasoningReport', body });
};

const verdict: Verdict = {
  taskType: 'my.forecast',
  candidateArmId: 'b',
  incumbentArmId: 'a',
  decision: 'adopt',
  pairs: 300,
  meanDifference: 0.1,
  lower: 0.05,
  upper: 0.15,
  logEvidence: 9,
  logEvidenceAgainst: -9,
  alpha: 0.05,
  unpaired: 0,
  explanation: 'b is better.',
};

const arm: ReasoningArmRow = {
  armId: 'b',
  arm: { window: 40 },
  isDefault: false,
  isIncumbent: false,
  recorded: 310,
  resolved: 300,
  scored: 320,
  meanUtility: 0.8,
  verdict,
};

const explanation: ReasoningExplanation = {
  taskType: 'my.forecast',
  armId: 'b',
  sentences: ['It was better on days like this.'],
  nearest: [{ experienceId: 'e', armId: 'b', utility: 0.9, distance: 0.1, weight: 0.5 }],
};

describe('a submission that is to be learnt from', () => {
  it('says what is known of the task', async () => {
    const coordinator = await start();
    const learn = { context: [0.5, -1], seriesId: 'DAX', step: 7, shadow: false };
    await swarm.client.run('my.forecast', 1, { learn });
    await swarm.client.run('my.forecast', 2, { learn: { context: Float64Array.of(3) } });
    await swarm.client.run('my.forecast', 3, { learn: {} });
    expect(coordinator.of('SubmitTask').map((sent) => sent.learn)).toEqual([
      { context: Float64Array.of(0.5, -1), seriesId: 'DAX', step: 7, shadow: false },
      { context: Float64Array.of(3) },
      {},
    ]);
  });

  it('is refused here when the coordinator does not learn', async () => {
    const coordinator = await start(undefined, ['shards']);
    const refused = await errorOf(swarm.client.submit('my.forecast', 1, { learn: {} }));
    expect(refused.type).toBe('UNSUPPORTED_OPTION');
    expect(refused.hint).toContain('learning');
    await swarm.client.run('my.forecast', 2);
    expect(coordinator.of('SubmitTask')).toHaveLength(1);
  });

  it('waits for a connection that is being restored, like any other', async () => {
    const coordinator = await start();
    await coordinator.cut();
    await swarm.client.run('my.forecast', 1, { learn: { step: 1 } });
    expect(coordinator.of('SubmitTask')).toMatchObject([{ learn: { step: 1 } }]);
  });

  it.each([
    ['a context that is too long', { context: new Float64Array(17) }],
    ['a step that is no count', { step: -1 }],
    ['a name that is none', { seriesId: '' }],
  ])('is refused with %s', async (_what, learn) => {
    const coordinator = await start();
    const refused = await errorOf(swarm.client.submit('my.forecast', 1, { learn }));
    expect(refused.type).toBe('BAD_OPTION');
    expect(coordinator.of('SubmitTask')).toEqual([]);
  });
});

describe('an outcome', () => {
  it('is told as it is known, and waited for until it is noted', async () => {
    const coordinator = await start((message, peer) => {
      if (message.type === 'TaskOutcome') process(message.body.requestId, peer);
    });
    const taskId = newTaskId();
    await swarm.client.outcome(taskId, { actual: -4.5, loss: undefined, step: 12 });
    await swarm.client.outcome(taskId, { loss: 0.25 });
    await swarm.client.outcome(taskId, { utility: 1 });
    const requestId = expect.any(Number) as number;
    expect(coordinator.of('TaskOutcome')).toEqual([
      { requestId, taskId, actual: -4.5, step: 12 },
      { requestId, taskId, loss: 0.25 },
      { requestId, taskId, utility: 1 },
    ]);
  });

  it('was noted when the answer was lost and it is told for the second time', async () => {
    let told = 0;
    const coordinator = await start((message, peer) => {
      if (message.type !== 'TaskOutcome') return;
      told += 1;
      if (told === 1) void coordinator.cut();
      else refuse(message.body.requestId, peer, 'OUTCOME_EXISTS', 'It is known.');
    });
    await swarm.client.outcome(newTaskId(), { actual: 1 });
    expect(coordinator.of('TaskOutcome')).toHaveLength(2);
    // This one was told by somebody else.
    const refused = await errorOf(swarm.client.outcome(newTaskId(), { actual: 1 }));
    expect(refused.type).toBe('OUTCOME_EXISTS');
  });

  it('is refused of a task from which nothing is to be learnt', async () => {
    await start((message, peer) => {
      if (message.type !== 'TaskOutcome') return;
      refuse(message.body.requestId, peer, 'EXPERIENCE_NOT_FOUND', 'Nothing to learn.');
    });
    const refused = await errorOf(swarm.client.outcome(newTaskId(), { actual: 1 }));
    expect(refused.type).toBe('EXPERIENCE_NOT_FOUND');
  });

  it.each([
    ['says nothing', {}],
    ['says only when', { step: 4 }],
    ['is a gap', { actual: Number.NaN }],
    ['has a negative loss', { loss: -1 }],
    ['has a utility over 1', { utility: 1.5 }],
  ])('that %s does not trouble the coordinator', async (_what, outcome) => {
    const coordinator = await start();
    const refused = await errorOf(swarm.client.outcome(newTaskId(), outcome));
    expect(refused.type).toBe('BAD_OPTION');
    expect(coordinator.of('TaskOutcome')).toEqual([]);
  });
});

describe('what was learnt', () => {
  it('is seen by view, each with its type', async () => {
    const coordinator = await start((message, peer) => {
      if (message.type !== 'QueryReasoning') return;
      const { requestId, view } = message.body;
      report(peer, {
        requestId,
        view,
        ...(view === 'arms' ? { arms: [arm] } : {}),
        ...(view === 'explain' ? { explanation } : {}),
      });
    });
    const { client } = swarm;
    const arms = await client.reasoning('arms', { taskType: 'my.forecast' });
    expectTypeOf(arms).toEqualTypeOf<readonly ReasoningArmRow[]>();
    expect(arms).toEqual([arm]);
    const why = await client.reasoning('explain', { taskId: newTaskId() });
    expectTypeOf(why).toEqualTypeOf<ReasoningExplanation>();
    expect(why).toEqual(explanation);
    expect(await client.reasoning('types')).toEqual([]);
    expect(await client.reasoning('items', { taskType: 'my.forecast' })).toEqual([]);
    expect(coordinator.of('QueryReasoning')).toMatchObject([
      { view: 'arms', taskType: 'my.forecast' },
      { view: 'explain' },
      { view: 'types' },
      { view: 'items', taskType: 'my.forecast' },
    ]);
  });

  it('is asked for again when the connection is lost before the answer', async () => {
    let isFirst = true;
    const coordinator = await start((message, peer) => {
      if (message.type !== 'QueryReasoning') return;
      if (isFirst) void coordinator.cut();
      else report(peer, { requestId: message.body.requestId, view: 'agents', agents: [] });
      isFirst = false;
    });
    expect(await swarm.client.reasoning('agents')).toEqual([]);
    expect(coordinator.of('QueryReasoning')).toHaveLength(2);
  });

  it.each([
    ['arms of no task type', async () => swarm.client.reasoning('arms')],
    ['an explanation of nothing', async () => swarm.client.reasoning('explain')],
    ['a task that is none', async () => swarm.client.reasoning('explain', { taskId: 'x' })],
  ])('%s does not trouble the coordinator', async (_what, act) => {
    const coordinator = await start();
    expect((await errorOf(act())).type).toBe('BAD_OPTION');
    expect(coordinator.of('QueryReasoning')).toEqual([]);
  });

  it('leaves as the bytes of the data set that the report names', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const datasetId = await datasetIdOf(bytes);
    const coordinator = await start((message, peer) => {
      if (message.type === 'QueryReasoning') {
        report(peer, { requestId: message.body.requestId, view: 'export', datasetId });
      } else if (message.type === 'GetDataset') {
        const body = { ...message.body, mediaType: REASONING_MEDIA_TYPE, payload: bytes };
        peer.streams.get('dataset')?.write(encodeFrame({ type: 'Dataset', body }));
      }
    });
    expect(await swarm.client.exportReasoning()).toEqual(bytes);
    expect(coordinator.of('GetDataset')).toMatchObject([{ datasetId }]);
  });

  it('comes in as a data set, and is taken in when that has arrived', async () => {
    const coordinator = await start((message, peer) => {
      if (message.type === 'QueryDataset') {
        peer.send('control', { type: 'DatasetAck', body: { ...message.body, present: false } });
      } else if (message.type === 'PutDataset') {
        const { requestId, datasetId } = message.body;
        const body = { requestId, datasetId, present: true };
        peer.streams.get('dataset')?.write(encodeFrame({ type: 'DatasetAck', body }));
      } else if (message.type === 'ControlReasoning') process(message.body.requestId, peer);
    });
    const bytes = Uint8Array.of(4, 5, 6);
    await swarm.client.importReasoning(bytes);
    const datasetId = await datasetIdOf(bytes);
    expect(coordinator.of('PutDataset')).toMatchObject([
      { datasetId, mediaType: 'application/vnd.quic-swarm.reasoning', payload: bytes },
    ]);
    expect(coordinator.of('ControlReasoning')).toMatchObject([{ action: 'import', datasetId }]);
    const orders = coordinator.heard.map(({ message }) => message.type);
    expect(orders.indexOf('ControlReasoning')).toBeGreaterThan(orders.indexOf('PutDataset'));
  });

  it('is forgotten, of one task type or of all, also when the connection is lost meanwhile', async () => {
    let isFirst = true;
    const coordinator = await start((message, peer) => {
      if (message.type !== 'ControlReasoning') return;
      if (isFirst) void coordinator.cut();
      else process(message.body.requestId, peer);
      isFirst = false;
    });
    await swarm.client.resetReasoning({ taskType: 'my.forecast' });
    await swarm.client.resetReasoning();
    const [first, again, second] = coordinator.of('ControlReasoning');
    expect(first).toMatchObject({ action: 'reset', taskType: 'my.forecast' });
    expect(again).toEqual(first);
    expect(second).not.toHaveProperty('taskType');
  });

  it.each([
    ['outcome', async () => swarm.client.outcome(newTaskId(), { actual: 1 })],
    ['reasoning', async () => swarm.client.reasoning('types')],
    ['export', async () => swarm.client.exportReasoning()],
    ['import', async () => swarm.client.importReasoning(Uint8Array.of(1))],
    ['reset', async () => swarm.client.resetReasoning()],
  ])('%s: a coordinator that does not learn is not asked', async (_what, act) => {
    const coordinator = await start(undefined, []);
    expect((await errorOf(act())).type).toBe('UNSUPPORTED_OPTION');
    expect(coordinator.heard.map(({ message }) => message.type)).toEqual(['ClientHandshake']);
  });
});
