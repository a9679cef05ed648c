/**
 * `swarm research forecast`: walks through series of prices day by day, has the volatility of the next days forecast with
 * the parameters that the coordinator chooses, tells it how that turned out when it is known, and says what learning has
 * been worth.
 */
import type { SwarmClient } from '@quic-swarm/client';
import type { Arm } from '@quic-swarm/protocol';
import type { CommandContext } from '../command-line/context.ts';
import type { Command } from '../command-line/specification.ts';
import type { Series } from '../input/series-file.ts';
import { CommandError } from '../output/command-error.ts';
import { EXIT, exitCodeOf, type ExitCode } from '../output/exit-codes.ts';
import { failureLines, reportedErrorOf } from '../output/failure-report.ts';
import { toJson } from '../output/json.ts';
import { ProgressBar } from '../output/progress-bar.ts';
import { readPlotPath, writePlot } from '../plot/plot-file.ts';
import { regretPlot } from '../plot/regret-plot.ts';
import { baselineForecasts } from '../research/baselines.ts';
import {
  firstRowOf,
  parseForecastOptions,
  readForecastSeries,
  type ForecastOptions,
} from '../research/forecast-options.ts';
import {
  forecastJson,
  forecastLines,
  forecastPicture,
  type WalkedThrough,
} from '../research/forecast-report.ts';
import { judgedTasks } from '../research/judged-tasks.ts';
import { forecastScores, type ForecastScores } from '../research/forecast-scores.ts';
import { SwarmForecaster } from '../research/swarm-forecaster.ts';
import { walkSteps, type WalkStep } from '../research/walk-plan.ts';
import { walk, type Walked } from '../research/walk.ts';
import { readSessionOptions, withSwarm } from '../session/client-session.ts';

const TASK_TYPE = 'VolatilityForecast';

/** Fewer steps cannot be compared. */
const STEPS_MIN = 2;

/** The command. */
export const researchForecastCommand: Command = {
  async run(values, context) {
    const options = parseForecastOptions(values);
    const plotPath = await readPlotPath(values);
    const session = await readSessionOptions(values, context);
    const series = await readForecastSeries(options);
    const { horizon, stride, stepsMax } = options;
    const steps = walkSteps({
      rows: series.map(({ values: { length } }) => length),
      firstRow: firstRowOf(options),
      horizon,
      stride,
      stepsMax,
    });
    const { learner, walked } = await withSwarm(context, session, async (swarm) => ({
      learner: await requireLearner(swarm, context),
      walked: await walkedThrough(swarm, context, { series, options, steps }),
    }));
    return report(context, { series, options, steps, walked, learner, plotPath });
  },
};

interface Walk {
  readonly series: readonly Series[];
  readonly options: ForecastOptions;
  readonly steps: readonly WalkStep[];
}

/** What the coordinator knows of the forecasts before the walk begins. */
interface Learner {
  /** What is used where nobody has learnt anything. */
  readonly defaultArm: Arm;
  /** From which something was learnt before. */
  readonly outcomesBefore: number;
}

/** Throws unless the coordinator learns and an agent can forecast. */
async function requireLearner(
  swarm: SwarmClient,
  { interruption }: CommandContext,
): Promise<Learner> {
  const types = await interruption.orInterrupted(swarm.reasoning('types'));
  const type = types.find(({ taskType }) => taskType === TASK_TYPE);
  const agents = await interruption.orInterrupted(swarm.agents());
  const isThere = agents.some(
    ({ agentType, capabilities }) => agentType === 'pattern' && capabilities.includes(TASK_TYPE),
  );
  if (type === undefined || !isThere) {
    throw new CommandError('CONNECT_FAILED', `No agent is connected that computes ${TASK_TYPE}.`, {
      hint: 'Start one:  agent ADDR agent-1 pattern',
    });
  }
  const arms = await interruption.orInterrupted(swarm.reasoning('arms', { taskType: TASK_TYPE }));
  const defaultArm = arms.find(({ isDefault }) => isDefault)?.arm ?? {};
  return { defaultArm, outcomesBefore: type.resolved };
}

async function walkedThrough(
  swarm: SwarmClient,
  { terminal, interruption }: CommandContext,
  { series, options, steps }: Walk,
): Promise<Walked> {
  const { signal } = interruption;
  const bar = new ProgressBar(terminal, TASK_TYPE);
  try {
    const preparing = SwarmForecaster.prepare(swarm, series, options, signal);
    const forecaster = await interruption.orInterrupted(preparing);
    return await walk(steps, forecaster, {
      signal,
      onStep: (step) => {
        bar.update(step / steps.length, `${step} of ${steps.length} steps`);
      },
    });
  } finally {
    bar.stop();
  }
}

interface Finished extends Walk {
  readonly walked: Walked;
  readonly learner: Learner;
  readonly plotPath: string | undefined;
}

async function report(context: CommandContext, finished: Finished): Promise<ExitCode> {
  const { terminal, json, interruption } = context;
  const { walked, plotPath } = finished;
  const failure = walked.failure === undefined ? undefined : reportedErrorOf(walked.failure);
  const stepsWalked = new Set(walked.tasks.map(({ step }) => step)).size;
  if (stepsWalked < STEPS_MIN) {
    if (walked.failure !== undefined) throw walked.failure;
    const message = `After ${stepsWalked} step${stepsWalked === 1 ? '' : 's'} there is nothing to compare.`;
    if (interruption.exitCode === undefined) {
      throw new CommandError('BAD_OPTION', message, { hint: 'Take more --steps.' });
    }
    terminal.note(message);
    return interruption.exitCode;
  }
  const { scores, through } = scored(finished, stepsWalked);
  if (json) {
    const told = forecastJson(scores, through);
    terminal.printJson(toJson(failure === undefined ? told : { ...told, failure }));
  } else for (const line of forecastLines(scores, through)) terminal.print(line);
  if (plotPath !== undefined) {
    await writePlot(context, plotPath, regretPlot(forecastPicture(scores, through)));
  }
  if (failure === undefined) return interruption.exitCode ?? EXIT.ok;
  for (const line of failureLines(failure, terminal)) terminal.note(line);
  return exitCodeOf(failure);
}

function scored(
  { series, options, steps, walked, learner }: Finished,
  stepsWalked: number,
): { scores: ForecastScores; through: WalkedThrough } {
  const { horizon, history, stride } = options;
  const histories = series.map(({ values: prices }) => ({ prices, history }));
  const baselines = baselineForecasts(histories, steps, horizon);
  const { tasks, arms } = judgedTasks(walked.tasks, { series: histories, horizon, baselines });
  // Outcomes overlap for a horizon, and volatility is alike for weeks.
  const blockLength = Math.max(Math.ceil((5 * horizon) / stride), Math.round(stepsWalked ** 0.5));
  const { defaultArm, outcomesBefore } = learner;
  return {
    scores: forecastScores(tasks, arms, { blockLength, defaultArm }),
    through: {
      series: series.map(({ name }) => name),
      horizon,
      history,
      stride,
      steps: stepsWalked,
      stepsPlanned: steps.filter(({ tasks: planned }) => planned.length > 0).length,
      outcomesBefore,
    },
  };
}
