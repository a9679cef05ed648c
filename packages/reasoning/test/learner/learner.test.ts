import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Learner,
  type LearnerOptions,
  type Observation,
  type PolicyKind,
} from '../../src/index.ts';
import { Prng } from '../prng.ts';
import { searchArms } from './search-arms.ts';

const never = (): number => {
  throw new Error('chance was asked');
};
const ARMS = searchArms.arms.length;
const KINDS: readonly PolicyKind[] = ['shared', 'perArm'];
const optionsOf = (policy: PolicyKind): LearnerOptions => ({ policy, contextLength: 2 });

interface Task {
  readonly context: readonly number[];
  readonly observations: readonly Observation[];
}

/** Tasks with one to four arms each. */
function tasksOf(prng: Prng, count: number): Task[] {
  return Array.from({ length: count }, () => ({
    context: [prng.normal(), prng.normal()],
    observations: Array.from({ length: 1 + Math.floor(4 * prng.next()) }, () => ({
      armIndex: Math.floor(ARMS * prng.next()),
      utility: prng.next(),
    })),
  }));
}

function learnt(options: LearnerOptions, tasks: readonly Task[]): Learner {
  const learner = new Learner(searchArms, options);
  for (const { context, observations } of tasks) learner.learn(context, observations);
  return learner;
}

/** Everything that a learner thinks about a context. */
function opinionOf(learner: Learner, context: readonly number[]): number[] {
  return Array.from({ length: ARMS }, (_, arm) => learner.predict(context, arm)).flatMap(
    ({ mean, width }) => [mean, width],
  );
}

function expectClose(left: readonly number[], right: readonly number[]): void {
  const differences = left.map((value, index) => Math.abs(value - (right[index] ?? Number.NaN)));
  expect(Math.max(...differences)).toBeLessThan(1e-9);
}

describe.each(KINDS)('a learner of kind %s', (kind) => {
  const options = optionsOf(kind);

  it('begins with the first arm where all look alike, and asks no chance', () => {
    const learner = new Learner(searchArms, { policy: kind, contextLength: 2, alpha: 0 });
    const choice = learner.choose([0, 0], never);
    expect(choice).toMatchObject({ armIndex: 0, propensity: 1, arm: searchArms.arms[0] });
    expect(choice.armId).toBe('k=5,window=5,zNormalise=false');
  });

  it('chooses the largest mean + α·width', () => {
    const prng = new Prng(1);
    const learner = learnt(options, tasksOf(prng, 30));
    for (let task = 0; task < 30; task += 1) {
      const context = [prng.normal(), prng.normal()];
      const { armIndex, bounds, means, arm } = learner.choose(context, never);
      expect(bounds[armIndex]).toBe(Math.max(...bounds));
      expect(arm).toEqual(searchArms.arms[armIndex]);
      expectClose(
        [...means],
        [...means.keys()].map((index) => learner.predict(context, index).mean),
      );
      expect(bounds.every((bound, index) => bound >= (means[index] ?? 2))).toBe(true);
    }
  });

  it('names as runner-up what the task does not answer anyway: the best of it where shadows are not to explore', () => {
    const prng = new Prng(6);
    const learner = learnt({ ...options, shadowAlpha: 0 }, tasksOf(prng, 30));
    for (let task = 0; task < 30; task += 1) {
      const choice = learner.choose([prng.normal(), prng.normal()], never);
      const { armIndex, runnerUpIndex = -1, means, runnerUp } = choice;
      const answered = [armIndex, ...learner.freeWith(armIndex)];
      const others = [...means.keys()].filter((index) => !answered.includes(index));
      expect(others).toContain(runnerUpIndex);
      expect(means[runnerUpIndex]).toBe(Math.max(...others.map((index) => means[index] ?? 0)));
      expect(runnerUp?.arm).toEqual(searchArms.arms[runnerUpIndex]);
      expect(runnerUp?.armId).toBe(learner.space.armIds[runnerUpIndex]);
    }
  });

  it('sends shadows everywhere while the choice stays with what is good', () => {
    const learner = new Learner(searchArms, { policy: kind, alpha: 0 });
    const utilityOf = (armIndex: number) => (armIndex === 0 ? 0.8 : 0.5);
    const groups = new Set<unknown>();
    const chosen = new Set<number>();
    for (let task = 0; task < 40; task += 1) {
      const { armIndex, runnerUpIndex = armIndex, runnerUp } = learner.choose([], never);
      groups.add(`${runnerUp?.arm['window']} ${runnerUp?.arm['zNormalise']}`);
      if (task >= 10) chosen.add(armIndex);
      const seen = [armIndex, runnerUpIndex].flatMap((arm) => [arm, ...learner.freeWith(arm)]);
      learner.learn(
        [],
        seen.map((arm) => ({ armIndex: arm, utility: utilityOf(arm) })),
      );
    }
    // Seven pairs of window and zNormalise are not the chosen one's. A model of all arms may know one from its neighbours.
    expect(groups.size).toBeGreaterThanOrEqual(kind === 'shared' ? 5 : 7);
    expect([...chosen]).toEqual([0]);
  });

  it('has no runner-up where one arm answers all', () => {
    const tunable = { taskType: 'a', arms: [{ k: 5 }, { k: 30 }], freeParameters: ['k'] };
    const choice = new Learner(tunable, { policy: kind }).choose([], never);
    expect([choice.runnerUpIndex, choice.runnerUp]).toEqual([undefined, undefined]);
  });

  it('states the probability with which it chose', () => {
    const prng = new Prng(2);
    const learner = new Learner(searchArms, { ...options, epsilon: 0.3 });
    for (const task of tasksOf(prng, 20)) learner.learn(task.context, task.observations);
    const counts = Array.from({ length: ARMS }, () => 0);
    const propensities = Array.from({ length: ARMS }, () => 0);
    const tasks = 5000;
    for (let task = 0; task < tasks; task += 1) {
      const { armIndex, propensity } = learner.choose([0.5, -0.5], () => prng.next());
      counts[armIndex] = (counts[armIndex] ?? 0) + 1;
      propensities[armIndex] = propensity;
    }
    expect(propensities.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 12);
    for (const [arm, propensity] of propensities.entries()) {
      // Five standard errors.
      const error = 5 * Math.sqrt((propensity * (1 - propensity)) / tasks);
      expect(Math.abs((counts[arm] ?? 0) / tasks - propensity)).toBeLessThan(error);
    }
  });

  it('merges to one that has learnt from all tasks, in any order', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 40 }), fc.nat({ max: 40 }), (seed, m, n) => {
        const prng = new Prng(seed);
        const [left, right] = [tasksOf(prng, m), tasksOf(prng, n)];
        const merged = learnt(options, left);
        merged.merge(structuredClone(learnt(options, right).snapshot()));
        const context = [prng.normal(), prng.normal()];
        const opinion = opinionOf(merged, context);
        expectClose(opinion, opinionOf(learnt(options, [...left, ...right]), context));
        expectClose(opinion, opinionOf(learnt(options, [...right, ...left].reverse()), context));
      }),
      { numRuns: 20 },
    );
  });

  it('continues from a snapshot to the last bit', () => {
    const prng = new Prng(3);
    const learner = learnt(options, tasksOf(prng, 500));
    const restored = Learner.restore(searchArms, options, structuredClone(learner.snapshot()));
    expect(restored.observations).toBe(learner.observations);
    for (const { context, observations } of tasksOf(prng, 200)) {
      const [own, other] = [learner.choose(context, never), restored.choose(context, never)];
      expect([...other.bounds]).toEqual([...own.bounds]);
      learner.learn(context, observations);
      restored.learn(context, observations);
    }
    expect(restored.snapshot()).toEqual(learner.snapshot());
  });

  it('forgets everything but its prior, or nothing', () => {
    const prng = new Prng(4);
    const learner = learnt(options, tasksOf(prng, 50));
    const before = opinionOf(learner, [1, 0]);
    learner.forget(1);
    expectClose(opinionOf(learner, [1, 0]), before);
    learner.forget(0);
    expect(learner.observations).toBe(0);
    expect(opinionOf(learner, [1, 0])).toEqual(opinionOf(new Learner(searchArms, options), [1, 0]));
  });

  it('finds the new best arm sooner when it forgets after a change', () => {
    const prng = new Prng(5);
    const utilityOf = (best: number) => (armIndex: number) =>
      Math.min(1, Math.max(0, (armIndex === best ? 0.8 : 0.4) + 0.1 * prng.normal()));
    const tasksUntil = (keep: number) => {
      const learner = new Learner(searchArms, { policy: kind, taskShare: 0 });
      const step = (best: number) => {
        const { armIndex } = learner.choose([], never);
        learner.learn([], [{ armIndex, utility: utilityOf(best)(armIndex) }]);
        return armIndex;
      };
      for (let task = 0; task < 400; task += 1) step(3);
      learner.forget(keep);
      let tasks = 0;
      for (let row = 0; row < 10 && tasks < 5000; tasks += 1) row = step(12) === 12 ? row + 1 : 0;
      return tasks;
    };
    expect(tasksUntil(0)).toBeLessThan(tasksUntil(1));
  });

  it('refuses impossible observations as a whole', () => {
    const learner = learnt(options, []);
    const good = { armIndex: 0, utility: 0.5 };
    for (const bad of [
      { armIndex: 16, utility: 0.5 },
      { armIndex: -1, utility: 0.5 },
      { armIndex: 0.5, utility: 0.5 },
      { armIndex: 0, utility: 1.01 },
      { armIndex: 0, utility: Number.NaN },
    ]) {
      expect(() => learner.learn([0, 0], [good, bad])).toThrow(RangeError);
    }
    expect(() => learner.learn([0, Number.NaN], [good])).toThrow(RangeError);
    expect(() => learner.learn([0], [good])).toThrow(RangeError);
    expect(learner.observations).toBe(0);
  });

  it('refuses snapshots that are about something else', () => {
    const snapshot = learnt(options, []).snapshot();
    const others = [
      { ...snapshot, version: 2 as 1 },
      { ...snapshot, taskType: 'Compute' },
      { ...snapshot, armIds: [...snapshot.armIds].reverse() },
      { ...snapshot, contextLength: 3 },
      new Learner(searchArms, optionsOf(kind === 'shared' ? 'perArm' : 'shared')).snapshot(),
    ];
    for (const other of others) {
      expect(() => Learner.restore(searchArms, options, other)).toThrow(RangeError);
      expect(() => {
        learnt(options, []).merge(other);
      }).toThrow(RangeError);
    }
  });

  it.each([
    { alpha: -1 },
    { epsilon: 1.1 },
    { lambda: 0 },
    { priorUtility: 2 },
    { shadowAlpha: -1 },
  ])('refuses %j', (wrong) => {
    expect(() => new Learner(searchArms, { ...options, ...wrong })).toThrow(RangeError);
  });
});

describe('arms with something in common', () => {
  /** Mean regret over the first `tasks` tasks, where the utility is smooth in the parameters and one arm is best. */
  const regretOf = (options: LearnerOptions, tasks: number, seed: number) => {
    const prng = new Prng(seed);
    const learner = new Learner(searchArms, options);
    const best = Math.floor(ARMS * prng.next());
    const centre = searchArms.arms[best] ?? {};
    const truth = searchArms.arms.map((arm) => {
      const distance = Math.log2(Number(arm['window']) / Number(centre['window'])) ** 2 / 9;
      const others = ['zNormalise', 'k'].filter((name) => arm[name] !== centre[name]).length;
      return 0.7 - 0.2 * distance - 0.1 * others;
    });
    let regret = 0;
    for (let task = 0; task < tasks; task += 1) {
      const luck = 0.15 * prng.normal();
      const observe = (armIndex: number): Observation => ({
        armIndex,
        utility: Math.min(1, Math.max(0, (truth[armIndex] ?? 0) + luck + 0.1 * prng.normal())),
      });
      const { armIndex, runnerUpIndex = armIndex } = learner.choose([], never);
      regret += 0.7 - (truth[armIndex] ?? 0);
      learner.learn([], [observe(armIndex), observe(runnerUpIndex)]);
    }
    return regret / tasks;
  };
  const meanRegret = (options: LearnerOptions, tasks: number) => {
    const runs = 20;
    let sum = 0;
    for (let seed = 0; seed < runs; seed += 1) sum += regretOf(options, tasks, seed);
    return sum / runs;
  };

  it('are learnt from far fewer tasks together than each on its own', () => {
    const perArm = meanRegret({ policy: 'perArm' }, 50);
    expect(meanRegret({ policy: 'shared' }, 50)).toBeLessThan(0.5 * perArm);
    // The mean over its first 300 tasks is what the other one reaches in a third of them.
    const shared = meanRegret({ policy: 'shared' }, 100);
    expect(shared).toBeLessThan(meanRegret({ policy: 'perArm' }, 300));
  });

  it('are compared better within a task than across tasks', () => {
    expect(meanRegret({}, 60)).toBeLessThan(0.9 * meanRegret({ taskShare: 0 }, 60));
  });
});
