/** The experiment is only worth something if it cannot see the future, and if its searches are those of the kernels. */
import { searchPattern } from '@quic-swarm/kernels';
import {
  cutInterval,
  runPolicy,
  volatilityArms,
  volatilityTasks,
  type PolicyRunOptions,
  type VolatilityTask,
} from '@quic-swarm/testkit';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexPrices } from './index-prices.ts';

const series = indexPrices()
  .slice(0, 2)
  .map((prices) => prices.slice(0, 1000));
const options: PolicyRunOptions = { learner: {}, hasShadow: true, hasFree: true };

/** What is known on the day of a task. */
const known = ({
  day,
  seriesIndex,
  context,
  forecasts,
  persistence,
  regression,
}: VolatilityTask) => ({
  day,
  seriesIndex,
  context: [...context],
  forecasts: [...forecasts],
  persistence,
  regression,
});

describe('nothing is known before its day', () => {
  const tasks = volatilityTasks(series);
  const run = runPolicy(tasks, options);

  it('when prices after a day change, no forecast, context or decision up to that day does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 755, max: 990 }),
        fc.double({ min: 0.5, max: 2, noNaN: true }),
        (lastDay, factor) => {
          const changed = series.map((prices) =>
            prices.map((price, day) => (day > lastDay ? price * factor ** (1 + (day % 3)) : price)),
          );
          const others = volatilityTasks(changed);
          const count = tasks.filter(({ day }) => day <= lastDay).length;
          expect(others.slice(0, count).map(known)).toEqual(tasks.slice(0, count).map(known));
          expect(runPolicy(others, options).armIndexes.slice(0, count)).toEqual(
            run.armIndexes.slice(0, count),
          );
        },
      ),
      { numRuns: 3 },
    );
  });

  it('an outcome moves the first decision on the day on which it is known, and none before', () => {
    const turned = 60;
    const altered = tasks.map((task, index) =>
      index === turned ? { ...task, actual: task.actual + 3 } : task,
    );
    const first = tasks.findIndex(({ day }) => day >= (tasks[turned]?.resolvedOnDay ?? 0));
    const other = runPolicy(altered, options);
    expect(first).toBeGreaterThan(turned + 2);
    expect(other.armIndexes.slice(0, first)).toEqual(run.armIndexes.slice(0, first));
    expect(other.armIndexes).not.toEqual(run.armIndexes);
  });
});

describe('the forecasts', () => {
  it('are made of what a pattern search of the kernels finds', () => {
    const [prices = new Float64Array()] = series;
    const returns = prices.map((price, day) => Math.log(price / (prices[day - 1] ?? price)));
    const logReturns = returns.map((change) => Math.log(Math.max(Math.abs(change), 1e-3)));
    const rootMeanSquare = (from: number, to: number) =>
      Math.log(Math.sqrt(returns.slice(from, to).reduce((sum, r) => sum + r * r, 0) / (to - from)));
    for (const { day, forecasts, actual } of volatilityTasks([prices]).filter(
      (_, index) => index % 20 === 0,
    )) {
      expect(actual).toBeCloseTo(rootMeanSquare(day + 1, day + 6), 10);
      for (const [index, arm] of volatilityArms.arms.entries()) {
        const [window, k, isZ] = [
          Number(arm['window']),
          Number(arm['k']),
          arm['zNormalise'] === true,
        ];
        const query = logReturns.slice(day - window + 1, day + 1);
        const past = logReturns.slice(day - 749, day - 4);
        const normalise = isZ ? 'z' : 'none';
        const { matches } = searchPattern({
          algorithm: 'dtw',
          band: 0,
          series: past,
          query,
          topK: k,
          normalise,
        });
        const mean = query.reduce((sum, value) => sum + value, 0) / window;
        const futures = matches.map(({ start, windowMean }) => {
          const end = day - 749 + start + window;
          return rootMeanSquare(end, end + 5) + (isZ ? mean - windowMean : 0);
        });
        const forecast = futures.reduce((sum, future) => sum + future, 0) / futures.length;
        expect(forecasts[index]).toBeCloseTo(forecast, 9);
      }
    }
  });
});

describe('the interval of a cut', () => {
  const tasks = volatilityTasks(series);
  const ones = new Float64Array(tasks.length).fill(1);

  it('is a point where every task is cut alike, and holds 0 where nothing but chance differs', () => {
    const { lower, upper } = cutInterval(
      tasks,
      ones.map((one) => 0.8 * one),
      ones,
    );
    expect(lower).toBeCloseTo(0.2, 12);
    expect(upper).toBeCloseTo(0.2, 12);
    const chance = ones.map((_, index) => 1 + Math.sin(index * index));
    const interval = cutInterval(tasks, chance, ones);
    expect(interval.lower).toBeLessThan(0);
    expect(interval.upper).toBeGreaterThan(0);
  });

  it('is wider where whole stretches of days share their luck', () => {
    const width = (losses: Float64Array) => {
      const { lower, upper } = cutInterval(tasks, losses, ones);
      return upper - lower;
    };
    const alternating = ones.map((_, index) => (index % 4 < 2 ? 0.5 : 1.5));
    const inStretches = ones.map((_, index) =>
      Math.floor((tasks[index]?.day ?? 0) / 60) % 2 === 0 ? 0.5 : 1.5,
    );
    expect(width(inStretches)).toBeGreaterThan(5 * width(alternating));
  });
});
