import { afterEach, describe, expect, it } from 'vitest';
import { decodeDocument, encodeFrame, failure } from '@quic-swarm/protocol';
import { MemoryNetwork } from '@quic-swarm/transport';
import { connect, type ClientEvent, type ClientOptions } from '../src/index.ts';
import { FakeCoordinator } from './support/fake-coordinator.ts';
import { all, errorOf, settle, testSwarm, type TestSwarm } from './support/swarm.ts';

let swarm: TestSwarm;
const start = async (options: Partial<ClientOptions> = {}): Promise<TestSwarm> => {
  swarm = await testSwarm(options);
  return swarm;
};
afterEach(async () => {
  await swarm.client.close();
});

/** Short, and yet enough for a connection within this process, however busy the machine is. */
const GIVE_UP_AFTER_MS = 300;

describe('connecting', () => {
  it('introduces itself and opens its stream for tasks', async () => {
    const { coordinator, client } = await start({ name: 'notebook' });
    await client.run('my.task', 1);
    expect(coordinator.of('ClientHandshake')).toEqual([
      { protocolMin: 1, protocolMax: 1, clientName: 'notebook' },
    ]);
    expect(client.isConnected).toBe(true);
  });

  it('rejects with CONNECT_FAILED when nobody listens', async () => {
    await start();
    const transport = new MemoryNetwork().transport();
    const error = await errorOf(connect({ address: '127.0.0.1:1', transport }));
    expect(error).toMatchObject({ type: 'CONNECT_FAILED', code: 'UNAVAILABLE' });
  });

  it('rejects with CONNECT_FAILED when the coordinator does not answer the handshake', async () => {
    const { network, coordinator } = await start();
    coordinator.script.onHandshake = () => {};
    const options = { address: '127.0.0.1:5000', transport: network.transport(), timeoutMs: 20 };
    const error = await errorOf(connect(options));
    expect(error.type).toBe('CONNECT_FAILED');
    expect(error.message).toContain('handshake');
    await coordinator.peer.connection.closed;
  });

  it('rejects with what the coordinator says', async () => {
    const { network, coordinator } = await start();
    coordinator.script.onHandshake = (peer) => {
      const why = failure('VERSION_MISMATCH', 'Too old.');
      peer.send('control', { type: 'ErrorReport', body: { failure: why } });
    };
    const error = await errorOf(
      connect({ address: '127.0.0.1:5000', transport: network.transport() }),
    );
    expect(error).toMatchObject({ type: 'VERSION_MISMATCH', message: 'Too old.' });
  });

  it('rejects an address that is none', async () => {
    await start();
    expect((await errorOf(connect('nowhere'))).type).toBe('BAD_ADDRESS');
  });
});

describe('a lost connection', () => {
  it('sends what was not acknowledged again, under the same task ids', async () => {
    const { client, coordinator } = await start();
    const { onSubmit } = coordinator.script;
    coordinator.script.onSubmit = () => {};
    const submitting = client.submit('my.task', 'same');
    await coordinator.until('SubmitTask');
    coordinator.script.onSubmit = onSubmit;
    await coordinator.cut();
    expect(await (await submitting).result()).toBe('same');
    const [first, second] = coordinator.of('SubmitTask');
    expect(second?.taskId).toBe(first?.taskId);
    expect(coordinator.of('SubmitTask')).toHaveLength(2);
    expect(coordinator.peers).toHaveLength(2);
  });

  it('watches accepted tasks again and knows nothing was repeated', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
      peer.chunk(submission.taskId, 0, 'a');
    };
    coordinator.script.onMessage = (message, peer) => {
      if (message.type !== 'WatchTask') return;
      const { taskId } = message.body;
      peer.acknowledge(message.body, { existing: true, state: 'running' });
      peer.chunk(taskId, 0, 'a again');
      peer.chunk(taskId, 1, 'b');
      peer.succeed(taskId, 'whole', { chunkCount: 2 });
    };
    const handle = await client.submit('my.task', 1);
    await settle();
    await coordinator.cut();
    expect(await handle.result()).toBe('whole');
    expect(await all(handle.chunks())).toEqual(['a', 'b']);
    expect(coordinator.of('SubmitTask')).toHaveLength(1);
  });

  it('rejects with CONNECTION_LOST when the coordinator does not know the task any more', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
    };
    coordinator.script.onMessage = (message, peer) => {
      if (message.type !== 'WatchTask') return;
      peer.refuse(message.body.requestId, 'TASK_NOT_FOUND', 'No such task.');
    };
    const handle = await client.submit('my.task', 1);
    await coordinator.cut();
    const error = await errorOf(handle.result());
    expect(error).toMatchObject({ type: 'CONNECTION_LOST', code: 'UNAVAILABLE' });
    expect(error.message).toContain('restarted');
    expect((await errorOf(handle.outcome())).type).toBe('CONNECTION_LOST');
  });

  it('is given up after giveUpAfterMs, and the next call tries again', async () => {
    const events: ClientEvent['type'][] = [];
    const onEvent = ({ type }: ClientEvent): void => {
      events.push(type);
    };
    const { client, coordinator, network } = await start({
      giveUpAfterMs: GIVE_UP_AFTER_MS,
      onEvent,
    });
    const { onSubmit } = coordinator.script;
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
    };
    const handle = await client.submit('my.task', 1);
    await coordinator.stop();
    expect((await errorOf(handle.result())).type).toBe('CONNECTION_LOST');
    expect(events).toEqual(['connected', 'disconnected', 'gaveUp']);

    const restarted = await FakeCoordinator.listen(network);
    restarted.script.onSubmit = onSubmit;
    expect(await client.run('my.task', 'again')).toBe('again');
    expect(events.at(-1)).toBe('connected');
  });

  it('rejects a submission made meanwhile with CONNECT_FAILED after its timeout', async () => {
    const { client, coordinator } = await start();
    await coordinator.stop();
    const error = await errorOf(client.submit('my.task', 1, { submitTimeoutMs: 10 }));
    expect(error).toMatchObject({ type: 'CONNECT_FAILED', code: 'UNAVAILABLE' });
  });

  it('is closed with the code of the error when the coordinator breaks the protocol', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
    };
    const handle = await client.submit('my.task', 1);
    const { peer } = coordinator;
    const body = { deadlineMs: 1, reason: '' };
    peer.streams.get('client')?.write(encodeFrame({ type: 'Drain', body }));
    expect((await errorOf(handle.result())).type).toBe('UNEXPECTED_MESSAGE');
    expect(await peer.connection.closed).toMatchObject({ by: 'peer', wireCode: 0x104 });
    expect((await coordinator.until('ErrorReport'))[0]?.failure.type).toBe('UNEXPECTED_MESSAGE');
  });
});

describe('closing', () => {
  it('rejects everything that waits, says goodbye, and may be repeated', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = (submission, peer) => {
      if (submission.taskType === 'accepted') peer.acknowledge(submission);
    };
    const handle = await client.submit('accepted', 1);
    const waiting = [handle.result(), all(handle.chunks()), client.submit('t', 1), client.status()];
    const errors = Promise.all(waiting.map(async (promise) => errorOf(promise)));
    await Promise.all([client.close(), client.close()]);
    for (const error of await errors) expect(error.type).toBe('CLOSED');
    await coordinator.until('Goodbye');
    expect((await errorOf(client.submit('t', 1))).type).toBe('CLOSED');
    expect(client.isConnected).toBe(false);
  });

  it('lets go what was submitted a moment before, in its order and in front of the goodbye', async () => {
    const { client, coordinator } = await start();
    const running = [1, 2, 3].map(async (input) => client.run('my.task', input));
    const errors = Promise.all(running.map(async (promise) => errorOf(promise)));
    await client.close();
    for (const error of await errors) expect(error.type).toBe('CLOSED');
    await coordinator.until('Goodbye');
    const inputs = coordinator
      .of('SubmitTask')
      .map(({ payload }) => decodeDocument(payload ?? new Uint8Array()));
    expect(inputs).toEqual([1, 2, 3]);
  });

  it('leaves no timer behind', async () => {
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const { client } = await start();
    await client.run('my.task', 1, { submitTimeoutMs: 100_000 });
    await client.close();
    expect(timers()).toBe(before);
  });

  it('ends while a connection is being restored', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onHandshake = () => {};
    await coordinator.cut();
    await coordinator.until('ClientHandshake', 2);
    await client.close();
    await coordinator.peer.connection.closed;
  });
});
