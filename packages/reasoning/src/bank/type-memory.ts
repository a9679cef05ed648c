/**
 * What is learnt about one task type: the learner that chooses arms, the machine that makes agents adopt one, and the
 * detector that notices when things are not any more what they were.
 */
import type { Arm, Tunable } from '@quic-swarm/protocol';
import {
  Adoption,
  type AdoptionAction,
  type AdoptionSnapshot,
  type SuggestArm,
} from '../adoption/adoption.ts';
import type { ResolvedCase } from '../adoption/running-evidence.ts';
import { ArmSpace, armIdOf } from '../learner/arm-space.ts';
import { Learner, type LearnerSnapshot } from '../learner/learner.ts';
import { PageHinkley, type PageHinkleySnapshot } from '../tracking/page-hinkley.ts';

/** After a change so much of what was learnt still counts: a little, since not everything changes. */
const KEPT_AFTER_CHANGE = 0.1;

/** Learners of one task type, told apart by the length of their contexts; of further lengths nothing is learnt. */
const LEARNERS_MAX = 4;

/** An arm that was chosen, and what there was to say for it. */
export interface ArmChoice {
  readonly arm: Arm;
  readonly armId: string;
  /** The probability with which it was chosen. */
  readonly propensity: number;
  /** Of a learner's choice: what was expected of each arm, and how much it might be. */
  readonly means?: Float64Array;
  readonly bounds?: Float64Array;
  /** The arm that was most worth knowing about beside it. */
  readonly runnerUp?: { readonly arm: Arm; readonly armId: string };
}

/** A {@link TypeMemory} as plain data. */
export interface TypeMemorySnapshot {
  readonly tunable: Tunable;
  readonly learners: readonly LearnerSnapshot[];
  readonly adoption: AdoptionSnapshot;
  readonly detector: PageHinkleySnapshot;
  readonly changes: number;
  readonly isIncumbentNext: boolean;
}

/** See the head of this file. */
export class TypeMemory {
  readonly tunable: Tunable;
  readonly space: ArmSpace;
  readonly #learners = new Map<number, Learner>();
  #adoption: Adoption;
  #detector: PageHinkley;
  #changes = 0;
  #lastAction: AdoptionAction | undefined;
  /** Whose turn it is to be a shadow; see {@link shadowOf}. */
  #isIncumbentNext = false;

  /** @throws RangeError when the declaration is none */
  constructor(tunable: Tunable) {
    this.tunable = tunable;
    this.space = new ArmSpace(tunable);
    const [defaultArmId = ''] = this.space.armIds;
    this.#adoption = new Adoption({
      taskType: tunable.taskType,
      armIds: this.space.armIds,
      defaultArmId,
    });
    this.#detector = new PageHinkley();
  }

  /** @throws RangeError when the snapshot is of another version */
  static restore(snapshot: TypeMemorySnapshot): TypeMemory {
    const restored = new TypeMemory(snapshot.tunable);
    for (const learner of snapshot.learners) {
      const { contextLength } = learner;
      restored.#learners.set(
        contextLength,
        Learner.restore(snapshot.tunable, { contextLength }, learner),
      );
    }
    restored.#adoption = Adoption.restore(snapshot.adoption);
    restored.#detector = PageHinkley.restore(snapshot.detector);
    restored.#changes = snapshot.changes;
    restored.#isIncumbentNext = snapshot.isIncumbentNext;
    return restored;
  }

  get adoption(): Adoption {
    return this.#adoption;
  }

  /** Changes that were noticed. */
  get changes(): number {
    return this.#changes;
  }

  /** True when these are the arms that this is about. */
  isAbout({ arms }: Tunable): boolean {
    const { armIds } = this.space;
    return arms.length === armIds.length && arms.every((arm, at) => armIdOf(arm) === armIds[at]);
  }

  /** The arm with this id; undefined when it is none of them. */
  armOf(armId: string): Arm | undefined {
    const index = this.space.indexOfId(armId);
    return index === undefined ? undefined : this.space.arms[index];
  }

  /** Chooses an arm for a task; the default where nothing can be learnt about such contexts. */
  choose(context: ArrayLike<number>, random: () => number): ArmChoice {
    const learner = isFinite(context) ? this.#learnerFor(context.length) : undefined;
    if (learner === undefined) return this.#named(0, 1);
    const { armIndex, propensity, means, bounds, runnerUpIndex } = learner.choose(context, random);
    const choice = { ...this.#named(armIndex, propensity), means, bounds };
    if (runnerUpIndex === undefined) return choice;
    const { arm, armId } = this.#named(runnerUpIndex, 1);
    return { ...choice, runnerUp: { arm, armId } };
  }

  /**
   * The arm with which a task should be repeated that was computed with another. While an arm is being tried, the other
   * one of the two that are compared. Else by turns the incumbent, against which every arm must prove itself and which the
   * learner soon chooses no more, and what was most worth knowing about when the arm was chosen. It depends on nothing
   * that came of the task.
   */
  shadowOf(usedArmId: string, choice: ArmChoice | undefined): ArmChoice | undefined {
    const other = this.#comparedWith(usedArmId, choice);
    const index = other === undefined ? undefined : this.space.indexOfId(other);
    const used = this.space.indexOfId(usedArmId);
    if (index === undefined || index === used) return undefined;
    // What came free with the one that was used need not be computed.
    if (used !== undefined && this.space.freeWith(used).includes(index)) return undefined;
    return this.#named(index, 1);
  }

  /**
   * Learns how arms did for one task, all that became known at once. The first one is the one whose choice is judged: by
   * how far it was from what was expected a change is noticed. Returns what the change makes necessary.
   */
  learn(
    context: ArrayLike<number>,
    utilities: readonly { readonly armId: string; readonly utility: number }[],
  ): AdoptionAction | undefined {
    const learner = isFinite(context) ? this.#learnerFor(context.length) : undefined;
    const observations = utilities.flatMap(({ armId, utility }) => {
      const armIndex = this.space.indexOfId(armId);
      return armIndex === undefined ? [] : [{ armIndex, utility }];
    });
    const [judged] = observations;
    if (learner === undefined || judged === undefined) return undefined;
    const expected = learner.predict(context, judged.armIndex).mean;
    const hasChanged = this.#detector.add(judged.utility - expected) !== undefined;
    if (hasChanged) {
      this.#changes += 1;
      for (const each of this.#learners.values()) each.forget(KEPT_AFTER_CHANGE);
    }
    learner.learn(context, observations);
    return hasChanged ? this.#noted(this.#adoption.changeDetected()) : undefined;
  }

  /** Compares the arms that answered a case; says what agents are to do about it. */
  compare(resolved: ResolvedCase): AdoptionAction | undefined {
    return this.#noted(this.#adoption.add(resolved));
  }

  /** What is being tried is taken back, for a reason from outside. */
  withdraw(reason: string): AdoptionAction | undefined {
    return this.#noted(this.#adoption.withdraw(reason));
  }

  /**
   * What agents are to use other than their default, as the suggestion that says it; undefined where it is the default.
   * The verdict is about the two arms as they are compared now.
   */
  get inForce(): SuggestArm | undefined {
    const { canary, incumbentArmId } = this.#adoption;
    const [defaultArmId = ''] = this.space.armIds;
    const from = canary === undefined ? defaultArmId : incumbentArmId;
    const to = canary === undefined ? incumbentArmId : canary.armId;
    const compared = canary === undefined ? from : to;
    const verdict = this.#adoption.verdicts().find((each) => each.candidateArmId === compared);
    if (from === to || verdict === undefined) return undefined;
    return { type: 'suggest', from, to, canaryPercent: canary?.percent ?? 100, verdict };
  }

  /** What agents were told last; undefined when they were told nothing in this life. */
  get lastAction(): AdoptionAction | undefined {
    return this.#lastAction;
  }

  #noted(action: AdoptionAction | undefined): AdoptionAction | undefined {
    this.#lastAction = action ?? this.#lastAction;
    return action;
  }

  snapshot(): TypeMemorySnapshot {
    return {
      tunable: this.tunable,
      learners: [...this.#learners.values()].map((learner) => learner.snapshot()),
      adoption: this.#adoption.snapshot(),
      detector: this.#detector.snapshot(),
      changes: this.#changes,
      isIncumbentNext: this.#isIncumbentNext,
    };
  }

  /**
   * Adds what another bank's learners know. What agents use stays as it is: a comparison belongs to the tasks of its own
   * swarm, and the better learner soon says what to compare.
   */
  merge(snapshot: TypeMemorySnapshot): void {
    for (const other of snapshot.learners) {
      this.#learnerFor(other.contextLength)?.merge(other);
    }
  }

  #comparedWith(usedArmId: string, choice: ArmChoice | undefined): string | undefined {
    const { canary, incumbentArmId } = this.#adoption;
    if (canary !== undefined && usedArmId === incumbentArmId) return canary.armId;
    if (canary !== undefined && usedArmId === canary.armId) return incumbentArmId;
    if (usedArmId === incumbentArmId || choice === undefined) return choice?.runnerUp?.armId;
    this.#isIncumbentNext = !this.#isIncumbentNext;
    return this.#isIncumbentNext ? incumbentArmId : choice.runnerUp?.armId;
  }

  #learnerFor(contextLength: number): Learner | undefined {
    const known = this.#learners.get(contextLength);
    if (known !== undefined || this.#learners.size >= LEARNERS_MAX) return known;
    const learner = new Learner(this.tunable, { contextLength });
    this.#learners.set(contextLength, learner);
    return learner;
  }

  #named(index: number, propensity: number): ArmChoice {
    const arm = this.space.arms[index] ?? {};
    return { arm, armId: this.space.armIds[index] ?? '', propensity };
  }
}

function isFinite(context: ArrayLike<number>): boolean {
  for (let index = 0; index < context.length; index += 1) {
    if (!Number.isFinite(context[index])) return false;
  }
  return context.length <= 16;
}
