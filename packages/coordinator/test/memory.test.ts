/**
 * What the core keeps, and what it looks at: nothing that is over stays, and the cost of a step does not grow with what
 * came before it. Everything here is counted, nothing is timed.
 */
import type { BodyOf } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import { CoordinatorCore } from '../src/core/coordinator.ts';
import { outputOf, type Task } from '../src/core/task.ts';
import { CoreHarness, taskIdOf } from './core-harness.ts';

const CLIENT = 'c1';

/** A core without the checks of the harness, which look at every task after every step. */
function bareCore(): {
  core: CoordinatorCore;
  submit: (n: number) => void;
  cancel: (n: number) => void;
} {
  const core = new CoordinatorCore({ epoch: 7, seed: 1, finishedTasksMax: 10 });
  const common = { connectionId: CLIENT, address: '127.0.0.1:2', protocol: 1, sessionToken: 't' };
  const handshake = { protocolMin: 1, protocolMax: 1, clientName: 'test' };
  core.handle({ type: 'ClientJoined', ...common, handshake }, 1);
  const say = (message: Parameters<CoordinatorCore['handle']>[0]): unknown =>
    core.handle(message, 1);
  return {
    core,
    submit: (n) =>
      say({
        type: 'MessageReceived',
        connectionId: CLIENT,
        message: {
          type: 'SubmitTask',
          body: {
            requestId: n,
            taskId: taskIdOf(n),
            taskType: 'work',
            datasets: [],
            watch: 'none',
          },
        },
      }),
    cancel: (n) =>
      say({
        type: 'MessageReceived',
        connectionId: CLIENT,
        message: {
          type: 'CancelTask',
          body: { requestId: n, taskId: taskIdOf(n), reason: 'no longer needed', graceMs: 0 },
        },
      }),
  };
}

describe('the queue', () => {
  it('keeps no task and no place of a hundred thousand that left before their turn', () => {
    const tasks = 100_000;
    const { core, submit, cancel } = bareCore();
    const { queue } = core.state;
    // The first and one in the middle stay, so that nothing is cleared away only because the lane has become empty.
    const staying = new Set([0, tasks / 2]);
    const queued: Task[] = [];
    for (let n = 0; n <= tasks; n++) {
      submit(n);
      const task = core.state.tasks.get(taskIdOf(n));
      if (task === undefined) throw new Error(`task ${n} is not known`);
      queued.push(task);
    }
    const inQueue = (): Task[] => [...queue.buckets].flatMap((each) => [...queue.tasksOf(each)]);
    expect(inQueue()).toEqual(queued);
    for (let n = tasks; n >= 0; n--) if (!staying.has(n)) cancel(n);
    const left = [...staying].map((n) => queued[n] as Task);
    expect(inQueue()).toEqual(left);
    expect(queue.size).toBe(2);
    // Whoever has left points to nobody: what is old and over would hold on to all that came after it.
    const pointing = queued.filter(
      ({ next, previous }) => next !== undefined || previous !== undefined,
    );
    expect(pointing).toEqual(left);
    expect(core.state.tasks.size).toBe(12);
  });
});

describe('a client', () => {
  it('is not charged with tasks that are over, even when it did not want to hear of them', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a', { credit: 100 });
    const client = swarm.client();
    const held = (): unknown =>
      [...swarm.core.state.clients.values()].map((known) => known.cancelledWithIt.size);
    for (let n = 1; n <= 50; n++) {
      const watch = n % 2 === 0 ? 'none' : 'result';
      client.submit(n, { watch, onClientLoss: n % 5 === 0 ? 'cancel' : 'keep' });
    }
    expect(held()).toEqual([10]);
    for (const task of agent.takeTasks()) agent.complete(task);
    expect(client.ends().size).toBe(25);
    expect(held()).toEqual([0]);
    for (const task of swarm.core.state.tasks.values()) expect(task.watchers).toEqual([]);
  });

  it('that is gone leaves nothing behind, however often it comes back for a task', () => {
    const swarm = new CoreHarness();
    const taskId = swarm.client().submit(1);
    for (let n = 0; n < 20; n++) {
      const client = swarm.client();
      client.say('WatchTask', { requestId: 1, taskId, watch: 'all' });
      client.vanish();
    }
    const last = swarm.client();
    last.say('WatchTask', { requestId: 1, taskId, watch: 'result' });
    const { clients, tasks } = swarm.core.state;
    expect(clients.size).toBe(2);
    // The one that submitted it is still there.
    expect(tasks.get(taskId)?.watchers).toHaveLength(2);
    last.vanish();
    const agent = swarm.agent('a');
    for (const task of agent.takeTasks()) agent.complete(task);
    const ends = swarm.effects.filter(
      (effect) =>
        effect.type === 'Send' &&
        effect.message.type === 'TaskEvent' &&
        effect.message.body.kind === 'end',
    );
    expect(ends).toHaveLength(1);
  });

  it('that does not listen hears nothing but the acknowledgement', () => {
    const swarm = new CoreHarness();
    const agent = swarm.agent('a');
    const client = swarm.client();
    const taskId = client.submit(1, { watch: 'none' });
    const [task] = agent.takeTasks();
    if (task === undefined) throw new Error('no task came');
    agent.start(task);
    agent.say('TaskProgress', { epoch: 7, taskId, attempt: 1, fraction: 0.5 });
    agent.complete(task);
    expect(client.inbox.map(({ type }) => type)).toEqual(['ClientAck', 'SubmitAck']);
  });
});

describe('partial results', () => {
  function running(options: ConstructorParameters<typeof CoreHarness>[0] = {}): {
    swarm: CoreHarness;
    taskId: string;
    chunk: (sequence: number, bytes?: number, attempt?: number) => void;
    told: () => unknown[];
    lease: BodyOf<'AgentTask'>;
    agent: ReturnType<CoreHarness['agent']>;
    client: ReturnType<CoreHarness['client']>;
  } {
    const swarm = new CoreHarness(options);
    const agent = swarm.agent('a');
    const client = swarm.client();
    const taskId = client.submit(1);
    const [lease] = agent.takeTasks();
    if (lease === undefined) throw new Error('no task came');
    agent.start(lease);
    client.take('TaskEvent');
    return {
      swarm,
      taskId,
      lease,
      agent,
      client,
      chunk: (sequence, bytes = 1, attempt = 1) =>
        agent.say('ResultChunk', {
          epoch: 7,
          taskId,
          attempt,
          sequence,
          payload: new Uint8Array(bytes),
        }),
      told: () =>
        client.take('TaskEvent').map(({ kind, sequence }) => (kind === 'chunk' ? sequence : kind)),
    };
  }

  it('are looked up without looking at those that came before', () => {
    const chunks = 500;
    const { swarm, taskId, chunk, told } = running();
    const task = swarm.core.state.tasks.get(taskId);
    if (task === undefined) throw new Error('no task');
    let reads = 0;
    const output = outputOf(task);
    output.chunks = new Proxy(output.chunks, {
      get: (target, name, receiver) => {
        if (typeof name === 'string' && /^\d+$/u.test(name)) reads += 1;
        return Reflect.get(target, name, receiver) as unknown;
      },
    });
    for (let sequence = 0; sequence < chunks; sequence++) {
      chunk(sequence);
      chunk(sequence);
    }
    expect(told()).toEqual(Array.from({ length: chunks }, (_, sequence) => sequence));
    expect(output.chunks.length).toBe(chunks);
    expect(reads).toBeLessThanOrEqual(2 * chunks);
  });

  it('that come twice, under another attempt or after the end are dropped', () => {
    const { chunk, told, agent, lease } = running();
    chunk(1);
    chunk(1);
    chunk(0, 1, 2);
    chunk(0);
    chunk(1);
    expect(told()).toEqual([1, 0]);
    agent.complete(lease, { chunkCount: 2 });
    expect(told()).toEqual(['end']);
    chunk(2);
    expect(told()).toEqual([]);
  });

  it('may be so many and not one more: then the task fails, and its agent is told to stop', () => {
    const { chunk, told, client, swarm, taskId, agent, lease } = running({ chunksMax: 3 });
    for (const sequence of [0, 1, 2]) chunk(sequence);
    // One that is known costs nothing.
    chunk(2);
    expect(told()).toEqual([0, 1, 2]);
    chunk(3);
    expect(client.ends().get(taskId)).toMatchObject({
      state: 'failed',
      failure: { type: 'PAYLOAD_TOO_LARGE' },
      chunkCount: 3,
    });
    expect(agent.take('CancelTask')).toHaveLength(1);
    chunk(4);
    agent.complete(lease, { chunkCount: 5 });
    expect(agent.take('MessageAck')).toMatchObject([{ status: 'STALE' }]);
    expect(swarm.row(taskId).state).toBe('failed');
  });

  it('begin again with the next attempt, bound and sequences alike', () => {
    const { chunk, told, agent, lease, taskId, client } = running({
      chunksMax: 2,
      retry: {
        initialIntervalMs: 0,
        backoffCoefficient: 1,
        maximumIntervalMs: 0,
        maximumAttempts: 2,
        maximumDeliveries: 2,
        nonRetryableErrorTypes: [],
      },
    });
    chunk(0);
    chunk(1);
    agent.fail(lease, 'TASK_FAILED', true);
    const [again] = agent.takeTasks();
    if (again === undefined) throw new Error('no second attempt');
    agent.start(again);
    told();
    chunk(0, 1, 2);
    chunk(1, 1, 2);
    expect(told()).toEqual([0, 1]);
    agent.complete(again, { chunkCount: 2 });
    expect(client.ends().get(taskId)).toMatchObject({ state: 'succeeded', chunkCount: 2 });
  });
});
