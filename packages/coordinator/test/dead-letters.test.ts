/** Tasks that failed after all their tries. */
import { failure } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import { CoreHarness, taskIdOf, type PlayedAgent } from './core-harness.ts';

const ONCE = { retry: { maximumAttempts: 1 } } as const;

function failNext(agent: PlayedAgent): void {
  const [task] = agent.takeTasks();
  if (task === undefined) throw new Error('no task came');
  agent.fail(task, 'FLAKY', true);
}

function withDeadLetter(options: object = {}, rest: object = {}) {
  const swarm = CoreHarness.durable(options);
  const client = swarm.client();
  const agent = swarm.agent('a1');
  const taskId = client.submit(1, { ...ONCE, ...rest });
  failNext(agent);
  swarm.sync();
  return { swarm, client, agent, taskId };
}

describe('a dead letter', () => {
  it('is a task that used up its tries, and none that could not have succeeded', () => {
    const { swarm, client, agent, taskId } = withDeadLetter();
    client.submit(2, ONCE);
    agent.fail(agent.takeTasks()[0] as never, 'WRONG', false);
    expect([...swarm.core.state.deadLetters.keys()]).toEqual([taskId]);
  });

  it('is replayed with its input under a new id, once, however often that is asked for', () => {
    const { swarm, client, agent, taskId } = withDeadLetter({}, { labels: {}, priority: 2 });
    const request = { taskId, action: 'replay', replayId: taskIdOf(50), watch: 'result' } as const;
    client.say('ControlDeadLetter', { requestId: 7, ...request });
    client.say('ControlDeadLetter', { requestId: 8, ...request });
    swarm.sync();
    expect(client.take('SubmitAck').slice(-2)).toMatchObject([
      { requestId: 7, taskId: taskIdOf(50), existing: false },
      { requestId: 8, taskId: taskIdOf(50), existing: true },
    ]);
    const [task] = agent.takeTasks();
    expect(task).toMatchObject({ taskId: taskIdOf(50), attempt: 1, payload: new Uint8Array([1]) });
    expect(swarm.row(taskIdOf(50))).toMatchObject({ replayOf: taskId, priority: 2 });
    expect(swarm.core.state.tasks.get(taskId)).toBeUndefined();
    expect(agent.takeTasks()).toEqual([]);
  });

  it('is dropped on demand, and asking for one that is not there is refused', () => {
    const { swarm, client, taskId } = withDeadLetter({}, { durable: true });
    client.say('ControlDeadLetter', { requestId: 7, taskId, action: 'drop' });
    expect(client.take('MessageAck')).toEqual([]);
    swarm.sync();
    expect(client.take('MessageAck')).toMatchObject([{ requestId: 7, status: 'PROCESSED' }]);
    client.say('ControlDeadLetter', { requestId: 8, taskId, action: 'drop' });
    expect(client.take('ErrorReport')).toMatchObject([{ failure: { type: 'TASK_NOT_FOUND' } }]);
    expect(swarm.nextLife().core.state.tasks.get(taskId)).toBeUndefined();
  });

  it('that is durable is there in the next life, with its input', () => {
    const { swarm, taskId } = withDeadLetter({}, { durable: true });
    const next = swarm.nextLife();
    expect(next.row(taskId)).toMatchObject({ state: 'failed', deadLettered: true, durable: true });
    const client = next.client();
    const replayId = taskIdOf(50);
    client.say('ControlDeadLetter', { requestId: 7, taskId, action: 'replay', replayId });
    next.sync();
    const last = next.nextLife();
    expect(last.core.state.deadLetters.size).toBe(0);
    expect(last.agent('a1').takeTasks()).toMatchObject([
      { taskId: replayId, payload: new Uint8Array([1]) },
    ]);
  });

  it('makes room for younger ones', () => {
    const { swarm, client, agent, taskId } = withDeadLetter({ deadLettersMax: 2 });
    for (const n of [2, 3]) {
      client.submit(n, ONCE);
      failNext(agent);
    }
    expect([...swarm.core.state.deadLetters.keys()]).toEqual([taskIdOf(2), taskIdOf(3)]);
    expect(swarm.core.state.tasks.get(taskId)).toBeUndefined();
  });

  it('of a task in parts is the task, and it is split again', () => {
    const swarm = CoreHarness.durable({ mergedTaskTypes: ['PatternMatch'] });
    const client = swarm.client();
    const agent = swarm.agent('a1');
    const taskId = client.submit(1, { ...ONCE, shards: 2, positions: 10 });
    failNext(agent);
    const replayId = taskIdOf(50);
    expect([...swarm.core.state.deadLetters.keys()]).toEqual([taskId]);
    agent.take('CancelTask');
    const other = swarm.agent('a2', { slots: 8, credit: 8 });
    client.say('ControlDeadLetter', { requestId: 7, taskId, action: 'replay', replayId });
    const shards = [...agent.takeTasks(), ...other.takeTasks()];
    shards.sort((a, b) => (a.shard?.index ?? 0) - (b.shard?.index ?? 0));
    expect(shards).toMatchObject([
      { payload: new Uint8Array([1]), shard: { of: replayId, index: 0 } },
      { payload: new Uint8Array([1]), shard: { of: replayId, index: 1 } },
    ]);
  });
});

describe('a dead letter that is submitted again', () => {
  it('stays a dead letter when the disk fails before anybody was told that it was accepted', () => {
    const { swarm, client, agent, taskId } = withDeadLetter({}, { durable: true });
    const replayId = taskIdOf(50);
    client.say('ControlDeadLetter', { requestId: 7, taskId, action: 'replay', replayId });
    const broken = failure('STORE_FULL', 'The disk is full.');
    swarm.feed({ type: 'JournalFailed', failure: broken });
    expect(client.take('ErrorReport')).toMatchObject([{ requestId: 7, failure: broken }]);
    expect([...swarm.core.state.deadLetters.keys()]).toEqual([taskId]);
    agent.complete(agent.takeTasks()[0] as never);
    swarm.feed({ type: 'JournalReopened' });
    swarm.sync();
    const next = swarm.nextLife();
    expect([...next.core.state.deadLetters.keys()]).toEqual([taskId]);
    const other = next.client();
    other.say('ControlDeadLetter', { requestId: 8, taskId, action: 'replay', replayId });
    expect(next.agent('a1').takeTasks()).toMatchObject([
      { taskId: replayId, payload: new Uint8Array([1]) },
    ]);
  });

  it('is none in the next life, although the record that says so was not written any more', () => {
    const { swarm, client, taskId } = withDeadLetter({}, { durable: true });
    const replayId = taskIdOf(50);
    client.say('ControlDeadLetter', { requestId: 7, taskId, action: 'replay', replayId });
    swarm.sync();
    const torn = swarm.disk.synced.findLastIndex(({ kind }) => kind === 'forgotten');
    swarm.disk.synced.splice(torn, 1);
    const next = swarm.nextLife();
    expect([...next.core.state.deadLetters.keys()]).toEqual([]);
    expect(next.row(replayId)).toMatchObject({ replayOf: taskId });
  });
});
