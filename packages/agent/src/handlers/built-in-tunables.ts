/** What may be tuned in the built-in handlers. Pure data, since the main thread tells it and the handlers look at it. */
import type { Arm, BuiltInTaskType, Tunable } from '@quic-swarm/protocol';

/** The parameters of a VolatilityForecast. */
export interface VolatilityArm {
  readonly window: number;
  readonly normalise: 'z' | 'none';
  readonly topK: number;
}

/** What a VolatilityForecast does when nobody says anything; the first of its arms. */
export const DEFAULT_VOLATILITY_ARM: VolatilityArm = { window: 20, normalise: 'z', topK: 5 };

/** All arms of a VolatilityForecast. */
export const VOLATILITY_ARMS: readonly VolatilityArm[] = [
  DEFAULT_VOLATILITY_ARM,
  ...[5, 10, 20, 40]
    .flatMap((window) =>
      (['z', 'none'] as const).flatMap((normalise) =>
        [5, 30].map((topK) => ({ window, normalise, topK })),
      ),
    )
    .filter(
      ({ window, normalise, topK }) =>
        window !== DEFAULT_VOLATILITY_ARM.window ||
        normalise !== DEFAULT_VOLATILITY_ARM.normalise ||
        topK !== DEFAULT_VOLATILITY_ARM.topK,
    ),
];

/** The parameters of a PatternMatch. */
export interface PatternArm {
  readonly algorithm: 'dtw' | 'lcss';
  /** Only so much of the query is looked for: its last points. */
  readonly windowShare: number;
  readonly normalise: 'z' | 'none';
  /** Points that the two may be shifted against each other, as a share of those that are looked for; at least 1. */
  readonly bandShare: number;
  readonly topK: number;
}

/**
 * All arms of a PatternMatch; the first is what it does when nobody says anything. Bands matter most for shapes that DTW
 * compares. Without normalisation only the narrowest is there: levels that agree leave little to warp.
 */
export const PATTERN_ARMS: readonly PatternArm[] = [
  ...patternArms('dtw', 'z', [0.05, 0.1, 0.2]),
  ...patternArms('dtw', 'none', [0.05]),
  ...patternArms('lcss', 'z', [0.05, 0.1]),
];

const TUNABLES: Partial<Record<BuiltInTaskType, Tunable>> = {
  VolatilityForecast: {
    taskType: 'VolatilityForecast',
    arms: VOLATILITY_ARMS.map(asArm),
    freeParameters: ['topK'],
    loss: 'squared',
  },
  PatternMatch: { taskType: 'PatternMatch', arms: PATTERN_ARMS.map(asArm), loss: 'squared' },
};

/** What may be tuned in the built-in handler of a task type. */
export function builtInTunableOf(taskType: BuiltInTaskType): Tunable | undefined {
  return TUNABLES[taskType];
}

function patternArms(
  algorithm: PatternArm['algorithm'],
  normalise: PatternArm['normalise'],
  bandShares: readonly number[],
): PatternArm[] {
  return [1, 0.5].flatMap((windowShare) =>
    bandShares.flatMap((bandShare) =>
      [5, 10].map((topK) => ({ algorithm, windowShare, normalise, bandShare, topK })),
    ),
  );
}

/** Interfaces have no index signature, and arms are maps. */
export function asArm(arm: VolatilityArm | PatternArm): Arm {
  return { ...arm };
}
