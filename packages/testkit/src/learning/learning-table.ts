/**
 * What learning gains: policies, fixed arms and forecasters that learn nothing of the kind, on the same tasks.
 */
import type { LearnerOptions } from '@quic-swarm/reasoning';
import { cutInterval, meanLoss, type CutInterval } from './cut-interval.ts';
import { lossOf, runPolicy, type PolicyRunOptions } from './policy-run.ts';
import { volatilityArms, type VolatilityTask } from './volatility-tasks.ts';

/** The defaults, which are about the best that the tuning series know for this one too. */
const PER_ARM: LearnerOptions = { policy: 'perArm' };
const SHARED: LearnerOptions = { policy: 'shared' };

/** The policies that learn, by name. */
export const learningPolicies: Readonly<Record<string, PolicyRunOptions>> = {
  'per arm': { learner: PER_ARM, hasShadow: false, hasFree: false },
  'per arm + shadow': { learner: PER_ARM, hasShadow: true, hasFree: false },
  'per arm + shadow + free': { learner: PER_ARM, hasShadow: true, hasFree: true },
  shared: { learner: SHARED, hasShadow: false, hasFree: false },
  'shared + free': { learner: SHARED, hasShadow: false, hasFree: true },
  'shared + shadow': { learner: SHARED, hasShadow: true, hasFree: false },
  'shared + shadow + free': { learner: SHARED, hasShadow: true, hasFree: true },
};

const RANDOM = 'random arms (expected)';

/** One line of the table. */
export interface LearningRow {
  readonly name: string;
  readonly tasks: number;
  /** Mean squared error. */
  readonly error: number;
  /** 1 − error / error of random arms. */
  readonly cut: number;
  /** Where the cut would lie on other series and days like these. */
  readonly interval: CutInterval;
  /** Share of the way from random arms to the best fixed arm in hindsight. */
  readonly gapClosed: number;
  /** In how many series the error is lower than that of random arms. */
  readonly seriesBetter: number;
}

/** What each line does, by name: its losses, task by task. Random arms, with which all others are compared, come first. */
const lines: Readonly<Record<string, (tasks: readonly VolatilityTask[]) => Float64Array>> = {
  [RANDOM]: randomLosses,
  'the first arm': (tasks) => fixed(tasks, 0),
  'best fixed arm in hindsight': (tasks) => fixed(tasks, bestFixedArm(tasks)),
  ...Object.fromEntries(
    Object.entries(learningPolicies).map(([name, options]) => [
      name,
      (tasks: readonly VolatilityTask[]) => runPolicy(tasks, options).losses,
    ]),
  ),
  'no learner: mean over all arms': (tasks) => by(tasks, meanForecast),
  'no learner: the past 20 days': (tasks) => by(tasks, ({ persistence }) => persistence),
  'no learner: a regression': (tasks) => by(tasks, ({ regression }) => regression),
};

/** The names of all lines, in the order of the table. */
export const learningLines: readonly string[] = Object.keys(lines);

/** All lines. The tasks must be those of `volatilityTasks`. */
export function learningTable(tasks: readonly VolatilityTask[]): LearningRow[] {
  return learningLines.map((name) => learningRow(tasks, name));
}

/** @throws RangeError when no line has this name */
export function learningRow(tasks: readonly VolatilityTask[], name: string): LearningRow {
  const losses = lines[name]?.(tasks);
  if (losses === undefined) throw new RangeError(`There is no line "${name}".`);
  const random = randomLosses(tasks);
  const best = meanLoss(fixed(tasks, bestFixedArm(tasks)));
  const error = meanLoss(losses);
  return {
    name,
    tasks: tasks.length,
    error,
    cut: 1 - error / meanLoss(random),
    interval: cutInterval(tasks, losses, random),
    gapClosed: (meanLoss(random) - error) / (meanLoss(random) - best),
    seriesBetter: seriesBetter(tasks, losses, random),
  };
}

/** The arm whose error over all tasks is the lowest, which nobody knows beforehand. */
function bestFixedArm(tasks: readonly VolatilityTask[]): number {
  const errors = volatilityArms.arms.map((_, arm) => meanLoss(fixed(tasks, arm)));
  return errors.indexOf(Math.min(...errors));
}

function fixed(tasks: readonly VolatilityTask[], armIndex: number): Float64Array {
  return Float64Array.from(tasks, (task) => lossOf(task, armIndex));
}

/** Of arms that are drawn at random: the mean over all arms, exactly. */
function randomLosses(tasks: readonly VolatilityTask[]): Float64Array {
  return Float64Array.from(tasks, (task) =>
    meanLoss(Float64Array.from(task.forecasts, (_, armIndex) => lossOf(task, armIndex))),
  );
}

function meanForecast({ forecasts }: VolatilityTask): number {
  return forecasts.reduce((sum, forecast) => sum + forecast, 0) / forecasts.length;
}

function by(
  tasks: readonly VolatilityTask[],
  forecast: (task: VolatilityTask) => number,
): Float64Array {
  return Float64Array.from(tasks, (task) => (forecast(task) - task.actual) ** 2);
}

function seriesBetter(
  tasks: readonly VolatilityTask[],
  losses: Float64Array,
  random: Float64Array,
): number {
  const gains = new Map<number, number>();
  for (const [index, { seriesIndex }] of tasks.entries()) {
    const gain = (random[index] as number) - (losses[index] as number);
    gains.set(seriesIndex, (gains.get(seriesIndex) ?? 0) + gain);
  }
  return [...gains.values()].filter((gain) => gain > 0).length;
}
