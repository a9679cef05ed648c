/** Agents get better at their work: over real QUIC, a good arm is adopted by an agent, and a bad one is given up again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TaskContext, TaskHandler } from '@quic-swarm/agent';
import type { SwarmClient } from '@quic-swarm/client';
import { TestSwarm } from '@quic-swarm/testkit';
import { describe, expect, it } from 'vitest';

const TASK_TYPE = 'my.forecast';
const ARMS = [4, 8, 16, 32].map((window) => ({ window }));

/** Forecasts 0, off by the more the further its window is from the good one, and a little by chance. */
function forecast(input: { good: number; noise: number }, context: TaskContext): unknown {
  const arm = context.arm ?? ARMS[0];
  const window = Number(arm?.['window']);
  context.predict({ mean: 0.2 * Math.abs(Math.log2(window / input.good)) + input.noise });
  return window;
}

async function startSwarm(data?: string): Promise<{ swarm: TestSwarm; client: SwarmClient }> {
  const swarm = await TestSwarm.start({
    transport: 'quic',
    ...(data === undefined ? {} : { data }),
    agents: [
      {
        id: 'agent-1',
        type: 'compute',
        slots: 8,
        handlers: { [TASK_TYPE]: forecast as TaskHandler },
        tunables: { [TASK_TYPE]: { arms: ARMS } },
      },
    ],
  });
  return { swarm, client: await swarm.connect() };
}

/** Has the swarm learn from tasks whose good window is named until something is true. */
async function learnUntil(
  client: SwarmClient,
  good: number,
  steps: { next: number },
  isDone: () => Promise<boolean> | boolean,
): Promise<void> {
  for (let count = 0; count < 3000; count += 1) {
    if (count % 10 === 0 && (await isDone())) return;
    const step = steps.next;
    steps.next += 1;
    const noise = 0.05 * Math.sin(step * 12.9898);
    const task = await client.submit(TASK_TYPE, { good, noise }, { learn: { step } });
    await task.result();
    await client.outcome(task.id, { actual: 0, step });
  }
  throw new Error('Nothing came of 3000 tasks.');
}

/** The windows that the agent uses by itself. */
async function windowsInUse(client: SwarmClient, tasks: number): Promise<Set<number>> {
  const inputs = Array.from({ length: tasks }, () => ({ good: 4, noise: 0 }));
  const windows = inputs.map(async (input) => client.run<number>(TASK_TYPE, input));
  return new Set(await Promise.all(windows));
}

describe('a coordinator', () => {
  it('knows what was learnt before it was started again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'quic-swarm-'));
    try {
      const first = await startSwarm(folder);
      await using _first = first.swarm;
      const steps = { next: 1 };
      await learnUntil(first.client, 32, steps, () => steps.next > 40);
      const before = await first.client.reasoning('arms', { taskType: TASK_TYPE });
      await first.swarm[Symbol.asyncDispose]();
      const second = await startSwarm(folder);
      await using _second = second.swarm;
      const after = await second.client.reasoning('arms', { taskType: TASK_TYPE });
      expect(after).toEqual(before);
      expect(after.reduce((sum, { resolved }) => sum + resolved, 0)).toBeGreaterThan(40);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('an agent', () => {
  it('adopts an arm that is better than its own, step by step', async () => {
    const started = await startSwarm();
    await using _swarm = started.swarm;
    const { client } = started;
    const steps = { next: 1 };
    const stageOf = async (): Promise<string | undefined> => {
      const [type] = await client.reasoning('types');
      return type?.stage;
    };
    expect(await windowsInUse(client, 20)).toEqual(new Set([4]));
    await learnUntil(client, 32, steps, async () => (await stageOf()) === 'canary');
    await learnUntil(client, 32, steps, async () => (await stageOf()) === 'adopted');
    expect(await windowsInUse(client, 20)).toEqual(new Set([32]));
    const arms = await client.reasoning('arms', { taskType: TASK_TYPE });
    expect(arms.find(({ isIncumbent }) => isIncumbent)?.arm).toEqual({ window: 32 });
    // Why, in words; what it is worth; and what another coordinator would have learnt from it.
    const items = await client.reasoning('items');
    expect(items[0]).toMatchObject({ kind: 'works', taskType: TASK_TYPE });
    const { sentences } = await client.reasoning('explain', { taskType: TASK_TYPE });
    expect(sentences.join(' ')).toContain('100 % of its tasks');
    const [agent] = await client.reasoning('agents');
    expect(agent).toMatchObject({ agentId: 'agent-1', taskType: TASK_TYPE });
    const exported = await client.exportReasoning();
    await client.resetReasoning();
    expect(await windowsInUse(client, 20)).toEqual(new Set([4]));
    await client.importReasoning(exported);
    const imported = await client.reasoning('arms', { taskType: TASK_TYPE });
    expect(imported.map(({ scored }) => scored)).toEqual(arms.map(({ scored }) => scored));
    await expect(client.importReasoning(new Uint8Array([0xa0]))).rejects.toMatchObject({
      type: 'BAD_INPUT',
    });
  });

  it('gives an arm up again that turns out to be bad', async () => {
    const started = await startSwarm();
    await using _swarm = started.swarm;
    const { client } = started;
    const steps = { next: 1 };
    const isTried = async (): Promise<boolean> => {
      const [type] = await client.reasoning('types');
      return type?.stage === 'canary';
    };
    await learnUntil(client, 32, steps, isTried);
    // A share of its tasks is done with the arm that is tried.
    expect(await windowsInUse(client, 200)).toEqual(new Set([4, 32]));
    await learnUntil(client, 4, steps, async () => !(await isTried()));
    expect(await windowsInUse(client, 200)).toEqual(new Set([4]));
    expect(await client.reasoning('types')).toMatchObject([{ incumbentArmId: 'window=4' }]);
  });
});
