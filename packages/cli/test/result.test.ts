/** `swarm result` over real QUIC, against a coordinator and agents in this process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuicSwarmAgent } from '@quic-swarm/agent';
import { QuicSwarmCoordinator } from '@quic-swarm/coordinator';
import { formatAddress } from '@quic-swarm/transport';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Interruption } from '../src/command-line/interruption.ts';
import { runProgram } from '../src/command-line/main.ts';
import { SWARM } from '../src/specifications/swarm.ts';
import { KeptText, SignalBox } from './command-lines.ts';

const ID = /^[0-9a-f-]{36}$/m;

let folder = '';
let address = '';
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quic-swarm-result-'));
  const security = { stateDirectory: folder };
  const coordinator = await QuicSwarmCoordinator.start({ address: '127.0.0.1:0', security });
  ends.push(async () => coordinator.close());
  address = formatAddress(coordinator.address);
  const handlers = {
    'my.sum': (input: unknown) => (input as number[]).reduce((sum, each) => sum + each, 0),
    'my.failure': () => {
      throw new RangeError('out of coffee');
    },
  };
  const common = { address, security, threads: 1 };
  const agents = await Promise.all([
    QuicSwarmAgent.connect({ ...common, id: 'mine', type: 'compute', handlers }),
    QuicSwarmAgent.connect({ ...common, id: 'f-1', type: 'feature' }),
  ]);
  for (const agent of agents) {
    const run = agent.run();
    ends.push(async () => {
      await agent.close();
      await run;
    });
  }
});

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
  rmSync(folder, { recursive: true, force: true });
});

interface Running {
  readonly signals: SignalBox;
  readonly stderr: KeptText;
  readonly ended: Promise<{ code: number; stdout: string; stderr: string }>;
}

function start(...words: string[]): Running {
  const [stdout, stderr, signals] = [new KeptText(), new KeptText(), new SignalBox()];
  const common = ['--address', address, '--state-directory', folder, '--connect-timeout', '20s'];
  const interruption = new Interruption(signals);
  const surroundings = { stdout, stderr, environment: {}, interruption };
  const ended = runProgram(SWARM, [...words, ...common], surroundings).then((code) => ({
    code,
    stdout: stdout.text,
    stderr: stderr.text,
  }));
  return { signals, stderr, ended };
}

const swarm = async (...words: string[]): Running['ended'] => start(...words).ended;

/** Submits a task of a user's own and gives its id. */
async function submitted(task: string, input: unknown): Promise<string> {
  const file = join(folder, 'input.json');
  writeFileSync(file, JSON.stringify(input));
  const { stdout } = await swarm('submit', 'compute', '--task', task, '--input', file, '--no-wait');
  return stdout.trim();
}

/** The output of `--json` without what differs from one run of the same task to the next: id and times. */
function comparable(json: string): unknown {
  return JSON.parse(json, (key, value: unknown) =>
    key === 'taskId' || key.endsWith('Ms') ? typeof value : value,
  );
}

it('prints what swarm submit would have printed, as often as it is asked', async () => {
  const series = join(folder, 'prices.csv');
  writeFileSync(series, ['price', 1, 2, 6, 7, 5].join('\n'));
  const features = ['submit', 'features', '--series', series, '--indicators', 'sma3,logreturn'];
  const [text, json, later] = await Promise.all([
    swarm(...features),
    swarm(...features, '--json'),
    swarm(...features, '--no-wait'),
  ]);
  const taskId = later.stdout.trim();
  expect(taskId).toMatch(ID);
  expect(later.stderr).toBe(`Its result:  swarm result ${taskId} --address ${address}\n`);
  const fetched = await swarm('result', taskId.toUpperCase());
  expect(fetched).toMatchObject({ code: 0, stdout: text.stdout });
  expect(fetched.stderr).toContain(`FeatureEngineering on f-1: `);
  const again = await swarm('result', taskId, '--json');
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(comparable(again.stdout)).toEqual(comparable(json.stdout));
  expect(comparable(again.stdout)).toMatchObject({
    result: { columns: { sma3: [null, null, 3, 5, 6] } },
  });
});

it('prints the result of a task of a user as JSON text', async () => {
  const taskId = await submitted('my.sum', [1, 2, 3.5]);
  expect(await swarm('result', taskId)).toMatchObject({ code: 0, stdout: '6.5\n' });
});

it('ends as swarm submit does when the task failed', async () => {
  const taskId = await submitted('my.failure', null);
  const { code, stdout, stderr } = await swarm('result', taskId, '--json');
  expect(code).toBe(1);
  expect(stderr).toBe(`error: Task ${taskId} failed: out of coffee\n`);
  expect(JSON.parse(stdout)).toMatchObject({ state: 'failed', error: { type: 'RangeError' } });
});

it('says of an unknown task that it may be forgotten, and of what is no id that it is none', async () => {
  const taskId = '0190d3f4-7c1e-7a3b-9c55-2f6f0e6a1b2c';
  const unknown = await swarm('result', taskId);
  expect(unknown).toMatchObject({ code: 1, stdout: '' });
  expect(unknown.stderr).toContain(`No task ${taskId} is known.\n  Finished tasks are forgotten`);
  const wrong = await swarm('result', 'nonsense', '--json');
  expect(wrong.code).toBe(64);
  expect(JSON.parse(wrong.stdout)).toMatchObject({ error: { type: 'BAD_OPTION' } });
});

it('says why the task waits, and leaves it alone on Ctrl-C', async () => {
  const taskId = await submitted('my.unknown', null);
  const { signals, stderr, ended } = start('result', taskId, '--json');
  await vi.waitFor(
    () => {
      expect(stderr.text).toContain('Waiting: no connected agent has a handler for my.unknown');
    },
    { timeout: 10_000 },
  );
  signals.raise('SIGINT');
  const { code, stdout } = await ended;
  expect([code, stdout]).toEqual([130, '']);
  expect(stderr.text).toContain(`Task ${taskId} goes on`);
  // Only now it is cancelled, which whoever asks is told.
  const cancelled = await swarm('cancel', taskId, '--json');
  expect(JSON.parse(cancelled.stdout)).toMatchObject({ taskId, cancelRequested: true });
  expect(await swarm('result', taskId)).toMatchObject({ code: 1, stdout: '' });
});
