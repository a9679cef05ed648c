/**
 * @packageDocumentation
 * The compute kernels of quic-swarm: pure functions over Float64Array, without clock, randomness,
 * I/O or dependencies, so that they run the same in a worker thread, in a test and in a browser.
 *
 * - Patterns: {@link searchPattern} finds a pattern in a long series by DTW or LCSS, exactly;
 *   {@link scanPattern} and {@link mergePatternScans} do the same in shards, {@link PatternStream} on a
 *   series that is still growing. {@link dtwDistance},
 *   {@link lcssSimilarity} and the lower bounds are the single steps. {@link lcsLength} compares symbols that
 *   {@link symbolise} made of numbers.
 * - Relations: {@link correlate} gives Pearson and Spearman matrices over columns with gaps, if wanted shrunk;
 *   {@link rollingCorrelation} follows two columns over time.
 * - Features: {@link computeIndicator} by name, or each indicator as a function.
 * - Forecasts: {@link findVolatilityAnalogues} looks for what followed the days that were most like the last ones.
 * - Training: {@link mlpLossAndGradients} over rows from {@link buildLaggedWindows}.
 *
 * Bad input raises {@link KernelError}; decide by its `type`. Inputs are never modified. Everything
 * returned is plain data that may cross a thread or the wire.
 */
export { KernelError, type KernelProblem } from './problem.ts';
export type { KernelEngine } from './engine.ts';
export { TYPESCRIPT_ENGINE } from './typescript/typescript-engine.ts';
export { createWasmEngine } from './wasm/wasm-engine.ts';
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
export { lcsLength } from './lcs.ts';
export { symbolise, type SymboliseOptions } from './symbolise.ts';
export { lcssLength, lcssSimilarity, type LcssOptions } from './lcss.ts';
export { computeEnvelope, lbKeogh, lbKim, type Envelope } from './typescript/lower-bounds.ts';
export {
  joinPatternScans,
  mergePatternScans,
  scanPattern,
  searchPattern,
} from './pattern-search.ts';
export { OPEN_WINDOWS_MAX, PatternStream, type PatternStreamOptions } from './pattern-stream.ts';
export {
  addMatchPaths,
  packMatchPaths,
  PATH_STEPS_MAX,
  requirePathsPossible,
  unpackMatchPaths,
} from './match-paths.ts';
export type {
  KernelRoute,
  SearchRoute,
  PatternMatch,
  PatternScan,
  PatternSearchResult,
  PatternSearchStats,
} from './pattern-result.ts';
export {
  defaultBand,
  defaultExclusionZone,
  MATCHES_MAX,
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
export { rollingCorrelation, type RollingCorrelationOptions } from './rolling-correlation.ts';
export {
  findVolatilityAnalogues,
  meanFollowed,
  realisedLogVolatility,
  RETURN_FLOOR_MIN,
  RETURN_FLOOR_SHARE,
  type VolatilityAnalogue,
  type VolatilityAnalogues,
  type VolatilityForecastOptions,
  type VolatilityOutlook,
} from './volatility-forecast.ts';
export { averageRanks } from './typescript/ranks.ts';
export {
  columnsNeededBy,
  computeIndicator,
  computeIndicators,
  type IndicatorColumns,
  type IndicatorOptions,
} from './indicators/compute-indicator.ts';
export { INDICATOR_NAMES } from './indicators/indicator-names.ts';
export type { PriceColumn, PriceColumns } from './indicators/machine.ts';
export type { IndicatorSnapshot, IndicatorStream } from './indicators/stream.ts';
export { atr, streamAtr, type HighLowClose } from './indicators/atr.ts';
export {
  bollinger,
  streamBollinger,
  type BollingerColumns,
  type BollingerValue,
} from './indicators/bollinger.ts';
export { ema, streamEma } from './indicators/ema.ts';
export { laggedValues, streamLaggedValues } from './indicators/lags.ts';
export { macd, streamMacd, type MacdColumns, type MacdValue } from './indicators/macd.ts';
export { obv, streamObv, type CloseVolume } from './indicators/obv.ts';
export { realisedVolatility, streamRealisedVolatility } from './indicators/realised-volatility.ts';
export {
  logReturns,
  simpleReturns,
  streamLogReturns,
  streamSimpleReturns,
} from './indicators/returns.ts';
export { rsi, streamRsi } from './indicators/rsi.ts';
export { sma, streamSma } from './indicators/sma.ts';
export {
  stochastic,
  streamStochastic,
  type StochasticColumns,
  type StochasticValue,
} from './indicators/stochastic.ts';
export { rollingVolatility, streamRollingVolatility } from './indicators/volatility.ts';
export { streamVwap, vwap, type HighLowCloseVolume } from './indicators/vwap.ts';
export { streamWma, wma } from './indicators/wma.ts';
export { streamZscore, zscore } from './indicators/zscore.ts';
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
