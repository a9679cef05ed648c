/**
 * Lets a learner choose the parameters of tasks, one after the other, and learn from each outcome on the day on which it
 * is known, and from no other.
 */
import {
  Learner,
  utilityOf,
  UtilityScale,
  type LearnerOptions,
  type Observation,
} from '@quic-swarm/reasoning';
import { CONTEXT_LENGTH, volatilityArms, type VolatilityTask } from './volatility-tasks.ts';

/** What a learner gets to see beside the outcome of the arm that it chose. */
export interface PolicyRunOptions {
  readonly learner: LearnerOptions;
  /** The runner-up of each task is replayed. */
  readonly hasShadow: boolean;
  /** Arms that the same search answers are seen as well. */
  readonly hasFree: boolean;
}

/** What was chosen for each task. */
export interface PolicyRun {
  readonly armIndexes: readonly number[];
  /** (forecast − actual)² of the arm that was chosen, task by task. */
  readonly losses: Float64Array;
}

/** An outcome that is not known yet. */
interface Pending {
  readonly task: VolatilityTask;
  readonly armIndexes: readonly number[];
}

/** @param tasks in the order of their days, see `volatilityTasks` */
export function runPolicy(tasks: readonly VolatilityTask[], options: PolicyRunOptions): PolicyRun {
  const learner = new Learner(volatilityArms, {
    contextLength: CONTEXT_LENGTH,
    ...options.learner,
  });
  const scale = new UtilityScale();
  const pending: Pending[] = [];
  const armIndexes: number[] = [];
  const losses = new Float64Array(tasks.length);
  for (const [index, task] of tasks.entries()) {
    while (pending[0] !== undefined && pending[0].task.resolvedOnDay <= task.day) {
      resolve(pending.shift() as Pending, learner, scale);
    }
    const { armIndex, runnerUpIndex } = learner.choose(task.context, noChance);
    armIndexes.push(armIndex);
    losses[index] = lossOf(task, armIndex);
    const computed = [armIndex];
    if (options.hasShadow && runnerUpIndex !== undefined) computed.push(runnerUpIndex);
    const free = options.hasFree ? computed.flatMap((arm) => learner.freeWith(arm)) : [];
    pending.push({ task, armIndexes: [...new Set([...computed, ...free])] });
  }
  return { armIndexes, losses };
}

/** The squared error of an arm's forecast. */
export function lossOf({ forecasts, actual }: VolatilityTask, armIndex: number): number {
  return ((forecasts[armIndex] as number) - actual) ** 2;
}

/** All arms of a task are scored with one scale, which no loss of the task itself has made: as ExperienceBank does it. */
function resolve({ task, armIndexes }: Pending, learner: Learner, scale: UtilityScale): void {
  const losses = armIndexes.map((armIndex) => lossOf(task, armIndex));
  const { scale: unit } = scale;
  if (unit !== undefined) {
    const observations = armIndexes.map((armIndex, index): Observation => {
      return { armIndex, utility: utilityOf(losses[index] as number, unit) };
    });
    learner.learn(task.context, observations);
  }
  for (const loss of losses) scale.observe(loss);
}

function noChance(): number {
  throw new Error('A learner without exploration asked for chance.');
}
