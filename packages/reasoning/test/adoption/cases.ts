/** Cases with known outcomes, for tests of adoption. */
import type { ResolvedCase } from '../../src/adoption/running-evidence.ts';

/** A case of the series `spx` at one step, with the utility of each arm. */
export function caseOf(step: number, utilities: Readonly<Record<string, number>>): ResolvedCase {
  return {
    caseKey: `case-${step}`,
    issuedAtStep: step,
    resolvedAtStep: step + 1,
    seriesId: 'spx',
    utilities: new Map(Object.entries(utilities)),
  };
}

/** A case in which `candidate` is better than `incumbent` by `difference`, which may be any number in [−1, 1]. */
export function differenceOf(step: number, difference: number): ResolvedCase {
  const clipped = Math.min(1, Math.max(-1, difference));
  return caseOf(step, { incumbent: 0.5 - clipped / 2, candidate: 0.5 + clipped / 2 });
}
