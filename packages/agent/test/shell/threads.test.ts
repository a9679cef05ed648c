/** Handlers in real worker threads, under a coordinator that a test plays. */
import { decodeDocument, encodeTable } from '@quic-swarm/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pricesOf } from '../support/context.ts';
import { join, workerUrl, type Joined } from '../support/fixture.ts';

// Threads take their time to start, so that the tests of this file share them.
let joined: Joined;

beforeAll(async () => {
  const handlers = {
    'test.do': workerUrl('handlers'),
    'test.none': workerUrl('no-handler'),
    'test.missing-import': workerUrl('missing-import'),
  };
  joined = await join({ type: 'pattern', handlers, threads: 2 });
});

afterAll(async () => {
  await joined[Symbol.asyncDispose]();
});

test('a task runs in a worker thread and its result comes back', async () => {
  const { peer } = joined;
  const lease = await peer.dispatch('test.do', { input: { do: 'echo', value: [1, 'a', null] } });
  expect(await peer.next('TaskStarted')).toEqual(lease);
  const result = (await peer.result(lease)) as { value: unknown; threadId: number };
  expect(result.value).toEqual([1, 'a', null]);
  expect(result.threadId).toBeGreaterThan(0);
});

test('a handler that returns nothing succeeds without a payload', async () => {
  const { peer } = joined;
  const lease = await peer.dispatch('test.do', { input: { do: 'nothing' } });
  const completion = await peer.completion(lease);
  expect(completion.outcome).toBe('succeeded');
  expect(completion.payload).toBeUndefined();
});

test('errors keep their name, their words and whether they may be tried again', async () => {
  const { peer } = joined;
  const plain = await peer.dispatch('test.do', { input: { do: 'throwPlain' } });
  expect(await peer.completion(plain)).toMatchObject({
    outcome: 'failed',
    failure: { code: 'UNKNOWN', type: 'TASK_FAILED', message: 'it broke', retryable: true },
  });
  const final = await peer.dispatch('test.do', { input: { do: 'throwFinal' } });
  expect(await peer.completion(final)).toMatchObject({
    failure: { type: 'TypeError', message: 'it will always break', retryable: false },
  });
});

test('a result that cannot be sent fails with the reason', async () => {
  const { peer } = joined;
  const lease = await peer.dispatch('test.do', { input: { do: 'date' } });
  const { failure } = await peer.completion(lease);
  expect(failure).toMatchObject({ type: 'TASK_FAILED', retryable: false });
  expect(failure?.message).toContain('result cannot be sent');
});

test('a module without a handler, or that cannot be loaded, says so', async () => {
  const { peer } = joined;
  const none = await peer.dispatch('test.none', { input: 1 });
  const first = await peer.completion(none);
  expect(first.failure).toMatchObject({ type: 'BAD_OPTION', retryable: false });
  expect(first.failure?.hint).toContain('export default');
  const missing = await peer.dispatch('test.missing-import', { input: 1 });
  const second = await peer.completion(missing);
  expect(second.failure?.message).toContain('cannot be loaded');
});

test('parts of a result arrive in order and are counted, however many there are', async () => {
  const { peer } = joined;
  const count = 200;
  const lease = await peer.dispatch('test.do', { input: { do: 'chunks', count } });
  const completion = await peer.completion(lease);
  expect(completion.chunkCount).toBe(count);
  const parts: unknown[] = [];
  for (let sequence = 0; sequence < count; sequence += 1) {
    const chunk = await peer.next('ResultChunk');
    expect(chunk.sequence).toBe(sequence);
    parts.push(decodeDocument(chunk.payload ?? new Uint8Array(0)));
  }
  expect(parts).toEqual(Array.from({ length: count }, (_, part) => ({ part })));
});

test('a long input and a result of 5 MB travel on streams of their own', async () => {
  const { peer } = joined;
  const value = new Float64Array(20_000).fill(2.5);
  const echo = await peer.dispatch('test.do', { input: { do: 'echo', value } });
  const echoed = (await peer.result(echo)) as { value: Float64Array };
  expect(echoed.value).toEqual(value);
  const count = (5 * 1024 * 1024) / 8;
  const large = await peer.dispatch('test.do', { input: { do: 'large', count } });
  const values = (await peer.result(large)) as Float64Array;
  expect(values.length).toBe(count);
  expect(values.every((each) => each === 1.5)).toBe(true);
  expect(peer.heardAlone.filter(({ type }) => type === 'TaskCompletion')).toHaveLength(2);
});

test('an arm that the handler looked at is reported', async () => {
  const { peer } = joined;
  const arm = { band: 5 };
  const used = await peer.dispatch('test.do', { input: { do: 'arm' }, arm });
  expect((await peer.completion(used)).arm).toEqual(arm);
  const unused = await peer.dispatch('test.do', { input: { do: 'nothing' }, arm });
  expect((await peer.completion(unused)).arm).toBeUndefined();
});

test('a synchronous handler that asks notices its cancellation; so does an asynchronous one', async () => {
  const { peer } = joined;
  for (const order of ['untilCancelled', 'untilSignal']) {
    const lease = await peer.dispatch('test.do', { input: { do: order } });
    await peer.next('TaskStarted', ({ taskId }) => taskId === lease.taskId);
    const { taskId, epoch, attempt } = lease;
    const cancel = { taskId, epoch, attempt, reason: 'enough', graceMs: 60_000 };
    peer.control({ type: 'CancelTask', body: cancel });
    expect(await peer.completion(lease), order).toMatchObject({
      outcome: 'cancelled',
      failure: { type: 'TASK_CANCELLED', message: expect.stringContaining('enough') as string },
    });
  }
});

test('progress arrives while a synchronous loop runs, which loses its thread when it does not stop', async () => {
  const { peer } = joined;
  const lease = await peer.dispatch('test.do', { input: { do: 'forever' } });
  const fits = ({ taskId }: { taskId: string }): boolean => taskId === lease.taskId;
  expect(await peer.next('TaskProgress', fits)).toMatchObject({ fraction: 0.1, text: 'looping' });
  const { taskId, epoch, attempt } = lease;
  const cancel = { taskId, epoch, attempt, reason: 'enough', graceMs: 10 };
  peer.control({ type: 'CancelTask', body: cancel });
  expect((await peer.completion(lease)).outcome).toBe('cancelled');
  const next = await peer.dispatch('test.do', { input: { do: 'echo', value: 1 } });
  expect(await peer.result(next)).toMatchObject({ value: 1 });
});

test('an attempt over its time is stopped the same way', async () => {
  const { peer } = joined;
  const lease = await peer.dispatch('test.do', {
    input: { do: 'untilCancelled' },
    startToCloseMs: 20,
  });
  expect(await peer.completion(lease)).toMatchObject({
    outcome: 'failed',
    failure: { type: 'TASK_TIMEOUT' },
  });
});

test('a thread that dies fails its own task only, and the next task runs', async () => {
  const { peer } = joined;
  const lease = await peer.dispatch('test.do', { input: { do: 'exit' } });
  const other = await peer.dispatch('test.do', { input: { do: 'echo', value: 'other' } });
  expect(await peer.completion(lease)).toMatchObject({
    outcome: 'failed',
    failure: { type: 'WORKER_CRASHED', retryable: true },
  });
  expect(await peer.result(other)).toMatchObject({ value: 'other' });
  const next = await peer.dispatch('test.do', { input: { do: 'echo', value: 'next' } });
  expect(await peer.result(next)).toMatchObject({ value: 'next' });
});

test('a built-in task runs in a thread over a shared data set; a bad input says what is wrong', async () => {
  const { peer, coordinator } = joined;
  const values = pricesOf(1000);
  const datasetId = coordinator.addDataset(encodeTable(new Map([['DAX', values]])));
  const series = { datasetId, column: 'DAX' };
  const input = { series, query: { ...series, start: 300, end: 340 }, algorithm: 'dtw', topK: 1 };
  const good = await peer.dispatch('PatternMatch', { input, datasets: [datasetId] });
  const completion = await peer.completion(good);
  expect(completion.resultType).toBe('PatternMatchResult');
  const result = decodeDocument(completion.payload ?? new Uint8Array(0));
  expect(result).toMatchObject({ matches: [{ start: 300, distance: 0 }] });
  const bad: [unknown, string][] = [
    [{ ...input, algorithm: 'guess' }, 'BAD_INPUT'],
    [{ ...input, query: { ...series, end: 0 } }, 'EMPTY_QUERY'],
    [{ ...input, series: { ...series, column: 'DAY' } }, 'BAD_INPUT'],
  ];
  for (const [wrong, type] of bad) {
    const lease = await peer.dispatch('PatternMatch', { input: wrong, datasets: [datasetId] });
    const { failure } = await peer.completion(lease);
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', type, retryable: false });
  }
});

test('observers hear of starts and ends', () => {
  const { events } = joined;
  const started = events.filter(({ type }) => type === 'taskStarted');
  const finished = events.filter(({ type }) => type === 'taskFinished');
  expect(events[0]).toMatchObject({ type: 'connected', epoch: 7 });
  expect(started.length).toBeGreaterThan(0);
  expect(finished.length).toBe(started.length);
});
