/**
 * The evidence of every candidate arm against the incumbent, kept up to date case by case. It says what pairing.ts
 * and evidence.ts would say about the whole list of experiences, without the list: memory is constant per arm.
 *
 * A case is given as often as something new is known about it, with all utilities that are known by then. A candidate
 * makes one pair of a case, at the first time when the incumbent's utility is known as well; and no pair of a series
 * whose outcome overlaps in time with that of an earlier pair of this candidate.
 *
 * What the caller answers for: whether an arm is tried on a case must not depend on how the case turned out. Replays
 * of the cases that went badly would make every replayed arm look better.
 */
import { Evidence, type EvidenceSnapshot } from '../evidence/evidence.ts';
import { isUtility } from '../experience/utility.ts';
import { RecentWindows, type RecentWindowsSnapshot } from './recent-windows.ts';

/** Cases whose repetition is noticed. A case that comes again later must have a series, or it counts twice. */
const RECENT_CASES_MAX = 1024;

/** One case with its outcome: how good each arm was that answered it, by itself, as a replay or as a by-product. */
export interface ResolvedCase {
  /** The same for all answers to the case. */
  readonly caseKey: string;
  readonly issuedAtStep: number;
  readonly resolvedAtStep: number;
  /** Outcomes of one series are checked for overlaps; without it each case counts as independent of all others. */
  readonly seriesId?: string;
  /** Utility in [0, 1] by arm id, all on the scale of this case. */
  readonly utilities: ReadonlyMap<string, number>;
}

/** A pair that was counted as evidence just now. */
export interface CountedPair {
  readonly candidateArmId: string;
  /** utility(candidate) − utility(incumbent), in [−1, 1]. */
  readonly difference: number;
}

/** Pairs of a candidate that were not counted, by reason. */
export interface UncountedPairs {
  /** The outcome overlaps in time with that of an earlier pair of the series. */
  overlapping: number;
  /** Too late, or of one series too many: whether it overlaps is not known. */
  beyondMemory: number;
  /** A utility outside [0, 1], or an outcome from before the decision. */
  impossible: number;
}

/** What is known about one candidate. */
export interface CandidateEvidence {
  readonly armId: string;
  readonly evidence: Evidence;
  readonly uncounted: Readonly<UncountedPairs>;
}

/** {@link RunningEvidence} as plain data. */
export interface RunningEvidenceSnapshot {
  readonly incumbentArmId: string;
  readonly candidates: readonly {
    readonly armId: string;
    readonly evidence: EvidenceSnapshot;
    readonly uncounted: Readonly<UncountedPairs>;
    readonly windows: readonly RecentWindowsSnapshot[];
  }[];
  /** Oldest first. `armIds` have made their pair of the case; a closed case makes none for any arm. */
  readonly recentCases: readonly {
    readonly caseKey: string;
    readonly armIds: readonly string[];
    readonly closed: boolean;
  }[];
}

interface Candidate {
  evidence: Evidence;
  uncounted: UncountedPairs;
  windows: RecentWindows;
}

/** All candidates against one incumbent. */
export class RunningEvidence {
  #incumbentArmId: string;
  readonly #candidates = new Map<string, Candidate>();
  /** Arms that have made their pair of a case, oldest case first; `closed` stands for all arms. */
  readonly #recentCases = new Map<string, Set<string> | 'closed'>();

  /** @throws RangeError when there is no candidate, an arm is named twice or the incumbent is not among the arms */
  constructor(armIds: readonly string[], incumbentArmId: string) {
    if (armIds.length < 2) throw new RangeError('One arm alone cannot be compared with anything.');
    if (new Set(armIds).size < armIds.length) {
      throw new RangeError(`An arm is named twice among ${armIds.join(', ')}.`);
    }
    if (!armIds.includes(incumbentArmId)) {
      throw new RangeError(`The incumbent ${incumbentArmId} is none of ${armIds.join(', ')}.`);
    }
    this.#incumbentArmId = incumbentArmId;
    for (const armId of armIds) {
      if (armId !== incumbentArmId) this.#candidates.set(armId, newCandidate());
    }
  }

  static restore(snapshot: RunningEvidenceSnapshot): RunningEvidence {
    const { incumbentArmId, candidates, recentCases } = snapshot;
    const armIds = [incumbentArmId, ...candidates.map(({ armId }) => armId)];
    const restored = new RunningEvidence(armIds, incumbentArmId);
    for (const { armId, evidence, uncounted, windows } of candidates) {
      restored.#candidates.set(armId, {
        evidence: Evidence.restore(evidence),
        uncounted: { ...uncounted },
        windows: RecentWindows.restore(windows),
      });
    }
    for (const { caseKey, armIds, closed } of recentCases) {
      restored.#recentCases.set(caseKey, closed ? 'closed' : new Set(armIds));
    }
    return restored;
  }

  get incumbentArmId(): string {
    return this.#incumbentArmId;
  }

  /** What is known about each candidate, in the order in which the arms were named. */
  get candidates(): CandidateEvidence[] {
    return [...this.#candidates].map(([armId, { evidence, uncounted }]) => ({
      armId,
      evidence,
      uncounted,
    }));
  }

  /** What is known about one candidate; undefined for the incumbent and for arms that were never named. */
  candidate(armId: string): CandidateEvidence | undefined {
    const candidate = this.#candidates.get(armId);
    return candidate && { armId, evidence: candidate.evidence, uncounted: candidate.uncounted };
  }

  /** Takes a case into account and says which pairs it made. Arms that were never named are ignored. */
  add(resolved: ResolvedCase): CountedPair[] {
    const incumbentUtility = resolved.utilities.get(this.#incumbentArmId);
    if (incumbentUtility === undefined) return [];
    const paired = this.#armsPaired(resolved.caseKey);
    if (paired === 'closed') return [];
    const counted: CountedPair[] = [];
    for (const [armId, utility] of resolved.utilities) {
      const candidate = this.#candidates.get(armId);
      if (candidate === undefined || paired.has(armId)) continue;
      paired.add(armId);
      if (!isPossible(resolved, utility, incumbentUtility)) {
        candidate.uncounted.impossible += 1;
        continue;
      }
      const claim = claimWindow(candidate.windows, resolved);
      if (claim === 'claimed') {
        const difference = utility - incumbentUtility;
        candidate.evidence.add(difference);
        counted.push({ candidateArmId: armId, difference });
      } else candidate.uncounted[claim] += 1;
    }
    return counted;
  }

  /** Begins anew with one candidate: its next pairs are its first. */
  restartCandidate(armId: string): void {
    const candidate = this.#candidates.get(armId);
    if (candidate !== undefined) forgetEvidence(candidate);
  }

  /**
   * Begins anew with all candidates, against the same incumbent or a new one. What was evidence before is none again:
   * cases that were seen stay closed and windows stay claimed, or the luck that made an arm the incumbent would speak
   * for it a second time.
   *
   * @throws RangeError when the new incumbent is no candidate
   */
  restart(incumbentArmId: string = this.#incumbentArmId): void {
    for (const candidate of this.#candidates.values()) forgetEvidence(candidate);
    for (const caseKey of this.#recentCases.keys()) this.#recentCases.set(caseKey, 'closed');
    if (incumbentArmId === this.#incumbentArmId) return;
    const promoted = this.#candidates.get(incumbentArmId);
    if (promoted === undefined) throw new RangeError(`${incumbentArmId} is no candidate.`);
    // The two compared with each other are the same two as before, the other way round: the windows go along.
    this.#candidates.delete(incumbentArmId);
    this.#candidates.set(this.#incumbentArmId, promoted);
    this.#incumbentArmId = incumbentArmId;
  }

  snapshot(): RunningEvidenceSnapshot {
    return {
      incumbentArmId: this.#incumbentArmId,
      candidates: [...this.#candidates].map(([armId, { evidence, uncounted, windows }]) => ({
        armId,
        evidence: evidence.snapshot(),
        uncounted: { ...uncounted },
        windows: windows.snapshot(),
      })),
      recentCases: [...this.#recentCases].map(([caseKey, armIds]) => ({
        caseKey,
        armIds: armIds === 'closed' ? [] : [...armIds],
        closed: armIds === 'closed',
      })),
    };
  }

  /** The arms that have made their pair of a case already; a new case displaces the oldest one. */
  #armsPaired(caseKey: string): Set<string> | 'closed' {
    const present = this.#recentCases.get(caseKey);
    if (present !== undefined) return present;
    if (this.#recentCases.size >= RECENT_CASES_MAX) {
      for (const oldest of this.#recentCases.keys()) {
        this.#recentCases.delete(oldest);
        break;
      }
    }
    const armIds = new Set<string>();
    this.#recentCases.set(caseKey, armIds);
    return armIds;
  }
}

function newCandidate(): Candidate {
  return {
    evidence: new Evidence(),
    uncounted: { overlapping: 0, beyondMemory: 0, impossible: 0 },
    windows: new RecentWindows(),
  };
}

function forgetEvidence(candidate: Candidate): void {
  candidate.evidence = new Evidence();
  candidate.uncounted = { overlapping: 0, beyondMemory: 0, impossible: 0 };
}

function isPossible(
  { issuedAtStep, resolvedAtStep }: ResolvedCase,
  ...utilities: readonly number[]
): boolean {
  return resolvedAtStep >= issuedAtStep && utilities.every((utility) => isUtility(utility));
}

function claimWindow(windows: RecentWindows, { seriesId, ...steps }: ResolvedCase) {
  // Without a series nothing says when the outcome came about relative to others.
  if (seriesId === undefined) return 'claimed';
  return windows.claim(seriesId, steps.issuedAtStep, steps.resolvedAtStep);
}
