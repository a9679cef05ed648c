import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ExperienceBank,
  judge,
  mergeArmStatistics,
  meanUtility,
  utilityVariance,
  type ArmStatistics,
} from '../../src/index.ts';
import { experienceOf } from '../experiences.ts';

const outcome = { actual: 0.01, utility: 0.5, resolvedAtStep: 1 };

describe('two phases', () => {
  it('learns nothing from a record and everything from the first outcome', () => {
    const bank = new ExperienceBank();
    expect(bank.record(experienceOf('a'))).toBe('recorded');
    expect(bank.armStatistics('PatternMatch')).toMatchObject([{ recorded: 1, scored: 0 }]);
    expect(bank.resolve('a', { ...outcome, loss: 3 })).toBe('resolved');
    expect(bank.experience('a')).toEqual(experienceOf('a', { ...outcome, loss: 3 }));
    expect(bank.armStatistics('PatternMatch')).toMatchObject([
      { resolved: 1, scored: 1, utilitySum: 0.5, utilitySquaresSum: 0.25, latencyMsSum: 10 },
    ]);
  });

  it('counts and ignores outcomes of unknown ids and second outcomes', () => {
    const bank = new ExperienceBank();
    bank.record(experienceOf('a'));
    expect(bank.resolve('b', outcome)).toBe('unknown');
    expect(bank.experience('b')).toBeUndefined();
    bank.resolve('a', outcome);
    expect(bank.resolve('a', { ...outcome, utility: 1 })).toBe('duplicate');
    expect(bank.experience('a')?.utility).toBe(0.5);
    expect(bank.counters).toMatchObject({ resolved: 1, unknown: 1, duplicates: 1 });
  });

  it('ignores a second record of an id', () => {
    const bank = new ExperienceBank();
    bank.record(experienceOf('a'));
    expect(bank.record(experienceOf('a', { armId: 'other' }))).toBe('duplicate');
    expect(bank.experience('a')?.armId).toBe('incumbent');
    expect(bank.counters).toMatchObject({ recorded: 1, duplicates: 1 });
  });

  it.each([
    { resolvedAtStep: 4 },
    { resolvedAtStep: 5.5 },
    { actual: Number.NaN },
    { loss: -1 },
    { loss: Number.POSITIVE_INFINITY },
    { utility: 1.01 },
    { utility: Number.NaN },
  ])('refuses an impossible outcome and leaves the experience open: %j', (wrong) => {
    const bank = new ExperienceBank();
    bank.record(experienceOf('a', { issuedAtStep: 5 }));
    const right = { actual: 1, utility: 0.5, resolvedAtStep: 5 };
    expect(bank.resolve('a', { ...right, ...wrong })).toBe('refused');
    expect(bank.counters).toMatchObject({ resolved: 0, refused: 1 });
    expect(bank.resolve('a', right)).toBe('resolved');
  });

  it('refuses to record what knows its outcome already, or has a context without a bound', () => {
    const bank = new ExperienceBank();
    for (const known of [{ actual: 1 }, { loss: 1 }, { utility: 1 }, { resolvedAtStep: 1 }]) {
      expect(bank.record(experienceOf('a', known))).toBe('refused');
    }
    expect(bank.record(experienceOf('a', { context: new Float64Array(17) }))).toBe('refused');
    expect(bank.counters).toMatchObject({ recorded: 0, refused: 5 });
  });

  it('keeps its own copy of the context, not a window on a receive buffer', () => {
    const bank = new ExperienceBank();
    const buffer = new Float64Array(1000).fill(1);
    bank.record(experienceOf('a', { context: buffer.subarray(10, 12) }));
    buffer.fill(2);
    expect(bank.experience('a')?.context).toEqual(new Float64Array([1, 1]));
    expect(bank.experience('a')?.context.buffer.byteLength).toBe(16);
  });
});

describe('utilities from losses', () => {
  function warmBank() {
    const bank = new ExperienceBank();
    for (let index = 1; index <= 20; index += 1) {
      bank.record(experienceOf(`w${index}`));
      bank.resolve(`w${index}`, { actual: 0, loss: index, resolvedAtStep: 1 });
    }
    return bank;
  }

  it('come from the scale of earlier losses, and there are none before it', () => {
    const bank = warmBank();
    expect(bank.counters).toMatchObject({ resolved: 20, unscored: 20 });
    bank.record(experienceOf('a'));
    bank.resolve('a', { actual: 0, loss: 9.5, resolvedAtStep: 1 });
    expect(bank.experience('a')?.utility).toBe(0.5);
    bank.record(experienceOf('b'));
    bank.resolve('b', { actual: 0, loss: 1e9, resolvedAtStep: 1 });
    expect(bank.armStatistics('PatternMatch')).toMatchObject([{ scored: 2, failures: 1 }]);
  });

  it('belong to one task type', () => {
    const bank = warmBank();
    bank.record(experienceOf('a', { taskType: 'my.task' }));
    bank.resolve('a', { actual: 0, loss: 1, resolvedAtStep: 1 });
    expect(bank.experience('a')?.utility).toBeUndefined();
  });

  it('use one scale for all answers to a case, even if an epoch ends between them', () => {
    const bank = warmBank();
    bank.record(experienceOf('original'));
    bank.record(experienceOf('replay', { shadowOf: 'original' }));
    bank.record(experienceOf('left', { seriesId: 'spx', issuedAtStep: 3 }));
    bank.record(experienceOf('right', { seriesId: 'spx', issuedAtStep: 3 }));
    bank.resolve('original', { actual: 0, loss: 9.5, resolvedAtStep: 1 });
    bank.resolve('left', { actual: 0, loss: 9.5, resolvedAtStep: 4 });
    for (let index = 0; index < 60; index += 1) {
      bank.record(experienceOf(`n${index}`));
      bank.resolve(`n${index}`, { actual: 0, loss: 1000, resolvedAtStep: 1 });
    }
    const restored = ExperienceBank.restore(structuredClone(bank.snapshot()));
    for (const present of [bank, restored]) {
      present.record(experienceOf('new'));
      present.resolve('new', { actual: 0, loss: 9.5, resolvedAtStep: 1 });
      present.resolve('replay', { actual: 0, loss: 9.5, resolvedAtStep: 9 });
      present.resolve('right', { actual: 0, loss: 9.5, resolvedAtStep: 9 });
      expect(present.experience('new')?.utility).toBeCloseTo(1 - 9.5 / 1000, 12);
      expect(present.experience('replay')?.utility).toBe(0.5);
      expect(present.experience('right')?.utility).toBe(0.5);
    }
  });

  it('let a bank be judged', () => {
    const bank = warmBank();
    for (let step = 0; step < 100; step += 1) {
      const where = { seriesId: 'spx', issuedAtStep: step };
      bank.record(experienceOf(`i${step}`, where));
      bank.record(experienceOf(`c${step}`, { ...where, armId: 'candidate' }));
      bank.resolve(`i${step}`, { actual: 0, loss: 10, resolvedAtStep: step + 1 });
      bank.resolve(`c${step}`, { actual: 0, loss: 5, resolvedAtStep: step + 1 });
    }
    const verdict = judge({
      taskType: 'PatternMatch',
      candidateArmId: 'candidate',
      incumbentArmId: 'incumbent',
      experiences: bank.experiences('PatternMatch'),
    });
    expect(verdict).toMatchObject({ decision: 'adopt', pairs: 100, unpaired: 20 });
  });
});

describe('bounds', () => {
  it('keeps the latest experiences, counts what expired, and forgets no statistics', () => {
    const bank = new ExperienceBank({ capacity: 3 });
    for (let index = 0; index < 10; index += 1) {
      bank.record(experienceOf(`e${index}`));
      if (index < 4) bank.resolve(`e${index}`, outcome);
    }
    expect(bank.experiences().map(({ experienceId }) => experienceId)).toEqual(['e7', 'e8', 'e9']);
    expect(bank.counters).toMatchObject({ recorded: 10, resolved: 4, expired: 3 });
    expect(bank.armStatistics('PatternMatch')).toMatchObject([
      { recorded: 10, resolved: 4, expired: 3, utilitySum: 2 },
    ]);
    expect(bank.resolve('e5', outcome)).toBe('unknown');
  });

  it('holds no more after twenty thousand experiences of as many arms and series than its bounds', () => {
    const bank = new ExperienceBank({ capacity: 100, armsMax: 50 });
    for (let index = 0; index < 20_000; index += 1) {
      const name = `x${index}`;
      bank.record(experienceOf(name, { armId: name, seriesId: name, taskType: name }));
      bank.resolve(name, { actual: 0, loss: index, resolvedAtStep: 1 });
    }
    const { ring, statistics, scales } = bank.snapshot();
    expect([bank.size, ring.length, statistics.length, scales.length]).toEqual([100, 100, 50, 50]);
    expect(bank.counters).toMatchObject({ recorded: 20_000, untracked: 19_950 });
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a bound of %d', (bound) => {
    expect(() => new ExperienceBank({ capacity: bound })).toThrow(RangeError);
    expect(() => new ExperienceBank({ armsMax: bound })).toThrow(RangeError);
  });
});

/** Operations on few ids, so that duplicates, replays and evictions happen often. */
const anOperation = fc.record({
  kind: fc.constantFrom('record', 'resolve'),
  id: fc.integer({ min: 0, max: 40 }).map((number) => `e${number}`),
  armId: fc.constantFrom('a', 'b', 'c', 'd'),
  shadowOf: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
  seriesId: fc.option(fc.constantFrom('spx', 'dax'), { nil: undefined }),
  issuedAtStep: fc.integer({ min: 0, max: 3 }),
  resolvedAtStep: fc.integer({ min: 0, max: 6 }),
  loss: fc.option(fc.double({ min: 0, max: 10, noNaN: true }), { nil: undefined }),
  utility: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
});
const someOperations = fc.array(anOperation, { maxLength: 100, size: 'max' });
type Operation = typeof anOperation extends fc.Arbitrary<infer T> ? T : never;

function apply(bank: ExperienceBank, operation: Operation): string {
  const { kind, id, armId, shadowOf, seriesId, issuedAtStep } = operation;
  if (kind === 'record') {
    return bank.record(
      experienceOf(id, {
        armId,
        issuedAtStep,
        ...(shadowOf === undefined ? {} : { shadowOf: `e${shadowOf}` }),
        ...(seriesId === undefined ? {} : { seriesId }),
      }),
    );
  }
  const { resolvedAtStep, loss, utility } = operation;
  return bank.resolve(id, {
    actual: 1,
    resolvedAtStep,
    ...(loss === undefined ? {} : { loss }),
    ...(utility === undefined ? {} : { utility }),
  });
}

const total = (statistics: readonly ArmStatistics[], field: 'recorded' | 'resolved' | 'expired') =>
  statistics.reduce((sum, arm) => sum + arm[field], 0);

describe('any sequence of operations', () => {
  it('keeps the invariants', () => {
    fc.assert(
      fc.property(someOperations, fc.integer({ min: 1, max: 20 }), (operations, capacity) => {
        const bank = new ExperienceBank({ capacity, armsMax: 4 });
        for (const [index, operation] of operations.entries()) {
          apply(bank, operation);
          if (index % 10 !== operations.length % 10) continue;
          const { recorded, resolved, expired } = bank.counters;
          const experiences = bank.experiences();
          const open = experiences.filter(({ resolvedAtStep }) => resolvedAtStep === undefined);
          expect(recorded).toBe(resolved + expired + open.length);
          expect(bank.size).toBeLessThanOrEqual(capacity);
          expect(new Set(experiences.map(({ experienceId }) => experienceId)).size).toBe(bank.size);
          const statistics = bank.armStatistics('PatternMatch');
          expect(total(statistics, 'recorded')).toBe(recorded);
          expect(total(statistics, 'resolved')).toBe(resolved);
          expect(total(statistics, 'expired')).toBe(expired);
        }
        const { duplicates, unknown, refused, recorded, resolved } = bank.counters;
        expect(recorded + resolved + duplicates + unknown + refused).toBe(operations.length);
      }),
      { numRuns: 50 },
    );
  });

  it('goes on the same after a snapshot and a restore', () => {
    fc.assert(
      fc.property(
        someOperations,
        someOperations,
        fc.integer({ min: 1, max: 20 }),
        (before, after, capacity) => {
          const bank = new ExperienceBank({ capacity, armsMax: 3 });
          for (const operation of before) apply(bank, operation);
          const restored = ExperienceBank.restore(structuredClone(bank.snapshot()));
          expect(restored.snapshot()).toEqual(bank.snapshot());
          for (const operation of after) {
            expect(apply(restored, operation)).toBe(apply(bank, operation));
          }
          expect(restored.snapshot()).toEqual(bank.snapshot());
        },
      ),
    );
  });

  it('refuses a snapshot of another version', () => {
    const snapshot = { ...new ExperienceBank().snapshot(), version: 2 };
    expect(() => ExperienceBank.restore(snapshot as never)).toThrow('version 2');
  });
});

describe('statistics', () => {
  it('of two banks merge into those of one bank that saw everything', () => {
    fc.assert(
      fc.property(someOperations, someOperations, (left, right) => {
        const scored = (operations: Operation[]) =>
          operations.map((operation) => ({ ...operation, utility: operation.utility ?? 0 }));
        const renamed = scored(right).map((operation) => ({
          ...operation,
          id: `r${operation.id}`,
        }));
        const banks = [scored(left), renamed, [...scored(left), ...renamed]].map((operations) => {
          const bank = new ExperienceBank();
          for (const operation of operations) apply(bank, operation);
          return bank.armStatistics('PatternMatch');
        });
        const [first = [], second = [], both = []] = banks;
        const merged = mergeArmStatistics(first, second);
        expect(merged).toHaveLength(both.length);
        for (const [index, arm] of both.entries()) {
          const { utilitySum, utilitySquaresSum, ...counts } = arm;
          expect(merged[index]).toMatchObject(counts);
          expect(merged[index]?.utilitySum).toBeCloseTo(utilitySum, 9);
          expect(merged[index]?.utilitySquaresSum).toBeCloseTo(utilitySquaresSum, 9);
        }
      }),
    );
  });

  it('give the mean and the unbiased variance of the utilities', () => {
    const bank = new ExperienceBank();
    const [nothing] = statisticsAfter(bank, []);
    expect(nothing).toBeUndefined();
    const [one] = statisticsAfter(bank, [0.25]);
    expect(one && [meanUtility(one), utilityVariance(one)]).toEqual([0.25, undefined]);
    const [three] = statisticsAfter(bank, [0.5, 0.75]);
    expect(three && [meanUtility(three), utilityVariance(three)]).toEqual([0.5, 0.0625]);
  });

  function statisticsAfter(bank: ExperienceBank, utilities: readonly number[]) {
    for (const utility of utilities) {
      const id = `u${utility}`;
      bank.record(experienceOf(id));
      bank.resolve(id, { actual: 0, utility, resolvedAtStep: 1 });
    }
    return bank.armStatistics('PatternMatch');
  }
});
