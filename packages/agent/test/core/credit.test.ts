/** How many leases are granted, as tasks prove to be tiny or long. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AHEAD_BYTES_MAX,
  AHEAD_TASKS_MAX,
  AT_HAND_MS,
  Credit,
  LONG_TASK_MS,
  creditOf,
} from '../../src/core/credit.ts';
import { HELD_LEASES_MAX } from '../../src/core/leases.ts';

interface Said {
  readonly tookMs?: number;
  readonly inputBytes?: number;
  readonly hasDatasets?: boolean;
  readonly isUsedUp?: boolean;
}

/** Ends so many tasks of a kind; returns each grant that differs from the one before. */
function end(credit: Credit, tasks: number, said: Said = {}): number[] {
  const { tookMs = 0.01, inputBytes = 10, hasDatasets = false, isUsedUp = true } = said;
  const grants: number[] = [];
  let last = credit.granted;
  for (let task = 0; task < tasks; task += 1) {
    if (isUsedUp) credit.noteHeld(credit.granted);
    credit.movedOn();
    credit.noteTask({ tookMs, inputBytes, hasDatasets });
    if (credit.granted !== last) grants.push(credit.granted);
    last = credit.granted;
  }
  return grants;
}

const aheadOf = (credit: Credit, slots = 2): number => credit.granted - creditOf(slots);

test('it takes what it grants, also when it was held up while the connection began', () => {
  const credit = new Credit(2, 2);
  credit.heldUp();
  credit.tellAnew();
  credit.movedOn();
  expect(credit.granted).toBe(3);
  expect(credit.most).toBe(3);
});

test('it grows with tiny tasks, twofold at most and only after as many of them as lay ahead', () => {
  const credit = new Credit(2, 2);
  expect(credit.granted).toBe(3);
  expect(end(credit, 7)).toEqual([]);
  expect(end(credit, 1)).toEqual([3 + 8]);
  expect(end(credit, 7)).toEqual([]);
  expect(end(credit, 1)).toEqual([3 + 16]);
  expect(end(credit, 10_000)).toEqual([32, 64, 128, 256].map((ahead) => 3 + ahead));
});

test('some milliseconds of work lie ahead for each thread, of tasks that are not quite so tiny', () => {
  for (const [tookMs, threads] of [
    [0.1, 2],
    [0.2, 4],
    [0.3, 1],
  ] as const) {
    const credit = new Credit(4, threads);
    end(credit, 10_000, { tookMs });
    const wanted = (threads * AT_HAND_MS) / tookMs;
    expect(aheadOf(credit, 4)).toBeLessThanOrEqual(wanted);
    expect(aheadOf(credit, 4)).toBeGreaterThan(wanted / 4);
  }
});

test('it does not grow while the coordinator does not use it', () => {
  const credit = new Credit(2, 2);
  expect(end(credit, 1000, { isUsedUp: false })).toEqual([]);
  expect(end(credit, 8)).toHaveLength(1);
});

test.each([0.5, 1, 5, 500])('tasks of %d ms are not taken ahead', (tookMs) => {
  expect(end(new Credit(2, 2), 1000, { tookMs })).toEqual([]);
});

test('one long task ends it at once; it grows again from the beginning', () => {
  const credit = new Credit(2, 2);
  end(credit, 10_000);
  expect(end(credit, 1, { tookMs: LONG_TASK_MS })).toEqual([3]);
  expect(end(credit, 16)).toEqual([3 + 8, 3 + 16]);
});

test('it shrinks to what fits when tasks become longer', () => {
  const credit = new Credit(2, 2);
  end(credit, 10_000);
  const grants = end(credit, 1000, { tookMs: 0.2 });
  expect(grants.length).toBeGreaterThan(0);
  expect(aheadOf(credit)).toBeLessThanOrEqual(4 * (AT_HAND_MS / 0.2));
  expect(end(credit, 1000, { tookMs: 3 }).at(-1)).toBe(3);
});

test('a pause of some milliseconds in ten thousand tiny tasks is not worth a word', () => {
  const credit = new Credit(2, 2);
  end(credit, 10_000);
  expect(end(credit, 1, { tookMs: LONG_TASK_MS - 1 })).toEqual([]);
  expect(end(credit, 100)).toEqual([]);
});

test('times that vary around a mean do not make it go up and down', () => {
  const credit = new Credit(2, 2);
  end(credit, 2000, { tookMs: 0.1 });
  const grants: number[] = [];
  for (let task = 0; task < 2000; task += 1) {
    grants.push(...end(credit, 1, { tookMs: 0.06 + 0.08 * ((task * 7919) % 100) * 0.01 }));
  }
  expect(grants).toEqual([]);
});

test('long inputs and data sets are not taken ahead by the hundreds', () => {
  const long = new Credit(2, 2);
  end(long, 10_000, { inputBytes: 64 * 1024 });
  expect(aheadOf(long) * 64 * 1024).toBeLessThanOrEqual(AHEAD_BYTES_MAX);
  expect(end(new Credit(2, 2), 1000, { hasDatasets: true })).toEqual([]);
});

test('while it is held up, only what the slots compute is taken', () => {
  const credit = new Credit(2, 2);
  end(credit, 10_000);
  const { most } = credit;
  credit.heldUp();
  expect(credit.granted).toBe(2);
  // What was sent by the earlier grant is on its way.
  expect(credit.most).toBe(most);
  credit.tellAnew();
  expect(credit.most).toBe(2);
  // When it goes on, it is with half of what was too much.
  credit.movedOn();
  expect(credit.granted).toBe(3 + 128);
});

test('whatever happens, the grant stays within its bounds', () => {
  const step = fc.record({
    tookMs: fc.constantFrom(0, 0.01, 0.01, 0.1, 0.4, 2, 100),
    inputBytes: fc.constantFrom(0, 100, 100_000),
    hasDatasets: fc.boolean(),
    isUsedUp: fc.boolean(),
    tasks: fc.integer({ min: 1, max: 300 }),
    isHeldUp: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 600 }),
      fc.integer({ min: 1, max: 64 }),
      fc.array(step, { maxLength: 30 }),
      (slots, threads, steps) => {
        const credit = new Credit(slots, threads);
        for (const { tasks, isHeldUp, ...said } of steps) {
          end(credit, tasks, said);
          if (isHeldUp) credit.heldUp();
          expect(credit.granted).toBeGreaterThanOrEqual(slots);
          expect(credit.granted).toBeLessThanOrEqual(creditOf(slots) + AHEAD_TASKS_MAX);
          expect(credit.granted).toBeLessThanOrEqual(Math.max(creditOf(slots), HELD_LEASES_MAX));
          expect(credit.most).toBeGreaterThanOrEqual(credit.granted);
        }
      },
    ),
  );
});
