/** The inputs of the built-in task types: the CBOR item in the payload of SubmitTask and AgentTask. */
import { Type, type Static } from 'typebox';
import {
  Count,
  Float64Values,
  Fraction,
  Name,
  PositiveCount,
  listOf,
  oneOf,
  record,
} from '../schema.ts';
import { ReasoningExperience } from '../messages/learning.ts';
import { SeriesReference } from './series.ts';

/** Find the windows of `series` most like `query`. Answered by PatternMatchResult. */
export const PatternMatchInput = record({
  series: SeriesReference,
  query: SeriesReference,
  /** The query is rows start…end of the series itself: windows that overlap them are left out. */
  excludeRows: Type.Optional(record({ start: Count, end: Count })),
  /** @default that of the arm, or else 'dtw' */
  algorithm: Type.Optional(oneOf(['dtw', 'lcss'])),
  /** Sakoe–Chiba band in points, |i − j| ≤ band. @default a twentieth of the query, at least 1 */
  band: Type.Optional(Count),
  /** LCSS: values match when |x − y| ≤ epsilon (in standard deviations when normalised) and |i − j| ≤ delta. */
  epsilon: Type.Optional(Type.Number({ minimum: 0 })),
  delta: Type.Optional(Count),
  normalise: Type.Optional(oneOf(['z', 'none'])),
  /** Only windows up to this distance match. */
  maximumDistance: Type.Optional(Type.Number({ minimum: 0 })),
  /** How many matches. @default 5; with `maximumDistance` all, see `truncated` of the result */
  topK: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  /** Starts of two matches are at least so far apart. @default a quarter of the query, rounded up */
  exclusionZone: Type.Optional(Count),
  /** DTW: report the warping path of each match. @default false */
  withPath: Type.Optional(Type.Boolean()),
  /** Only windows that start in these rows exist. To split a search, see `shards` of SubmitTask. */
  startRows: Type.Optional(record({ start: Count, end: Count })),
});
export type PatternMatchInput = Static<typeof PatternMatchInput>;

/**
 * Forecast the logarithm of the realised volatility of the next `horizon` steps after row `at` of a series of prices, from
 * what followed the windows of its past that are most like its last ones. Answered by VolatilityForecast.
 */
export const VolatilityForecastInput = record({
  prices: SeriesReference,
  /** The last row that is known. */
  at: Count,
  /** Steps ahead. @default 5 */
  horizon: Type.Optional(Type.Integer({ minimum: 1, maximum: 250 })),
  /** Steps of the past in which windows are looked for. @default 750 */
  history: Type.Optional(Type.Integer({ minimum: 50, maximum: 100_000 })),
  /** Length of the windows. @default that of the arm, or else 20 */
  window: Type.Optional(Type.Integer({ minimum: 2, maximum: 1000 })),
  /** Whether windows are compared by their shape alone. @default that of the arm, or else 'z' */
  normalise: Type.Optional(oneOf(['z', 'none'])),
  /** So many windows count. @default that of the arm, or else 5 */
  topK: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  /** Tell the forecasts of all arms too, for whoever compares them afterwards. @default false */
  withAllArms: Type.Optional(Type.Boolean()),
});
export type VolatilityForecastInput = Static<typeof VolatilityForecastInput>;

/** Correlate columns with each other. Answered by StrategyCorrelation. */
export const StrategyCorrelationInput = record({
  columns: listOf(record({ name: Name, series: SeriesReference }), 2048),
  method: oneOf(['pearson', 'spearman']),
  /** λ of a shrinkage towards the identity. @default 0 */
  shrinkage: Type.Optional(Fraction),
  /** λ is estimated (Schäfer & Strimmer 2005); `shrinkage` is not looked at. @default false */
  autoShrinkage: Type.Optional(Type.Boolean()),
});
export type StrategyCorrelationInput = Static<typeof StrategyCorrelationInput>;

/** Compute indicators of one series, or of bars. Answered by FeatureSet. */
export const FeatureEngineeringInput = record({
  /** The series; of bars, the close. */
  series: SeriesReference,
  /** The other columns of the same bars, as long as the series, for indicators that read them (`atr14`, `obv`, …). */
  high: Type.Optional(SeriesReference),
  low: Type.Optional(SeriesReference),
  volume: Type.Optional(SeriesReference),
  /** `sma20`, `ema20`, `rsi14`, `macd`, `bollinger20`, `volatility20`, `return`, `atr14`, … */
  indicators: listOf(Name, 256),
});
export type FeatureEngineeringInput = Static<typeof FeatureEngineeringInput>;

/**
 * Loss and gradients of a multilayer perceptron (tanh, linear output, mean squared error) on one shard: rows are
 * `lags` consecutive log returns of the series, targets the next one. Answered by NeuralGradients.
 */
export const NeuralTrainingInput = record({
  series: SeriesReference,
  lags: Type.Integer({ minimum: 1, maximum: 4096 }),
  /** Widths of the hidden layers. */
  hidden: listOf(Type.Integer({ minimum: 1, maximum: 4096 }), 16),
  /** The model: given, or made from the seed. */
  parameters: Type.Optional(Float64Values),
  seed: Type.Optional(Count),
  /** Rows of this shard: index (from 0) of so many equal contiguous parts. @default the whole */
  shard: Type.Optional(record({ index: Count, count: PositiveCount })),
  sessionId: Type.Optional(Name),
  round: Type.Optional(Count),
});
export type NeuralTrainingInput = Static<typeof NeuralTrainingInput>;

/** Is `candidateArmId` better than `incumbentArmId`? Judged from resolved experiences. Answered by Verdict. */
export const ReasoningJudgeInput = record({
  taskType: Name,
  candidateArmId: Name,
  incumbentArmId: Name,
  experiences: listOf(ReasoningExperience, 2000),
  /** Probability of a false adoption, at any time. @default 0.05 */
  alpha: Type.Optional(Fraction),
});
export type ReasoningJudgeInput = Static<typeof ReasoningJudgeInput>;
