/**
 * The ReasoningBank as a coordinator uses it: which arm a task should be computed with, what was forecast, how it turned
 * out, and what agents should use from then on. It puts together what the rest of the package is made of:
 *
 * - `choose` asks the learner of the task type (type-memory.ts);
 * - `record` keeps what a task has forecast, and what other arms would have: *free counterfactuals*, known because the
 *   computation yielded them on the way. A replay with another arm, a *shadow*, is recorded as one of its own;
 * - `resolve` makes losses and utilities of it when the outcome is known, and only then anything is learnt. All that is
 *   known about a case is compared (adoption/), and agents may be told to use another arm.
 *
 * Everything is bounded, and nothing is ever known before it was told: whatever comes later changes no earlier answer.
 */
import type { Alternative, ReasoningExperience, Tunable } from '@quic-swarm/protocol';
import type { Arm, Verdict } from '@quic-swarm/protocol';
import type { AdoptionAction } from '../adoption/adoption.ts';
import {
  ExperienceBank,
  type ExperienceBankSnapshot,
  type Outcome,
} from '../experience/experience-bank.ts';
import { armIdOf } from '../learner/arm-space.ts';
import { AgentTracker, type AgentTrackerSnapshot } from '../tracking/agent-tracker.ts';
import { lossOf } from './loss.ts';
import { TypeMemory, type ArmChoice, type TypeMemorySnapshot } from './type-memory.ts';

/** Task types about which something is learnt: declarations of further ones are refused. */
const TYPES_MAX = 256;

/** Bounds of a bank. */
export interface ReasoningBankOptions {
  /** Raw experiences that are kept, free counterfactuals and shadows among them. @default 10,000 */
  readonly capacity?: number;
}

/** How a task turned out; one of the numbers at least. */
export interface TaskResolution {
  /** What was forecast, as it came. */
  readonly actual?: number | undefined;
  /** Of the arm that was used. */
  readonly loss?: number | undefined;
  readonly utility?: number | undefined;
  /** Position in the series at which it became known. @default that of the task */
  readonly step?: number | undefined;
}

/** Agents of a task type should use `to` instead of `from` on a share of their tasks. */
export interface AdaptationDecision {
  readonly taskType: string;
  readonly from: Arm;
  readonly to: Arm;
  readonly canaryPercent: number;
  readonly verdict: Verdict;
  readonly isRollback: boolean;
}

/** What became of an outcome, and what follows from it. */
export interface Resolution {
  readonly result: 'resolved' | 'unknown' | 'duplicate' | 'refused';
  readonly actions: readonly AdaptationDecision[];
}

/** A bank as plain data, for CBOR or a structured clone. */
export interface ReasoningBankSnapshot {
  readonly version: 1;
  readonly experiences: ExperienceBankSnapshot;
  readonly types: readonly TypeMemorySnapshot[];
  readonly agents: AgentTrackerSnapshot;
}

const NO_ACTIONS: readonly AdaptationDecision[] = [];

/** See the head of this file. */
export class ReasoningBank {
  readonly #options: ReasoningBankOptions;
  #experiences: ExperienceBank;
  readonly #types = new Map<string, TypeMemory>();
  #agents = new AgentTracker();
  /** The experiences of each case beside its first: counterfactuals and shadows, by the id of the first. */
  readonly #cases = new Map<string, string[]>();
  /** Why tasks were given their arm, by the id of the experience. */
  readonly #choices = new Map<string, ArmChoice>();
  readonly #lastChosen = new Map<string, string>();
  #revision = 0;

  constructor(options: ReasoningBankOptions = {}) {
    this.#options = options;
    this.#experiences = new ExperienceBank(options);
  }

  /** Rises with everything that changes what a snapshot says. */
  get revision(): number {
    return this.#revision;
  }

  /** The raw experiences, and what is known for ever about each arm. */
  get experiences(): ExperienceBank {
    return this.#experiences;
  }

  /** What agents have shown. */
  get agents(): AgentTracker {
    return this.#agents;
  }

  /** What is learnt about, in the order in which it was declared. */
  get types(): ReadonlyMap<string, TypeMemory> {
    return this.#types;
  }

  /** What there is to choose from; undefined for a task type that nobody has declared. */
  tunableOf(taskType: string): Tunable | undefined {
    return this.#types.get(taskType)?.tunable;
  }

  /**
   * A handler says what can be tuned. The same arms again change nothing; other ones begin anew, since what was learnt is
   * about arms that are not there any more.
   *
   * @throws RangeError when it is no declaration, or there are 256 task types already
   */
  declare(tunable: Tunable): void {
    const { taskType } = tunable;
    if (this.#types.get(taskType)?.isAbout(tunable) === true) return;
    if (!this.#types.has(taskType) && this.#types.size >= TYPES_MAX) {
      throw new RangeError(
        `Nothing is learnt about ${taskType}: there are ${TYPES_MAX} task types already.`,
      );
    }
    this.#types.set(taskType, new TypeMemory(tunable));
    this.#revision += 1;
  }

  /**
   * The arm for a task; undefined where nobody has said what there is to choose from.
   *
   * @param random a number in [0, 1) at each call
   */
  choose(taskType: string, context: Float64Array, random: () => number): ArmChoice | undefined {
    return this.#types.get(taskType)?.choose(context, random);
  }

  /** The arm with which a task should be repeated; undefined when that would teach nothing. */
  shadowOf(taskType: string, usedArmId: string, choice?: ArmChoice): ArmChoice | undefined {
    return this.#types.get(taskType)?.shadowOf(usedArmId, choice);
  }

  /** Why a task was given its arm; undefined when that is forgotten, or it was not a learner's choice. */
  choiceOf(experienceId: string): ArmChoice | undefined {
    return this.#choices.get(experienceId);
  }

  /** The last task of a type whose arm a learner has chosen, as far as that is known. */
  lastChosen(taskType: string): string | undefined {
    return this.#lastChosen.get(taskType);
  }

  /**
   * First phase: a task is done, its outcome is not known. A shadow names what it repeats; when the outcome of that is
   * known already, it is resolved at once, and something may follow from it.
   */
  record(
    experience: ReasoningExperience,
    alternatives: readonly Alternative[] = [],
    choice?: ArmChoice,
  ): readonly AdaptationDecision[] {
    if (this.#experiences.record(experience) !== 'recorded') return NO_ACTIONS;
    this.#revision += 1;
    this.#agents.complete(experience);
    const caseId = experience.shadowOf ?? experience.experienceId;
    const members = this.#membersOf(caseId);
    if (experience.shadowOf !== undefined) members.push(experience.experienceId);
    else if (choice?.means !== undefined) this.#remember(experience, choice);
    const own = [experience.experienceId];
    for (const [index, { arm, predicted }] of alternatives.entries()) {
      const armId = armIdOf(arm);
      if (armId === experience.armId) continue;
      const experienceId = counterfactualOf(experience.experienceId, index);
      const isNew = this.#experiences.record({
        ...experience,
        experienceId,
        arm,
        armId,
        predicted,
        shadowOf: caseId,
      });
      if (isNew === 'recorded') own.push(experienceId);
    }
    members.push(...own.slice(1));
    return experience.shadowOf === undefined ? NO_ACTIONS : this.#catchUp(caseId, own);
  }

  /** Second phase: how a task turned out. Only the first outcome counts. */
  resolve(experienceId: string, outcome: TaskResolution): Resolution {
    const first = this.#experiences.experience(experienceId);
    if (first === undefined) return { result: 'unknown', actions: NO_ACTIONS };
    if (first.resolvedAtStep !== undefined) return { result: 'duplicate', actions: NO_ACTIONS };
    const resolvedAtStep = outcome.step ?? first.issuedAtStep;
    const { actual, utility } = outcome;
    const loss = outcome.loss ?? this.#lossOf(first, actual);
    if (loss === undefined && utility === undefined)
      return { result: 'refused', actions: NO_ACTIONS };
    const result = this.#experiences.resolve(experienceId, {
      ...(actual === undefined ? {} : { actual }),
      ...(loss === undefined ? {} : { loss }),
      ...(utility === undefined ? {} : { utility }),
      resolvedAtStep,
    });
    if (result !== 'resolved') return { result, actions: NO_ACTIONS };
    this.#revision += 1;
    const members = this.#cases.get(experienceId) ?? [];
    const resolved = [experienceId, ...this.#resolveOthers(members, actual, resolvedAtStep)];
    const done = this.#experiences.experience(experienceId);
    if (done !== undefined) this.#agents.resolve(done);
    return { result, actions: this.#learn(experienceId, resolved) };
  }

  /** An experience that somebody reports by itself: the first time without an outcome, the second time with one. */
  report(experience: ReasoningExperience): readonly AdaptationDecision[] {
    const { actual, resolvedAtStep, loss, utility, experienceId } = experience;
    if (resolvedAtStep === undefined) return this.record(experience);
    return this.resolve(experienceId, { actual, loss, utility, step: resolvedAtStep }).actions;
  }

  /** What agents of a task type are to use other than their default, for one that has just come. */
  inForce(taskType: string): AdaptationDecision | undefined {
    const type = this.#types.get(taskType);
    return type === undefined ? undefined : this.#decisions(type, [type.inForce])[0];
  }

  /** What is being tried of a task type is taken back, for a reason from outside. */
  withdraw(taskType: string, reason: string): readonly AdaptationDecision[] {
    const type = this.#types.get(taskType);
    this.#revision += 1;
    return type === undefined ? NO_ACTIONS : this.#decisions(type, [type.withdraw(reason)]);
  }

  /** Forgets what was learnt about a task type, or everything. What can be tuned stays known. */
  reset(taskType?: string): void {
    this.#revision += 1;
    if (taskType === undefined) {
      this.#experiences = new ExperienceBank(this.#options);
      this.#agents = new AgentTracker();
      this.#cases.clear();
      this.#choices.clear();
      this.#lastChosen.clear();
    } else {
      this.#experiences.forget(taskType);
      this.#agents.forget(taskType);
    }
    for (const [known, { tunable }] of this.#types) {
      if (taskType === undefined || known === taskType)
        this.#types.set(known, new TypeMemory(tunable));
    }
  }

  snapshot(): ReasoningBankSnapshot {
    return {
      version: 1,
      experiences: this.#experiences.snapshot(),
      types: [...this.#types.values()].map((type) => type.snapshot()),
      agents: this.#agents.snapshot(),
    };
  }

  /**
   * Goes on where another bank was when it was written down.
   *
   * @throws RangeError when the snapshot is of another version
   */
  restore(snapshot: ReasoningBankSnapshot): void {
    requireVersion(snapshot);
    this.#experiences = ExperienceBank.restore(snapshot.experiences);
    this.#agents = AgentTracker.restore(snapshot.agents);
    this.#types.clear();
    for (const type of snapshot.types) {
      this.#types.set(type.tunable.taskType, TypeMemory.restore(type));
    }
    this.#cases.clear();
    this.#choices.clear();
    this.#lastChosen.clear();
    for (const { experienceId, shadowOf } of this.#experiences.experiences()) {
      if (shadowOf !== undefined) this.#membersOf(shadowOf).push(experienceId);
    }
  }

  /**
   * Adds what another bank has learnt from other tasks: the sums of each arm, and the learners. Raw experiences, what agents
   * are to use and what they have shown stay this bank's own.
   *
   * @throws RangeError when the snapshot is of another version, or its arms are others under the same name; then nothing
   *   is taken in
   */
  merge(snapshot: ReasoningBankSnapshot): void {
    this.requireMergeable(snapshot);
    this.#revision += 1;
    this.#experiences.merge(snapshot.experiences);
    for (const type of snapshot.types) {
      this.declare(type.tunable);
      this.#types.get(type.tunable.taskType)?.merge(type);
    }
  }

  /**
   * Says whether a snapshot can be taken in. It comes from elsewhere, so that its type is a hope: what it is made of is
   * made of it, and thrown away again.
   *
   * @throws RangeError or TypeError when it cannot
   */
  requireMergeable(snapshot: ReasoningBankSnapshot): void {
    requireVersion(snapshot);
    ExperienceBank.restore(snapshot.experiences);
    for (const type of snapshot.types) {
      const { tunable } = type;
      TypeMemory.restore(type);
      const own = this.#types.get(tunable.taskType);
      if (own === undefined || own.isAbout(tunable)) continue;
      throw new RangeError(`The arms of ${tunable.taskType} are not those of the export.`);
    }
  }

  /** Of a case whose outcome is known already. */
  #catchUp(caseId: string, late: readonly string[]): readonly AdaptationDecision[] {
    const first = this.#experiences.experience(caseId);
    if (first?.resolvedAtStep === undefined) return NO_ACTIONS;
    const resolved = this.#resolveOthers(late, first.actual, first.resolvedAtStep);
    return resolved.length === 0 ? NO_ACTIONS : this.#learn(caseId, resolved);
  }

  /** Resolves those whose forecast tells what their loss was; returns which. */
  #resolveOthers(
    experienceIds: readonly string[],
    actual: number | undefined,
    resolvedAtStep: number,
  ): string[] {
    return experienceIds.filter((experienceId) => {
      const experience = this.#experiences.experience(experienceId);
      if (experience === undefined || actual === undefined) return false;
      const loss = this.#lossOf(experience, actual);
      if (loss === undefined) return false;
      const outcome: Outcome = { actual, loss, resolvedAtStep };
      if (this.#experiences.resolve(experienceId, outcome) !== 'resolved') return false;
      const done = this.#experiences.experience(experienceId);
      // A counterfactual is nobody's work, but a shadow is.
      if (done !== undefined && !isCounterfactual(experienceId)) this.#agents.resolve(done);
      return true;
    });
  }

  /** Learns from what has just been resolved of a case, and compares all that is known about it. */
  #learn(caseId: string, resolved: readonly string[]): readonly AdaptationDecision[] {
    const first = this.#experiences.experience(caseId);
    const type = first === undefined ? undefined : this.#types.get(first.taskType);
    if (first?.resolvedAtStep === undefined || type === undefined) return NO_ACTIONS;
    const fresh = this.#utilitiesOf(resolved);
    const known = this.#utilitiesOf([caseId, ...(this.#cases.get(caseId) ?? [])]);
    const changed = fresh.length === 0 ? undefined : type.learn(first.context, fresh);
    const compared = type.compare({
      caseKey: caseId,
      issuedAtStep: first.issuedAtStep,
      resolvedAtStep: first.resolvedAtStep,
      ...(first.seriesId === undefined ? {} : { seriesId: first.seriesId }),
      utilities: new Map(known.map(({ armId, utility }) => [armId, utility])),
    });
    return this.#decisions(type, [changed, compared]);
  }

  /** Each arm once: of two answers with the same arm the earlier one counts. */
  #utilitiesOf(experienceIds: readonly string[]): { armId: string; utility: number }[] {
    const utilities = new Map<string, number>();
    for (const experienceId of experienceIds) {
      const { armId, utility } = this.#experiences.experience(experienceId) ?? {};
      if (armId !== undefined && utility !== undefined && !utilities.has(armId)) {
        utilities.set(armId, utility);
      }
    }
    return [...utilities].map(([armId, utility]) => ({ armId, utility }));
  }

  #lossOf(experience: ReasoningExperience, actual: number | undefined): number | undefined {
    if (actual === undefined) return undefined;
    const loss = this.#types.get(experience.taskType)?.tunable.loss ?? 'squared';
    return lossOf(loss, experience.predicted, actual);
  }

  #decisions(
    type: TypeMemory,
    actions: readonly (AdoptionAction | undefined)[],
  ): readonly AdaptationDecision[] {
    return actions.flatMap((action) => {
      if (action === undefined) return [];
      const from = type.armOf(action.from);
      const to = type.armOf(action.to);
      if (from === undefined || to === undefined) return [];
      const isRollback = action.type === 'rollback';
      const canaryPercent = action.type === 'rollback' ? 100 : action.canaryPercent;
      const { taskType } = type.tunable;
      return [{ taskType, from, to, canaryPercent, verdict: action.verdict, isRollback }];
    });
  }

  #membersOf(caseId: string): string[] {
    let members = this.#cases.get(caseId);
    if (members === undefined) {
      members = [];
      this.#cases.set(caseId, members);
      dropOldest(this.#cases, this.#options.capacity ?? 10_000);
    }
    return members;
  }

  #remember({ experienceId, taskType }: ReasoningExperience, choice: ArmChoice): void {
    this.#choices.set(experienceId, choice);
    this.#lastChosen.set(taskType, experienceId);
    dropOldest(this.#choices, this.#options.capacity ?? 10_000);
  }
}

/** Ids of tasks have no `+`. */
function counterfactualOf(experienceId: string, index: number): string {
  return `${experienceId}+${index}`;
}

function isCounterfactual(experienceId: string): boolean {
  return experienceId.includes('+');
}

function dropOldest(map: Map<string, unknown>, sizeMax: number): void {
  if (map.size <= sizeMax) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

/** A snapshot comes from a disk or from elsewhere: its type is a hope. */
function requireVersion(snapshot: ReasoningBankSnapshot): void {
  const version: number = snapshot.version;
  if (version !== 1) throw new RangeError(`Snapshots of version ${version} cannot be read.`);
}
