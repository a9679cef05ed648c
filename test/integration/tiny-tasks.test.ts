/** Tiny tasks with the default slots: they share hops to threads, and neither a long task nor a crash costs them more. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MessagePort } from 'node:worker_threads';
import type { SwarmClient } from '@quic-swarm/client';
import { TestSwarm } from '@quic-swarm/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

let directory = '';
let handler: URL;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'quic-swarm-'));
  const path = join(directory, 'handler.mjs');
  writeFileSync(
    path,
    `import { appendFileSync, existsSync } from 'node:fs';
     const cell = new Int32Array(new SharedArrayBuffer(4));
     export default ({ log, name, gate, isDeadly }) => {
       if (log !== undefined) appendFileSync(log, name + '\\n');
       if (isDeadly) process.exit(3);
       while (gate !== undefined && !existsSync(gate)) Atomics.wait(cell, 0, 0, 2);
       return name;
     };`,
  );
  handler = pathToFileURL(path);
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

afterEach(() => {
  vi.restoreAllMocks();
});

let lastFile = 0;
const newFile = (): string => join(directory, `file-${(lastFile += 1)}`);

/** What it says is waited for. */
const until = <T>(look: () => T) => expect.poll(look, { timeout: 30_000 });

/** Lets an agent learn that tasks of the type are tiny, with as many at a time as it takes ahead. */
async function teach(client: SwarmClient, tasks = 600): Promise<void> {
  await Promise.all(Array.from({ length: tasks }, () => client.run('test.tiny', {})));
}

async function creditOf(swarm: TestSwarm, agentId: string): Promise<number> {
  const client = await swarm.connect('status');
  const agents = await client.agents();
  return agents.find((row) => row.agentId === agentId)?.credit ?? 0;
}

describe.each(['memory', 'quic'] as const)('tiny tasks over %s', (transport) => {
  it('share hops to a thread, with as many slots as threads', async () => {
    await using swarm = await TestSwarm.start({
      transport,
      agents: [{ id: 'a', type: 'compute', handlers: { 'test.tiny': handler } }],
    });
    const client = await swarm.connect();
    const hops = vi.spyOn(MessagePort.prototype, 'postMessage');
    const lengths: number[] = [];
    // A pause of the machine may make the tasks look slow for a while.
    for (let round = 0; round < 20; round += 1) {
      hops.mockClear();
      const names = Array.from({ length: 500 }, (_, name) => name);
      const results = await Promise.all(names.map((name) => client.run('test.tiny', { name })));
      expect(results).toEqual(names);
      lengths.push(500 / hops.mock.calls.filter(([message]) => 'tasks' in message).length);
      if ((lengths.at(-1) ?? 0) > 4) break;
    }
    expect(Math.max(...lengths), `tasks in a hop: ${lengths.join(', ')}`).toBeGreaterThan(4);
  });

  it('that wait behind a long task go to an agent that is idle, and to the same one when it is free', async () => {
    await using swarm = await TestSwarm.start({ transport });
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const by: string[] = [];
    const agentOf = (id: string) => ({
      id,
      type: 'compute' as const,
      handlers: { 'test.tiny': () => by.push(id), 'test.long': async () => gate },
    });
    await swarm.addAgent(agentOf('held'));
    const client = await swarm.connect();
    // Until it takes tasks ahead: on a busy machine that may need more than one attempt.
    while ((await creditOf(swarm, 'held')) < 10) await teach(client);
    const long = await client.submit('test.long', null);
    await until(async () => (await client.task(long.id)).state).toBe('running');
    by.length = 0;
    const tiny = Array.from({ length: 30 }, () => client.run('test.tiny', {}));
    await swarm.addAgent(agentOf('idle'));
    await Promise.all(tiny);
    expect(by).toEqual(tiny.map(() => 'idle'));
    const [agent] = (await client.agents()).filter(({ agentId }) => agentId === 'held');
    expect(agent).toMatchObject({ slots: 1, credit: 1, leases: 1, running: 1 });
    open();
    await long.result();
    await until(async () => creditOf(swarm, 'held')).toBeGreaterThan(1);
    await teach(client, 10);
  });

  it('of an agent that takes many ahead leave some for one that is idle', async () => {
    await using swarm = await TestSwarm.start({ transport });
    const done = { busy: 0, fresh: 0 };
    const agentOf = (id: keyof typeof done) => ({
      id,
      type: 'compute' as const,
      handlers: { 'test.tiny': () => (done[id] += 1) },
    });
    await swarm.addAgent(agentOf('busy'));
    const client = await swarm.connect();
    while ((await creditOf(swarm, 'busy')) < 10) await teach(client);
    await swarm.addAgent(agentOf('fresh'));
    for (let burst = 0; burst < 10; burst += 1) {
      const before = done.fresh;
      await teach(client, 20);
      expect(done.fresh - before).toBeGreaterThan(0);
    }
  });
});

describe('tiny tasks that share a thread', () => {
  it('have all of their startToCloseMs from where they begin', async () => {
    await using swarm = await TestSwarm.start({
      transport: 'memory',
      agents: [
        { id: 'a', type: 'compute', slots: 4, threads: 1, handlers: { 'test.tiny': handler } },
        {
          id: 'clock',
          type: 'trainer',
          handlers: {
            'test.clock': async (_input, { signal }) =>
              new Promise((resolve) => signal.addEventListener('abort', resolve)),
          },
        },
      ],
    });
    const client = await swarm.connect();
    await teach(client, 20);
    const [gate, log] = [newFile(), newFile()];
    const long = client.run('test.tiny', { gate, log, name: 'long' });
    await until(() => existsSync(log)).toBe(true);
    const once = { startToCloseMs: 60, retry: { maximumAttempts: 1 } };
    const behind = [1, 2, 3].map((name) => client.run('test.tiny', { name }, once));
    // Asked for after them and over its time after it was begun: so much time has passed for them as well.
    await expect(client.run('test.clock', null, once)).rejects.toThrow(/startToCloseMs/);
    writeFileSync(gate, '');
    expect(await Promise.all(behind)).toEqual([1, 2, 3]);
    expect(await long).toBe('long');
  });

  it('are each started once when a neighbour ends their thread, also those that may be started only once', async () => {
    await using swarm = await TestSwarm.start({
      transport: 'memory',
      agents: [{ id: 'a', type: 'compute', handlers: { 'test.tiny': handler } }],
    });
    const client = await swarm.connect();
    await teach(client);
    const log = newFile();
    const names = Array.from({ length: 200 }, (_, name) => name);
    const once = { idempotent: false };
    const deadly = { isDeadly: true, log, name: 'deadly' };
    let crash: Promise<unknown> | undefined;
    const results = names.map((name) => {
      if (name === 100)
        crash = client.run('test.tiny', deadly, once).catch((error: unknown) => error);
      return client.run('test.tiny', { log, name }, name % 2 === 0 ? once : {});
    });
    expect(await Promise.all(results)).toEqual(names);
    expect(await crash).toMatchObject({ type: 'WORKER_CRASHED' });
    const starts = readFileSync(log, 'utf8').trim().split('\n').toSorted();
    expect(starts).toEqual([...names.map(String), 'deadly'].toSorted());
  });
});
