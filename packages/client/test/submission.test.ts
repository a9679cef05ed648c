import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import {
  decodeDocument,
  encodeDocument,
  failure,
  type PatternMatchInput,
  type PatternMatchResult,
} from '@quic-swarm/protocol';
import { newTaskId, type ClientOptions, type SwarmClient, type TaskHandle } from '../src/index.ts';
import { errorOf, settle, testSwarm, type TestSwarm } from './support/swarm.ts';

let swarm: TestSwarm;
const start = async (options: Partial<ClientOptions> = {}): Promise<TestSwarm> => {
  swarm = await testSwarm(options);
  return swarm;
};
afterEach(async () => {
  await swarm.client.close();
});

describe('submitting', () => {
  it('gives the result of a task, as often as it is asked for', async () => {
    const { client, coordinator } = await start();
    const handle = await client.submit('my.task', { numbers: Float64Array.of(1, 2) });
    expect(await handle.result()).toEqual({ numbers: Float64Array.of(1, 2) });
    expect(await handle.result()).toBe(await handle.result());
    expect(handle.state).toBe('succeeded');
    expect(coordinator.of('SubmitTask')[0]).toMatchObject({ taskId: handle.id, watch: 'result' });
  });

  it('passes the options on', async () => {
    const { client, coordinator } = await start();
    await client.submit('my.task', 1, {
      priority: 1,
      labels: { zone: 'a' },
      idempotencyKey: 'k',
      idempotent: false,
      delayMs: 5,
      startToCloseMs: 6,
      scheduleToStartMs: 7,
      scheduleToCloseMs: 8,
      retry: { maximumAttempts: 1 },
      onClientLoss: 'cancel',
      watch: 'all',
      agentType: 'compute',
    });
    expect(coordinator.of('SubmitTask')[0]).toMatchObject({
      priority: 1,
      labels: { zone: 'a' },
      idempotencyKey: 'k',
      idempotent: false,
      delayMs: 5,
      startToCloseMs: 6,
      scheduleToStartMs: 7,
      scheduleToCloseMs: 8,
      retry: { maximumAttempts: 1 },
      onClientLoss: 'cancel',
      watch: 'all',
      agentType: 'compute',
    });
  });

  it('names the tasks that it comes after by their handles or ids, and is durable', async () => {
    const { client, coordinator } = await start();
    const first = await client.submit('my.task', 1, { durable: true });
    const second = newTaskId();
    await client.submit('my.task', 2, { after: [first, second], fairnessKey: 'a', durable: false });
    expect(coordinator.of('SubmitTask')).toMatchObject([
      { durable: true },
      { after: [first.id, second], fairnessKey: 'a', durable: false },
    ]);
  });

  it('turns a time of day into a delay, which is never negative', async () => {
    const { client, coordinator } = await start();
    const beforeMs = Date.now();
    await client.submit('my.task', 1, { notBefore: new Date(beforeMs + 60_000) });
    const passedMs = Date.now() - beforeMs;
    await client.submit('my.task', 1, { notBefore: new Date(0) });
    const [later, atOnce] = coordinator.of('SubmitTask').map(({ delayMs }) => delayMs);
    expect(later).toBeLessThanOrEqual(60_000);
    expect(later).toBeGreaterThanOrEqual(60_000 - passedMs);
    expect(atOnce).toBe(0);
  });

  it('collects the data sets that a built-in input refers to', async () => {
    const { client, coordinator } = await start();
    const datasetId = `sha256:${'a'.repeat(64)}`;
    const query = { values: Float64Array.of(1, 2, 3) };
    const input = { series: { datasetId, column: 'DAX' }, query, algorithm: 'dtw' } as const;
    await client.submit('PatternMatch', input);
    expect(coordinator.of('SubmitTask')[0]?.datasets).toEqual([datasetId]);
  });

  it('says how many windows are to be split, where it can know it', async () => {
    const { client, coordinator } = await start();
    const table = { datasetId: `sha256:${'a'.repeat(64)}`, column: 'x' };
    const values = (rows: number): { values: Float64Array } => ({ values: new Float64Array(rows) });
    const algorithm = 'dtw';
    await client.submit(
      'PatternMatch',
      { series: values(10), query: values(3), algorithm },
      { shards: 2 },
    );
    const rows = { ...table, start: 5, end: 25 };
    await client.submit(
      'PatternMatch',
      { series: rows, query: values(5), algorithm },
      { shards: 'auto' },
    );
    const unknown = { series: table, query: values(5), algorithm } as const;
    await client.submit('PatternMatch', unknown, { shards: 3, positions: 77 });
    await client.submit('my.task', 1, { shards: 3, positions: 5 });
    const said = coordinator.of('SubmitTask').map(({ shards, positions }) => [shards, positions]);
    expect(said).toEqual([
      [2, 8],
      ['auto', 16],
      [3, 77],
      [3, 5],
    ]);
    for (const act of [
      client.submit('PatternMatch', unknown, { shards: 3 }),
      client.submit('my.task', 1, { shards: 'auto' }),
      client.submit('my.task', 1, { shards: 0, positions: 5 }),
    ])
      expect((await errorOf(act)).type).toBe('BAD_OPTION');
  });

  it.each([
    [
      'a wrong option',
      async () => swarm.client.submit('my.task', 1, { priority: 9 }),
      'BAD_OPTION',
    ],
    [
      'two times to begin',
      async () => swarm.client.submit('my.task', 1, { delayMs: 1, notBefore: new Date() }),
      'BAD_OPTION',
    ],
    [
      'a time too far ahead',
      async () => swarm.client.submit('my.task', 1, { notBefore: new Date('2099-01-01') }),
      'BAD_OPTION',
    ],
    [
      'a time that is none',
      async () => swarm.client.submit('my.task', 1, { notBefore: new Date('soon') }),
      'BAD_OPTION',
    ],
    ['a wrong task type', async () => swarm.client.submit('my task', 1), 'BAD_OPTION'],
    ['an input that cannot travel', async () => swarm.client.submit('t', new Map()), 'BAD_INPUT'],
    ['a wrong task id', async () => swarm.client.attach('nonsense'), 'BAD_OPTION'],
    [
      'an attachment that hears nothing',
      async () => swarm.client.attach(newTaskId(), { watch: 'none' as never }),
      'BAD_OPTION',
    ],
    ['a wrong limit', async () => swarm.client.tasks({ limit: 0 }), 'BAD_OPTION'],
  ])('refuses %s without troubling the coordinator', async (_name, act, type) => {
    const { client, coordinator } = await start();
    expect((await errorOf(act())).type).toBe(type);
    expect(await client.run('my.task', 2)).toBe(2);
    expect(coordinator.peers).toHaveLength(1);
  });

  it('rejects with the refusal of the coordinator', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = ({ requestId }, peer) => {
      peer.refuse(requestId, 'QUEUE_FULL', 'Full.', { retryAfterMs: 7 });
    };
    const error = await errorOf(client.submit('my.task', 1));
    expect(error).toMatchObject({ type: 'QUEUE_FULL', retryable: true, retryAfterMs: 7 });
  });

  it('says what to do about a data set that is gone', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = ({ requestId }, peer) => {
      peer.refuse(requestId, 'DATASET_NOT_FOUND', 'Gone.');
    };
    expect((await errorOf(client.submit('my.task', 1))).hint).toContain('putTable');
  });

  it('sends a large input on a stream of its own and reads a large result from one', async () => {
    const { client, coordinator } = await start();
    const input = new Float64Array(700_000).map((_zero, row) => row);
    const result = await client.run<Float64Array>('my.task', input);
    expect(Buffer.compare(new Uint8Array(result.buffer), new Uint8Array(input.buffer))).toBe(0);
    const [submission] = coordinator.heard.filter(({ message }) => message.type === 'SubmitTask');
    expect(submission?.on).toBe('task');
  });

  it('accepts an end that overtakes the acknowledgement', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = (submission, peer) => {
      peer.succeed(submission.taskId, 'early');
      peer.acknowledge(submission);
    };
    const handle = await client.submit('my.task', 1);
    expect(await handle.result()).toBe('early');
  });

  it('rejects when the coordinator is mute, and cancels the task should it be accepted late', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = () => {};
    const error = await errorOf(client.submit('my.task', 1, { submitTimeoutMs: 10 }));
    expect(error).toMatchObject({ type: 'CONNECTION_LOST', code: 'UNAVAILABLE' });
    const [submission] = await coordinator.until('SubmitTask');
    if (submission !== undefined) coordinator.peer.acknowledge(submission);
    const [cancel] = await coordinator.until('CancelTask');
    expect(cancel?.taskId).toBe(submission?.taskId);
  });

  it('bounds what waits for the coordinator', async () => {
    const { client, coordinator } = await start({ pendingRequestsMax: 2 });
    coordinator.script.onSubmit = () => {};
    const waiting = [1, 2].map(async (input) => errorOf(client.submit('my.task', input)));
    const error = await errorOf(client.submit('my.task', 3));
    expect(error).toMatchObject({ type: 'QUEUE_FULL', retryable: true });
    await client.close();
    for (const error of await Promise.all(waiting)) expect(error.type).toBe('CLOSED');
  });

  it('follows an idempotency key to the earlier task', async () => {
    const { client, coordinator } = await start();
    const earlier = newTaskId();
    coordinator.script.onSubmit = (submission, peer) => {
      const { requestId } = submission;
      peer.acknowledge({ requestId, taskId: earlier }, { existing: true });
    };
    const first = await client.submit('my.task', 1, { idempotencyKey: 'k' });
    const second = await client.submit('my.task', 1, { idempotencyKey: 'k' });
    expect([first.id, second.id]).toEqual([earlier, earlier]);
    coordinator.peer.succeed(earlier, 'same');
    expect(await Promise.all([first.result(), second.result()])).toEqual(['same', 'same']);
  });

  it('hears nothing of a task with watch none until it asks', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
    };
    coordinator.script.onMessage = (message, peer) => {
      if (message.type !== 'WatchTask') return;
      peer.acknowledge(message.body, { existing: true });
      peer.succeed(message.body.taskId, 'asked for');
    };
    const handle = await client.submit('my.task', 1, { watch: 'none' });
    expect(coordinator.of('WatchTask')).toEqual([]);
    expect(await handle.result()).toBe('asked for');
  });

  it('is heard of by run() and map() from the beginning, also with watch none', async () => {
    const { client, coordinator } = await start();
    expect(await client.run('my.task', 1, { watch: 'none' })).toBe(1);
    for await (const { result } of client.map('my.task', [2], { watch: 'none' })) {
      expect(result).toBe(2);
    }
    expect(coordinator.of('SubmitTask').map(({ watch }) => watch)).toEqual(['result', 'result']);
  });
});

describe('a failed task', () => {
  it('rejects result() with the error of the handler and resolves outcome()', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
      const why = { ...failure('TASK_FAILED', 'No data.', { hint: 'Get some.' }), type: 'MyError' };
      peer.event({
        taskId: submission.taskId,
        kind: 'end',
        state: 'failed',
        failure: { ...why, stack: 'at handler' },
        agentId: 'agent-1',
        attempt: 3,
        deadLettered: true,
        queueMs: 1,
        computeMs: 2,
        totalMs: 4,
      });
    };
    const handle = await client.submit('my.task', 1);
    const error = await errorOf(handle.result());
    expect(error).toMatchObject({ type: 'MyError', message: 'No data.', hint: 'Get some.' });
    expect(error.remoteStack).toBe('at handler');
    expect(await handle.outcome()).toEqual({
      taskId: handle.id,
      state: 'failed',
      agentId: 'agent-1',
      attempt: 3,
      deadLettered: true,
      queueMs: 1,
      computeMs: 2,
      totalMs: 4,
      error,
    });
  });

  it('troubles nobody who does not ask', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => {
      unhandled.push(reason);
    };
    process.on('unhandledRejection', onUnhandled);
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
      if (submission.taskType === 'fails') peer.fail(submission.taskId, 'TASK_FAILED', 'No.');
    };
    await client.submit('fails', 1);
    await client.submit('hangs', 1);
    await settle();
    await coordinator.cut();
    await client.close();
    await settle();
    process.off('unhandledRejection', onUnhandled);
    expect(unhandled).toEqual([]);
  });

  it('rejects with BAD_MESSAGE when a built-in result is not what its type promises', async () => {
    const { client, coordinator } = await start();
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
      peer.succeed(submission.taskId, { nonsense: true });
    };
    const series = { values: Float64Array.of(1, 2, 3) };
    const running = client.run('FeatureEngineering', { series, indicators: ['return'] });
    expect((await errorOf(running)).type).toBe('BAD_MESSAGE');
  });
});

it('names tasks by UUIDv7, in the order of time', () => {
  const early = newTaskId(1_700_000_000_000);
  const late = newTaskId(1_700_000_000_001);
  expect(early).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(early < late).toBe(true);
  expect(decodeDocument(encodeDocument(early))).toBe(early);
});

it('makes ids of the given time and of digits that are all equally likely', () => {
  const timeMs = 0x0123_4567_89ab;
  const count = 8000;
  const ids = Array.from({ length: count }, () => newTaskId(timeMs));
  expect(new Set(ids).size).toBe(count);
  for (let place = 0; place < 36; place++) {
    const seen = new Map<string, number>();
    for (const id of ids) seen.set(id.charAt(place), (seen.get(id.charAt(place)) ?? 0) + 1);
    const fixed = '01234567-89ab-7???-????-????????????'.charAt(place);
    const digits = place === 19 ? '89ab' : fixed === '?' ? '0123456789abcdef' : fixed;
    expect([...seen.keys()].sort().join('')).toBe(digits);
    // More than eight standard deviations around the mean: chance alone fails this never.
    const mean = count / digits.length;
    for (const times of seen.values()) expect(Math.abs(times - mean)).toBeLessThan(9 * mean ** 0.5);
  }
});

it('knows the inputs and results of built-in task types', () => {
  // Never called: only its types matter.
  const uses = (client: SwarmClient, input: PatternMatchInput) => ({
    builtIn: client.submit('PatternMatch', input),
    // @ts-expect-error An input of another shape is not taken for that of a task type of the user's own.
    wrong: client.submit('PatternMatch', { nonsense: true }),
    own: client.submit<number, { seed: number }>('my.task', { seed: 1 }),
    // @ts-expect-error The input is the one that was declared.
    ownWrong: client.submit<number, { seed: number }>('my.task', { seed: 'x' }),
    unknownType: client.run('my.task' as string, 1),
    mapped: client.map('PatternMatch', [input]),
  });
  type Uses = ReturnType<typeof uses>;
  expectTypeOf<Awaited<Uses['builtIn']>>().toEqualTypeOf<TaskHandle<PatternMatchResult>>();
  expectTypeOf<Awaited<Uses['own']>>().toEqualTypeOf<TaskHandle<number>>();
  expectTypeOf<Awaited<Uses['unknownType']>>().toEqualTypeOf<unknown>();
});
