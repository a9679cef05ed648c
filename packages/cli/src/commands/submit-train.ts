/** `swarm submit train`: one gradient round of a small network on one shard of the rows. */
import type { InputOf, ResultOf } from '@quic-swarm/protocol';
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import { readSeries } from '../input/series-file.ts';
import { inputError, usageError } from '../output/command-error.ts';
import { formatNumber } from '../output/table.ts';
import { readSubmissionOptions, submitAndReport, type ResultView } from '../session/submission.ts';

type Input = InputOf<'NeuralTraining'>;
type Result = ResultOf<'NeuralTraining'>;

/** What the command line says. */
export interface TrainOptions {
  readonly seriesPath: string;
  readonly column: string | undefined;
  readonly model: Pick<Input, 'lags' | 'hidden' | 'seed' | 'shard'>;
}

/** Reads the options. @throws BAD_OPTION */
export function parseTrainOptions(values: Values): TrainOptions {
  const shard = values.text('shard');
  return {
    seriesPath: values.requiredText('series', '--series prices.csv'),
    column: values.text('column'),
    model: {
      lags: values.integer('lags', { min: 1, max: 4096 }) ?? 8,
      hidden: (values.list('hidden') ?? ['16']).map(parseWidth),
      seed: values.integer('seed', { min: 0 }) ?? 1,
      ...(shard === undefined ? {} : { shard: parseShard(shard) }),
    },
  };
}

function parseWidth(text: string): number {
  const width = Number(text);
  if (/^\d+$/.test(text) && width >= 1 && width <= 4096) return width;
  throw usageError(
    `--hidden "${text}" is not a width from 1 to 4096.`,
    'For example: --hidden 16,8',
  );
}

/** `I/N`, I from 0. */
function parseShard(text: string): { index: number; count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(text.trim());
  const index = Number(match?.[1]);
  const count = Number(match?.[2]);
  if (match !== null && index < count) return { index, count };
  throw usageError(
    `--shard "${text}" is not I/N with I < N.`,
    'Shards count from 0: 0/4 is the first of four.',
  );
}

/** The command. */
export const submitTrainCommand: Command = {
  async run(values, context) {
    const { seriesPath, column, model } = parseTrainOptions(values);
    const submission = await readSubmissionOptions(values, context);
    const series = await readSeries(seriesPath, column);
    if (series.values.length < model.lags + 2) {
      throw inputError(
        `${model.lags} lags need at least ${model.lags + 2} rows; ${seriesPath} has ${series.values.length}.`,
        'Take fewer --lags or a longer series.',
      );
    }
    return submitAndReport(context, submission, {
      taskType: 'NeuralTraining',
      async prepare(swarm): Promise<Input> {
        const { datasetId } = await swarm.putTable({ [series.name]: series.values });
        return { series: { datasetId, column: series.name }, ...model };
      },
      ...trainView,
    });
  },
};

/** How the result is told. */
export const trainView: ResultView = {
  json: (result) => trainJson(result as Result),
  lines: (result) => trainLines(result as Result),
};

/** The Euclidean length of the gradient. */
export function gradientNorm({ values }: Pick<Result, 'values'>): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

function trainJson(result: Result): object {
  return { ...result, gradientNorm: gradientNorm(result) };
}

function trainLines(result: Result): string[] {
  return [
    `network          ${result.layers.join('-')} (${result.length} parameters)`,
    `samples          ${result.samples}`,
    `loss             ${formatNumber(result.lossBefore)}`,
    `gradient norm    ${formatNumber(gradientNorm(result))}`,
  ];
}
