/** Tasks that one client submits and does not wait for, and another one attaches to, over real QUIC. */
import { TestSwarm } from '@quic-swarm/testkit';
import { newTaskId } from '@quic-swarm/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let swarm: TestSwarm;
/** Opened by a test for `hold`. */
let open = (): void => {};
const gate = new Promise<void>((resolve) => {
  open = resolve;
});

beforeAll(async () => {
  swarm = await TestSwarm.start({
    transport: 'quic',
    agents: [
      { id: 'strategist', type: 'strategy' },
      {
        id: 'worker',
        type: 'compute',
        slots: 4,
        handlers: {
          double: (n) => Float64Array.from(n as Float64Array, (each) => each * 2),
          failure: () => {
            throw new RangeError('out of coffee');
          },
          hold: async (_input, context) => {
            context.progress(0.5, 'half');
            context.emit('first');
            await gate;
            context.emit('second');
            return 'held';
          },
          endless: async (_input, { signal }) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                reject(signal.reason as Error);
              });
            }),
        },
      },
    ],
  });
});

afterAll(async () => {
  await swarm[Symbol.asyncDispose]();
});

/** Submits for nobody, with a client that is gone then. */
async function submitted(taskType: string, input: unknown): Promise<string> {
  const client = await swarm.connect('submitter');
  const { id } = await client.submit(taskType, input, { watch: 'none' });
  await client.close();
  return id;
}

describe('attaching to the task of a client that is gone', () => {
  it('gives the result, as often as it is asked for, to each that asks', async () => {
    const taskId = await submitted('double', Float64Array.of(1, 2.5));
    for (const name of ['one', 'another']) {
      const client = await swarm.connect(name);
      for (let time = 0; time < 2; time++) {
        const handle = await client.attach<Float64Array>(taskId);
        expect(handle.id).toBe(taskId);
        expect(await handle.result()).toEqual(Float64Array.of(2, 5));
      }
    }
  });

  it('reads results of built-in task types like their submitter', async () => {
    const columns = [
      { name: 'up', series: { values: Float64Array.of(1, 2, 3, 4) } },
      { name: 'down', series: { values: Float64Array.of(4, 3, 2, 1) } },
    ];
    const input = { columns, method: 'pearson' } as const;
    const client = await swarm.connect();
    const { matrix } = await client.run('StrategyCorrelation', input);
    const handle = await client.attach(await submitted('StrategyCorrelation', input));
    expect(await handle.result()).toMatchObject({ columns: ['up', 'down'], matrix });
  });

  it('gives the error of one that failed', async () => {
    const client = await swarm.connect();
    const handle = await client.attach(await submitted('failure', null));
    await expect(handle.result()).rejects.toMatchObject({
      type: 'RangeError',
      message: 'out of coffee',
    });
    expect(await (await client.attach(handle.id)).outcome()).toMatchObject({
      state: 'failed',
      deadLettered: true,
      attempt: 3,
    });
  });

  it('shows progress and all parts of one that runs', async () => {
    const client = await swarm.connect();
    const taskId = await submitted('hold', null);
    const early = await client.attach(taskId, { watch: 'all' });
    for await (const { state } of early.progress()) if (state === 'running') break;
    const late = await (await swarm.connect('late')).attach<string>(taskId);
    const chunks = late.chunks();
    expect((await chunks.next()).value).toBe('first');
    open();
    expect((await chunks.next()).value).toBe('second');
    expect(await Promise.all([early.result(), late.result()])).toEqual(['held', 'held']);
  });

  it('can cancel it', async () => {
    const client = await swarm.connect();
    const handle = await client.attach(await submitted('endless', null));
    await handle.cancel('not needed');
    await expect(handle.result()).rejects.toMatchObject({ type: 'TASK_CANCELLED' });
  });

  it('rejects when the coordinator does not know the task', async () => {
    const client = await swarm.connect();
    await expect(client.attach(newTaskId())).rejects.toMatchObject({ type: 'TASK_NOT_FOUND' });
  });
});
