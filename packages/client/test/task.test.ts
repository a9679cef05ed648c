import { afterEach, describe, expect, it } from 'vitest';
import { encodeDocument, failure } from '@quic-swarm/protocol';
import { newTaskId, type ClientOptions } from '../src/index.ts';
import type { FakeCoordinator } from './support/fake-coordinator.ts';
import { all, errorOf, settle, testSwarm, type TestSwarm } from './support/swarm.ts';

let swarm: TestSwarm;
const start = async (options: Partial<ClientOptions> = {}): Promise<TestSwarm> => {
  swarm = await testSwarm(options);
  return swarm;
};
afterEach(async () => {
  await swarm.client.close();
});

describe('progress and parts', () => {
  it('shows the newest progress and ends with the task', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
    };
    const handle = await client.submit('my.task', 1);
    const { peer } = coordinator;
    const progress = handle.progress();
    const first = progress.next();
    peer.event({ taskId: handle.id, kind: 'progress', fraction: 0.25, text: 'reading' });
    expect((await first).value).toMatchObject({ fraction: 0.25, text: 'reading', attempt: 1 });
    for (const fraction of [0.5, 0.6, 0.7]) {
      peer.event({ taskId: handle.id, kind: 'progress', fraction });
    }
    await settle();
    expect((await progress.next()).value).toMatchObject({ fraction: 0.7 });
    const last = progress.next();
    peer.succeed(handle.id, null);
    expect((await last).done).toBe(true);
  });

  it('tells why a task is not running, at watch level all', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
      const { taskId } = submission;
      const pendingReason = 'NO_AGENT_OF_TYPE';
      peer.event({ taskId, kind: 'state', state: 'queued', attempt: 0, pendingReason });
    };
    const handle = await client.submit('my.task', 1, { watch: 'all' });
    expect((await handle.progress().next()).value).toMatchObject({ state: 'queued' });
    expect(handle.pendingReason).toBe('NO_AGENT_OF_TYPE');
  });

  it('orders parts, drops repeated ones and waits for those that the end has overtaken', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
      peer.chunk(submission.taskId, 2, 'c');
      peer.chunk(submission.taskId, 0, 'a');
      peer.chunk(submission.taskId, 0, 'a again');
      peer.succeed(submission.taskId, 'whole', { chunkCount: 4 });
      peer.chunk(submission.taskId, 1, 'b');
      void peer.sendAlone({
        type: 'TaskEvent',
        body: {
          taskId: submission.taskId,
          kind: 'chunk',
          state: 'running',
          attempt: 1,
          sequence: 3,
          payload: encodeDocument(new Float64Array(20_000)),
        },
      });
    };
    const handle = await client.submit('my.task', 1);
    expect(await handle.result()).toBe('whole');
    expect(await all(handle.chunks())).toEqual(['a', 'b', 'c', new Float64Array(20_000)]);
  });

  it('throws the error of a task that fails between its parts', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
      peer.chunk(submission.taskId, 0, 'a');
      peer.fail(submission.taskId, 'TASK_FAILED', 'Broken.');
    };
    const handle = await client.submit('my.task', 1);
    const chunks = handle.chunks();
    expect((await chunks.next()).value).toBe('a');
    expect((await errorOf(chunks.next())).message).toBe('Broken.');
  });

  it('keeps a bounded number of unread parts and says so', async () => {
    const { client, coordinator } = await start({ unreadChunksMax: 2 });
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
      for (let i = 0; i < 4; i++) peer.chunk(submission.taskId, i, i);
      peer.succeed(submission.taskId, 'whole', { chunkCount: 4 });
    };
    const handle = await client.submit('my.task', 1);
    expect(await handle.result()).toBe('whole');
    expect((await errorOf(all(handle.chunks()))).type).toBe('PAYLOAD_TOO_LARGE');
  });
});

describe('cancelling', () => {
  const accept = (coordinator: FakeCoordinator): void => {
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
    };
    coordinator.script.onMessage = (message, peer) => {
      if (message.type !== 'CancelTask') return;
      const { requestId = 0, taskId } = message.body;
      peer.send('control', { type: 'MessageAck', body: { requestId, status: 'PROCESSED' } });
      const why = failure('TASK_CANCELLED', 'Cancelled.');
      peer.event({ taskId, kind: 'end', state: 'cancelled', failure: why });
    };
  };

  it('asks the coordinator and hears the end', async () => {
    const { client, coordinator } = await start();
    accept(coordinator);
    const handle = await client.submit('my.task', 1);
    await handle.cancel('not needed');
    expect(coordinator.of('CancelTask')[0]).toMatchObject({
      taskId: handle.id,
      reason: 'not needed',
    });
    expect(await errorOf(handle.result())).toMatchObject({ type: 'TASK_CANCELLED' });
    expect((await handle.outcome()).state).toBe('cancelled');
    await handle.cancel();
    expect(coordinator.of('CancelTask')).toHaveLength(1);
  });

  it('follows a signal: the handle rejects at once and the coordinator is told', async () => {
    const { client, coordinator } = await start();
    accept(coordinator);
    const stop = new AbortController();
    const handles = await Promise.all(
      Array.from({ length: 20 }, async () => client.submit('t', 1, { signal: stop.signal })),
    );
    stop.abort();
    for (const handle of handles) {
      expect(await errorOf(handle.result())).toMatchObject({ code: 'CANCELLED' });
    }
    await coordinator.until('CancelTask', 20);
  });

  it('rejects a submission whose signal is raised before or while it waits', async () => {
    const { client, coordinator } = await start();
    const signal = AbortSignal.abort();
    expect((await errorOf(client.submit('t', 1, { signal }))).type).toBe('TASK_CANCELLED');
    expect(coordinator.of('SubmitTask')).toEqual([]);

    coordinator.script.onSubmit = () => {};
    const stop = new AbortController();
    const submitting = client.submit('t', 1, { signal: stop.signal });
    const [submission] = await coordinator.until('SubmitTask');
    stop.abort();
    expect((await errorOf(submitting)).type).toBe('TASK_CANCELLED');
    if (submission !== undefined) coordinator.peer.acknowledge(submission);
    expect((await coordinator.until('CancelTask'))[0]?.taskId).toBe(submission?.taskId);
  });
});

describe('attaching and asking', () => {
  it('attaches to a task of another client and reads a built-in result', async () => {
    const { client, coordinator } = await start();
    const result = { rows: 1, columns: [], route: 'typescript', elapsedMs: 1 };
    coordinator.script.onMessage = (message, peer) => {
      if (message.type !== 'WatchTask') return;
      peer.acknowledge(message.body, { existing: true, state: 'succeeded' });
      const { taskId } = message.body;
      peer.succeed(taskId, result, { resultType: 'FeatureSet' });
    };
    const handle = await client.attach(newTaskId());
    expect(await handle.result()).toEqual(result);
  });

  it('rejects an unknown task with TASK_NOT_FOUND', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onMessage = (message, peer) => {
      if (message.type !== 'WatchTask') return;
      peer.refuse(message.body.requestId, 'TASK_NOT_FOUND', 'No such task.');
    };
    const taskId = newTaskId();
    const attaching = [client.attach(taskId), client.attach(taskId)];
    for (const promise of attaching) expect((await errorOf(promise)).type).toBe('TASK_NOT_FOUND');
    expect(coordinator.of('WatchTask')).toHaveLength(1);
  });

  it('asks again for a task that has ended, and gives its error like its submitter has it', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onMessage = (message, peer) => {
      if (message.type !== 'WatchTask') return;
      peer.acknowledge(message.body, { existing: true, state: 'failed' });
      peer.fail(message.body.taskId, 'TASK_FAILED', 'Broken.');
    };
    const taskId = newTaskId();
    for (const times of [1, 2]) {
      const handle = await client.attach(taskId);
      expect(await errorOf(handle.result())).toMatchObject({ message: 'Broken.' });
      expect(coordinator.of('WatchTask')).toHaveLength(times);
    }
  });

  it('hears of every state where it is asked to, also after a reconnect', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onMessage = (message, peer) => {
      if (message.type !== 'WatchTask') return;
      peer.acknowledge(message.body, { existing: true });
      const { taskId } = message.body;
      const pendingReason = 'NO_AGENT_OF_TYPE';
      peer.event({ taskId, kind: 'state', state: 'queued', attempt: 0, pendingReason });
    };
    const handle = await client.attach(newTaskId(), { watch: 'all' });
    expect((await handle.progress().next()).value).toMatchObject({ state: 'queued' });
    expect(handle.pendingReason).toBe('NO_AGENT_OF_TYPE');
    await coordinator.cut();
    const watched = { taskId: handle.id, watch: 'all' };
    expect(await coordinator.until('WatchTask', 2)).toMatchObject([watched, watched]);
    coordinator.peer.succeed(handle.id, 7);
    expect(await handle.result()).toBe(7);
  });

  it('attaches to a task after a time when there was no room to ask for it', async () => {
    const { client, coordinator } = await start({ pendingRequestsMax: 1 });
    coordinator.script.onSubmit = () => {};
    coordinator.script.onMessage = (message, peer) => {
      if (message.type !== 'WatchTask') return;
      peer.acknowledge(message.body, { existing: true });
      peer.succeed(message.body.taskId, 'whole');
    };
    const submitting = client.submit('my.task', 1);
    const taskId = newTaskId();
    expect((await errorOf(client.attach(taskId))).type).toBe('QUEUE_FULL');
    const [submission] = await coordinator.until('SubmitTask');
    if (submission !== undefined) coordinator.peer.acknowledge(submission);
    await submitting;
    expect(await (await client.attach(taskId)).result()).toBe('whole');
  });

  it('asks for views and controls agents', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onMessage = (message, peer) => {
      if (message.type === 'QueryStatus') {
        const { requestId, view } = message.body;
        const body = { requestId, view, agents: [], tasks: [] };
        peer.send('control', { type: 'StatusReport', body });
      } else if (message.type === 'AgentControl') {
        const { requestId } = message.body;
        const why = failure('AGENT_NOT_FOUND', 'No such agent.');
        const body = { requestId, status: 'REJECTED' as const, failure: why };
        peer.send('control', { type: 'MessageAck', body });
      }
    };
    expect(await client.agents()).toEqual([]);
    expect(await client.tasks({ states: ['failed'], limit: 3 })).toEqual([]);
    expect((await errorOf(client.task(newTaskId()))).type).toBe('TASK_NOT_FOUND');
    const controlling = client.controlAgent('agent-1', 'drain');
    expect((await errorOf(controlling)).type).toBe('AGENT_NOT_FOUND');
    expect(coordinator.of('QueryStatus')[1]).toMatchObject({ states: ['failed'], limit: 3 });
  });
});
