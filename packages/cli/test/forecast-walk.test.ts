import { RETURN_FLOOR_SHARE } from '@quic-swarm/kernels';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baselineForecasts } from '../src/research/baselines.ts';
import { ForecastContexts } from '../src/research/forecast-context.ts';
import { outcomeAfter, pastVolatilities } from '../src/research/volatility.ts';
import { walkSteps, type PlannedTask, type WalkOptions } from '../src/research/walk-plan.ts';
import { walk, type Forecast, type WalkedTask } from '../src/research/walk.ts';

const plans = fc.record({
  rows: fc.array(fc.integer({ min: 0, max: 90 }), { minLength: 1, maxLength: 4 }),
  firstRow: fc.integer({ min: 0, max: 40 }),
  horizon: fc.integer({ min: 1, max: 12 }),
  stride: fc.integer({ min: 1, max: 7 }),
  stepsMax: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
});

const keyOf = ({ series, row }: PlannedTask): string => `${series}:${row}`;

/** All tasks of earlier steps whose outcome lies at or before a row: the definition, not the plan's way to it. */
function knowable(submitted: readonly PlannedTask[], row: number, horizon: number): string[] {
  return submitted
    .filter((task) => task.row + horizon <= row)
    .map(keyOf)
    .sort();
}

/** Prices with some nerve, the same for the same seed. */
function prices(seed: number, length: number): Float64Array {
  let state = seed;
  let level = 100;
  return Float64Array.from({ length }, (_, row) => {
    state = (state * 48_271 + 11) % 2_147_483_647;
    const shock = (state / 2_147_483_647 - 0.5) * (0.01 + 0.01 * Math.sin(row / 40));
    level *= Math.exp(shock);
    return level;
  });
}

const forecastOf = (task: PlannedTask): Forecast => {
  const arm = { window: 20 };
  const byArm = [{ arm, logVolatility: -4 }];
  return { taskId: keyOf(task), arm, logVolatility: -4, byArm };
};

describe('the plan of a walk', () => {
  it('has every task once, in the rows that have both a past and an outcome', () => {
    fc.assert(
      fc.property(plans, (options: WalkOptions) => {
        const { rows, firstRow, horizon, stride, stepsMax = Infinity } = options;
        const expected: string[] = [];
        for (let step = 0; step < Math.min(stepsMax, 200); step += 1) {
          const row = firstRow + step * stride;
          for (const [series, length] of rows.entries()) {
            if (row <= length - 1 - horizon) expected.push(keyOf({ series, row }));
          }
        }
        const tasks = walkSteps(options).flatMap((step) => step.tasks);
        expect(tasks.map(keyOf).sort()).toEqual(expected.sort());
      }),
    );
  });

  it('tells an outcome before every task that may know it, never earlier, and once', () => {
    fc.assert(
      fc.property(plans, (options: WalkOptions) => {
        const submitted: PlannedTask[] = [];
        const told: string[] = [];
        let lastRow = -1;
        for (const { row, known, tasks } of walkSteps(options)) {
          expect(row).toBeGreaterThan(lastRow);
          lastRow = row;
          told.push(...known.map(keyOf));
          expect([...told].sort()).toEqual(knowable(submitted, row, options.horizon));
          for (const task of tasks) expect(task.row).toBe(row);
          submitted.push(...tasks);
        }
        expect(told.sort()).toEqual(submitted.map(keyOf).sort());
      }),
    );
  });
});

describe('a walk', () => {
  const never = new AbortController().signal;

  it('submits no task before all that may be known was told, however long each takes', async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.scheduler(), async (options: WalkOptions, scheduler) => {
        const steps = walkSteps(options);
        const submitted: PlannedTask[] = [];
        const told: string[] = [];
        const wait = async (): Promise<void> => scheduler.schedule(Promise.resolve());
        const walking = walk(
          steps,
          {
            forecast: async (task) => {
              const others = submitted.filter(({ row }) => row < task.row);
              expect([...told].sort()).toEqual(knowable(others, task.row, options.horizon));
              submitted.push(task);
              await wait();
              return forecastOf(task);
            },
            tellOutcome: async (task) => {
              await wait();
              told.push(keyOf(task));
            },
          },
          { signal: never, onStep: () => {} },
        );
        const walked = await scheduler.waitFor(walking);
        expect(walked.failure).toBeUndefined();
        expect(walked.tasks.map(keyOf)).toEqual(steps.flatMap(({ tasks }) => tasks.map(keyOf)));
        expect(told.sort()).toEqual(submitted.map(keyOf).sort());
      }),
      { numRuns: 30 },
    );
  });

  const steps = walkSteps({ rows: [40, 40], firstRow: 10, horizon: 5, stride: 1 });

  it('ends with what is known when it is interrupted', async () => {
    const controller = new AbortController();
    const told: WalkedTask[] = [];
    const { tasks, failure } = await walk(
      steps,
      {
        forecast: async (task) => {
          // The second series of a step is refused by the signal that came during the first.
          if (task.row === 20 && task.series === 1) throw new Error('cancelled');
          if (task.row === 20) controller.abort();
          return Promise.resolve(forecastOf(task));
        },
        tellOutcome: async (task) => {
          told.push(task);
          return Promise.resolve();
        },
      },
      { signal: controller.signal, onStep: () => {} },
    );
    expect(failure).toBeUndefined();
    expect(tasks).toHaveLength(21);
    expect(tasks.at(-1)).toMatchObject({ series: 0, row: 20, step: 10 });
    expect(Math.max(...told.map(({ row }) => row))).toBe(15);
  });

  it.each(['forecast', 'tellOutcome'] as const)(
    'ends with the failure of a %s and what is known',
    async (what) => {
      const counts = { forecast: 0, tellOutcome: 0 };
      const act = (name: typeof what): void => {
        counts[name] += 1;
        if (name === what && counts[name] === 3) throw new Error('out of coffee');
      };
      const { tasks, failure } = await walk(
        steps,
        {
          forecast: async (task) => {
            act('forecast');
            return Promise.resolve(forecastOf(task));
          },
          tellOutcome: async () => {
            act('tellOutcome');
            return Promise.resolve();
          },
        },
        { signal: never, onStep: () => {} },
      );
      expect(failure?.message).toBe('out of coffee');
      expect(tasks).toHaveLength(what === 'forecast' ? 3 : 12);
      // Nothing is submitted behind a step that failed.
      expect(counts.forecast).toBe(what === 'forecast' ? 4 : 12);
    },
  );
});

describe('what is known at a row', () => {
  it('does not change with what comes after it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 0, max: 79 }),
        fc.integer({ min: 1, max: 1e6 }),
        (seed, step, otherSeed) => {
          const horizon = 5;
          const history = 60;
          const plan = { rows: [300, 300], firstRow: 130, horizon, stride: 2, stepsMax: 80 };
          const steps = walkSteps(plan);
          const row = steps[step]?.row ?? 0;
          const real = [prices(seed, 300), prices(seed + 1, 300)];
          // The same up to the row, and quite another world behind it.
          const other = real.map((values, index) => {
            const changed = prices(otherSeed + index, 300).map((value) => value * 3);
            changed.set(values.subarray(0, row + 1));
            return changed;
          });
          const seen = [real, other].map((world) => {
            const series = world.map((values) => ({ prices: values, history }));
            const forecast = baselineForecasts(series, steps, horizon);
            return series.map((each, index) => ({
              ...forecast({ series: index, row }),
              context: new ForecastContexts(each).at(row),
            }));
          });
          expect(seen[1]).toEqual(seen[0]);
          expect(seen[0]?.flatMap(({ har, persistence }) => [har, persistence])).toSatisfy(
            (values: number[]) => values.every(Number.isFinite),
          );
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is six numbers about volatilities of different lengths', () => {
    const history = 100;
    const values = prices(7, 400);
    const contexts = new ForecastContexts({ prices: values, history });
    const row = 250;
    const moves = Array.from({ length: history }, (_, back) =>
      Math.log((values[row - back] ?? 0) / (values[row - back - 1] ?? 0)),
    );
    const mean = (list: number[]): number => list.reduce((sum, x) => sum + x, 0) / list.length;
    const volatility = (steps: number): number =>
      Math.log(Math.sqrt(mean(moves.slice(0, steps).map((move) => move ** 2))));
    const [week, month, quarter, usual] = [5, 20, 60, history].map(volatility) as [
      number,
      number,
      number,
      number,
    ];
    const sizes = moves.slice(0, 20).map((move) => Math.log(Math.abs(move)));
    // A move that is much smaller than usual counts as one of a share of the usual.
    const floored = sizes.map((size) => Math.max(size, usual + Math.log(RETURN_FLOOR_SHARE)));
    const spread = Math.sqrt(mean(floored.map((size) => (size - mean(floored)) ** 2)));
    const expected = [
      2 * (week - month),
      3 * (month - quarter),
      3 * (quarter - usual),
      3 * Math.abs(month - usual) - 1,
      2 * (spread - 1),
      2 * (month - mean(floored) - 0.6),
    ];
    for (const [index, value] of contexts.at(row).entries()) {
      expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 9);
    }
  });

  it('is finite where nothing moves', () => {
    const flat = { prices: new Float64Array(200).fill(100), history: 50 };
    const context = new ForecastContexts(flat).at(199);
    expect(context).toHaveLength(6);
    expect(context.every(Number.isFinite)).toBe(true);
  });

  it('is measured like what is forecast', () => {
    const values = prices(3, 100);
    const series = { prices: values, history: 100 };
    const changes = [...values].slice(1).map((value, row) => Math.log(value / (values[row] ?? 0)));
    // Returns 81 … 85 belong to the steps after row 80.
    const squares = changes.slice(80, 85).reduce((sum, change) => sum + change ** 2, 0);
    const expected = Math.log(Math.sqrt(squares / 5));
    expect(outcomeAfter(series, 80, 5)).toBeCloseTo(expected, 9);
    expect(pastVolatilities(series)[0]?.[85]).toBeCloseTo(expected, 9);
    expect(pastVolatilities(series)[1]?.[19]).toBeNaN();
    expect(pastVolatilities(series)[1]?.[20]).not.toBeNaN();
  });
});
