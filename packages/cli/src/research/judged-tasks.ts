/** Puts what was forecast beside what came, and beside what others would have forecast. */
import type { Arm } from '@quic-swarm/protocol';
import { CommandError } from '../output/command-error.ts';
import { isSameArm } from './arms.ts';
import type { BaselineForecast } from './baselines.ts';
import type { JudgedTask } from './forecast-scores.ts';
import { outcomeAfter, type PriceHistory } from './volatility.ts';
import type { PlannedTask } from './walk-plan.ts';
import type { WalkedTask } from './walk.ts';

/** What tasks are judged by. */
export interface JudgingOptions {
  readonly series: readonly PriceHistory[];
  readonly horizon: number;
  readonly baselines: (task: PlannedTask) => BaselineForecast;
}

/** Tasks in order, and the arms that all of them had. */
export interface Judged {
  readonly tasks: readonly JudgedTask[];
  readonly arms: readonly Arm[];
}

/** @throws UNSUPPORTED_OPTION when the agents had different arms, which cannot be compared */
export function judgedTasks(
  walked: readonly WalkedTask[],
  { series, horizon, baselines }: JudgingOptions,
): Judged {
  const arms = walked[0]?.forecast.byArm.map(({ arm }) => arm) ?? [];
  const tasks = walked.map((task): JudgedTask => {
    const { step, row, forecast } = task;
    const { byArm, arm, logVolatility: learned } = forecast;
    const prices = series[task.series];
    const isAlike = byArm.every((each, index) => isSameArm(each.arm, arms[index] ?? {}));
    if (prices === undefined || !isAlike) {
      throw new CommandError('UNSUPPORTED_OPTION', 'The agents have different arms to compare.', {
        hint: 'Start agents of one release.',
      });
    }
    return {
      step,
      actual: outcomeAfter(prices, row, horizon),
      learned,
      ...baselines(task),
      byArm: byArm.map(({ logVolatility }) => logVolatility),
      used: arms.findIndex((each) => isSameArm(each, arm)),
    };
  });
  return { tasks, arms };
}
