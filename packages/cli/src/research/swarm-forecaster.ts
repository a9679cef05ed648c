/** Forecasts on a swarm: one task for each forecast, and its outcome when it is known. */
import type { SwarmClient } from '@quic-swarm/client';
import type { Arm, InputOf, ResultOf } from '@quic-swarm/protocol';
import type { Series } from '../input/series-file.ts';
import { CommandError } from '../output/command-error.ts';
import { ForecastContexts } from './forecast-context.ts';
import type { ForecastOptions } from './forecast-options.ts';
import { outcomeAfter } from './volatility.ts';
import type { PlannedTask } from './walk-plan.ts';
import type { Forecast, Forecaster, WalkedTask } from './walk.ts';

const TASK_TYPE = 'VolatilityForecast';

/** A series that the coordinator has. */
interface PutSeries {
  readonly series: Series;
  readonly id: string;
  readonly datasetId: string;
  readonly contexts: ForecastContexts;
}

/** See the head of this file. */
export class SwarmForecaster implements Forecaster {
  readonly #swarm: SwarmClient;
  readonly #options: ForecastOptions;
  readonly #signal: AbortSignal;
  readonly #series: readonly PutSeries[];

  /** Uploads the series, once each. @throws what `putTable` throws */
  static async prepare(
    swarm: SwarmClient,
    series: readonly Series[],
    options: ForecastOptions,
    signal: AbortSignal,
  ): Promise<SwarmForecaster> {
    const put: PutSeries[] = [];
    for (const each of series) {
      const { name, values: prices } = each;
      const { datasetId } = await swarm.putTable({ [name]: prices }, { name });
      const isAlone = series.filter((other) => other.name === name).length === 1;
      const id = isAlone ? name : `${name} (${put.length + 1})`;
      const contexts = new ForecastContexts({ prices, history: options.history });
      put.push({ series: each, id, datasetId, contexts });
    }
    return new SwarmForecaster(swarm, put, options, signal);
  }

  private constructor(
    swarm: SwarmClient,
    series: readonly PutSeries[],
    options: ForecastOptions,
    signal: AbortSignal,
  ) {
    this.#swarm = swarm;
    this.#series = series;
    this.#options = options;
    this.#signal = signal;
  }

  async forecast({ series: which, row }: PlannedTask): Promise<Forecast> {
    const { series, id, datasetId, contexts } = this.#of(which);
    const { horizon, history } = this.#options;
    const input: InputOf<typeof TASK_TYPE> = {
      prices: { datasetId, column: series.name },
      at: row,
      horizon,
      history,
      // Only for the comparison: what the coordinator learns from is what it would have without it.
      withAllArms: true,
    };
    const learn = { context: contexts.at(row), seriesId: id, step: row };
    const handle = await this.#swarm.submit(TASK_TYPE, input, { learn, signal: this.#signal });
    return forecastOf(handle.id, await handle.result());
  }

  async tellOutcome({ series: which, row, forecast }: WalkedTask): Promise<void> {
    const { series } = this.#of(which);
    const { horizon, history } = this.#options;
    const actual = outcomeAfter({ prices: series.values, history }, row, horizon);
    await this.#swarm.outcome(forecast.taskId, { actual, step: row + horizon });
  }

  #of(which: number): PutSeries {
    const put = this.#series[which];
    if (put === undefined) throw new RangeError(`There is no series ${which}.`);
    return put;
  }
}

/** What the comparison needs of a result. @throws UNSUPPORTED_OPTION when the agent does not tell it */
export function forecastOf(taskId: string, result: ResultOf<typeof TASK_TYPE>): Forecast {
  const { logVolatility, parameters, byArm = [] } = result;
  const own = byArm.find(({ arm }) => isArmOf(arm, parameters));
  if (own !== undefined) return { taskId, logVolatility, arm: own.arm, byArm };
  throw new CommandError(
    'UNSUPPORTED_OPTION',
    byArm.length === 0
      ? 'The agent does not tell what other parameters would have forecast.'
      : `The agent has used parameters that are none of its arms: ${JSON.stringify(parameters)}.`,
    { hint: 'Start agents of the same release as this command.' },
  );
}

function isArmOf(arm: Arm, parameters: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(arm).every(([name, value]) => parameters[name] === value);
}
