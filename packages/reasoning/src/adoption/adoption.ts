/**
 * From evidence to a change of parameters, in small steps that can be taken back. For one task type of one agent
 * type one arm is the incumbent, at first the default. The machine watches the paired evidence of every other arm;
 * one that is better beyond doubt runs on 10 % of the tasks, then on 50 %, then on all of them. In each stage it has
 * to prove itself anew, and it goes back as soon as it does worse. Which transitions there are: standing.ts.
 *
 * **Proposal.** With K candidates each is asked at α / K (Bonferroni: it holds whatever the candidates have in common,
 * and they share their cases), so that the chance that one of K equal arms is *ever* proposed in a comparison is at
 * most α, however often it is looked at. A comparison begins with the machine, with each adoption and with each
 * detected change, and each has its own α.
 *
 * **Canary.** Each stage collects evidence of its own at α. Checked after each pair, in this order:
 * 1. back, when the reverse e-process is ≥ 1/α or the confidence sequence lies below 0;
 * 2. forward, when the e-process is ≥ 1/α, or after `stagePairsMin` pairs as soon as their mean is above 0;
 * 3. back, after `stagePairsMax` pairs.
 *
 * **After a rollback** the candidate begins with empty hands and must reach 10ⁿ·K/α after its n-th rollback. That
 * does not touch the bound above: a false second proposal needs a false first one.
 *
 * The machine says what to do and does nothing itself: whoever sends the suggestion also sees to it that the share of
 * tasks is kept.
 */
import type { Verdict } from '@quic-swarm/protocol';
import { Evidence, type EvidenceSnapshot } from '../evidence/evidence.ts';
import { numbersOf, decisionOf } from '../evidence/verdict.ts';
import { comparisonSentence } from '../evidence/verdict-sentence.ts';
import {
  RunningEvidence,
  type CandidateEvidence,
  type ResolvedCase,
  type RunningEvidenceSnapshot,
} from './running-evidence.ts';
import type { Standing } from './standing.ts';

/** Each further proposal of a candidate that was rolled back needs this many times the evidence of the one before. */
const EVIDENCE_FACTOR_AFTER_ROLLBACK = 10;

/** What is compared, and how careful to be. */
export interface AdoptionOptions {
  readonly taskType: string;
  /** All arms, the default among them; at least two. */
  readonly armIds: readonly string[];
  readonly defaultArmId: string;
  /** Probability that any of equal arms is ever proposed in one comparison; above 0 and below 1. @default 0.05 */
  readonly alpha?: number;
  /** Pairs after which a canary stage may be passed without strong evidence. @default 50 */
  readonly stagePairsMin?: number;
  /** Pairs after which a canary that has not passed its stage is taken back. @default 500 */
  readonly stagePairsMax?: number;
}

/** Use `to` instead of `from` on a share of the tasks. Both are arm ids. */
export interface SuggestArm {
  readonly type: 'suggest';
  readonly from: string;
  readonly to: string;
  /** 100: `to` is the incumbent now. */
  readonly canaryPercent: 10 | 50 | 100;
  readonly verdict: Verdict;
}

/** Use `to`, the incumbent, on all tasks again, and `from` on none. Both are arm ids. */
export interface RollBackArm {
  readonly type: 'rollback';
  readonly from: string;
  readonly to: string;
  readonly verdict: Verdict;
}

/** What is to be done now. */
export type AdoptionAction = SuggestArm | RollBackArm;

/** An arm that is being tried. */
export interface CanaryStage {
  readonly armId: string;
  readonly percent: 10 | 50;
  /** The evidence of this stage alone. */
  readonly evidence: Evidence;
}

/** An {@link Adoption} as plain data. */
export interface AdoptionSnapshot {
  readonly version: 1;
  readonly options: Required<AdoptionOptions>;
  readonly running: RunningEvidenceSnapshot;
  /** How often each arm was rolled back in this comparison; arms that never were are left out. */
  readonly rollbacks: readonly { readonly armId: string; readonly times: number }[];
  readonly canary?: {
    readonly armId: string;
    readonly percent: 10 | 50;
    readonly evidence: EvidenceSnapshot;
  };
}

/** Which arm is used for one task type of one agent type, and which one is being tried. */
export class Adoption {
  readonly #options: Required<AdoptionOptions>;
  #running: RunningEvidence;
  readonly #rollbacks = new Map<string, number>();
  #canary: CanaryStage | undefined;

  /** @throws RangeError when an option is out of its bounds or the arms do not make a comparison */
  constructor(options: AdoptionOptions) {
    const { alpha = 0.05, stagePairsMin = 50, stagePairsMax = 500 } = options;
    if (!(alpha > 0 && alpha < 1)) {
      throw new RangeError(`alpha must lie above 0 and below 1, not be ${alpha}.`);
    }
    if (!(stagePairsMin >= 1 && stagePairsMin <= stagePairsMax)) {
      throw new RangeError(
        `stagePairsMin must be from 1 to stagePairsMax ${stagePairsMax}, not ${stagePairsMin}.`,
      );
    }
    this.#options = { ...options, alpha, stagePairsMin, stagePairsMax };
    this.#running = new RunningEvidence(options.armIds, options.defaultArmId);
  }

  /**
   * A machine that goes on where the other was when it was written down.
   *
   * @throws RangeError when the snapshot is of another version
   */
  static restore(snapshot: AdoptionSnapshot): Adoption {
    // A snapshot comes from a disk: its type is a hope.
    const version: number = snapshot.version;
    if (version !== 1) throw new RangeError(`Snapshots of version ${version} cannot be read.`);
    const restored = new Adoption(snapshot.options);
    restored.#running = RunningEvidence.restore(snapshot.running);
    for (const { armId, times } of snapshot.rollbacks) restored.#rollbacks.set(armId, times);
    const { canary } = snapshot;
    if (canary !== undefined) {
      restored.#canary = { ...canary, evidence: Evidence.restore(canary.evidence) };
    }
    return restored;
  }

  /** The arm that is used where no canary says otherwise. */
  get incumbentArmId(): string {
    return this.#running.incumbentArmId;
  }

  /** The arm that is being tried, if there is one. */
  get canary(): CanaryStage | undefined {
    return this.#canary;
  }

  /** All arms that are compared: a snapshot of other arms is of no use to their owner. */
  get armIds(): readonly string[] {
    return this.#options.armIds;
  }

  /**
   * How far an arm has come.
   *
   * @throws RangeError when it is none of the arms
   */
  standingOf(armId: string): Standing {
    if (!this.armIds.includes(armId)) throw new RangeError(`${armId} is none of the arms.`);
    if (armId === this.incumbentArmId) return 'adopted';
    if (armId === this.#canary?.armId) return this.#canary.percent === 10 ? 'canary10' : 'canary50';
    return this.#rollbacks.has(armId) ? 'rolledBack' : 'watching';
  }

  /** Takes a case into account, see {@link ResolvedCase}, and says what is to be done, at most one thing. */
  add(resolved: ResolvedCase): AdoptionAction | undefined {
    const canary = this.#canary;
    const counted = this.#running.add(resolved);
    if (canary === undefined) return counted.length === 0 ? undefined : this.#propose();
    const tried = counted.find(({ candidateArmId }) => candidateArmId === canary.armId);
    if (tried === undefined) return undefined;
    canary.evidence.add(tried.difference);
    return this.#judgeCanary(canary);
  }

  /**
   * The utilities are not what they were: all evidence is forgotten, rollbacks are forgiven, a canary is taken back.
   * The incumbent stays, for nothing says yet that another arm is better.
   */
  changeDetected(): AdoptionAction | undefined {
    const canary = this.#canary;
    const action = canary && this.#rollBack(canary, 'drift', 'the utilities have changed since');
    this.#beginComparison();
    return action;
  }

  /**
   * Tries an arm at 10 % because a person wants it, whatever its evidence. Nothing happens while an arm is being
   * tried, or when it is the incumbent.
   *
   * @throws RangeError when it is none of the arms
   */
  forceCanary(armId: string): AdoptionAction | undefined {
    const standing = this.standingOf(armId);
    const candidate = this.#running.candidate(armId);
    if (this.#canary !== undefined || standing === 'adopted' || !candidate) return undefined;
    const alpha = this.#alphaOf(armId);
    const decision = decisionOf(candidate.evidence, alpha);
    return this.#beginCanary(armId, decision, 'tried all the same on 10 % of the tasks');
  }

  /** Takes the canary back for a reason from outside, e.g. because its agents refuse it; counts as a rollback. */
  withdraw(reason: string): AdoptionAction | undefined {
    return this.#canary && this.#rollBack(this.#canary, 'rollback', `taken back: ${reason}`);
  }

  /** What the evidence of this comparison says about each candidate, in words too. Changes nothing. */
  verdicts(): Verdict[] {
    return this.#running.candidates.map((candidate) => {
      const alpha = this.#alphaOf(candidate.armId);
      const decision = decisionOf(candidate.evidence, alpha);
      return this.#verdict(candidate, { decision, alpha, meaning: WATCHED[decision] });
    });
  }

  snapshot(): AdoptionSnapshot {
    const canary = this.#canary;
    return {
      version: 1,
      options: this.#options,
      running: this.#running.snapshot(),
      rollbacks: [...this.#rollbacks].map(([armId, times]) => ({ armId, times })),
      ...(canary && { canary: { ...canary, evidence: canary.evidence.snapshot() } }),
    };
  }

  /** α / K, and a tenth of that for each rollback. */
  #alphaOf(armId: string): number {
    const candidates = this.armIds.length - 1;
    const factor = EVIDENCE_FACTOR_AFTER_ROLLBACK ** (this.#rollbacks.get(armId) ?? 0);
    return this.#options.alpha / (candidates * factor);
  }

  /** The candidate with the most evidence over its threshold, if one is over it. */
  #propose(): AdoptionAction | undefined {
    let best: { readonly armId: string; readonly surplus: number } | undefined;
    for (const { armId, evidence } of this.#running.candidates) {
      const surplus = evidence.logEvidence + Math.log(this.#alphaOf(armId));
      if (surplus >= 0 && surplus > (best?.surplus ?? -1)) best = { armId, surplus };
    }
    return best && this.#beginCanary(best.armId, 'adopt', 'enough to try it on 10 % of the tasks');
  }

  #beginCanary(
    armId: string,
    decision: Verdict['decision'],
    meaning: string,
  ): AdoptionAction | undefined {
    const candidate = this.#running.candidate(armId);
    if (candidate === undefined) return undefined;
    const verdict = this.#verdict(candidate, { decision, alpha: this.#alphaOf(armId), meaning });
    this.#canary = { armId, percent: 10, evidence: new Evidence() };
    return { type: 'suggest', from: this.incumbentArmId, to: armId, canaryPercent: 10, verdict };
  }

  #judgeCanary(canary: CanaryStage): AdoptionAction | undefined {
    const { evidence } = canary;
    const { alpha, stagePairsMin, stagePairsMax } = this.#options;
    const threshold = -Math.log(alpha);
    // The interval is nearly always the later of the two to speak. It is asked as well because it holds under drift.
    if (evidence.logEvidenceAgainst >= threshold || evidence.interval(alpha).upper < 0) {
      return this.#rollBack(canary, 'rollback', 'enough to roll it back');
    }
    const isStrong = evidence.logEvidence >= threshold;
    if (isStrong || (evidence.count >= stagePairsMin && evidence.mean > 0)) {
      return this.#advance(canary, isStrong);
    }
    if (evidence.count < stagePairsMax) return undefined;
    return this.#rollBack(
      canary,
      'rollback',
      'too little after so many cases, so it is rolled back',
    );
  }

  #advance(canary: CanaryStage, isStrong: boolean): AdoptionAction {
    const canaryPercent = canary.percent === 10 ? 50 : 100;
    const reason = isStrong ? 'enough' : 'nothing speaks against it, which is enough';
    const verdict = this.#canaryVerdict(
      canary,
      'adopt',
      `${reason} to go from ${canary.percent} % to ${canaryPercent} % of the tasks`,
    );
    const from = this.incumbentArmId;
    if (canaryPercent === 50) {
      this.#canary = { armId: canary.armId, percent: 50, evidence: new Evidence() };
    } else this.#beginComparison(canary.armId);
    return { type: 'suggest', from, to: canary.armId, canaryPercent, verdict };
  }

  #rollBack(canary: CanaryStage, decision: Verdict['decision'], meaning: string): AdoptionAction {
    const verdict = this.#canaryVerdict(canary, decision, meaning);
    this.#canary = undefined;
    this.#rollbacks.set(canary.armId, (this.#rollbacks.get(canary.armId) ?? 0) + 1);
    this.#running.restartCandidate(canary.armId);
    return { type: 'rollback', from: canary.armId, to: this.incumbentArmId, verdict };
  }

  /** Nothing is known any more about any candidate, except which cases and windows are used up. */
  #beginComparison(incumbentArmId: string = this.incumbentArmId): void {
    this.#canary = undefined;
    this.#rollbacks.clear();
    this.#running.restart(incumbentArmId);
  }

  /** About the pairs of this canary stage alone. */
  #canaryVerdict(canary: CanaryStage, decision: Verdict['decision'], meaning: string): Verdict {
    const uncounted = { overlapping: 0, beyondMemory: 0, impossible: 0 };
    const stage = { armId: canary.armId, evidence: canary.evidence, uncounted };
    return this.#verdict(stage, { decision, alpha: this.#options.alpha, meaning });
  }

  #verdict(
    { armId, evidence, uncounted }: CandidateEvidence,
    { decision, alpha, meaning }: { decision: Verdict['decision']; alpha: number; meaning: string },
  ): Verdict {
    const numbers = {
      taskType: this.#options.taskType,
      candidateArmId: armId,
      incumbentArmId: this.incumbentArmId,
      decision,
      ...numbersOf(evidence, alpha),
      unpaired: uncounted.overlapping + uncounted.beyondMemory + uncounted.impossible,
    };
    const sentences = [comparisonSentence(numbers, meaning)];
    if (evidence.count === 0) sentences.push(`Decided: ${meaning}.`);
    if (numbers.unpaired > 0) {
      sentences.push(
        `Not compared: ${uncounted.overlapping} pairs overlapping in time with those compared, ` +
          `${uncounted.beyondMemory} too late to tell, ${uncounted.impossible} with impossible numbers.`,
      );
    }
    return { ...numbers, explanation: sentences.join(' ') };
  }
}

/** What a decision means for a candidate of which nothing has been tried yet. */
const WATCHED: Readonly<Record<ReturnType<typeof decisionOf>, string>> = {
  adopt: 'enough to try it',
  rollback: 'it is worse, and will not be tried',
  keep: 'the two are equal in practice',
  insufficient: 'too little to tell',
};
