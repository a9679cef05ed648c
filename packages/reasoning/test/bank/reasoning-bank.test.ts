/** The bank as a coordinator uses it. */
import type { Arm, Prediction, ReasoningExperience, Tunable } from '@quic-swarm/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReasoningBank, armIdOf, type AdaptationDecision } from '../../src/index.ts';
import { Prng } from '../prng.ts';

const ARMS: Arm[] = [5, 10, 20, 40].flatMap((window) => [
  { window, k: 30 },
  { window, k: 5 },
]);
const TUNABLE: Tunable = {
  taskType: 'my.task',
  arms: ARMS,
  freeParameters: ['k'],
  loss: 'squared',
};

function newBank(): ReasoningBank {
  const bank = new ReasoningBank();
  bank.declare(TUNABLE);
  return bank;
}

interface Done {
  readonly id: string;
  readonly step: number;
  readonly arm: Arm;
  readonly mean: number;
  readonly context?: readonly number[];
  readonly shadowOf?: string;
}

function experienceOf({ id, step, arm, mean, context = [], shadowOf }: Done): ReasoningExperience {
  const experience: ReasoningExperience = {
    experienceId: id,
    taskId: '00000000-0000-7000-8000-000000000000',
    agentId: 'a1',
    agentType: 'compute',
    taskType: 'my.task',
    context: Float64Array.from(context),
    contextVersion: 0,
    arm,
    armId: armIdOf(arm),
    propensity: 1,
    predicted: { mean },
    latencyMs: 2,
    computeMs: 1,
    issuedAtStep: step,
  };
  if (shadowOf !== undefined) experience.shadowOf = shadowOf;
  return experience;
}

function others(arm: Arm, mean: number): { arm: Arm; predicted: Prediction }[] {
  return ARMS.filter(({ window }) => window === arm['window']).map((each) => ({
    arm: each,
    predicted: { mean: mean + (each['k'] === 5 ? 0.1 : 0) },
  }));
}

/** A walk: at each step an arm is chosen and something forecast; how it turned out is told `delay` steps later. */
function walk(
  bank: ReasoningBank,
  values: readonly number[],
  delay: number,
): { chosen: string[]; decided: AdaptationDecision[] } {
  const chosen: string[] = [];
  const decided: AdaptationDecision[] = [];
  for (let step = 0; step < values.length; step += 1) {
    const known = step - delay;
    if (known >= 0) {
      decided.push(...bank.resolve(`t${known}`, { actual: values[known] ?? 0, step }).actions);
    }
    const context = new Float64Array([(step % 7) / 7]);
    const choice = bank.choose('my.task', context, () => 0.5);
    if (choice === undefined) throw new Error('no arm');
    chosen.push(choice.armId);
    const mean = Number(choice.arm['window']) / 40;
    const experience = experienceOf({
      id: `t${step}`,
      step,
      arm: choice.arm,
      mean,
      context: [...context],
    });
    decided.push(...bank.record(experience, others(choice.arm, mean), choice));
    const shadow = bank.shadowOf('my.task', choice.armId, choice);
    if (shadow === undefined) continue;
    const shadowMean = Number(shadow.arm['window']) / 40;
    const replay = {
      id: `s${step}`,
      step,
      arm: shadow.arm,
      mean: shadowMean,
      shadowOf: `t${step}`,
    };
    decided.push(...bank.record(experienceOf(replay), others(shadow.arm, shadowMean)));
  }
  return { chosen, decided };
}

describe('what is decided', () => {
  it('never depends on what came later', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 40, maxLength: 80 }),
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 80, maxLength: 80 }),
        fc.nat(39),
        fc.integer({ min: 1, max: 6 }),
        (values, otherwise, until, delay) => {
          const changed = values.map((value, at) => (at < until ? value : (otherwise[at] ?? 0)));
          const one = walk(newBank(), values, delay).chosen;
          const other = walk(newBank(), changed, delay).chosen;
          // The outcome of step `until` is told `delay` steps later, and then for the first time.
          expect(other.slice(0, until + delay)).toEqual(one.slice(0, until + delay));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('depends on what came before: what did well is chosen', () => {
    const { chosen, decided } = walk(
      newBank(),
      Array.from({ length: 400 }, () => 1),
      3,
    );
    const late = chosen.slice(-100).filter((armId) => armId === 'k=30,window=40');
    expect(late.length).toBeGreaterThan(90);
    expect(decided.map(({ canaryPercent }) => canaryPercent)).toEqual([10, 50, 100]);
  });
});

describe('free counterfactuals', () => {
  it('are resolved with the task, in one scale, and each arm of a case counts once', () => {
    const bank = newBank();
    for (let n = 0; n < 40; n += 1) {
      const arm = ARMS[0] ?? {};
      bank.record(experienceOf({ id: `t${n}`, step: n, arm, mean: 0.5 }), others(arm, 0.5));
      expect(bank.resolve(`t${n}`, { actual: 0 }).result).toBe('resolved');
    }
    const [first, second, ...rest] = bank.experiences.armStatistics('my.task');
    expect(rest).toEqual([]);
    expect([first?.armId, second?.armId]).toEqual(['k=30,window=5', 'k=5,window=5']);
    expect([first?.resolved, second?.resolved]).toEqual([40, 40]);
    // 0.25 is a smaller loss than 0.36.
    expect((first?.utilitySum ?? 0) / (first?.scored ?? 1)).toBeGreaterThan(
      (second?.utilitySum ?? 1) / (second?.scored ?? 1),
    );
  });

  it('have no outcome where only the loss of the task is known', () => {
    const bank = newBank();
    const arm = ARMS[0] ?? {};
    bank.record(experienceOf({ id: 't', step: 1, arm, mean: 0.5 }), others(arm, 0.5));
    expect(bank.resolve('t', { loss: 0.3 }).result).toBe('resolved');
    const [first, second] = bank.experiences.armStatistics('my.task');
    expect([first?.resolved, second?.resolved]).toEqual([1, 0]);
  });
});

describe('outcomes', () => {
  it('that cannot be are refused, and what they are about stays open', () => {
    const bank = newBank();
    const arm = ARMS[0] ?? {};
    bank.record(experienceOf({ id: 't', step: 5, arm, mean: 0.5 }));
    for (const outcome of [
      {},
      { actual: Number.NaN },
      { loss: -1 },
      { utility: 2 },
      { actual: 1, step: 4 },
    ]) {
      expect(bank.resolve('t', outcome).result).toBe('refused');
    }
    expect(bank.resolve('t', { utility: 0.5 }).result).toBe('resolved');
    expect(bank.resolve('t', { utility: 0.5 }).result).toBe('duplicate');
    expect(bank.resolve('nobody', { utility: 0.5 }).result).toBe('unknown');
  });

  it('that come before a shadow has answered count for it as well', () => {
    const bank = newBank();
    const [arm = {}, , other = {}] = ARMS;
    bank.record(experienceOf({ id: 't', step: 1, arm, mean: 0.5 }));
    bank.resolve('t', { actual: 0.4 });
    bank.record(experienceOf({ id: 's', step: 1, arm: other, mean: 0.7, shadowOf: 't' }));
    expect(bank.experiences.experience('s')).toMatchObject({ actual: 0.4 });
  });
});

describe('two banks', () => {
  /** Tasks with utilities of their own, so that no scale depends on the order. */
  function log(seed: number, count: number): { arm: Arm; context: number[]; utility: number }[] {
    const stream = new Prng(seed);
    const random = (): number => stream.next();
    return Array.from({ length: count }, () => ({
      arm: ARMS[Math.floor(random() * ARMS.length)] ?? {},
      context: [random(), random()],
      utility: random(),
    }));
  }

  function play(bank: ReasoningBank, entries: ReturnType<typeof log>, from: number): void {
    for (const [index, { arm, context, utility }] of entries.entries()) {
      const id = `t${from + index}`;
      bank.record(experienceOf({ id, step: from + index, arm, mean: 0, context }));
      bank.resolve(id, { utility });
    }
  }

  it('merged know what one would know that had seen everything, to 1e-9', () => {
    const [left, right] = [log(1, 300), log(2, 200)];
    const [one, two, both] = [newBank(), newBank(), newBank()];
    play(one, left, 0);
    play(two, right, 1000);
    play(both, left, 0);
    play(both, right, 1000);
    one.merge(structuredClone(two.snapshot()));
    const statistics = (bank: ReasoningBank) =>
      new Map(bank.experiences.armStatistics('my.task').map((each) => [each.armId, each]));
    const expected = statistics(both);
    expect(statistics(one).size).toBe(expected.size);
    for (const [armId, each] of statistics(one)) {
      const other = expected.get(armId);
      expect(each.recorded).toBe(other?.recorded);
      expect(Math.abs(each.utilitySum - (other?.utilitySum ?? 0))).toBeLessThan(1e-9);
      expect(Math.abs(each.utilitySquaresSum - (other?.utilitySquaresSum ?? 0))).toBeLessThan(1e-9);
    }
    for (let n = 0; n < 50; n += 1) {
      const context = new Float64Array([n / 50, 1 - n / 50]);
      const [mine, theirs] = [one, both].map((bank) => bank.choose('my.task', context, () => 0.5));
      expect(mine?.armId).toBe(theirs?.armId);
      for (const of of ['means', 'bounds'] as const) {
        for (const [index, value] of (mine?.[of] ?? []).entries()) {
          expect(Math.abs(value - (theirs?.[of]?.[index] ?? Infinity))).toBeLessThan(1e-9);
        }
      }
    }
  });

  it('about other arms are not merged, and nothing is taken in', () => {
    const one = newBank();
    const other = new ReasoningBank();
    other.declare({ ...TUNABLE, arms: ARMS.slice(0, 4) });
    const before = one.snapshot();
    expect(() => {
      one.merge(other.snapshot());
    }).toThrow(RangeError);
    expect(one.snapshot()).toEqual(before);
  });
});

it('a bank goes on where another was when it was written down', () => {
  const values = Array.from({ length: 300 }, (_, step) => Math.sin(step / 9));
  const one = newBank();
  walk(one, values, 4);
  const other = new ReasoningBank();
  other.restore(structuredClone(one.snapshot()));
  expect(other.snapshot()).toEqual(one.snapshot());
  // What was open is still open, and what comes of it is the same.
  for (let step = 296; step < 300; step += 1) {
    const outcome = { actual: values[step] ?? 0, step: step + 4 };
    expect(other.resolve(`t${step}`, outcome)).toEqual(one.resolve(`t${step}`, outcome));
  }
  const context = new Float64Array([0.5]);
  expect(other.choose('my.task', context, () => 0.5)).toEqual(
    one.choose('my.task', context, () => 0.5),
  );
  expect(other.snapshot()).toEqual(one.snapshot());
});

it('a bank forgets a task type without touching others', () => {
  const bank = newBank();
  bank.declare({ ...TUNABLE, taskType: 'other.task' });
  const arm = ARMS[0] ?? {};
  bank.record(experienceOf({ id: 't', step: 1, arm, mean: 0 }));
  bank.record({ ...experienceOf({ id: 'o', step: 1, arm, mean: 0 }), taskType: 'other.task' });
  bank.reset('my.task');
  expect(bank.experiences.armStatistics('my.task')).toEqual([]);
  expect(bank.experiences.armStatistics('other.task')).toHaveLength(1);
  expect(bank.resolve('t', { utility: 1 }).result).toBe('unknown');
  expect(bank.resolve('o', { utility: 1 }).result).toBe('resolved');
  const { recorded, resolved, expired } = bank.experiences.counters;
  expect(recorded).toBe(resolved + expired);
});
