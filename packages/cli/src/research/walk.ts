/** Walks through series as a plan says: tells outcomes, submits tasks, and gathers what was forecast. */
import type { Arm } from '@quic-swarm/protocol';
import type { PlannedTask, WalkStep } from './walk-plan.ts';

/** What an arm forecasts. */
export interface ArmForecast {
  readonly arm: Arm;
  readonly logVolatility: number;
}

/** What came back of a task. */
export interface Forecast {
  readonly taskId: string;
  /** The parameters that the coordinator chose. */
  readonly arm: Arm;
  readonly logVolatility: number;
  /** What each arm forecasts, in the same order for every task. */
  readonly byArm: readonly ArmForecast[];
}

/** A task with its forecast. */
export interface WalkedTask extends PlannedTask {
  /** Counts the steps, from 0. */
  readonly step: number;
  readonly forecast: Forecast;
}

/** Who forecasts, and hears how it turned out. */
export interface Forecaster {
  forecast(task: PlannedTask): Promise<Forecast>;
  /** Called once for each task, when its outcome is known at the row where the walk is. */
  tellOutcome(task: WalkedTask): Promise<void>;
}

/** Options of {@link walk}. */
export interface WalkingOptions {
  /** Raised: the walk ends, with what is known by then. */
  readonly signal: AbortSignal;
  readonly onStep: (step: number) => void;
}

/** How far a walk came. */
export interface Walked {
  /** In the order of their steps and series. */
  readonly tasks: readonly WalkedTask[];
  /** What ended it before its end, when that was not the signal: an hour's work is not lost with its last task. */
  readonly failure: Error | undefined;
}

/** Walks to the end, until the signal is raised, or until something fails; never rejects. */
export async function walk(
  steps: readonly WalkStep[],
  forecaster: Forecaster,
  { signal, onStep }: WalkingOptions,
): Promise<Walked> {
  const walked = new Map<string, WalkedTask>();
  let failure: Error | undefined;
  for (const [step, { known, tasks }] of steps.entries()) {
    const outcomes = known.map(async (task) => {
      const done = walked.get(keyOf(task));
      if (done !== undefined) await forecaster.tellOutcome(done);
    });
    const told = await Promise.allSettled(outcomes);
    failure = failureOf(told);
    if (isRaised(signal) || failure !== undefined) break;
    const forecasts = await Promise.allSettled(
      tasks.map(async (task) => {
        const forecast = await forecaster.forecast(task);
        walked.set(keyOf(task), { ...task, step, forecast });
      }),
    );
    failure = failureOf(forecasts);
    if (isRaised(signal) || failure !== undefined) break;
    onStep(step + 1);
  }
  // Tasks of one step end in any order; the report does not depend on it.
  const done = [...walked.values()].sort((a, b) => a.step - b.step || a.series - b.series);
  // Whatever fails after the signal fails because of it.
  return { tasks: done, failure: isRaised(signal) ? undefined : failure };
}

/** Asked anew each time: it changes while the walk waits. */
function isRaised(signal: AbortSignal): boolean {
  return signal.aborted;
}

function keyOf({ series, row }: PlannedTask): string {
  return `${series}:${row}`;
}

function failureOf(ends: readonly PromiseSettledResult<void>[]): Error | undefined {
  const failed = ends.find(({ status }) => status === 'rejected');
  if (failed?.status !== 'rejected') return undefined;
  const reason: unknown = failed.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}
