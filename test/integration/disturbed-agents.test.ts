/** Agents that are frozen or killed by what they compute, as processes of their own, under a coordinator with little patience. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type SwarmClient } from '@quic-swarm/client';
import { QuicSwarmCoordinator } from '@quic-swarm/coordinator';
import { formatAddress } from '@quic-swarm/transport';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../cli/programs.ts';
import { PATIENTLY, Program, ROOT } from '../support/program.ts';

const AGENT = join(ROOT, 'packages/cli/bin/agent.js');
const IDS = ['first', 'second', 'third'];

const HANDLERS = `
import { existsSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
export default {
  'until.file': async (path) => { while (!existsSync(path)) await after(10); return 'finished'; },
  'poison': () => { process.kill(process.pid, 'SIGKILL'); },
  'echo': (input) => input,
};
`;

describe('agents as processes of their own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'quic-swarm-'));
  const agents = new Map<string, Program>();
  let coordinator: QuicSwarmCoordinator;
  let client: SwarmClient;

  beforeAll(async () => {
    const handlers = join(directory, 'handlers.mjs');
    writeFileSync(handlers, HANDLERS);
    const security = { stateDirectory: directory };
    coordinator = await QuicSwarmCoordinator.start({
      address: '127.0.0.1:0',
      security,
      decisions: {
        heartbeatIntervalMs: 100,
        suspectAfterMs: 400,
        lostAfterMs: 1000,
        idleHeartbeatIntervalMs: 200,
        idleSuspectAfterMs: 600,
        idleLostAfterMs: 2000,
      },
    });
    const address = formatAddress(coordinator.address);
    const env = { ...process.env, QUIC_SWARM_STATE_DIR: directory };
    for (const id of IDS) {
      const words = [address, id, 'compute', '--handlers', handlers, '--threads', '1', '--json'];
      words.push('--label', `name=${id}`, ...PATIENTLY);
      agents.set(id, new Program([AGENT, ...words], { env }));
    }
    await Promise.all([...agents.values()].map(async (agent) => agent.line('"connected"')));
    client = await connect({ address, security });
  });

  afterAll(async () => {
    await client.close();
    await Promise.all([...agents.values()].map(async (agent) => agent[Symbol.asyncDispose]()));
    await coordinator.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('has a task of a frozen agent done by another one, once, and gives the first one work again', async () => {
    const file = join(directory, 'go');
    const handle = await client.submit('until.file', file);
    const holder = async (): Promise<string | undefined> => {
      const { state, agentId } = await client.task(handle.id);
      return state === 'running' ? agentId : undefined;
    };
    await until(async () => (await holder()) !== undefined);
    const frozenId = (await holder()) ?? '';
    agents.get(frozenId)?.kill('SIGSTOP');
    await until(async () => ![undefined, frozenId].includes(await holder()));
    writeFileSync(file, '');
    const outcome = await handle.outcome();
    expect(outcome).toMatchObject({ state: 'succeeded', result: 'finished', attempt: 2 });
    expect(outcome.agentId).not.toBe(frozenId);
    agents.get(frozenId)?.kill('SIGCONT');
    const again = await client.submit('echo', 1, { labels: { name: frozenId } });
    expect(await again.outcome()).toMatchObject({ state: 'succeeded', agentId: frozenId });
    expect(coordinator.status().byTaskType['until.file']).toMatchObject({
      succeeded: 1,
      failed: 0,
    });
  });

  it('gives a task that kills its agents up after as many as it may, and goes on with the others', async () => {
    const poison = await client.submit('poison', null, { retry: { maximumDeliveries: 2 } });
    const others = client.map(
      'echo',
      Array.from({ length: 50 }, (_, index) => index),
    );
    const results: unknown[] = [];
    for await (const { result } of others) results.push(result);
    expect(results).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(await poison.outcome()).toMatchObject({
      state: 'failed',
      attempt: 2,
      deadLettered: true,
      error: { type: 'AGENT_LOST' },
    });
    const isRunning = [...agents.values()].filter(({ process }) => process.signalCode === null);
    expect(isRunning).toHaveLength(1);
    expect(await client.run('echo', 'still here')).toBe('still here');
  });
});
