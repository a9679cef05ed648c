/** Four of the five kinds of task, each with a question that somebody could ask of these prices, and its answer in words. */
import type { SwarmClient } from '@quic-swarm/client';
import type { BuiltInTaskType, InputOf, ResultOf } from '@quic-swarm/protocol';
import { gradientNorm } from '../commands/submit-train.ts';
import { formatNumber } from '../output/table.ts';
import { returnColumn, type MarketData } from './market-data.ts';

/** What one task found. */
export interface Finding {
  readonly taskType: BuiltInTaskType;
  readonly agentId: string;
  /** The question, then the answer. */
  readonly lines: readonly string[];
  /** The same as data. */
  readonly figures: Readonly<Record<string, unknown>>;
  readonly totalMs: number;
  readonly computeMs: number;
}

/** Where the tasks find their numbers. */
export interface DemoData extends MarketData {
  readonly datasetId: string;
}

const QUERY_ROWS = 60;

/** Submits one task, and turns its outcome into a finding. */
type Question = (swarm: SwarmClient, data: DemoData) => Promise<Finding>;

/** Runs a task and describes its result. */
async function ask<T extends BuiltInTaskType>(
  swarm: SwarmClient,
  taskType: T,
  input: InputOf<T>,
  describe: (result: ResultOf<T>) => Pick<Finding, 'lines' | 'figures'>,
): Promise<Finding> {
  const handle = await swarm.submit(taskType, input);
  const outcome = await handle.outcome();
  if (outcome.error !== undefined) throw outcome.error;
  const { totalMs, computeMs, agentId = '?' } = outcome;
  const described = describe(outcome.result as ResultOf<T>);
  return { taskType, agentId, totalMs, computeMs, ...described };
}

/** When did the DAX last look as it does now? */
export const findPattern: Question = (swarm, data) => {
  const { datasetId, rows } = data;
  const query = { start: rows - QUERY_ROWS, end: rows };
  const input: InputOf<'PatternMatch'> = {
    series: { datasetId, column: 'DAX' },
    query: { datasetId, column: 'DAX', ...query },
    excludeRows: query,
    algorithm: 'dtw',
    band: 3,
    topK: 3,
  };
  return ask(swarm, 'PatternMatch', input, ({ matches, stats }) => {
    const [best, ...others] = matches;
    const first =
      best === undefined
        ? 'no window at all'
        : `days ${best.start}-${best.start + best.length - 1}, DTW distance ${formatNumber(best.distance, 4)}`;
    const rest = others.map(({ start, distance }) => `${start} (${formatNumber(distance, 4)})`);
    return {
      lines: [
        `When did the DAX last look like its last ${QUERY_ROWS} days (${query.start}-${query.end - 1})?`,
        `${first}; then from day ${rest.join(', ')} (${stats['positions'] ?? 0} windows)`,
      ],
      figures: { query, matches },
    };
  });
};

/** Which indices move together? */
export const correlateIndices: Question = (swarm, { datasetId, indices }) => {
  const input: InputOf<'StrategyCorrelation'> = {
    method: 'spearman',
    columns: indices.map((name) => ({ name, series: { datasetId, column: returnColumn(name) } })),
  };
  return ask(swarm, 'StrategyCorrelation', input, ({ matrix, columns }) => {
    const pairs = columns.flatMap((first, row) =>
      columns.slice(row + 1).map((second, offset) => ({
        first,
        second,
        correlation: matrix[row * columns.length + row + 1 + offset] ?? Number.NaN,
      })),
    );
    pairs.sort((a, b) => Math.abs(b.correlation) - Math.abs(a.correlation));
    const texts = pairs.map(
      ({ first, second, correlation }) => `${first}-${second} ${correlation.toFixed(2)}`,
    );
    return {
      lines: [
        'Whose daily returns move together (Spearman)?',
        `strongest ${texts[0] ?? '-'}, weakest ${texts.at(-1) ?? '-'}`,
      ],
      figures: { pairs },
    };
  });
};

/** Where does the DAX stand? */
export const computeFeatures: Question = (swarm, { datasetId, rows, prices }) => {
  const input: InputOf<'FeatureEngineering'> = {
    series: { datasetId, column: 'DAX' },
    indicators: ['rsi14', 'sma20', 'macd', 'bollinger20'],
  };
  return ask(swarm, 'FeatureEngineering', input, ({ columns }) => {
    const last = Object.fromEntries(columns.map(({ name, values }) => [name, values.at(-1)]));
    const text = (name: string): string => formatNumber(last[name], 5);
    const close = prices.get('DAX')?.at(-1);
    return {
      lines: [
        `Where does the DAX stand on its last day (${rows - 1})?`,
        `close ${formatNumber(close, 6)}, RSI14 ${text('rsi14')}, SMA20 ${text('sma20')}, MACD ${text('macd')}, Bollinger ${text('bollingerLower')} to ${text('bollingerUpper')}`,
      ],
      figures: { close, last },
    };
  });
};

/** Which way would training go from here? */
export const trainOneRound: Question = (swarm, { datasetId }) => {
  const input: InputOf<'NeuralTraining'> = {
    series: { datasetId, column: 'DAX' },
    lags: 8,
    hidden: [16],
    seed: 1,
  };
  return ask(swarm, 'NeuralTraining', input, (result) => {
    const { layers, samples, lossBefore } = result;
    const norm = gradientNorm(result);
    return {
      lines: [
        `What is the first gradient of a network (${layers.join('-')}) that forecasts the next return?`,
        `loss ${formatNumber(lossBefore, 4)} over ${samples} samples, gradient norm ${formatNumber(norm, 4)}`,
      ],
      figures: { layers, samples, loss: lossBefore, gradientNorm: norm },
    };
  });
};
