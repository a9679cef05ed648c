/**
 * @packageDocumentation
 * The compute kernels of quic-swarm: pure functions over Float64Array, without clock, randomness,
 * I/O or dependencies, so that they run the same in a worker thread, in a test and in a browser.
 *
 * - Patterns: {@link searchPattern} finds a pattern in a long series by DTW or LCSS, exactly;
 *   {@link scanPattern} and {@link mergePatternScans} do the same in shards. {@link dtwDistance},
 *   {@link lcssSimilarity} and the lower bounds are the single steps.
 * - Relations: {@link correlate} gives Pearson and Spearman matrices over columns with gaps.
 * - Features: {@link computeIndicator} by name, or each indicator as a function.
 * - Training: {@link mlpLossAndGradients} over rows from {@link buildLaggedWindows}.
 *
 * Bad input raises {@link KernelError}; decide by its `type`. Inputs are never modified. Everything
 * returned is plain data that may cross a thread or the wire.
 */
export { KernelError, type KernelProblem } from './problem.ts';
export { FLAT_TOLERANCE, windowMoments, zNormalise, type WindowMoments } from './znormalise.ts';
export {
  dtwDistance,
  dtwDistanceWithin,
  dtwPath,
  PATH_CELLS_MAX,
  type BoundedDtwOptions,
  type DtwOptions,
  type DtwPath,
} from './dtw.ts';
export { lcssLength, lcssSimilarity, type LcssOptions } from './lcss.ts';
export { computeEnvelope, lbKeogh, lbKim, type Envelope } from './lower-bounds.ts';
export {
  joinPatternScans,
  mergePatternScans,
  scanPattern,
  searchPattern,
} from './pattern-search.ts';
export type {
  KernelRoute,
  PatternMatch,
  PatternScan,
  PatternSearchResult,
  PatternSearchStats,
} from './pattern-result.ts';
export {
  defaultBand,
  defaultExclusionZone,
  resolveSearchParameters,
  type Normalisation,
  type PatternAlgorithm,
  type PatternSearchOptions,
  type SearchParameters,
} from './search-parameters.ts';
export { packCandidates, unpackCandidates, type PackedCandidates } from './packed-candidates.ts';
export { SHARED_BOUND_BYTES, SharedBound } from './shared-bound.ts';
export { splitRange, type IndexRange } from './shards.ts';
export {
  correlate,
  type CorrelationMatrix,
  type CorrelationMethod,
  type CorrelationOptions,
} from './correlation.ts';
export { averageRanks } from './ranks.ts';
export {
  computeIndicator,
  INDICATOR_NAMES,
  type IndicatorColumns,
} from './indicators/compute-indicator.ts';
export { bollinger, type BollingerColumns } from './indicators/bollinger.ts';
export { ema } from './indicators/ema.ts';
export { macd, type MacdColumns } from './indicators/macd.ts';
export { logReturns, simpleReturns } from './indicators/returns.ts';
export { rsi } from './indicators/rsi.ts';
export { sma } from './indicators/sma.ts';
export { rollingVolatility } from './indicators/volatility.ts';
export { zscore } from './indicators/zscore.ts';
export { RandomSource } from './random.ts';
export {
  initialiseMlp,
  mlpLossAndGradients,
  mlpParameterCount,
  predictMlp,
  type MlpBatch,
  type MlpGradients,
} from './mlp.ts';
export {
  buildLaggedWindows,
  sliceRows,
  type LaggedWindowOptions,
  type SupervisedRows,
} from './lagged-windows.ts';
