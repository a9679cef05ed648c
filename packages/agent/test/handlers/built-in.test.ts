/** The built-in handlers give what the kernels give, in the documents of the protocol. */
import {
  TASK_DOCUMENTS,
  decodeResult,
  encodeDocument,
  type BuiltInTaskType,
  type FeatureEngineeringInput,
  type NeuralTrainingInput,
  type ReasoningExperience,
  type ResultOf,
} from '@quic-swarm/protocol';
import { atr, correlate, initialiseMlp, searchPattern, sma, vwap } from '@quic-swarm/kernels';
import { expect, test } from 'vitest';
import computeFeatures from '../../src/handlers/feature.ts';
import matchPattern from '../../src/handlers/pattern.ts';
import judgeArms from '../../src/handlers/reasoning.ts';
import correlateStrategies from '../../src/handlers/strategy.ts';
import computeGradients from '../../src/handlers/trainer.ts';
import { handlerFailureOf } from '../../src/shell/handler-failure.ts';
import { DATASET_ID, contextWith, pricesOf } from '../support/context.ts';

const prices = pricesOf(2000);
const other = pricesOf(2000, 2);
const context = contextWith({ DAX: prices, gold: other });
const dax = { datasetId: DATASET_ID, column: 'DAX' };

/** Sends the result as it would travel, which also checks its schema. */
function travelled<T extends BuiltInTaskType>(taskType: T, result: unknown): ResultOf<T> {
  expect(TASK_DOCUMENTS[taskType].resultType).toBeTypeOf('string');
  return decodeResult(taskType, encodeDocument(result));
}

test.each(['dtw', 'lcss'] as const)(
  'PatternMatch by %s finds what the kernel finds',
  (algorithm) => {
    const query = { ...dax, start: 700, end: 760 };
    const fresh = contextWith({ DAX: prices });
    const input = { series: dax, query, algorithm, excludeRows: { start: 700, end: 760 } };
    const result = travelled('PatternMatch', matchPattern(input, fresh));
    const expected = searchPattern({
      series: prices,
      query: prices.slice(700, 760),
      algorithm,
      topK: 5,
      excludeRange: { start: 700, end: 760 },
    });
    expect(result.matches).toEqual(expected.matches);
    expect(result.matches).toHaveLength(5);
    expect(result.parameters).toMatchObject({ length: 60, band: 3, topK: 5, exclusionZone: 15 });
    expect(result.seriesDigest.length).toBe(2000);
    expect(result.kernelVersion).toMatch(/^\d+\.\d+\.\d+/);
    // It is over before anybody could want to know how far it is.
    expect(fresh.fractions).toEqual([]);
  },
);

test('PatternMatch finds an exact copy at distance 0', () => {
  const query = { values: prices.slice(1200, 1264) };
  const result = travelled(
    'PatternMatch',
    matchPattern({ series: dax, query, algorithm: 'dtw', topK: 1 }, context),
  );
  expect(result.matches[0]).toMatchObject({ start: 1200, length: 64 });
  expect(result.matches[0]?.distance).toBeCloseTo(0, 10);
});

test('PatternMatch finds all windows within a distance, and says what was asked for', () => {
  const query = { ...dax, start: 1200, end: 1264 };
  const input = { series: dax, query, algorithm: 'dtw', maximumDistance: 5.5 } as const;
  const result = travelled('PatternMatch', matchPattern(input, context));
  const expected = searchPattern({
    series: prices,
    query: prices.slice(1200, 1264),
    maximumDistance: 5.5,
  });
  expect(result.matches).toEqual(expected.matches);
  expect(result.matches.length).toBeGreaterThan(5);
  expect(result.truncated).toBe(false);
  expect(result.parameters).toMatchObject({ maximumDistance: 5.5, exclusionZone: 16 });
  expect(result.parameters).not.toHaveProperty('topK');
  const best = travelled('PatternMatch', matchPattern({ ...input, topK: 2 }, context));
  expect(best.matches).toEqual(expected.matches.slice(0, 2));
  expect(best.parameters.topK).toBe(2);
  expect(best).not.toHaveProperty('truncated');
});

test('PatternMatch brings the warping paths when they are wanted', () => {
  const query = { ...dax, start: 1200, end: 1264 };
  const input = { series: dax, query, algorithm: 'dtw', topK: 2 } as const;
  const result = travelled('PatternMatch', matchPattern({ ...input, withPath: true }, context));
  const expected = searchPattern({
    series: prices,
    query: prices.slice(1200, 1264),
    topK: 2,
    withPath: true,
  });
  expect(result.matches).toEqual(expected.matches);
  expect(result.matches[0]?.path).toEqual(
    Uint32Array.from({ length: 128 }, (_, index) => index >> 1),
  );
  const without = travelled('PatternMatch', matchPattern(input, context));
  expect(without.matches[0]).not.toHaveProperty('path');
});

test('PatternMatch stops when it is told to', () => {
  const stopped = contextWith({ DAX: prices }, { isCancelled: () => true });
  const run = (): unknown =>
    matchPattern({ series: dax, query: { ...dax, end: 50 }, algorithm: 'dtw' }, stopped);
  expect(run).toThrow(expect.objectContaining({ type: 'CANCELLED' }));
});

test('what a kernel refuses becomes a failure with its type and hint that is not tried again', () => {
  const query = { values: new Float64Array(0) };
  let thrown: unknown;
  try {
    void matchPattern({ series: dax, query, algorithm: 'dtw' }, context);
  } catch (error) {
    thrown = error;
  }
  expect(handlerFailureOf(thrown)).toMatchObject({
    code: 'INVALID_ARGUMENT',
    type: 'EMPTY_QUERY',
    retryable: false,
    hint: expect.stringContaining('pattern') as string,
  });
});

test('StrategyCorrelation shrinks by what was asked for or by its own estimate', () => {
  const columns = [dax, { ...dax, column: 'gold' }].map((series, i) => ({ name: `${i}`, series }));
  const run = (change: object): ResultOf<'StrategyCorrelation'> =>
    travelled(
      'StrategyCorrelation',
      correlateStrategies({ columns, method: 'pearson', ...change }, context),
    );
  const plain = run({});
  expect(plain).not.toHaveProperty('shrinkage');
  const quarter = run({ shrinkage: 0.25 });
  expect([quarter.shrinkage, quarter.matrix[1]]).toEqual([0.25, 0.75 * (plain.matrix[1] ?? NaN)]);
  const { shrinkage } = correlate({ columns: [prices, other], shrinkage: 'auto' });
  expect(run({ autoShrinkage: true }).shrinkage).toBe(shrinkage);
  expect(shrinkage).toBeGreaterThan(0);
});

test.each(['pearson', 'spearman'] as const)('StrategyCorrelation by %s', (method) => {
  const columns = [
    { name: 'a', series: dax },
    { name: 'b', series: { datasetId: DATASET_ID, column: 'gold' } },
    { name: 'short', series: { values: Float64Array.of(3, 1, 2) } },
  ];
  const result = travelled(
    'StrategyCorrelation',
    correlateStrategies({ columns, method }, context),
  );
  const short = new Float64Array(2000).fill(NaN);
  short.set([3, 1, 2]);
  const expected = correlate({ columns: [prices, other, short], method });
  // Whatever computed here: the last bits depend on the order of additions.
  for (const [index, coefficient] of expected.matrix.entries()) {
    expect(result.matrix[index]).toBeCloseTo(coefficient, 12);
  }
  expect(result.overlap).toEqual(expected.overlap);
  expect(result).toMatchObject({ rows: 2000, columns: ['a', 'b', 'short'] });
});

test('FeatureEngineering computes each indicator once, under its own name', () => {
  const indicators = ['sma20', 'bollinger', 'sma20'];
  const result = travelled(
    'FeatureEngineering',
    computeFeatures({ series: dax, indicators }, context),
  );
  expect(result.columns.map(({ name }) => name)).toEqual([
    'sma20',
    'bollingerUpper',
    'bollingerMiddle',
    'bollingerLower',
  ]);
  expect(result.columns[0]?.values).toEqual(sma(prices, 20));
  expect(result.rows).toBe(2000);
});

test('FeatureEngineering reads the other columns of bars, and says which one is missing', () => {
  const [high, low] = [prices.map((x) => x + 1), prices.map((x) => x - 2)];
  const bars = contextWith({ close: prices, high, low });
  const [series, highs] = [
    { datasetId: DATASET_ID, column: 'close' },
    { datasetId: DATASET_ID, column: 'high' },
  ];
  const indicators = ['atr5', 'vwap', 'obv'];
  const input = {
    series,
    high: highs,
    low: { values: low },
    volume: { values: other },
    indicators,
  };
  const result = travelled('FeatureEngineering', computeFeatures(input, bars));
  expect(result.columns.map(({ name }) => name)).toEqual(['atr5', 'vwap', 'obv']);
  expect(result.columns[0]?.values).toEqual(atr({ high, low, close: prices }, 5));
  expect(result.columns[1]?.values).toEqual(vwap({ high, low, close: prices, volume: other }));
  expect(bars.fractions).toEqual([1]);

  const failureOf = (given: FeatureEngineeringInput): object => {
    try {
      computeFeatures(given, bars);
    } catch (error) {
      return handlerFailureOf(error);
    }
    throw new Error('It did not fail.');
  };
  expect(failureOf({ series, indicators: ['atr5'] })).toMatchObject({
    code: 'INVALID_ARGUMENT',
    type: 'MISSING_COLUMN',
    message: 'atr5 needs high and low beside the series.',
    retryable: false,
  });
  expect(failureOf({ ...input, volume: { values: new Float64Array(3) } })).toMatchObject({
    type: 'LENGTH_MISMATCH',
    message: 'volume has 3 rows, but the series has 2000.',
  });
  const many = ['lags1024', 'sma3'];
  expect(failureOf({ series, indicators: many })).toMatchObject({
    type: 'BAD_INPUT',
    message: 'The indicators have 1025 columns; a result carries 1024 at most.',
  });
});

test('NeuralTraining: gradients equal central finite differences of the loss', () => {
  const series = { values: pricesOf(60) };
  const input: NeuralTrainingInput = { series, lags: 3, hidden: [4], seed: 5 };
  const { values, layers, lossBefore, samples, length } = travelled(
    'NeuralTraining',
    computeGradients(input, context),
  );
  expect(layers).toEqual([3, 4, 1]);
  expect(samples).toBe(56);
  const parameters = initialiseMlp(layers, 5);
  expect(length).toBe(parameters.length);
  const lossAt = (index: number, step: number): number => {
    const moved = parameters.slice();
    moved[index] = (moved[index] ?? 0) + step;
    return lossOf({ ...input, parameters: moved });
  };
  const step = 1e-5;
  for (let index = 0; index < length; index += 1) {
    const difference = (lossAt(index, step) - lossAt(index, -step)) / (2 * step);
    expect(values[index]).toBeCloseTo(difference, 8);
  }
  expect(lossBefore).toBeGreaterThan(0);
});

test('NeuralTraining: the mean over shards, weighted by samples, is the gradient of the whole', () => {
  const input: NeuralTrainingInput = { series: dax, lags: 4, hidden: [3], seed: 1 };
  const whole = travelled('NeuralTraining', computeGradients(input, context));
  const shards = [0, 1, 2].map((index) =>
    travelled(
      'NeuralTraining',
      computeGradients({ ...input, shard: { index, count: 3 } }, context),
    ),
  );
  expect(shards.reduce((sum, { samples }) => sum + samples, 0)).toBe(whole.samples);
  for (let index = 0; index < whole.length; index += 1) {
    const mean = shards.reduce(
      (sum, { values, samples }) => sum + ((values[index] ?? 0) * samples) / whole.samples,
      0,
    );
    expect(mean).toBeCloseTo(whole.values[index] ?? NaN, 12);
  }
  expect(new Set(shards.map(({ baseHash }) => baseHash))).toEqual(new Set([whole.baseHash]));
  const beyond = (): unknown =>
    computeGradients({ ...input, shard: { index: 3, count: 3 } }, context);
  expect(beyond).toThrow(expect.objectContaining({ type: 'BAD_INPUT' }));
});

test('ReasoningJudge answers about the two arms that were asked for', () => {
  const experiences = Array.from({ length: 200 }, (_, index) => experienceOf(index)).flat();
  const question = {
    taskType: 'PatternMatch',
    candidateArmId: 'b',
    incumbentArmId: 'a',
    experiences,
  };
  const verdict = travelled('ReasoningJudge', judgeArms(question));
  expect(verdict).toMatchObject({ candidateArmId: 'b', incumbentArmId: 'a', decision: 'adopt' });
  const wrong = (): unknown => judgeArms({ ...question, alpha: 0 });
  expect(wrong).toThrow(expect.objectContaining({ type: 'BAD_INPUT' }));
});

function lossOf(input: NeuralTrainingInput): number {
  return (computeGradients(input, context) as { lossBefore: number }).lossBefore;
}

/** One case, answered by a bad arm and by a good one. */
function experienceOf(step: number): ReasoningExperience[] {
  return [['a', 0.2] as const, ['b', 0.8] as const].map(([armId, utility]) => ({
    experienceId: `${armId}${step}`,
    taskId: `00000000-0000-7000-8000-${String(step).padStart(12, '0')}`,
    agentId: 'agent-1',
    agentType: 'pattern',
    taskType: 'PatternMatch',
    context: new Float64Array(0),
    contextVersion: 1,
    arm: {},
    armId,
    propensity: 0.5,
    actual: 1,
    utility,
    latencyMs: 1,
    computeMs: 1,
    seriesId: 'DAX',
    issuedAtStep: 2 * step,
    resolvedAtStep: 2 * step + 1,
  }));
}
