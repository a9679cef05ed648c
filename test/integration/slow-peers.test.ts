/** What waits for a peer that does not read is bounded; the peer is told so and left, and nobody else notices. */
import { encodeFrame, type Message } from '@quic-swarm/protocol';
import { TestSwarm } from '@quic-swarm/testkit';
import type { Stream } from '@quic-swarm/transport';
import { describe, expect, it } from 'vitest';
import { HandMadeClient, begins } from '../support/hand-made-client.ts';

const MEGABYTE = 1024 * 1024;
/** More than the windows of one stream take, so that what is not read waits at the coordinator. */
const LARGE = 24 * MEGABYTE;
const BOUND = 60 * MEGABYTE;

function taskIdOf(n: number): string {
  return `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
}

function submission(n: number, taskType: string): Message {
  return {
    type: 'SubmitTask',
    body: { requestId: n, taskId: taskIdOf(n), taskType, datasets: [], watch: 'none' },
  };
}

/** A swarm with an honest agent. */
async function startSwarm(
  transport: 'memory' | 'quic',
  outgoingBytesMax: number = BOUND,
): Promise<TestSwarm> {
  return TestSwarm.start({
    transport,
    outgoingBytesMax,
    agents: [
      {
        id: 'honest',
        type: 'compute',
        handlers: { double: (x) => (x as number) * 2, large: () => new Uint8Array(LARGE) },
      },
    ],
  });
}

/** Everybody else goes on, and the error is counted once. */
async function expectUndisturbed(swarm: TestSwarm, error: string): Promise<void> {
  const client = await swarm.connect('neighbour');
  expect(await client.run('double', 21)).toBe(42);
  expect(swarm.coordinator.status()).toMatchObject({
    errorsByType: { [error]: 1 },
    connections: { agents: 1 },
  });
}

describe.each(['memory', 'quic'] as const)('a peer over %s', (transport) => {
  it('that never opens the stream for its answers is told so and left', async () => {
    await using swarm = await startSwarm(transport);
    const rude = await HandMadeClient.join(swarm);
    const submissions = Array.from({ length: 1100 }, (_, n) => submission(n, 'nobody.does.this'));
    await rude.open('task', submissions);
    expect(await rude.ending()).toBe('QUEUE_FULL');
    const { body } = await rude.next('ErrorReport');
    expect(body.failure).toMatchObject({ type: 'QUEUE_FULL', code: 'RESOURCE_EXHAUSTED' });
    await expectUndisturbed(swarm, 'QUEUE_FULL');
  });

  it('that breaks the protocol before it has opened that stream hears which rule it broke', async () => {
    await using swarm = await startSwarm(transport);
    const rude = await HandMadeClient.join(swarm);
    await rude.open('task', [
      submission(1, 'nobody.does.this'),
      { type: 'HeartbeatAck', body: { sequence: 1 } },
    ]);
    expect(await rude.ending()).toBe('UNEXPECTED_MESSAGE');
    expect((await rude.next('ErrorReport')).body.failure.type).toBe('UNEXPECTED_MESSAGE');
    await expectUndisturbed(swarm, 'UNEXPECTED_MESSAGE');
  });

  it('that asks for data sets and does not read them is left when too much waits for it', async () => {
    await using swarm = await startSwarm(transport);
    const honest = await swarm.connect();
    const { datasetId } = await honest.putDataset(new Uint8Array(LARGE));
    const rude = await HandMadeClient.join(swarm);
    let answersBegun = 0;
    for (let requestId = 1; requestId <= 8; requestId++) {
      const stream = await rude.open('dataset', [
        { type: 'GetDataset', body: { requestId, datasetId } },
      ]);
      const ended = rude.connection.closed.then(() => 'ended' as const);
      if ((await Promise.race([begins(stream), ended])) === 'ended') break;
      answersBegun += 1;
      if (!rude.connection.isOpen) break;
    }
    // The bound takes two and a half of them; one may go beyond it, and the one that broke it has begun as well.
    expect(answersBegun).toBeGreaterThanOrEqual(2);
    expect(answersBegun).toBeLessThanOrEqual(4);
    expect(await rude.ending()).toBe('QUEUE_FULL');
    expect((await honest.getDataset(datasetId)).bytes).toHaveLength(LARGE);
    await expectUndisturbed(swarm, 'QUEUE_FULL');
  });

  it('that asks for large results and does not read them is left when too much waits for it', async () => {
    await using swarm = await startSwarm(transport);
    const honest = await swarm.connect();
    const task = await honest.submit('large', null);
    await task.result();
    const rude = await HandMadeClient.join(swarm);
    const arrived: Stream[] = [];
    let wake: () => void = () => undefined;
    rude.connection.onStream = (stream) => {
      arrived.push(stream);
      void begins(stream).then(() => wake());
    };
    const watching = (requestId: number): Message => ({
      type: 'WatchTask',
      body: { requestId, taskId: task.id, watch: 'result' },
    });
    const requests = await rude.open('client', []);
    const ended = rude.connection.closed.then(() => 'ended' as const);
    for (let requestId = 1; requestId <= 8 && rude.connection.isOpen; requestId++) {
      const began = new Promise<'began'>((resolve) => {
        wake = () => resolve('began');
      });
      requests.write(encodeFrame(watching(requestId)));
      if ((await Promise.race([began, ended])) === 'ended') break;
    }
    expect(arrived.length).toBeGreaterThanOrEqual(2);
    expect(arrived.length).toBeLessThanOrEqual(4);
    expect(await rude.ending()).toBe('QUEUE_FULL');
    await expectUndisturbed(swarm, 'QUEUE_FULL');
  });

  it('that does not read its control stream is left when too much waits for it', async () => {
    await using swarm = await startSwarm(transport, 2 * MEGABYTE);
    const honest = await swarm.connect();
    for (let n = 1; n <= 500; n++) await honest.submit('nobody.does.this', n);
    const rude = await HandMadeClient.join(swarm);
    rude.holdControl();
    const isNoticed = (): boolean => 'QUEUE_FULL' in swarm.coordinator.status().errorsByType;
    // Each report has some fifty kilobytes.
    for (let requestId = 1; requestId <= 1000 && !isNoticed(); requestId++) {
      rude.say({ type: 'QueryStatus', body: { requestId, view: 'tasks', limit: 500 } });
      await honest.status();
    }
    expect(isNoticed()).toBe(true);
    expect(await rude.ending()).toBe('QUEUE_FULL');
    await expectUndisturbed(swarm, 'QUEUE_FULL');
  });

  it('that asks twice on one data set stream is told so and left', async () => {
    await using swarm = await startSwarm(transport);
    const honest = await swarm.connect();
    const { datasetId } = await honest.putDataset(new Uint8Array(10));
    const rude = await HandMadeClient.join(swarm);
    const stream = await rude.open('dataset', [
      { type: 'GetDataset', body: { requestId: 1, datasetId } },
      { type: 'GetDataset', body: { requestId: 2, datasetId } },
    ]);
    rude.read(stream);
    expect(await rude.ending()).toBe('UNEXPECTED_MESSAGE');
    await expectUndisturbed(swarm, 'UNEXPECTED_MESSAGE');
  });
});
