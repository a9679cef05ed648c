/** Functions on the main thread: several in one turn, but not for ever. */
import { performance } from 'node:perf_hooks';
import { afterEach, expect, test, vi } from 'vitest';
import type { TaskResult } from '../../src/core/events.ts';
import { UNKNOWN_SERVICE_TIME } from '../../src/core/thread-batching.ts';
import { MainThread } from '../../src/shell/main-thread.ts';
import type { RunListener, RunOrder, TaskRun } from '../../src/shell/task-run.ts';
import type { TaskHandler } from '../../src/task-handler.ts';

const mainThread = new MainThread();

interface Told {
  readonly run: TaskRun;
  readonly words: string[];
  readonly ended: Promise<TaskResult>;
}

function orderOf(handler: TaskHandler): Omit<Told, 'run'> & { order: RunOrder<TaskHandler> } {
  const words: string[] = [];
  let settle: (result: TaskResult) => void = () => {};
  const ended = new Promise<TaskResult>((resolve) => {
    settle = resolve;
  });
  const task = {
    taskId: '00000000-0000-7000-8000-000000000001',
    taskType: 'my.task',
    attempt: 1,
    payload: undefined,
    arm: undefined,
    datasets: [],
  };
  const listener: RunListener = {
    onBegun: () => words.push('begun'),
    onTurnedOutLong: () => words.push('long'),
    onTakenBack: () => words.push('taken back'),
    onProgress: (fraction) => words.push(`progress ${fraction}`),
    onChunk: (bytes) => void words.push(`chunk of ${bytes.length}`),
    onEnded: (result) => {
      words.push(result.outcome);
      settle(result);
    },
  };
  const order = { task, place: handler, serviceTime: UNKNOWN_SERVICE_TIME, listener };
  return { order, words, ended };
}

/** Has handlers run one after the other. */
function together(handlers: readonly TaskHandler[]): Told[] {
  const told = handlers.map(orderOf);
  const runs = mainThread.run(told.map(({ order }) => order));
  return told.map(({ words, ended }, i) => ({ run: runs[i] as TaskRun, words, ended }));
}

function start(handler: TaskHandler): Told {
  return together([handler])[0] as Told;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

afterEach(() => {
  vi.restoreAllMocks();
});

test('all that came run in the next turn, in their order, and those that last a while say so', async () => {
  const order: number[] = [];
  const told = [1, 2, 3].map((n) => start(() => void order.push(n)));
  const later = start(async () => Promise.resolve(4));
  expect(order).toEqual([]);
  await nextTurn();
  expect(order).toEqual([1, 2, 3]);
  for (const { words } of told) expect(words).toEqual(['succeeded']);
  await later.ended;
  expect(later.words).toEqual(['begun', 'succeeded']);
});

test('long ones are spread over turns, so that the rest of the process has its turn between them', async () => {
  let nowMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const order: string[] = [];
  const takes = (ms: number, name: string): Told =>
    start(() => {
      order.push(name);
      nowMs += ms;
    });
  const last = [takes(1, 'a'), takes(3, 'b'), takes(2, 'c'), takes(9, 'd'), takes(1, 'e')].at(-1);
  const others = async (): Promise<void> => {
    for (let turn = 1; turn <= 3; turn += 1) {
      await nextTurn();
      order.push(`others ${turn}`);
    }
  };
  await Promise.all([last?.ended, others()]);
  expect(order).toEqual(['a', 'b', 'c', 'others 1', 'd', 'others 2', 'e', 'others 3']);
});

test('one that was stopped before its turn begins with its signal raised', async () => {
  const { run, ended } = start((_input, { signal }) => signal.aborted);
  run.abort(60_000);
  expect(await ended).toMatchObject({ outcome: 'cancelled' });
});

test('one whose grace was over before its turn never begins, and ends once', async () => {
  let hasBegun = false;
  const { run, words, ended } = start(() => {
    hasBegun = true;
  });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  run.abort(1);
  vi.advanceTimersByTime(1);
  vi.useRealTimers();
  expect(await ended).toMatchObject({ outcome: 'cancelled', computeMs: 0 });
  await nextTurn();
  expect(hasBegun).toBe(false);
  expect(words).toEqual(['cancelled']);
});

test('what a handler says after its end is not heard', async () => {
  let say: () => void = () => {};
  const { words, ended } = start((_input, { emit, progress }) => {
    say = () => {
      emit('late');
      progress(1);
    };
    progress(0.5);
    emit('in time');
  });
  await ended;
  say();
  expect(words).toEqual(['progress 0.5', 'chunk of 8', 'succeeded']);
});

test('a result that cannot be sent fails the task', async () => {
  const unsendable = start(() => () => 1);
  expect(await unsendable.ended).toMatchObject({
    outcome: 'failed',
    failure: { type: 'TASK_FAILED', retryable: false },
  });
});

test('functions that belong together run one after the other, promises included', async () => {
  const words: string[] = [];
  const told = together([
    () => void words.push('first'),
    async () => {
      words.push('second begins');
      await Promise.resolve();
      words.push('second ends');
    },
    () => void words.push('third'),
  ]);
  expect(words).toEqual([]);
  // In one turn, unless the machine pauses: what then stands behind the pause is taken back and begins later.
  for (const { ended } of told) expect(await ended).toMatchObject({ outcome: 'succeeded' });
  expect(words).toEqual(['first', 'second begins', 'second ends', 'third']);
});

test('what stands behind a function that takes long is taken back and never begins', async () => {
  let end: () => void = () => {};
  const held = new Promise<void>((resolve) => (end = resolve));
  let hasBegun = false;
  const [long, ...behind] = together([
    () => held,
    () => void (hasBegun = true),
    () => void (hasBegun = true),
  ]);
  const words = (): string[][] => behind.map((each) => each.words);
  await vi.waitFor(() => expect(words()).toEqual([['taken back'], ['taken back']]), 10_000);
  expect(long?.words).toEqual(['begun', 'long']);
  end();
  await long?.ended;
  await nextTurn();
  expect(hasBegun).toBe(false);
  expect(long?.words).toEqual(['begun', 'long', 'succeeded']);
});
