/** `swarm submit …`: one command per kind of task. */
import type { CommandSpecification, OptionSpecification } from '../command-line/specification.ts';
import { LEARN_OPTIONS, SUBMIT_OPTIONS } from './shared.ts';

const SERIES: OptionSpecification = { describe: 'CSV file: comma, semicolon or tab (required)' };
const COLUMN: OptionSpecification = {
  describe: 'Column by name (may be left out when the file has one column)',
};

const PATTERN: CommandSpecification = {
  name: 'pattern',
  summary: 'Find the windows of a series that resemble a query most (DTW or LCSS).',
  options: {
    series: SERIES,
    column: COLUMN,
    query: { describe: 'CSV file with the query: one column, or the same column name' },
    'query-rows': {
      describe: 'A:B takes rows A to B-1 of the series (from 0) and leaves out windows over them',
    },
    algorithm: { describe: 'dtw or lcss', default: 'dtw', words: ['dtw', 'lcss'] },
    band: { describe: 'Sakoe-Chiba band in points (default: a twentieth of the query)' },
    top: { describe: 'How many matches (default: 5; with --within all)' },
    within: { describe: 'Only matches up to this distance' },
    epsilon: { describe: 'lcss: values this near count as equal' },
    delta: { describe: 'lcss: and so many points apart' },
    'exclusion-zone': { describe: 'Least distance of two matches (default: a quarter query)' },
    path: { describe: 'dtw: also how each match was warped', isSwitch: true, default: false },
    plot: { describe: 'Draw the query, its matches and where they lie: FILE.svg' },
    normalise: { describe: 'z (compare shapes) or none (compare values)', default: 'z' },
    shards: { describe: 'Split the search over the agents: auto, or into how many parts' },
    ...LEARN_OPTIONS,
    ...SUBMIT_OPTIONS,
  },
  examples: [
    ['swarm submit pattern --series prices.csv --column DAX --query-rows 1800:1860 --top 3', ''],
  ],
  load: async () => (await import('../commands/submit-pattern.ts')).submitPatternCommand,
};

const CORRELATION: CommandSpecification = {
  name: 'correlation',
  summary: 'Correlate the columns of a file with each other.',
  options: {
    series: SERIES,
    columns: { describe: 'Columns a,b,… (default: every column of numbers)' },
    method: {
      describe: 'pearson or spearman',
      default: 'pearson',
      words: ['pearson', 'spearman'],
    },
    shrinkage: { describe: 'Towards no correlation, 0 to 1, or auto (for many columns, few rows)' },
    plot: { describe: 'Draw the matrix as a heat map: FILE.svg' },
    ...SUBMIT_OPTIONS,
  },
  examples: [
    ['swarm submit correlation --series prices.csv --columns DAX,SMI --method spearman', ''],
  ],
  load: async () => (await import('../commands/submit-correlation.ts')).submitCorrelationCommand,
};

const FEATURES: CommandSpecification = {
  name: 'features',
  summary: 'Compute indicators of one series, or of bars.',
  options: {
    series: SERIES,
    column: { describe: 'Column by name: the series; of bars, the close' },
    high: { describe: 'Column with the highs, for atr14, stochastic14-3, vwap' },
    low: { describe: 'Column with the lows, for the same' },
    volume: { describe: 'Column with the volumes, for obv, vwap' },
    indicators: {
      describe:
        'return, logreturn, sma20, ema20, wma20, rsi14, macd12-26-9, bollinger20-2, zscore20, volatility20, ' +
        'realised20, lags5, atr14, stochastic14-3, obv, vwap, vwap20 (numbers: their length; required)',
    },
    ...SUBMIT_OPTIONS,
  },
  examples: [
    ['swarm submit features --series prices.csv --column DAX --indicators sma20,rsi14,macd', ''],
    [
      'swarm submit features --series bars.csv --column close --high high --low low --indicators atr14',
      '',
    ],
  ],
  load: async () => (await import('../commands/submit-features.ts')).submitFeaturesCommand,
};

const TRAIN: CommandSpecification = {
  name: 'train',
  summary: 'Loss and gradient of a small neural network that forecasts the next return: one round.',
  options: {
    series: SERIES,
    column: COLUMN,
    lags: { describe: 'Returns that the network sees', default: '8' },
    hidden: { describe: 'Widths of its hidden layers, e.g. 16,8', default: '16' },
    seed: { describe: 'Makes its first parameters', default: '1' },
    shard: { describe: 'I/N: the I-th (from 0) of N equal parts of the rows' },
    ...SUBMIT_OPTIONS,
  },
  examples: [['swarm submit train --series prices.csv --column DAX --hidden 16 --shard 0/4', '']],
  load: async () => (await import('../commands/submit-train.ts')).submitTrainCommand,
};

const COMPUTE: CommandSpecification = {
  name: 'compute',
  summary: 'Run a task type of your own on an agent that was started with --handlers.',
  options: {
    task: { describe: 'Its name, for example my.task (required)' },
    input: { describe: 'JSON file with the input; - reads stdin (required)' },
    ...LEARN_OPTIONS,
    ...SUBMIT_OPTIONS,
  },
  examples: [['swarm submit compute --task my.task --input input.json', '']],
  load: async () => (await import('../commands/submit-compute.ts')).submitComputeCommand,
};

export const SUBMIT: CommandSpecification = {
  name: 'submit',
  summary: 'Submit one task, wait for it and print its result.',
  commands: [PATTERN, CORRELATION, FEATURES, TRAIN, COMPUTE],
};
