/**
 * How much better than a baseline: skill = 1 − Σ loss / Σ baseline loss over the same cases. 1 is perfect, 0 is no
 * better than the baseline, below 0 is worse.
 *
 * The interval does not take cases for independent: outcomes of one series resemble each other. Series are gathered
 * into 32 groups, by a hash of their ids, and the spread between groups says how sure the ratio is (the cluster-robust
 * error of a ratio; with L_g, B_g the sums of a group and R = ΣL / ΣB):
 *
 *     error² = G/(G − 1) · Σ (L_g − R · B_g)² / (ΣB)²,   interval = skill ± t(97.5 %, G − 1) · error
 *
 * Below {@link GROUPS_MIN} groups that have cases there is no interval: a spread of few groups is a guess. Unlike the
 * confidence sequence of evidence.ts it is right for one look, at a time that does not depend on the outcomes. Sums add
 * up: two skills merge without loss.
 *
 * Source: Cochran, "Sampling Techniques" (1977), chapters 6 and 9A.
 */
import type { ConfidenceInterval } from '../evidence/evidence.ts';

const GROUPS = 32;

/** Groups of series from which on there is an interval. */
export const GROUPS_MIN = 8;

/** The sums of one group of series. */
export interface SkillGroup {
  readonly count: number;
  readonly lossSum: number;
  readonly baselineLossSum: number;
}

/** How much better than the baseline. */
export interface SkillReport {
  readonly count: number;
  readonly skill: number;
  /** 95 % for one look; left out below 8 groups of series. */
  readonly interval?: ConfidenceInterval;
}

/** Losses beside the losses of a baseline. */
export class Skill {
  readonly #groups = Array.from({ length: GROUPS }, () => ({
    count: 0,
    lossSum: 0,
    baselineLossSum: 0,
  }));

  static restore(groups: readonly SkillGroup[]): Skill {
    const restored = new Skill();
    restored.#addGroups(groups);
    return restored;
  }

  /**
   * Takes a case into account. Cases without a series are taken for one series.
   *
   * @throws RangeError when a loss is not a finite number of 0 or more
   */
  add(loss: number, baselineLoss: number, seriesId = ''): void {
    if (![loss, baselineLoss].every((value) => Number.isFinite(value) && value >= 0)) {
      throw new RangeError(`Losses must be finite and ≥ 0, not ${loss} and ${baselineLoss}.`);
    }
    const group = this.#groups[hashOf(seriesId) % GROUPS];
    if (group === undefined) return;
    group.count += 1;
    group.lossSum += loss;
    group.baselineLossSum += baselineLoss;
  }

  /** Undefined before the first case, and while the baseline has been perfect. */
  report(): SkillReport | undefined {
    const groups = this.#groups.filter(({ count }) => count > 0);
    const count = sumOf(groups, (group) => group.count);
    const baselineLossSum = sumOf(groups, (group) => group.baselineLossSum);
    if (baselineLossSum === 0) return undefined;
    const ratio = sumOf(groups, (group) => group.lossSum) / baselineLossSum;
    const skill = 1 - ratio;
    if (groups.length < GROUPS_MIN) return { count, skill };
    const spread = sumOf(groups, (group) => (group.lossSum - ratio * group.baselineLossSum) ** 2);
    const degrees = groups.length - 1;
    const error = Math.sqrt((groups.length / degrees) * spread) / baselineLossSum;
    const halfWidth = studentQuantile(degrees) * error;
    return { count, skill, interval: { lower: skill - halfWidth, upper: skill + halfWidth } };
  }

  /** Takes in all cases of another skill. */
  merge(other: Skill): void {
    this.#addGroups(other.#groups);
  }

  snapshot(): SkillGroup[] {
    return this.#groups.map((group) => ({ ...group }));
  }

  #addGroups(groups: readonly SkillGroup[]): void {
    for (const [index, group] of this.#groups.entries()) {
      group.count += groups[index]?.count ?? 0;
      group.lossSum += groups[index]?.lossSum ?? 0;
      group.baselineLossSum += groups[index]?.baselineLossSum ?? 0;
    }
  }
}

function sumOf<Item>(items: readonly Item[], valueOf: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + valueOf(item), 0);
}

/** FNV-1a over UTF-16 code units, mixed once more because `% 32` looks at the lowest bits only. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}

/**
 * The 97.5 % quantile of Student's t, by the Cornish–Fisher expansion around the normal one (Abramowitz, Stegun
 * 26.7.5); from 7 degrees of freedom on within 0.1 %.
 */
function studentQuantile(degrees: number): number {
  const z = 1.959964;
  return (
    z +
    (z ** 3 + z) / (4 * degrees) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3)
  );
}
