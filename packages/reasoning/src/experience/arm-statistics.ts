/**
 * What is kept for ever about one arm of one task type: counts and sums only. Sums of two banks add up, so merging
 * them loses nothing and the order of merging does not matter (beyond the rounding of a floating-point sum).
 */
import type { Arm } from '@quic-swarm/protocol';

/**
 * Counts and sums over all experiences of an arm, also those that have left the ring.
 *
 * 1. recorded = resolved + expired + those still open.
 * 2. failures ≤ scored ≤ resolved.
 */
export interface ArmStatistics {
  readonly taskType: string;
  readonly armId: string;
  /** The parameters that the first experience of this arm named. */
  readonly arm: Arm;
  readonly recorded: number;
  readonly resolved: number;
  /** Left the ring before their outcome was known. */
  readonly expired: number;
  /** Resolved with a utility: the n of the sums below. */
  readonly scored: number;
  /** Scored with utility 0: the loss reached or passed the scale. */
  readonly failures: number;
  readonly utilitySum: number;
  readonly utilitySquaresSum: number;
  /** Over all recorded experiences. */
  readonly latencyMsSum: number;
  /** Over all recorded experiences. */
  readonly computeMsSum: number;
}

/** The mean utility of an arm; undefined before its first scored experience. */
export function meanUtility(statistics: ArmStatistics): number | undefined {
  return statistics.scored === 0 ? undefined : statistics.utilitySum / statistics.scored;
}

/**
 * The unbiased variance of an arm's utility, (Σu² − (Σu)²/n) / (n − 1); undefined before the second scored
 * experience. Utilities lie in [0, 1], so that the subtraction costs at most a few digits.
 */
export function utilityVariance(statistics: ArmStatistics): number | undefined {
  const { scored, utilitySum, utilitySquaresSum } = statistics;
  if (scored < 2) return undefined;
  return Math.max(0, (utilitySquaresSum - (utilitySum * utilitySum) / scored) / (scored - 1));
}

/** Two lists of statistics in one, arm by arm: what one bank would hold that had seen the experiences of both. */
export function mergeArmStatistics(
  left: readonly ArmStatistics[],
  right: readonly ArmStatistics[],
): ArmStatistics[] {
  const merged = new Map<string, ArmStatistics>();
  for (const statistics of [...left, ...right]) {
    const key = armKey(statistics.taskType, statistics.armId);
    const present = merged.get(key);
    merged.set(key, present === undefined ? statistics : addStatistics(present, statistics));
  }
  return [...merged.values()];
}

/** One string per arm of a task type. A space cannot occur in a task type. */
export function armKey(taskType: string, armId: string): string {
  return `${taskType} ${armId}`;
}

/** Statistics of an arm about which nothing is known yet. */
export function emptyStatistics(taskType: string, armId: string, arm: Arm): ArmStatistics {
  return {
    taskType,
    armId,
    arm,
    recorded: 0,
    resolved: 0,
    expired: 0,
    scored: 0,
    failures: 0,
    utilitySum: 0,
    utilitySquaresSum: 0,
    latencyMsSum: 0,
    computeMsSum: 0,
  };
}

function addStatistics(left: ArmStatistics, right: ArmStatistics): ArmStatistics {
  return {
    taskType: left.taskType,
    armId: left.armId,
    arm: left.arm,
    recorded: left.recorded + right.recorded,
    resolved: left.resolved + right.resolved,
    expired: left.expired + right.expired,
    scored: left.scored + right.scored,
    failures: left.failures + right.failures,
    utilitySum: left.utilitySum + right.utilitySum,
    utilitySquaresSum: left.utilitySquaresSum + right.utilitySquaresSum,
    latencyMsSum: left.latencyMsSum + right.latencyMsSum,
    computeMsSum: left.computeMsSum + right.computeMsSum,
  };
}
