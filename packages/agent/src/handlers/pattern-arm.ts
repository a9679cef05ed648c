/**
 * Which of a PatternMatch's parameters an arm may fill in: those that the input leaves open, as far as nothing else in it
 * depends on them.
 *
 * - Nothing of a part of a search, since all parts must search alike, nor of a search for all windows within a distance,
 *   since what a distance means depends on all the others.
 * - The algorithm only where no band, epsilon, delta or path is asked for, which belong to one of them; and only together
 *   with it the share of the query, since whoever names an algorithm has a search in mind and means their query as it is.
 */
import type { Arm, PatternMatchInput } from '@quic-swarm/protocol';
import { isSameArm } from '../core/arms.ts';
import type { TaskContext } from '../task-handler.ts';
import { PATTERN_ARMS, asArm, type PatternArm } from './built-in-tunables.ts';

/** What a search does with what the input leaves open; undefined where the kernels have a default. */
export interface PatternChoice {
  readonly algorithm: 'dtw' | 'lcss';
  readonly normalise: 'z' | 'none' | undefined;
  readonly band: number | undefined;
  readonly delta: number | undefined;
  readonly topK: number;
  /** The part of the query that is looked for: its last points. */
  readonly query: Float64Array;
}

const DEFAULTS = PATTERN_ARMS[0] as PatternArm;

/** Fills in what the input leaves open; looks at the arm only if that is something. */
export function choosePattern(
  input: PatternMatchInput,
  query: Float64Array,
  context: Pick<TaskContext, 'arm' | 'shard' | 'ranWith'>,
): PatternChoice {
  const { algorithm = 'dtw', normalise, band, delta, epsilon, topK, maximumDistance } = input;
  const fixed: PatternChoice = {
    algorithm,
    normalise,
    band,
    delta,
    topK: topK ?? (maximumDistance === undefined ? DEFAULTS.topK : Infinity),
    query,
  };
  if (context.shard !== undefined || maximumDistance !== undefined) return fixed;
  const mayChooseAlgorithm =
    input.algorithm === undefined &&
    band === undefined &&
    delta === undefined &&
    epsilon === undefined &&
    input.withPath !== true;
  const mayNormalise = normalise === undefined && epsilon === undefined;
  const mayShift = (algorithm === 'dtw' ? band : delta) === undefined;
  if (!mayChooseAlgorithm && !mayNormalise && !mayShift && topK !== undefined) return fixed;
  const { arm } = context;
  if (arm === undefined) return fixed;
  const wanted = patternArmOf(arm);
  const used: PatternArm = {
    algorithm: mayChooseAlgorithm ? wanted.algorithm : algorithm,
    windowShare: mayChooseAlgorithm ? wanted.windowShare : 1,
    normalise: mayNormalise ? wanted.normalise : (normalise ?? DEFAULTS.normalise),
    bandShare: wanted.bandShare,
    topK: topK ?? wanted.topK,
  };
  const tail = query.subarray(query.length - sharePoints(query.length, used.windowShare));
  const shift = Math.min(tail.length - 1, sharePoints(tail.length, used.bandShare));
  const said = mayShift
    ? used
    : { ...used, bandShare: ((algorithm === 'dtw' ? band : delta) ?? 0) / query.length };
  if (!isSameArm(asArm(said), arm)) context.ranWith(asArm(said));
  return {
    algorithm: used.algorithm,
    normalise: used.normalise,
    band: mayShift && used.algorithm === 'dtw' ? shift : band,
    delta: mayShift && used.algorithm === 'lcss' ? shift : delta,
    topK: used.topK,
    query: tail,
  };
}

/** The arm with the default for whatever it does not have or has otherwise. */
function patternArmOf(arm: Arm): PatternArm {
  const { algorithm, windowShare, normalise, bandShare, topK } = arm;
  return {
    algorithm: algorithm === 'lcss' ? algorithm : DEFAULTS.algorithm,
    windowShare: isShare(windowShare) ? windowShare : DEFAULTS.windowShare,
    normalise: normalise === 'none' ? normalise : DEFAULTS.normalise,
    bandShare: isShare(bandShare) ? bandShare : DEFAULTS.bandShare,
    topK: typeof topK === 'number' ? topK : DEFAULTS.topK,
  };
}

function isShare(value: Arm[string] | undefined): value is number {
  return typeof value === 'number' && value > 0 && value <= 1;
}

/** As the kernels round their default band. */
function sharePoints(points: number, share: number): number {
  return Math.max(1, Math.round(share * points));
}
