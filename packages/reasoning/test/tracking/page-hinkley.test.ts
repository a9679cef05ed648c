import { describe, expect, it } from 'vitest';
import { PageHinkley, type ChangeDirection } from '../../src/index.ts';
import { Prng } from '../prng.ts';

const clip = (utility: number) => Math.min(1, Math.max(0, utility));

/** Two arms whose mean utilities swap after `swapAfter` tasks, and a learner that takes the arm it thinks better. */
function residualsOfSwap(prng: Prng, swapAfter: number, isLearning: boolean): () => number {
  const forecasts = [0.75, 0.55];
  const counts = [50, 50];
  let task = 0;
  return () => {
    task += 1;
    const [first = 0, second = 0] = forecasts;
    const arm = first >= second ? 0 : 1;
    const mean = (arm === 0) === task <= swapAfter ? 0.75 : 0.55;
    const utility = clip(mean + 0.2 * prng.normal());
    const residual = utility - (forecasts[arm] ?? 0);
    if (isLearning) {
      counts[arm] = (counts[arm] ?? 0) + 1;
      forecasts[arm] = (forecasts[arm] ?? 0) + residual / counts[arm];
    }
    return residual;
  };
}

describe('the change detector', () => {
  // Measured over 500 streams, a drop of 0.2 after 200 … 8,000 tasks: all within 182 tasks, after 50 tasks within 234.
  it.each([
    { swapAfter: 200, isLearning: false },
    { swapAfter: 2000, isLearning: false },
    { swapAfter: 2000, isLearning: true },
  ])(
    'notices that two arms have swapped after $swapAfter tasks within 300 tasks in 0.95 of streams (learning: $isLearning)',
    ({ swapAfter, isLearning }) => {
      const streams = 100;
      let noticed = 0;
      let early = 0;
      for (let stream = 0; stream < streams; stream += 1) {
        const next = residualsOfSwap(new Prng(31_000_000 + stream), swapAfter, isLearning);
        const detector = new PageHinkley();
        let alarm: ChangeDirection | undefined;
        for (let task = 1; task <= swapAfter; task += 1) {
          if (detector.add(next()) !== undefined) early += 1;
        }
        for (let task = 1; task < 300 && alarm === undefined; task += 1) {
          alarm = detector.add(next());
        }
        noticed += alarm === 'worse' ? 1 : 0;
      }
      expect(noticed / streams).toBeGreaterThanOrEqual(0.95);
      expect(early).toBe(0);
    },
  );

  it('notices a change for the better as well', () => {
    const prng = new Prng(32);
    const detector = new PageHinkley();
    const alarms: ChangeDirection[] = [];
    for (let task = 0; task < 1200; task += 1) {
      const alarm = detector.add((task < 1000 ? 0 : 0.2) + 0.2 * prng.normal());
      if (alarm !== undefined) alarms.push(alarm);
    }
    expect(alarms).toEqual(['better']);
  });

  // Less than 1 in 10,000 is demanded. Measured over 3 million each: none, none, none, 0.03 in 10,000; the largest
  // deviation that a utility can have (0.5) gives 0.74 in 10,000.
  it.each(['normal', 'shuffled swap', 'correlated in time', 'wild'])(
    'raises less than one false alarm in 10,000 tasks on residuals that do not change (%s)',
    (kind) => {
      const prng = new Prng(33);
      const shuffled = Array.from({ length: 10_000 }, () => (prng.next() < 0.5 ? 0.1 : -0.1));
      const detector = new PageHinkley();
      const tasks = 200_000;
      let alarms = 0;
      let last = 0;
      for (let task = 0; task < tasks; task += 1) {
        const normal = prng.normal();
        last = 0.5 * last + 0.2 * Math.sqrt(0.75) * normal;
        let residual = 0.3 * normal;
        if (kind === 'shuffled swap') residual = (shuffled[task % 10_000] ?? 0) + 0.2 * normal;
        else if (kind === 'correlated in time') residual = last;
        else if (kind === 'wild') residual = 0.4 * normal;
        if (detector.add(residual) !== undefined) alarms += 1;
      }
      expect(alarms).toBeLessThan(tasks / 10_000);
    },
  );

  it('is what the cumulative sum over its minimum says, recomputed from the whole list', () => {
    const prng = new Prng(34);
    const options = { delta: 0.03, threshold: 2, samplesMin: 40 };
    const detector = new PageHinkley(options);
    let residuals: number[] = [];
    let alarms = 0;
    for (let task = 0; task < 2000; task += 1) {
      residuals.push(
        Math.min(1, Math.max(-1, (task % 500 < 250 ? 0.1 : -0.1) + 0.3 * prng.normal())),
      );
      const expected = directionOf(residuals, options);
      expect(detector.add(residuals.at(-1) ?? 0)).toBe(expected);
      if (expected === undefined) continue;
      residuals = [];
      alarms += 1;
    }
    expect(alarms).toBeGreaterThan(5);
  });

  it('forgives forecasts that are wrong by the same small amount always', () => {
    const prng = new Prng(35);
    const detector = new PageHinkley();
    let alarms = 0;
    for (let task = 0; task < 20_000; task += 1) {
      if (detector.add(-0.1 + 0.2 * prng.normal()) !== undefined) alarms += 1;
    }
    expect(alarms).toBe(0);
  });

  it('begins anew after a reset, and goes on from a snapshot', () => {
    const detector = new PageHinkley({ samplesMin: 1 });
    for (let task = 0; task < 15; task += 1) detector.add(-1);
    const restored = PageHinkley.restore(structuredClone(detector.snapshot()));
    const alarms = Array.from({ length: 5 }, () => [detector.add(-1), restored.add(-1)]);
    expect(alarms.filter(([alarm]) => alarm === 'worse')).toHaveLength(1);
    for (const [alarm, alarmOfRestored] of alarms) expect(alarmOfRestored).toBe(alarm);
    detector.reset();
    expect(detector.count).toBe(0);
    for (let task = 0; task < 15; task += 1) expect(detector.add(-1)).toBeUndefined();
  });

  it('refuses what is no number and options that make no sense', () => {
    expect(() => new PageHinkley().add(Number.NaN)).toThrow(RangeError);
    for (const options of [
      { delta: -0.1 },
      { threshold: 0 },
      { samplesMin: 0 },
      { delta: Number.NaN },
    ]) {
      expect(() => new PageHinkley(options)).toThrow(RangeError);
    }
  });
});

/** Both cumulative sums from the beginning, and their distance from where they were lowest. */
function directionOf(
  residuals: readonly number[],
  { delta, threshold, samplesMin }: { delta: number; threshold: number; samplesMin: number },
): ChangeDirection | undefined {
  if (residuals.length < samplesMin) return undefined;
  let sum = 0;
  const sums = { worse: [0], better: [0] };
  for (const [index, residual] of residuals.entries()) {
    const surprise = residual - sum / (index + 200);
    sums.worse.push((sums.worse.at(-1) ?? 0) - surprise - delta);
    sums.better.push((sums.better.at(-1) ?? 0) + surprise - delta);
    sum += residual;
  }
  for (const direction of ['worse', 'better'] as const) {
    if ((sums[direction].at(-1) ?? 0) - Math.min(...sums[direction]) > threshold) return direction;
  }
  return undefined;
}
