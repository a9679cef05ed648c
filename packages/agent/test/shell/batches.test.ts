/** Small tasks that share a hop to a thread keep everything that a task of its own thread has. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CellPool, valueOf, type CellRun } from '../support/cell-pool.ts';
import type { CellOrder } from '../workers/cells.ts';

// Threads take their time to start, so that the tests share one pool.
let cells: CellPool;

beforeAll(async () => {
  cells = new CellPool(2);
  await cells.teach();
}, 60_000);

afterAll(async () => {
  await cells.pool.close();
});

const CRASHED = { outcome: 'failed', failure: { type: 'WORKER_CRASHED', retryable: true } };

test('small tasks that wait are given to a thread together', async () => {
  let most = 0;
  // A pause of the machine may make a type look slow for a while.
  for (let round = 0; round < 20 && most < 2; round += 1) {
    await cells.teach();
    const { runs, gates } = await cells.together(2, () =>
      Array.from({ length: 8 }, () => cells.run()),
    );
    // While the main thread is blocked nobody can give a thread its second task.
    const [, second] = runs;
    if (second === undefined) throw new Error('no runs');
    Atomics.wait(cells.cells, second.index, 0, 1000);
    most = runs.reduce((sum, run) => sum + run.starts(), 0);
    gates.forEach((gate) => cells.open(gate));
    for (const run of runs) expect(valueOf(await run.ended)).toBe(run.index);
  }
  expect(most).toBeGreaterThanOrEqual(2);
});

test('what belongs together runs in one thread, and is taken back from behind one that takes long', async () => {
  await cells.teach();
  const gate = cells.newGate();
  const [long, ...behind] = cells.runTogether([
    { do: 'hold', gate },
    ...Array.from({ length: 9 }, () => ({})),
  ]);
  // The other thread is idle, and yet it begins none of them by itself.
  const takenBack = (): number[] => behind.map((run) => run.takenBack());
  await vi.waitFor(() => expect(takenBack()).toEqual(behind.map(() => 1)), 10_000);
  for (const run of behind) expect(valueOf(await run.ended)).toBe(run.index);
  expect(behind.map((run) => run.starts())).toEqual(behind.map(() => 1));
  expect(long?.result()).toBeUndefined();
  cells.open(gate);
  expect(valueOf(await long?.ended)).toBe(long?.index);
});

test('a task that turns out long holds none behind it', async () => {
  await cells.teach();
  const gate = cells.newGate();
  const { runs, gates } = await cells.together(2, () => ({
    before: cells.run(),
    long: cells.run({ do: 'hold', gate }),
    behind: Array.from({ length: 20 }, () => cells.run()),
  }));
  // What was finished before the long task is delivered while it runs.
  expect(valueOf(await runs.before.ended)).toBe(runs.before.index);
  await runs.long.started();
  gates.forEach((each) => cells.open(each));
  for (const run of runs.behind) expect(valueOf(await run.ended)).toBe(run.index);
  expect(runs.long.result()).toBeUndefined();
  cells.open(gate);
  expect(valueOf(await runs.long.ended)).toBe(runs.long.index);
  expect(runs.behind.map((run) => run.starts())).toEqual(runs.behind.map(() => 1));
});

test('a task that was not begun is cancelled at once, whatever runs before it', async () => {
  await cells.teach();
  const gate = cells.newGate();
  const { runs, gates } = await cells.together(2, () => ({
    long: cells.run({ do: 'hold', gate }),
    cancelled: cells.run(),
    behind: cells.run(),
  }));
  await runs.long.started();
  runs.cancelled.abort(60_000);
  expect(await runs.cancelled.ended).toMatchObject({ outcome: 'cancelled', usedArm: false });
  expect(runs.long.result()).toBeUndefined();
  cells.open(gate);
  gates.forEach((each) => cells.open(each));
  expect(valueOf(await runs.behind.ended)).toBe(runs.behind.index);
  expect(valueOf(await runs.long.ended)).toBe(runs.long.index);
  expect(runs.cancelled.starts()).toBe(0);
});

test('a task is cancelled while it runs, and those around it are not', async () => {
  await cells.teach();
  const { runs, gates } = await cells.together(2, () => ({
    before: cells.run(),
    noticing: cells.run({ do: 'notice' }),
    behind: cells.run(),
  }));
  await runs.noticing.started();
  runs.noticing.abort(60_000);
  expect(await runs.noticing.ended).toMatchObject({ outcome: 'cancelled' });
  gates.forEach((each) => cells.open(each));
  for (const run of [runs.before, runs.behind]) expect(valueOf(await run.ended)).toBe(run.index);
});

test('an error of one task is its own', async () => {
  await cells.teach();
  const { runs, gates } = await cells.together(2, () => [
    cells.run(),
    cells.run({ do: 'fail' }),
    cells.run(),
  ]);
  gates.forEach((each) => cells.open(each));
  const results = await Promise.all(runs.map(({ ended }) => ended));
  expect(results.map(({ outcome }) => outcome)).toEqual(['succeeded', 'failed', 'succeeded']);
  expect(results[1]?.failure).toMatchObject({ message: `task ${runs[1]?.index} failed` });
});

test.each([['exit'], ['throwLater'], ['forever']] as const)(
  'a thread that dies of %s fails the task that ran: what was finished stays, what was not begun runs elsewhere',
  async (how) => {
    await cells.teach();
    const { runs, gates } = await cells.together(2, () => ({
      before: [cells.run(), cells.run()],
      deadly: cells.run({ do: how }),
      behind: [cells.run(), cells.run(), cells.run()],
    }));
    gates.forEach((each) => cells.open(each));
    await runs.deadly.started();
    if (how === 'forever') {
      runs.deadly.abort(10);
      expect(await runs.deadly.ended).toMatchObject({ outcome: 'cancelled' });
    } else expect(await runs.deadly.ended).toMatchObject(CRASHED);
    for (const run of [...runs.before, ...runs.behind]) {
      expect(valueOf(await run.ended)).toBe(run.index);
      expect(run.starts()).toBe(1);
    }
    expect(runs.deadly.starts()).toBe(1);
  },
  60_000,
);

test('however many of its neighbours kill their threads, a task that did nothing is computed', async () => {
  await cells.teach();
  const { runs, gates } = await cells.together(2, () => ({
    deadly: Array.from({ length: 2 }, () => cells.run({ do: 'exit' })),
    behind: cells.run(),
  }));
  expect(valueOf(await runs.behind.ended)).toBe(runs.behind.index);
  for (const run of runs.deadly) expect(await run.ended).toMatchObject(CRASHED);
  gates.forEach((each) => cells.open(each));
}, 60_000);

test('chunks and progress of the tasks of a batch arrive in order, each with its own, before its end', async () => {
  await cells.teach();
  const count = 100;
  const { runs, gates } = await cells.together(2, () =>
    Array.from({ length: 6 }, (_, i) =>
      // Every other listener is slower than the handler, which has to wait for it.
      cells.run({
        do: 'chunks',
        count,
        ...(i % 2 === 0
          ? {}
          : { onChunk: () => new Promise<void>((resolve) => setImmediate(resolve)) }),
      }),
    ),
  );
  gates.forEach((each) => cells.open(each));
  for (const run of runs) {
    expect(valueOf(await run.ended)).toBe(run.index);
    expect(run.chunks).toEqual(Array.from({ length: count }, (_, part) => [run.index, part]));
    expect(new Set(run.texts)).toEqual(new Set([String(run.index)]));
  }
}, 60_000);

test('a task whose chunks nobody takes waits, and the others do not wait for it', async () => {
  await cells.teach();
  let take: () => void = () => {};
  const taken = new Promise<void>((resolve) => (take = resolve));
  const { runs, gates } = await cells.together(2, () => ({
    blocked: cells.run({ do: 'chunks', count: 200, onChunk: () => taken }),
    behind: Array.from({ length: 10 }, () => cells.run()),
  }));
  gates.forEach((each) => cells.open(each));
  for (const run of runs.behind) expect(valueOf(await run.ended)).toBe(run.index);
  expect(runs.blocked.result()).toBeUndefined();
  expect(runs.blocked.chunks.length).toBeLessThan(200);
  take();
  expect(valueOf(await runs.blocked.ended)).toBe(runs.blocked.index);
  expect(runs.blocked.chunks).toHaveLength(200);
});

test('two thousand tiny tasks come back once each', async () => {
  const runs: CellRun[] = Array.from({ length: 2000 }, () => cells.run());
  const results = await Promise.all(runs.map(({ ended }) => ended));
  expect(results.map(valueOf)).toEqual(runs.map(({ index }) => index));
  expect(runs.every((run) => run.starts() === 1)).toBe(true);
});

interface Step {
  readonly op: CellOrder['do'] | 'cancel' | 'turn';
  /** Which of the runs so far is cancelled, from the last one back. */
  readonly back: number;
}

/** What may have become of a run, by what it does and whether somebody cancelled it. */
function expectEnding(run: CellRun, does: Step['op'], isCancelled: boolean): void {
  const result = run.result();
  const story = `${does} ${run.index}, cancelled: ${isCancelled}, ended as ${JSON.stringify(result)}`;
  const starts = run.starts();
  expect(starts, story).toBeLessThanOrEqual(1);
  if (result?.outcome === 'cancelled') {
    expect(isCancelled, story).toBe(true);
    return;
  }
  expect(starts, story).toBe(1);
  const isValue = does === 'return' || does === 'chunks';
  expect(result?.outcome, story).toBe(isValue ? 'succeeded' : 'failed');
  if (isValue) expect(valueOf(result), story).toBe(run.index);
  else expect(result?.failure?.type).toBe(does === 'exit' ? 'WORKER_CRASHED' : 'TASK_FAILED');
  if (does === 'chunks') expect(run.chunks).toEqual([0, 1, 2].map((part) => [run.index, part]));
}

test('whatever is submitted and cancelled, and whoever dies, each run starts at most once and ends as it must', async () => {
  const step = fc.record<Step>({
    op: fc.oneof(
      { weight: 60, arbitrary: fc.constant('return' as const) },
      { weight: 6, arbitrary: fc.constantFrom('chunks' as const, 'fail' as const) },
      { weight: 3, arbitrary: fc.constantFrom('notice' as const, 'turn' as const) },
      { weight: 10, arbitrary: fc.constant('cancel' as const) },
    ),
    back: fc.nat(40),
  });
  const steps = fc.array(step, { minLength: 200, maxLength: 400 });
  await fc.assert(
    fc.asyncProperty(steps, fc.option(fc.nat(199), { freq: 2 }), async (drawn, deadlyAt) => {
      const runs: CellRun[] = [];
      const does: Step['op'][] = [];
      const cancelled = new Set<CellRun>();
      const cancel = (run: CellRun | undefined): void => {
        if (run === undefined) return;
        if (run.result() === undefined) cancelled.add(run);
        run.abort(60_000);
      };
      for (const [at, { op: drawnOp, back }] of drawn.entries()) {
        // A thread takes its time to come back, so that one dies in each case at most.
        const op = at === deadlyAt ? 'exit' : drawnOp;
        if (op === 'cancel') cancel(runs.at(-1 - back));
        else if (op === 'turn') await new Promise(setImmediate);
        else {
          runs.push(cells.run({ do: op, count: 3 }));
          does.push(op);
        }
      }
      for (const [i, run] of runs.entries()) if (does[i] === 'notice') cancel(run);
      await Promise.all(runs.map(({ ended }) => ended));
      for (const [i, run] of runs.entries()) {
        expectEnding(run, does[i] ?? 'return', cancelled.has(run));
      }
    }),
    { numRuns: 2 },
  );
}, 120_000);

test('a run that waits or runs when the pool is closed ends, and one that comes later too', async () => {
  const other = new CellPool(1);
  await other.teach();
  const gate = other.newGate();
  const running = other.run({ do: 'hold', gate });
  await running.started();
  const waiting = other.run();
  await other.pool.close();
  for (const run of [running, waiting, other.run()]) {
    expect(await run.ended).toMatchObject(CRASHED);
  }
  expect(waiting.starts()).toBe(0);
}, 60_000);
