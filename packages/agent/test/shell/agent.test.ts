/** Joining, refusals, losing the connection, functions as handlers, leaving. */
import { SwarmError, failure } from '@quic-swarm/protocol';
import { QuicSwarmAgent, type ConnectOptions } from '@quic-swarm/agent';
import { MemoryNetwork, type Stream } from '@quic-swarm/transport';
import { expect, test } from 'vitest';
import { FakeCoordinator } from '../support/fake-coordinator.ts';
import { join } from '../support/fixture.ts';

const options: Omit<ConnectOptions, 'transport'> = {
  address: '127.0.0.1:5000',
  id: 'agent-1',
  type: 'compute',
};

test('nobody there: CONNECT_FAILED with the next command to type', async () => {
  const connecting = QuicSwarmAgent.connect({
    ...options,
    transport: new MemoryNetwork().transport(),
    connectTimeoutMs: 50,
  });
  await expect(connecting).rejects.toMatchObject({
    type: 'CONNECT_FAILED',
    hint: expect.stringContaining('coordinator 127.0.0.1:5000') as string,
  });
});

test('a refusal of the coordinator reaches the caller with its hint', async () => {
  const transport = new MemoryNetwork().transport();
  const coordinator = await FakeCoordinator.start(transport);
  coordinator.refusal = failure('DUPLICATE_AGENT', 'agent-1 is connected', { hint: 'another id' });
  await expect(QuicSwarmAgent.connect({ ...options, transport })).rejects.toMatchObject({
    type: 'DUPLICATE_AGENT',
    hint: 'another id',
  });
});

test.each([
  [{ id: 'not an id' }, 'BAD_OPTION'],
  [{ type: 'nonsense' as 'compute' }, 'BAD_OPTION'],
  [{ slots: 0 }, 'BAD_OPTION'],
  [{ threads: 1.5 }, 'BAD_OPTION'],
  [{ address: 'nowhere' }, 'BAD_ADDRESS'],
  [{ handlers: { 'my.task': new URL('file:///not/there.js') } }, 'BAD_OPTION'],
  [{ handlers: { '1 task': () => 1 } }, 'BAD_OPTION'],
])('%j is refused with %s', async (wrong, type) => {
  const transport = new MemoryNetwork().transport();
  await expect(QuicSwarmAgent.connect({ ...options, transport, ...wrong })).rejects.toMatchObject({
    type,
  });
});

test('a function is a handler on the main thread, and can be added at any time', async () => {
  await using joined = await join();
  const { agent, peer } = joined;
  agent.handle('my.double', (input: number, context) => {
    context.progress(0.5);
    context.emit('half way');
    return input * 2;
  });
  expect(await peer.next('CapabilityUpdate')).toEqual({ capabilities: ['my.double'] });
  const lease = await peer.dispatch('my.double', { input: 21 });
  expect(await peer.result(lease)).toBe(42);
  expect(await peer.next('TaskProgress')).toMatchObject({ fraction: 0.5 });
  expect(await peer.next('ResultChunk')).toMatchObject({ sequence: 0 });
});

test('the start of a task that ends at once is not told, that of one that takes a while is', async () => {
  await using joined = await join();
  const { agent, peer } = joined;
  agent.handle('my.short', () => 1).handle('my.microtask', async () => Promise.resolve(2));
  agent.handle('my.long', () => new Promise((resolve) => setTimeout(resolve, 20, 3)));
  expect(await peer.result(await peer.dispatch('my.short'))).toBe(1);
  expect(await peer.result(await peer.dispatch('my.microtask'))).toBe(2);
  const long = await peer.dispatch('my.long');
  expect(await peer.result(long)).toBe(3);
  expect(await peer.next('TaskStarted')).toEqual(long);
});

test('a function that does not stop is left alone after the grace', async () => {
  await using joined = await join();
  const { agent, peer } = joined;
  let wasRaised = false;
  agent.handle('my.endless', (_input, { signal }) => {
    signal.addEventListener('abort', () => {
      wasRaised = true;
    });
    return new Promise(() => {});
  });
  const { taskId, epoch, attempt } = await peer.dispatch('my.endless');
  await peer.next('TaskStarted');
  const cancel = { taskId, epoch, attempt, reason: 'enough', graceMs: 5 };
  peer.control({ type: 'CancelTask', body: cancel });
  expect((await peer.completion({ taskId, epoch, attempt })).outcome).toBe('cancelled');
  expect(wasRaised).toBe(true);
});

test('heartbeats list what is held and tell about the process', async () => {
  await using joined = await join();
  const { agent, peer } = joined;
  let release: (value: string) => void = () => {};
  agent.handle('my.wait', () => new Promise<string>((resolve) => (release = resolve)));
  const lease = await peer.dispatch('my.wait');
  const beat = await peer.next('HeartbeatMessage', ({ running }) => running === 1);
  expect(beat.leases).toEqual([lease]);
  expect(beat.memoryBytes).toBeGreaterThan(1e6);
  release('done');
  expect(await peer.result(lease)).toBe('done');
});

test('a lost connection: the task goes on, and its result is delivered on the next one', async () => {
  await using joined = await join();
  const { agent, peer, coordinator, events } = joined;
  let release: (value: string) => void = () => {};
  agent.handle('my.wait', () => new Promise<string>((resolve) => (release = resolve)));
  const lease = await peer.dispatch('my.wait');
  await peer.next('TaskStarted');
  void peer.connection.close({ wireCode: 0x121, message: 'pulled the plug' });
  const again = await coordinator.peer();
  const handshake = await again.next('AgentHandshake');
  expect(handshake.sessionToken).toBe('token');
  expect(handshake.heldLeases).toEqual([lease]);
  await again.next('CreditGrant');
  release('survived');
  expect(await again.result(lease)).toBe('survived');
  expect(events.map(({ type }) => type)).toContain('disconnected');
});

test('a peer that breaks the protocol is told so and left', async () => {
  await using joined = await join();
  const { peer } = joined;
  peer.control({ type: 'ClientAck', body: {} as never });
  const report = await peer.next('ErrorReport');
  expect(report.failure.type).toBe('BAD_MESSAGE');
  const closed = await peer.connection.closed;
  expect(closed.wireCode).toBe(0x103);
});

test('drain returns what was not started, finishes, says goodbye; run resolves', async () => {
  await using joined = await join();
  const { agent, peer, running, events } = joined;
  let release: (value: string) => void = () => {};
  agent.handle('my.wait', () => new Promise<string>((resolve) => (release = resolve)));
  const first = await peer.dispatch('my.wait');
  const second = await peer.dispatch('my.wait');
  await peer.next('TaskStarted');
  await peer.next('HeartbeatMessage', ({ waiting }) => waiting === 1);
  const drained = agent.drain({ deadlineMs: 60_000 });
  expect((await peer.next('LeaseReturn')).leases).toEqual([second]);
  release('finished');
  expect(await peer.result(first)).toBe('finished');
  await peer.next('Goodbye');
  await drained;
  await running;
  expect(agent.state).toBe('stopped');
  expect(events.at(-1)).toEqual({ type: 'drained' });
});

test('drain waits until a large result was taken, however slowly it is read', async () => {
  const length = 24 * 1024 * 1024;
  await using joined = await join();
  const { agent, peer, running } = joined;
  agent.handle('my.large', () => new Uint8Array(length).fill(7));
  const arrives = new Promise<Stream>((resolve) => {
    const accept = peer.connection.onStream;
    peer.connection.onStream = (stream) => {
      accept?.(stream);
      stream.pause();
      resolve(stream);
    };
  });
  const lease = await peer.dispatch('my.large');
  const stream = await arrives;
  const left = peer.next('Goodbye').then(() => 'left');
  const drained = agent.drain({ deadlineMs: 60_000 });
  await peer.next('Drain');
  // What was heard before says nothing about now.
  peer.heard.length = 0;
  const beats = peer.next('HeartbeatMessage', ({ leases }) => leases.length === 1);
  expect(await Promise.race([left, beats.then(() => 'stays')])).toBe('stays');
  stream.resume();
  const result = (await peer.result(lease)) as Uint8Array;
  expect(result).toHaveLength(length);
  expect(result.every((byte) => byte === 7)).toBe(true);
  expect(await left).toBe('left');
  await drained;
  await running;
});

test('run after close says so; close twice is harmless', async () => {
  const joined = await join();
  await joined.agent.close();
  await joined.agent.close();
  await joined.running;
  await expect(joined.agent.run()).rejects.toBeInstanceOf(SwarmError);
  await joined.coordinator.close();
});

test('the signal of run closes the agent', async () => {
  const transport = new MemoryNetwork().transport();
  const coordinator = await FakeCoordinator.start(transport);
  const agent = await QuicSwarmAgent.connect({ ...options, transport });
  const stop = new AbortController();
  const running = agent.run({ signal: stop.signal });
  stop.abort();
  await running;
  expect(agent.state).toBe('stopped');
  await coordinator.close();
});
