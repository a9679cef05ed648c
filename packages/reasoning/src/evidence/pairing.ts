/**
 * Which experiences of two arms may be compared. Different cases are differently hard, so that only answers to the
 * *same* case tell the arms apart.
 *
 * The resolved experiences are walked through in the order in which they were resolved. One whose case waits for the
 * other arm makes a pair; otherwise it waits itself. Nothing is ever re-paired: what is resolved later cannot change
 * an earlier pair. A case gives one pair at most, for a further answer to it is no new evidence: a deterministic
 * handler would answer the same a hundred times. For the same reason pairs of one series whose outcomes overlap in
 * time count once (see outcome-windows.ts).
 */
import type { ReasoningExperience } from '@quic-swarm/protocol';
import { caseKeysOf } from '../experience/case-keys.ts';
import { OutcomeWindows } from './outcome-windows.ts';
import { isUtility } from '../experience/utility.ts';

/** Two answers to one case. */
export interface ExperiencePair {
  readonly candidate: ReasoningExperience;
  readonly incumbent: ReasoningExperience;
  /** utility(candidate) − utility(incumbent), in [−1, 1]. */
  readonly difference: number;
  /** The step at which the second of the two was resolved. */
  readonly resolvedAtStep: number;
}

/** Why experiences of the two arms are in no pair: how many of each kind. */
export interface UnpairedCounts {
  /** No outcome yet: no `resolvedAtStep`. */
  unresolved: number;
  /** Resolved, but without a utility between 0 and 1. */
  withoutUtility: number;
  /** Said to be resolved before they were issued. */
  resolvedBeforeIssued: number;
  /** Further answers to a case that is paired or answered by this arm already. */
  repeated: number;
  /** Both answers of pairs whose outcome overlaps in time with that of an earlier pair of the series. */
  overlapping: number;
  /** The other arm has not answered the case. */
  withoutPartner: number;
}

/** All pairs in the order of their resolution, and what is left over. */
export interface Pairing {
  readonly pairs: readonly ExperiencePair[];
  readonly unpaired: Readonly<UnpairedCounts>;
}

/** Which question is asked of which experiences. */
export interface PairingQuestion {
  readonly taskType: string;
  readonly candidateArmId: string;
  readonly incumbentArmId: string;
  readonly experiences: readonly ReasoningExperience[];
  /**
   * What to do with pairs whose outcomes overlap in time. `count` takes each for new evidence: right only where the
   * handler knows that the outcomes are independent all the same. @default 'skip'
   */
  readonly overlapping?: 'skip' | 'count';
}

type Role = 'candidate' | 'incumbent';

interface Answer {
  readonly experience: ReasoningExperience;
  readonly caseKeys: readonly string[];
  readonly role: Role;
  readonly utility: number;
  readonly resolvedAtStep: number;
}

/**
 * Pairs the experiences of the two arms. The order of `experiences` does not matter; those of other arms and other
 * task types are no part of the question and are counted nowhere.
 */
export function pairExperiences(question: PairingQuestion): Pairing {
  const unpaired: UnpairedCounts = {
    unresolved: 0,
    withoutUtility: 0,
    resolvedBeforeIssued: 0,
    repeated: 0,
    overlapping: 0,
    withoutPartner: 0,
  };
  const cases = new OpenCases();
  const windows = new OutcomeWindows();
  const pairs: ExperiencePair[] = [];
  for (const answer of answersInOrder(question, unpaired)) {
    const partner = cases.meet(answer);
    if (partner === 'repeated') unpaired.repeated += 1;
    else if (partner === 'waits') continue;
    else if (question.overlapping === 'count' || claimWindow(windows, answer, partner)) {
      pairs.push(pairOf(answer, partner));
    } else unpaired.overlapping += 2;
  }
  unpaired.withoutPartner = cases.waiting;
  return { pairs, unpaired };
}

/** The answers that may be compared, in the order in which their outcomes became known. */
function answersInOrder(question: PairingQuestion, unpaired: UnpairedCounts): Answer[] {
  const { taskType, candidateArmId, incumbentArmId } = question;
  const answers: Answer[] = [];
  for (const experience of question.experiences) {
    if (experience.taskType !== taskType) continue;
    const { armId, utility, resolvedAtStep } = experience;
    if (armId !== candidateArmId && armId !== incumbentArmId) continue;
    if (resolvedAtStep === undefined) unpaired.unresolved += 1;
    else if (resolvedAtStep < experience.issuedAtStep) unpaired.resolvedBeforeIssued += 1;
    else if (utility === undefined || !isUtility(utility)) unpaired.withoutUtility += 1;
    else {
      const role = armId === candidateArmId ? 'candidate' : 'incumbent';
      const caseKeys = caseKeysOf(experience);
      answers.push({ experience, caseKeys, role, utility, resolvedAtStep });
    }
  }
  // The id decides between equals, so that the result depends on the experiences and not on how they were listed.
  return answers.sort(
    (left, right) =>
      left.resolvedAtStep - right.resolvedAtStep ||
      compareText(left.experience.experienceId, right.experience.experienceId),
  );
}

/** Cases that wait for the answer of the other arm, and cases that are done. */
class OpenCases {
  readonly #waiting: Readonly<Record<Role, Map<string, Answer>>> = {
    candidate: new Map(),
    incumbent: new Map(),
  };
  readonly #done = new Set<string>();
  #waitingCount = 0;

  /** Answers without a partner so far. */
  get waiting(): number {
    return this.#waitingCount;
  }

  /** The waiting answer of the other arm, or what becomes of this one. */
  meet(answer: Answer): Answer | 'waits' | 'repeated' {
    const keys = answer.caseKeys;
    const own = this.#waiting[answer.role];
    if (keys.some((key) => this.#done.has(key) || own.has(key))) return 'repeated';
    const others = this.#waiting[answer.role === 'candidate' ? 'incumbent' : 'candidate'];
    const partner = keys.map((key) => others.get(key)).find((found) => found !== undefined);
    if (partner === undefined) {
      for (const key of keys) own.set(key, answer);
      this.#waitingCount += 1;
      return 'waits';
    }
    for (const key of [...keys, ...partner.caseKeys]) {
      this.#done.add(key);
      others.delete(key);
    }
    this.#waitingCount -= 1;
    return partner;
  }
}

function pairOf(answer: Answer, partner: Answer): ExperiencePair {
  const [candidate, incumbent] =
    answer.role === 'candidate' ? [answer, partner] : [partner, answer];
  return {
    candidate: candidate.experience,
    incumbent: incumbent.experience,
    difference: candidate.utility - incumbent.utility,
    resolvedAtStep: answer.resolvedAtStep,
  };
}

/** The window is that of the answer issued first: a replay may be made and resolved long after the outcome. */
function claimWindow(windows: OutcomeWindows, answer: Answer, partner: Answer): boolean {
  const seriesId = answer.experience.seriesId ?? partner.experience.seriesId;
  // Without a series nothing says when the outcome came about relative to others.
  if (seriesId === undefined) return true;
  // The partner was resolved first, so that it is also the original where both were issued at the same step.
  const first = answer.experience.issuedAtStep < partner.experience.issuedAtStep ? answer : partner;
  return windows.claim(seriesId, first.experience.issuedAtStep, first.resolvedAtStep);
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
