/**
 * Task type VolatilityForecast: how much will prices move in the next steps? The computation is that of the kernels; here
 * is what an arm may decide, and what is said for the learner. A search for the most analogues that any arm has yields the
 * forecasts of all arms that differ in their number only.
 */
import {
  findVolatilityAnalogues,
  meanFollowed,
  type VolatilityAnalogue,
  type VolatilityAnalogues,
} from '@quic-swarm/kernels';
import type { Arm, VolatilityForecast, VolatilityForecastInput } from '@quic-swarm/protocol';
import { isSameArm } from '../core/arms.ts';
import type { TaskContext } from '../task-handler.ts';
import {
  DEFAULT_VOLATILITY_ARM,
  VOLATILITY_ARMS,
  asArm,
  type VolatilityArm,
} from './built-in-tunables.ts';
import { kernelEngine } from './kernel-engine.ts';
import { resolveSeries } from './series-reference.ts';

const DEFAULT_HORIZON = 5;
const DEFAULT_HISTORY = 750;
const TOP_K_MAX = Math.max(...VOLATILITY_ARMS.map(({ topK }) => topK));

/** Computes a VolatilityForecast task. */
export default function forecastVolatility(
  input: VolatilityForecastInput,
  context: TaskContext,
): VolatilityForecast {
  const { at, horizon = DEFAULT_HORIZON, history = DEFAULT_HISTORY } = input;
  const prices = resolveSeries(input.prices, context, 'prices');
  const hasOpen =
    input.window === undefined || input.normalise === undefined || input.topK === undefined;
  const given = hasOpen ? context.arm : undefined;
  const wanted = volatilityArmOf(given);
  const used: VolatilityArm = {
    window: input.window ?? fittingWindow(wanted.window, Math.min(history, at) - horizon),
    normalise: input.normalise ?? wanted.normalise,
    topK: input.topK ?? wanted.topK,
  };
  const searchArm = ({ window, normalise, topK }: VolatilityArm): VolatilityAnalogues =>
    findVolatilityAnalogues(
      { prices, at, horizon, history, window, normalise, topK, shouldStop: context.isCancelled },
      kernelEngine,
    );
  const searched = input.topK ?? Math.max(TOP_K_MAX, wanted.topK);
  const { analogues, route } = searchArm({ ...used, topK: searched });
  if (given === undefined || !isSameArm(asArm(used), given)) context.ranWith(asArm(used));
  const logVolatility = meanFollowed(analogues, used.topK);
  const kin = VOLATILITY_ARMS.filter((arm) => isKin(arm, used) && arm.topK <= searched);
  context.predict(
    { mean: logVolatility },
    forecastsOf(
      kin.filter(({ topK }) => topK !== used.topK),
      analogues,
    ).map(({ arm, logVolatility: mean }) => ({ arm, predicted: { mean } })),
  );
  return {
    logVolatility,
    parameters: { horizon, history, ...used },
    route,
    analogues: analogues.slice(0, used.topK),
    ...(input.withAllArms === true
      ? { byArm: forecastsByArm(searchArm, Math.min(history, at) - horizon) }
      : {}),
  };
}

/** The forecasts of all arms for which the history is long enough. */
function forecastsByArm(
  searchArm: (arm: VolatilityArm) => VolatilityAnalogues,
  longestWindow: number,
): ArmForecast[] {
  const mostOfEach = VOLATILITY_ARMS.filter(
    ({ window, topK }) => topK === TOP_K_MAX && window <= longestWindow,
  );
  return mostOfEach.flatMap((most) =>
    forecastsOf(
      VOLATILITY_ARMS.filter((arm) => isKin(arm, most)),
      searchArm(most).analogues,
    ),
  );
}

interface ArmForecast {
  readonly arm: Arm;
  readonly logVolatility: number;
}

function forecastsOf(
  arms: readonly VolatilityArm[],
  analogues: readonly VolatilityAnalogue[],
): ArmForecast[] {
  return arms.map((arm) => ({
    arm: asArm(arm),
    logVolatility: meanFollowed(analogues, arm.topK),
  }));
}

/** They differ at most in how many analogues count. */
function isKin(a: VolatilityArm, b: VolatilityArm): boolean {
  return a.window === b.window && a.normalise === b.normalise;
}

/** What a learner wants to try should not fail for a short history: then it is the longest window of an arm that fits. */
function fittingWindow(wanted: number, longest: number): number {
  if (wanted <= longest) return wanted;
  const windows = VOLATILITY_ARMS.map(({ window }) => window).filter((window) => window <= longest);
  return windows.length === 0 ? wanted : Math.max(...windows);
}

/** The arm with the default for whatever it does not have or has otherwise. */
function volatilityArmOf(arm: Arm | undefined): VolatilityArm {
  const { window, normalise, topK } = arm ?? {};
  return {
    window: typeof window === 'number' ? window : DEFAULT_VOLATILITY_ARM.window,
    normalise: normalise === 'none' ? normalise : DEFAULT_VOLATILITY_ARM.normalise,
    topK: typeof topK === 'number' ? topK : DEFAULT_VOLATILITY_ARM.topK,
  };
}
