/** A coordinator is recorded over real QUIC; the recording decides the same and knows how it was at any time. */
import { mkdtemp, rm, truncate, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuicSwarmAgent } from '@quic-swarm/agent';
import { connect } from '@quic-swarm/client';
import { QuicSwarmCoordinator, Replay, readRecording } from '@quic-swarm/coordinator';
import {
  createQuicTransport,
  createSelfSignedCertificate,
  fingerprintOf,
  formatAddress,
} from '@quic-swarm/transport';
import { afterAll, beforeAll, expect, it } from 'vitest';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quic-swarm-recording-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function replayed(file: string): Promise<Replay> {
  const replay = new Replay();
  for await (const entry of readRecording(file)) replay.play(entry);
  return replay;
}

it('decides the same again, and ends early where it was cut short', async () => {
  const server = createSelfSignedCertificate({ commonName: 'test', hosts: ['127.0.0.1'], days: 1 });
  const trust = { fingerprints: [fingerprintOf(server.certificate)] };
  const transport = createQuicTransport({ server, client: { trust } });
  const record = join(folder, 'one.recording');
  const coordinator = await QuicSwarmCoordinator.start({
    address: '127.0.0.1:0',
    transport,
    record,
    data: join(folder, 'data'),
  });
  const address = formatAddress(coordinator.address);
  const agent = await QuicSwarmAgent.connect({
    address,
    transport,
    id: 'worker',
    type: 'compute',
    handlers: { square: (n) => (n as number) ** 2 },
  });
  const run = agent.run();
  const client = await connect({ address, transport });
  const taskIds: string[] = [];
  for (let n = 0; n < 20; n++) {
    const handle = await client.submit('square', n, { durable: n % 2 === 0 });
    expect(await handle.result()).toBe(n ** 2);
    taskIds.push(handle.id);
  }
  await client.close();
  await agent.close();
  await run;
  await coordinator.close();

  const whole = await replayed(record);
  expect(whole.counts.differences).toBe(0);
  for (const taskId of taskIds)
    expect(whole.core?.state.tasks.get(taskId)?.state).toBe('succeeded');

  const { size } = await stat(record);
  await truncate(record, Math.floor(size / 2));
  const half = await replayed(record);
  expect(half.counts.differences).toBe(0);
  expect(half.counts.events).toBeLessThan(whole.counts.events);
});
