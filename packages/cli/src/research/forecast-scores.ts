/** How well each way of forecasting has done on the same tasks. Errors are mean squared errors of the log volatility. */
import type { Arm } from '@quic-swarm/protocol';
import { CommandError } from '../output/command-error.ts';
import { isSameArm } from './arms.ts';
import { blockBootstrap, savedShare, type ConfidenceInterval } from './block-bootstrap.ts';

/** The ways of forecasting that are compared. */
export const FORECASTERS = [
  'learned',
  'fixed',
  'random',
  'persistence',
  'har',
  'bestFixedInHindsight',
] as const;

/** One of {@link FORECASTERS}. */
export type ForecasterName = (typeof FORECASTERS)[number];

/** A task, and how it turned out. */
export interface JudgedTask {
  /** Tasks of one step share what the market did, so that they count as one draw. */
  readonly step: number;
  readonly actual: number;
  readonly learned: number;
  readonly persistence: number;
  readonly har: number;
  /** What each arm would have forecast. */
  readonly byArm: readonly number[];
  /** Which of them was used. */
  readonly used: number;
}

/** How much error one way saves against another. */
export interface Saving extends ConfidenceInterval {
  /** 0.1: ten per cent less error. */
  readonly share: number;
}

/** How one arm has done. */
export interface ArmScore {
  readonly arm: Arm;
  /** Tasks for which it was chosen. */
  readonly used: number;
  /** On all tasks, whether it was chosen or not. */
  readonly error: number;
}

/** Everything that a report says. */
export interface ForecastScores {
  readonly tasks: number;
  readonly error: Readonly<Record<ForecasterName, number>>;
  /** What each saves against the mean of all arms, which is what choosing at random is to be expected to cost. */
  readonly againstRandom: Readonly<Record<ForecasterName, Saving>>;
  /** What the learnt choice saves against each. */
  readonly learnedAgainst: Readonly<Record<ForecasterName, Saving>>;
  /** 0: no better than random; 1: as good as the best arm. NaN where the arms do not differ. */
  readonly gapClosed: number;
  readonly arms: readonly ArmScore[];
  /** The arm that is used where nothing is learnt. */
  readonly fixed: number;
  /** The arm that would have been best, had it been known. */
  readonly best: number;
  /** Cumulative losses beyond those of the best arm, step by step. */
  readonly regret: Readonly<Record<ForecasterName, readonly number[]>>;
}

/** Options of {@link forecastScores}. */
export interface ScoringOptions {
  /** Steps that belong together, for the intervals. */
  readonly blockLength: number;
  readonly defaultArm: Arm;
}

/** Scores of tasks in the order of their steps. @throws UNSUPPORTED_OPTION when the default is none of the arms */
export function forecastScores(
  tasks: readonly JudgedTask[],
  arms: readonly Arm[],
  options: ScoringOptions,
): ForecastScores {
  const armErrors = arms.map((_, index) => meanOf(tasks.map((task) => lossOf(task, index))));
  const best = armErrors.indexOf(Math.min(...armErrors));
  const fixed = requireIndexOf(options.defaultArm, arms);
  const lossOfTask = (task: JudgedTask, name: ForecasterName): number => {
    if (name === 'fixed') return lossOf(task, fixed);
    return name === 'bestFixedInHindsight' ? lossOf(task, best) : lossBy(task, name);
  };
  const losses = byForecaster((name) => lossesByStep(tasks, (task) => lossOfTask(task, name)));
  const savings = (own: ForecasterName, other: ForecasterName): Saving => ({
    share: savedShare(losses[own], losses[other]),
    ...blockBootstrap(losses[own], losses[other], options),
  });
  const error = byForecaster((name) => meanOf(tasks.map((task) => lossOfTask(task, name))));
  return {
    tasks: tasks.length,
    error,
    againstRandom: byForecaster((name) => savings(name, 'random')),
    learnedAgainst: byForecaster((name) => savings('learned', name)),
    gapClosed: (error.random - error.learned) / (error.random - error.bestFixedInHindsight),
    arms: arms.map((arm, index) => ({
      arm,
      used: tasks.filter(({ used }) => used === index).length,
      error: armErrors[index] ?? Number.NaN,
    })),
    fixed,
    best,
    regret: byForecaster((name) => regretOf(losses[name], losses.bestFixedInHindsight)),
  };
}

function lossOf({ byArm, actual }: JudgedTask, index: number): number {
  return ((byArm[index] ?? Number.NaN) - actual) ** 2;
}

type Unfixed = Exclude<ForecasterName, 'fixed' | 'bestFixedInHindsight'>;

function lossBy(task: JudgedTask, name: Unfixed): number {
  if (name === 'random') return meanOf(task.byArm.map((_, index) => lossOf(task, index)));
  return (task[name] - task.actual) ** 2;
}

function requireIndexOf(wanted: Arm, arms: readonly Arm[]): number {
  const index = arms.findIndex((arm) => isSameArm(arm, wanted));
  if (index >= 0) return index;
  throw new CommandError('UNSUPPORTED_OPTION', 'The default arm is none of those that forecast.', {
    hint: 'Start agents of one release, and the coordinator anew.',
  });
}

/** Sums over the tasks of each step. */
function lossesByStep(
  tasks: readonly JudgedTask[],
  lossOfTask: (task: JudgedTask) => number,
): number[] {
  const sums = new Map<number, number>();
  for (const task of tasks) sums.set(task.step, (sums.get(task.step) ?? 0) + lossOfTask(task));
  return [...sums.values()];
}

function regretOf(own: readonly number[], best: readonly number[]): number[] {
  let regret = 0;
  return own.map((loss, step) => (regret += loss - (best[step] ?? 0)));
}

function byForecaster<T>(value: (name: ForecasterName) => T): Record<ForecasterName, T> {
  return {
    learned: value('learned'),
    fixed: value('fixed'),
    random: value('random'),
    persistence: value('persistence'),
    har: value('har'),
    bestFixedInHindsight: value('bestFixedInHindsight'),
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
