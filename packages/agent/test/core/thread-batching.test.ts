/** How many tasks a thread is given: small ones together, never more than its share. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BATCH_BYTES_MAX,
  BATCH_TASKS_MAX,
  BATCH_WORK_MS,
  KNOWN_AFTER_TASKS,
  SMALL_TASK_MS,
  UNKNOWN_SERVICE_TIME,
  batchLengthOf,
  isSmall,
  withTask,
  type ServiceTime,
  type WaitingTask,
} from '../../src/core/thread-batching.ts';

const known = (meanMs: number): ServiceTime => ({ tasks: 100, meanMs });
const tasks = (count: number, meanMs: number, payloadBytes = 10): WaitingTask[] =>
  Array.from({ length: count }, () => ({ serviceTime: known(meanMs), payloadBytes }));
const lengthOf = (waiting: WaitingTask[], threads = 1): number =>
  batchLengthOf({ waiting, waitingCount: waiting.length, threads });

test('a type counts as small once enough of its tasks were', () => {
  let time = UNKNOWN_SERVICE_TIME;
  for (let task = 0; task < KNOWN_AFTER_TASKS; task += 1) {
    expect(isSmall(time)).toBe(false);
    time = withTask(time, 0.02);
  }
  expect(isSmall(time)).toBe(true);
  expect(time.meanMs).toBeCloseTo(0.02);
});

test('a type that became slow is not small any more after few tasks, and comes back', () => {
  let time = known(0.02);
  time = withTask(withTask(time, 30), 30);
  expect(isSmall(time)).toBe(false);
  for (let task = 0; task < 20; task += 1) time = withTask(time, 0.02);
  expect(isSmall(time)).toBe(true);
});

test('the mean follows the tasks: for few of them it is the plain mean', () => {
  let time = UNKNOWN_SERVICE_TIME;
  for (const tookMs of [1, 2, 3, 2]) time = withTask(time, tookMs);
  expect(time.meanMs).toBeCloseTo(2);
  for (let task = 0; task < 100; task += 1) time = withTask(time, 0.4);
  expect(time.meanMs).toBeCloseTo(0.4, 2);
});

test('a batch is about a millisecond of work', () => {
  expect(lengthOf(tasks(200, 0.1))).toBe(10);
  expect(lengthOf(tasks(200, 0.3))).toBe(3);
  expect(lengthOf(tasks(200, 0.001))).toBe(BATCH_TASKS_MAX);
  expect(lengthOf(tasks(200, SMALL_TASK_MS))).toBe(1);
  expect(lengthOf(tasks(200, 50))).toBe(1);
});

test('a thread takes no more than its share', () => {
  expect(lengthOf(tasks(2, 0.01), 2)).toBe(1);
  expect(lengthOf(tasks(3, 0.01), 2)).toBe(2);
  expect(lengthOf(tasks(9, 0.01), 4)).toBe(3);
  expect(lengthOf(tasks(1, 0.01), 8)).toBe(1);
});

test('a batch ends before a task that is not small, which then goes alone', () => {
  const mixed = [...tasks(3, 0.01), ...tasks(1, 20), ...tasks(3, 0.01)];
  expect(lengthOf(mixed)).toBe(3);
  expect(lengthOf(mixed.slice(3))).toBe(1);
  expect(
    lengthOf([{ serviceTime: UNKNOWN_SERVICE_TIME, payloadBytes: 1 }, ...tasks(9, 0.01)]),
  ).toBe(1);
});

test('long inputs are not copied together', () => {
  expect(lengthOf(tasks(10, 0.01, BATCH_BYTES_MAX / 4))).toBe(4);
  expect(lengthOf(tasks(10, 0.01, BATCH_BYTES_MAX * 2))).toBe(1);
});

test('whatever waits: at least one, within every bound, and enough left for the other threads', () => {
  const serviceTime = fc.record({
    tasks: fc.integer({ min: 0, max: 20 }),
    meanMs: fc.double({ min: 0, max: 4, noNaN: true }),
  });
  const waitingTask = fc.record({ serviceTime, payloadBytes: fc.nat(BATCH_BYTES_MAX * 2) });
  fc.assert(
    fc.property(
      fc.array(waitingTask, { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 16 }),
      (waiting, threads) => {
        const length = lengthOf(waiting, threads);
        expect(length).toBeGreaterThanOrEqual(1);
        expect(length).toBeLessThanOrEqual(BATCH_TASKS_MAX);
        if (length === 1) return;
        const taken = waiting.slice(0, length);
        expect(taken.every((task) => isSmall(task.serviceTime))).toBe(true);
        const sum = (of: (task: WaitingTask) => number): number =>
          taken.reduce((total, task) => total + of(task), 0);
        expect(sum((task) => task.serviceTime.meanMs)).toBeLessThanOrEqual(BATCH_WORK_MS + 1e-9);
        expect(sum((task) => task.payloadBytes)).toBeLessThanOrEqual(BATCH_BYTES_MAX);
        // The other threads can have a task each, or all that is left.
        const left = waiting.length - length;
        expect(left).toBeGreaterThanOrEqual(Math.min(threads - 1, waiting.length - 1));
      },
    ),
  );
});
