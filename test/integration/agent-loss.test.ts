/** Machines die. Over real QUIC, with agents as processes of their own. */
import { performance } from 'node:perf_hooks';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@quic-swarm/client';
import { QuicSwarmCoordinator } from '@quic-swarm/coordinator';
import { formatAddress } from '@quic-swarm/transport';
import { PATIENTLY, Program, ROOT } from '../support/program.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const AGENT = join(ROOT, 'packages/cli/bin/agent.js');
const TASKS = 200;
const COMPUTE_MS = 20;

describe('a swarm whose agents die', () => {
  let directory = '';
  let handlers = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'quic-swarm-'));
    handlers = join(directory, 'handlers.mjs');
    writeFileSync(
      handlers,
      // Blocks its thread as computing does, and leaves the cores to the other tests.
      `const cell = new Int32Array(new SharedArrayBuffer(4));
       export default { 'slow.square': (n) => {
         Atomics.wait(cell, 0, 0, ${COMPUTE_MS});
         return n * n;
       } };`,
    );
  });
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  function startAgent(address: string, id: string): Program {
    const words = [address, id, 'compute', '--handlers', handlers, '--threads', '1', '--json'];
    words.push(...PATIENTLY);
    const env = { ...process.env, QUIC_SWARM_STATE_DIR: directory };
    return new Program([AGENT, ...words], { env });
  }

  // Side by side, since most of their time is waiting.
  it.concurrent.each(['SIGKILL', 'SIGTERM'] as const)(
    'loses no task of a map of 200 when one of two agents gets %s in the middle',
    async (signal) => {
      await using coordinator = await QuicSwarmCoordinator.start({
        address: '127.0.0.1:0',
        security: { stateDirectory: directory },
      });
      const address = formatAddress(coordinator.address);
      await using first = startAgent(address, 'first');
      await using second = startAgent(address, 'second');
      await Promise.all([first, second].map((agent) => agent.line('"connected"')));
      await using client = await connect({ address, security: { stateDirectory: directory } });
      const inputs = Array.from({ length: TASKS }, (_, n) => n);
      const results: number[] = [];
      let killedAtMs = 0;
      for await (const { result } of client.map<number, number>('slow.square', inputs, {
        concurrency: 32,
      })) {
        results.push(result);
        if (results.length === TASKS / 4) {
          first.kill(signal);
          killedAtMs = performance.now();
        }
      }
      const afterKillMs = performance.now() - killedAtMs;
      expect(results).toEqual(inputs.map((n) => n ** 2));
      const status = coordinator.status();
      expect(status.tasks.byState).toEqual({ succeeded: TASKS });
      expect(
        coordinator.agents().find(({ agentId }) => agentId === 'second')?.work.succeeded,
      ).toBeGreaterThan(TASKS / 4);
      // A figure for the reader of the log, not an assertion: 3 s of silence, then the rest of the work.
      console.info(`${signal}: finished ${(afterKillMs / 1000).toFixed(2)} s after the signal`);
    },
  );
});
