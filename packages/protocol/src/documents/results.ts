/** The results of the built-in task types: the CBOR item in the payload of TaskCompletion and of the final TaskEvent. */
import { Type, type Static } from 'typebox';
import {
  Arm,
  Bytes,
  Count,
  DurationMs,
  Float32Values,
  Float64Values,
  Fraction,
  Int8Values,
  Name,
  PositiveCount,
  Uint32Values,
  listOf,
  mapOf,
  oneOf,
  record,
} from '../schema.ts';
import { TUNABLE_ARMS_MAX } from '../limits.ts';

/** How a result was computed: plain TypeScript, or WebAssembly with SIMD. */
const route = oneOf(['typescript', 'wasm-simd']);

/** The same of a search, whose shards may differ. */
const searchRoute = oneOf(['typescript', 'wasm-simd', 'mixed']);

/** The most matches in one result: about 150,000 items, a seventh of what a document may hold. */
const PATTERN_MATCHES_MAX = 10_000;

/** One window that resembles the query. */
const PatternMatch = record({
  /** Row of the series, 0-based. */
  start: Count,
  length: PositiveCount,
  /** DTW: square root of the sum of squared differences along the path. LCSS: 1 − similarity. */
  distance: Type.Number({ minimum: 0 }),
  /** distance / √length */
  normalizedDistance: Type.Number({ minimum: 0 }),
  /** LCSS / length, for algorithm lcss. */
  similarity: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  windowMean: Type.Number(),
  /** Population standard deviation. */
  windowStandardDeviation: Type.Number({ minimum: 0 }),
  /** With `withPath`: pairs of a point of the query and the point of the window that it met, in order. */
  path: Type.Optional(Uint32Values),
});

/** The best windows by (distance, start), no two nearer than the exclusion zone. */
export const PatternMatchResult = record({
  algorithm: oneOf(['dtw', 'lcss']),
  /** Of a search in shards by different versions: all of them, with commas between. */
  kernelVersion: Name,
  /** `mixed`: see `wasmPositions` of `stats`. */
  route: searchRoute,
  parameters: record({
    length: PositiveCount,
    band: Count,
    normalise: oneOf(['z', 'none']),
    epsilon: Type.Optional(Type.Number()),
    delta: Type.Optional(Count),
    /** Absent when all were asked for. */
    topK: Type.Optional(PositiveCount),
    exclusionZone: Count,
    maximumDistance: Type.Optional(Type.Number({ minimum: 0 })),
  }),
  matches: listOf(PatternMatch, PATTERN_MATCHES_MAX),
  /** There when all were asked for: true when there are more than these, which are then the best. */
  truncated: Type.Optional(Type.Boolean()),
  /**
   * Of a shard, instead of matches: every window that the answer of the whole search may need, by (distance, start).
   * Four columns of one length, and with `withPath` the steps of their paths, one path behind the other: 0 to the next
   * point of query and window, 1 of the query alone, 2 of the window alone.
   */
  candidates: Type.Optional(
    record({
      starts: Uint32Values,
      distances: Float64Values,
      windowMeans: Float64Values,
      windowStandardDeviations: Float64Values,
      pathSteps: Type.Optional(Bytes),
    }),
  ),
  /** Counts of what happened to the windows, and elapsedMs. See the package `kernels`. */
  stats: mapOf(Type.Number()),
  /** What was searched, so that a replay can be sure of it. */
  seriesDigest: record({ length: Count, sha256: Name }),
});
export type PatternMatchResult = Static<typeof PatternMatchResult>;

/** A forecast, and what it was made of. */
export const VolatilityForecast = record({
  /** Natural logarithm of the root of the mean squared log return of the steps to come: the mean of the analogues'. */
  logVolatility: Type.Number(),
  /** The parameters that it was made with. */
  parameters: record({
    horizon: PositiveCount,
    history: PositiveCount,
    window: PositiveCount,
    normalise: oneOf(['z', 'none']),
    topK: PositiveCount,
  }),
  route,
  /** The windows that it was made of, best first. */
  analogues: listOf(
    record({
      /** Row of the last price of the window. */
      end: Count,
      distance: Type.Number({ minimum: 0 }),
      /** What came after it, as `logVolatility`; with `z` on the level of the last window. */
      followed: Type.Number(),
    }),
    1000,
  ),
  /** With `withAllArms`: what each arm forecasts. */
  byArm: Type.Optional(
    listOf(record({ arm: Arm, logVolatility: Type.Number() }), TUNABLE_ARMS_MAX),
  ),
});
export type VolatilityForecast = Static<typeof VolatilityForecast>;

/** A correlation matrix; NaN where a pair has no variance or fewer than two common rows. */
export const StrategyCorrelation = record({
  method: oneOf(['pearson', 'spearman']),
  columns: listOf(Name, 2048),
  /** Rows of the longest column. */
  rows: Count,
  /** Full square, row by row. */
  matrix: Float64Values,
  /** Rows that both columns of a pair have, same shape. */
  overlap: Uint32Values,
  /** λ of the shrinkage that was applied; absent for none. */
  shrinkage: Type.Optional(Fraction),
  route,
  elapsedMs: DurationMs,
});
export type StrategyCorrelation = Static<typeof StrategyCorrelation>;

/** Indicators, each as long as the series, NaN in the warm-up. */
export const FeatureSet = record({
  rows: Count,
  columns: listOf(record({ name: Name, values: Float64Values }), 1024),
  route,
  elapsedMs: DurationMs,
});
export type FeatureSet = Static<typeof FeatureSet>;

/** What one worker learnt from its shard in one round. */
export const NeuralGradients = record({
  sessionId: Name,
  round: Count,
  /** Widths of all layers, inputs first. */
  layers: listOf(PositiveCount, 32),
  samples: Count,
  localSteps: PositiveCount,
  lossBefore: Type.Number(),
  /** With localSteps > 0 beyond a single gradient. */
  lossAfter: Type.Optional(Type.Number()),
  /** How `values` encodes the gradient: as it is, or quantised with `scales`, or only the `indices` given. */
  codec: oneOf(['float64', 'float32', 'int8', 'topk']),
  /** Number of parameters of the model. */
  length: PositiveCount,
  values: Type.Union([Float64Values, Float32Values, Int8Values]),
  scales: Type.Optional(Float32Values),
  indices: Type.Optional(Uint32Values),
  /** SHA-256 (hexadecimal) of the parameters that the gradient was taken at. */
  baseHash: Name,
  computeMs: DurationMs,
});
export type NeuralGradients = Static<typeof NeuralGradients>;
