/**
 * Learns, for one type of task, which arm to use: the arms that were declared, a policy, and snapshots that know which
 * arms they are about. It decides and learns when it is told to; whose utility that is, and whether a decision is
 * followed, is somebody else's business.
 */
import type { Arm } from '@quic-swarm/protocol';
import { ArmSpace, type Tunable } from './arm-space.ts';
import { PerArmPolicy } from './per-arm-policy.ts';
import type {
  Choice,
  Expectation,
  FreeWith,
  Observation,
  Policy,
  PolicyKind,
  PolicySnapshot,
} from './policy.ts';
import { SharedPolicy, type SharedPolicyOptions } from './shared-policy.ts';

/** Options of a {@link Learner}. */
export interface LearnerOptions extends SharedPolicyOptions {
  /** One model for all arms, or one for each. @default 'shared' */
  readonly policy?: PolicyKind;
  /** Numbers in each context, 0 to 16. @default 0 */
  readonly contextLength?: number;
  /** Which arms come free with which. @default what the declaration's `freeParameters` say */
  readonly freeWith?: FreeWith;
}

/** A decision with the arms in it. */
export interface LearnerChoice extends Choice {
  readonly arm: Arm;
  readonly armId: string;
  /** The arm worth replaying as a shadow; undefined when there is none. */
  readonly runnerUp: { readonly arm: Arm; readonly armId: string } | undefined;
}

/** A learner as plain data, for CBOR or a structured clone. */
export interface LearnerSnapshot {
  readonly version: 1;
  readonly taskType: string;
  readonly armIds: readonly string[];
  readonly contextLength: number;
  readonly policy: PolicySnapshot;
}

/** See the head of the file. */
export class Learner {
  readonly space: ArmSpace;
  readonly #policy: Policy;
  readonly #freeWith: FreeWith;

  /** @throws RangeError when the declaration or an option is out of its range */
  constructor(tunable: Tunable, options: LearnerOptions = {}) {
    this.space = new ArmSpace(tunable, options.contextLength);
    this.#policy =
      options.policy === 'perArm'
        ? new PerArmPolicy(this.space, options)
        : new SharedPolicy(this.space, options);
    this.#freeWith = options.freeWith ?? this.space.freeWith;
  }

  /**
   * A learner that goes on where another one was when it was written down, to the last bit if the options are the same.
   *
   * @throws RangeError when the snapshot is of another version, task type, policy, or of other arms
   */
  static restore(tunable: Tunable, options: LearnerOptions, snapshot: LearnerSnapshot): Learner {
    const learner = new Learner(tunable, options);
    learner.#requireOwn(snapshot);
    learner.#policy.restore(snapshot.policy);
    return learner;
  }

  get policyKind(): PolicyKind {
    return this.#policy.kind;
  }

  /** Observations learnt, as far as they are not forgotten. */
  get observations(): number {
    return this.#policy.observations;
  }

  /**
   * Chooses an arm, given what is known about the task.
   *
   * @param random a number in [0, 1) at each call; not called when ε is 0
   * @throws RangeError when the context has another length or a number that is not finite
   */
  choose(context: ArrayLike<number>, random: () => number): LearnerChoice {
    const choice = this.#policy.choose(context, random, this.#freeWith);
    const { armIndex, runnerUpIndex } = choice;
    return {
      ...choice,
      ...this.#named(armIndex),
      runnerUp: runnerUpIndex === undefined ? undefined : this.#named(runnerUpIndex),
    };
  }

  /** The other arms whose results are known when this one has been computed. */
  freeWith(armIndex: number): readonly number[] {
    return this.#freeWith(armIndex);
  }

  /**
   * Learns how arms did for one task: the one that was chosen, those that came free, and its shadow, together where
   * they are known together. Tasks may come in any order.
   *
   * @throws RangeError when there is no such arm, a utility is not in [0, 1] or the context is not one; nothing is
   *   learnt then
   */
  learn(context: ArrayLike<number>, observations: readonly Observation[]): void {
    this.#policy.learn(context, observations);
  }

  /** What is expected of an arm in a context. */
  predict(context: ArrayLike<number>, armIndex: number): Expectation {
    return this.#policy.predict(context, armIndex);
  }

  /**
   * Keeps a share of what was learnt, as after a change that makes old experience doubtful.
   *
   * @throws RangeError when `keep` is not in [0, 1]
   */
  forget(keep: number): void {
    this.#policy.forget(keep);
  }

  snapshot(): LearnerSnapshot {
    return {
      version: 1,
      taskType: this.space.taskType,
      armIds: [...this.space.armIds],
      contextLength: this.space.contextLength,
      policy: this.#policy.snapshot(),
    };
  }

  /**
   * Adds what another learner with the same declaration and options has learnt from *other* tasks.
   *
   * @throws RangeError as {@link restore}
   */
  merge(snapshot: LearnerSnapshot): void {
    this.#requireOwn(snapshot);
    this.#policy.merge(snapshot.policy);
  }

  #named(armIndex: number): { arm: Arm; armId: string } {
    return { arm: this.space.arms[armIndex] ?? {}, armId: this.space.armIds[armIndex] ?? '' };
  }

  /** A snapshot comes from a disk or from elsewhere: its type is a hope. */
  #requireOwn(snapshot: LearnerSnapshot): void {
    const version: number = snapshot.version;
    if (version !== 1) throw new RangeError(`Snapshots of version ${version} cannot be read.`);
    const { taskType, armIds, contextLength } = this.space;
    const isOurs =
      snapshot.taskType === taskType &&
      snapshot.contextLength === contextLength &&
      snapshot.armIds.length === armIds.length &&
      snapshot.armIds.every((armId, index) => armId === armIds[index]);
    if (isOurs) return;
    throw new RangeError(
      `A snapshot about ${snapshot.armIds.length} arms of ${snapshot.taskType} with ${snapshot.contextLength} numbers of context does not fit ${armIds.length} arms of ${taskType} with ${contextLength}, or the arms differ.`,
    );
  }
}
