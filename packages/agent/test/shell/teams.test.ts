/** Runs that let other threads help, in a pool of real threads. */
import {
  mergePatternScans,
  searchPattern,
  splitRange,
  unpackCandidates,
  unpackMatchPaths,
  type PatternScan,
} from '@quic-swarm/kernels';
import {
  decodeDocument,
  decodeResult,
  encodeDocument,
  encodeTable,
  type Arm,
  type PatternMatchInput,
  type PatternMatchResult,
} from '@quic-swarm/protocol';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { TaskResult } from '../../src/core/events.ts';
import { UNKNOWN_SERVICE_TIME } from '../../src/core/thread-batching.ts';
import { WorkerPool } from '../../src/shell/pool.ts';
import type { RunListener, TaskRun } from '../../src/shell/task-run.ts';
import { threadModule } from '../../src/shell/thread-modules.ts';
import type { SplitTask } from '../../src/shell/thread-messages.ts';
import { GO_ON, HELPER_TOOK, type TeamOrder } from '../workers/team.ts';
import { DATASET_ID, pricesOf } from '../support/context.ts';
import { workerUrl } from '../support/fixture.ts';

interface Running {
  readonly run: TaskRun;
  readonly ended: Promise<TaskResult>;
}

const TASK_ID = '00000000-0000-7000-8000-000000000001';

function start(
  pool: WorkerPool,
  taskType: string,
  input: unknown,
  buffer: SharedArrayBuffer,
  { arm, ...split }: SplitTask & { readonly arm?: Arm } = {},
): Running {
  const module =
    taskType === 'PatternMatch'
      ? threadModule('handlers/pattern').href
      : workerUrl(taskType === 'team' ? 'team' : 'handlers').href;
  const datasets = [
    { datasetId: DATASET_ID, mediaType: 'application/vnd.quic-swarm.table', buffer },
  ];
  const payload = encodeDocument(input);
  const task = { taskId: TASK_ID, taskType, attempt: 1, payload, arm, datasets, split };
  let settle: (result: TaskResult) => void = () => {};
  const ended = new Promise<TaskResult>((resolve) => {
    settle = resolve;
  });
  const listener: RunListener = {
    onBegun: () => {},
    onTurnedOutLong: () => {},
    onTakenBack: () => {
      throw new Error('a run with a thread of its own is not taken back');
    },
    onProgress: () => {},
    onChunk: () => {
      throw new Error('the parts of helpers are no chunks of the task');
    },
    onEnded: settle,
  };
  const [run] = pool.run([{ task, place: module, serviceTime: UNKNOWN_SERVICE_TIME, listener }]);
  if (run === undefined) throw new Error('One order gives one run.');
  return { run, ended };
}

// The threads of one pool serve all tests, since they take their time to start.
vi.setConfig({ testTimeout: 60_000 });
let pool: WorkerPool;
beforeAll(() => {
  pool = new WorkerPool(2);
});
afterAll(() => pool.close());

const newCells = (): Int32Array => new Int32Array(new SharedArrayBuffer(64));

function work(cells: Int32Array, order: TeamOrder): Running {
  return start(pool, 'team', order, cells.buffer as SharedArrayBuffer);
}

interface Done {
  readonly host: number;
  readonly doneBy: readonly (readonly [part: number, thread: number])[];
}

async function doneOf({ ended }: Running): Promise<Done> {
  const { outcome, payload, failure } = await ended;
  expect(outcome, failure?.message).toBe('succeeded');
  return decodeDocument(payload as Uint8Array) as Done;
}

function goOn(cells: Int32Array): void {
  Atomics.store(cells, GO_ON, 1000);
  Atomics.notify(cells, GO_ON);
}

async function helperTook(cells: Int32Array, parts: number): Promise<void> {
  while (Atomics.load(cells, HELPER_TOOK) < parts) await new Promise(setImmediate);
}

test('a thread that has nothing to do takes parts, and every part is done once, in its place', async () => {
  const cells = newCells();
  // The host is at its first part until the helper has done all others.
  const { host, doneBy } = await doneOf(
    work(cells, { parts: 7, hostWaitsFor: 6, firstHelper: 'computes' }),
  );
  expect(doneBy.map(([part]) => part)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(doneBy.map(([, thread]) => thread === host)).toEqual([
    true,
    ...Array.from({ length: 6 }, () => false),
  ]);
});

test('a helper leaves when a task waits for its thread, and its part is done by somebody else', async () => {
  const cells = newCells();
  const running = work(cells, { parts: 3, hostWaitsFor: 1000, firstHelper: 'holds' });
  await helperTook(cells, 1);
  // Both threads are busy, and the host will not end before it is told to.
  const other = start(
    pool,
    'test.do',
    { do: 'echo', value: 5 },
    newCells().buffer as SharedArrayBuffer,
  );
  expect(decodeDocument((await other.ended).payload as Uint8Array)).toMatchObject({ value: 5 });
  goOn(cells);
  const { doneBy } = await doneOf(running);
  expect(doneBy.map(([part]) => part)).toEqual([0, 1, 2]);
});

test.each(['exits', 'throws'] as const)(
  'a helper that %s costs its part a second try and nothing else',
  async (firstHelper) => {
    const cells = newCells();
    const running = work(cells, { parts: 3, hostWaitsFor: 1000, firstHelper });
    await helperTook(cells, 1);
    goOn(cells);
    const { doneBy } = await doneOf(running);
    expect(doneBy.map(([part]) => part)).toEqual([0, 1, 2]);
  },
);

test('a host that is cancelled takes its helpers with it', async () => {
  const cells = newCells();
  const running = work(cells, { parts: 3, hostWaitsFor: 1000, firstHelper: 'holds' });
  await helperTook(cells, 1);
  running.run.abort(60_000);
  expect(await running.ended).toMatchObject({ outcome: 'cancelled' });
  // Both threads are free again.
  const after = newCells();
  await doneOf(work(after, { parts: 4, hostWaitsFor: 3, firstHelper: 'computes' }));
});

/** Prices in memory that threads share, as an agent's data sets lie there. */
function sharedPrices(): {
  readonly series: Float64Array;
  readonly column: { readonly datasetId: string; readonly column: string };
  readonly buffer: SharedArrayBuffer;
} {
  const series = pricesOf(150_000, 7);
  const encoded = encodeTable(new Map([['x', series]]));
  const buffer = new SharedArrayBuffer(encoded.length);
  new Uint8Array(buffer).set(encoded);
  return { series, column: { datasetId: DATASET_ID, column: 'x' }, buffer };
}

test('PatternMatch over several threads, whole and in shards, finds what one search finds', async () => {
  const { series, column, buffer } = sharedPrices();
  const input: PatternMatchInput = {
    series: column,
    query: { ...column, start: 70_000, end: 70_032 },
    excludeRows: { start: 70_000, end: 70_032 },
    algorithm: 'dtw',
    topK: 4,
  };
  const expected = searchPattern({
    series,
    query: series.slice(70_000, 70_032),
    excludeRange: { start: 70_000, end: 70_032 },
    topK: 4,
  });
  const resultOf = async ({ ended }: Running): Promise<PatternMatchResult> => {
    const { payload, failure } = await ended;
    expect(failure).toBeUndefined();
    return decodeResult('PatternMatch', payload as Uint8Array);
  };
  const whole = await resultOf(start(pool, 'PatternMatch', input, buffer));
  expect(whole.matches).toEqual(expected.matches);
  // The expected answer is that of plain TypeScript; host and helpers compute with what is faster.
  expect([whole.route, expected.route]).toEqual(['wasm-simd', 'typescript']);
  expect(whole.stats['positions']).toBe(expected.stats.positions);
  expect(whole).not.toHaveProperty('candidates');

  const scratch = new SharedArrayBuffer(64);
  const positions = expected.stats.positions;
  const shards = splitRange(positions, 3).map(({ start: from, end }, index) => ({
    of: TASK_ID,
    index,
    count: 3,
    start: from,
    end,
  }));
  const results = await Promise.all(
    shards.map((shard) => resultOf(start(pool, 'PatternMatch', input, buffer, { shard, scratch }))),
  );
  const scansOf = (each: readonly PatternMatchResult[]): PatternScan[] =>
    each.map(({ candidates, stats, matches, route }): PatternScan => {
      expect(matches).toEqual([]);
      expect(route).toBe('wasm-simd');
      if (candidates === undefined) throw new Error('a shard without candidates');
      return {
        candidates: unpackCandidates(candidates, expected.parameters),
        stats: stats as unknown as PatternScan['stats'],
        parameters: expected.parameters,
        route,
      };
    });
  const merged = mergePatternScans(scansOf(results));
  expect(merged.matches).toEqual(expected.matches);
  expect(merged.stats.positions).toBe(positions);
  // One after the other, so that the other thread has time to help with each.
  const helped: PatternMatchResult[] = [];
  for (const shard of shards) {
    helped.push(await resultOf(start(pool, 'PatternMatch', input, buffer, { shard })));
  }
  const joined = mergePatternScans(scansOf(helped));
  expect(joined.matches).toEqual(expected.matches);
  expect(joined.stats.positions).toBe(positions);
  // They share what they have proved: the scratch is not zero any more.
  expect(new BigInt64Array(scratch, 0, 1)[0]).not.toBe(0n);

  const wrong = { of: TASK_ID, index: 2, count: 3, start: 100_000, end: 140_000 };
  const refused = await start(pool, 'PatternMatch', input, buffer, { shard: wrong }).ended;
  expect(refused.failure).toMatchObject({ type: 'BAD_INPUT', retryable: false });
  expect(refused.failure?.message).toContain('149969 windows');
});

test('PatternMatch over several threads computes with its arm in all of them, and shards with none', async () => {
  const { series, column, buffer } = sharedPrices();
  const input: PatternMatchInput = {
    series: column,
    query: { ...column, start: 70_000, end: 70_040 },
  };
  const arm = { algorithm: 'dtw', windowShare: 0.5, normalise: 'z', bandShare: 0.2, topK: 10 };
  const whole = await start(pool, 'PatternMatch', input, buffer, { arm }).ended;
  expect(whole).toMatchObject({ outcome: 'succeeded', usedArm: true });
  const { matches } = decodeResult('PatternMatch', whole.payload as Uint8Array);
  const query = series.slice(70_020, 70_040);
  expect(matches).toEqual(searchPattern({ series, query, band: 4, topK: 10 }).matches);

  const shard = { of: TASK_ID, index: 0, count: 1, start: 0, end: 149_961 };
  const part = await start(pool, 'PatternMatch', input, buffer, { arm, shard }).ended;
  expect(part).toMatchObject({ outcome: 'succeeded', usedArm: false });
  const { parameters } = decodeResult('PatternMatch', part.payload as Uint8Array);
  expect(parameters).toMatchObject({ length: 40, band: 2, topK: 5 });
});

test('PatternMatch over several threads brings paths and all windows within a distance, and so do its shards', async () => {
  const { series, column, buffer } = sharedPrices();
  const input: PatternMatchInput = {
    series: column,
    query: { ...column, start: 70_000, end: 70_032 },
    algorithm: 'dtw',
    maximumDistance: 1.5,
    withPath: true,
  };
  const expected = searchPattern({
    series,
    query: series.slice(70_000, 70_032),
    maximumDistance: 1.5,
    withPath: true,
  });
  const { payload, failure } = await start(pool, 'PatternMatch', input, buffer).ended;
  expect(failure).toBeUndefined();
  const whole = decodeResult('PatternMatch', payload as Uint8Array);
  expect(whole.matches).toEqual(expected.matches);
  expect(whole.matches.length).toBeGreaterThan(5);
  expect(whole.truncated).toBe(false);
  expect(whole.parameters).toMatchObject({ maximumDistance: 1.5 });
  expect(whole.parameters).not.toHaveProperty('topK');

  const ranges = splitRange(expected.stats.positions, 2);
  const shards = await Promise.all(
    ranges.map(async (range, index) => {
      const shard = { of: TASK_ID, index, count: 2, ...range };
      const { ended } = start(pool, 'PatternMatch', input, buffer, { shard });
      const { candidates } = decodeResult('PatternMatch', (await ended).payload as Uint8Array);
      if (candidates === undefined) throw new Error('a shard without candidates');
      return candidates;
    }),
  );
  const bare = expected.matches.map(({ path: _path, ...match }) => match);
  expect(unpackMatchPaths(bare, shards, 32)).toEqual(expected.matches);
});

test('a shard whose search has no paths to give is refused as the whole search is', async () => {
  const input: PatternMatchInput = {
    series: { values: pricesOf(1000, 7) },
    query: { values: pricesOf(32, 9) },
    algorithm: 'lcss',
    withPath: true,
  };
  const shard = { of: TASK_ID, index: 0, count: 2, start: 0, end: 500 };
  for (const split of [undefined, { shard }]) {
    const { failure } = await start(pool, 'PatternMatch', input, new SharedArrayBuffer(8), split)
      .ended;
    expect(failure).toMatchObject({ type: 'BAD_PARAMETER', retryable: false });
    expect(failure?.hint).toContain('leave withPath out');
  }
});
