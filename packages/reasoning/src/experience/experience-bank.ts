/**
 * The memory of the ReasoningBank. An experience comes in two phases: it is *recorded* when the task is done, without
 * its outcome, and *resolved* when the outcome is known, perhaps many steps later. Nothing is learnt before it is
 * resolved, so that nothing can be learnt from the future.
 *
 * Two memories: a ring of the latest raw experiences, and per arm sums that are kept for ever. Both are bounded. The
 * bank does not judge (see verdict.ts) and does not choose arms.
 *
 * Invariants:
 * 1. counters.recorded = counters.resolved + counters.expired + unresolved experiences in the ring.
 * 2. The ring holds at most `capacity` experiences, with different ids.
 * 3. Experiences of one case are scored with one scale, even if an epoch ends between them: a pair is comparable.
 */
import type { ReasoningExperience } from '@quic-swarm/protocol';
import {
  armKey,
  emptyStatistics,
  mergeArmStatistics,
  type ArmStatistics,
} from './arm-statistics.ts';
import { caseKeysOf } from './case-keys.ts';
import {
  isLoss,
  isUtility,
  utilityOf,
  UtilityScale,
  type UtilityScaleSnapshot,
} from './utility.ts';

/** As many numbers as the context of an experience may have. */
const CONTEXT_LENGTH_MAX = 16;

/** Bounds of a bank. */
export interface ExperienceBankOptions {
  /** Raw experiences that are kept; the oldest gives way. @default 10,000 */
  readonly capacity?: number;
  /** Pairs of task type and arm for which statistics are kept; experiences of further ones are untracked. @default 10,000 */
  readonly armsMax?: number;
}

/** How an experience turned out. */
export interface Outcome {
  /** Left out where only a loss or a utility is known. */
  readonly actual?: number;
  /** In the units of the task type, lower is better, at least 0. */
  readonly loss?: number;
  /** In [0, 1]. Where it is left out it is made from the loss, once the task type has a scale. */
  readonly utility?: number;
  /** Not before the experience's issuedAtStep. */
  readonly resolvedAtStep: number;
}

/** What became of an experience: `refused` ones are contradictory, e.g. they know their outcome already. */
export type RecordResult = 'recorded' | 'duplicate' | 'refused';

/** What became of an outcome: `unknown` has no experience in the ring, `duplicate` came after another. */
export type ResolveResult = 'resolved' | 'unknown' | 'duplicate' | 'refused';

/** What happened since the bank was made. */
export interface BankCounters {
  recorded: number;
  resolved: number;
  /** Left the ring before they were resolved. */
  expired: number;
  /** Second records and second outcomes of an id, ignored. */
  duplicates: number;
  /** Outcomes whose experience was never recorded or has left the ring, ignored. */
  unknown: number;
  /** Contradictory records and outcomes, ignored. */
  refused: number;
  /** Resolved without a utility, because the task type had no scale yet or there was no loss. */
  unscored: number;
  /** Recorded, but without statistics, because there were `armsMax` arms already. */
  untracked: number;
}

/** A bank as plain data, for CBOR or a structured clone. */
export interface ExperienceBankSnapshot {
  readonly version: 1;
  readonly capacity: number;
  readonly armsMax: number;
  readonly counters: Readonly<BankCounters>;
  readonly statistics: readonly ArmStatistics[];
  readonly scales: readonly { readonly taskType: string; readonly scale: UtilityScaleSnapshot }[];
  /** The ring, oldest first; caseScale is the scale with which the experience's case is scored. */
  readonly ring: readonly {
    readonly experience: ReasoningExperience;
    readonly caseKey: string;
    readonly caseScale?: number;
  }[];
}

interface Entry {
  experience: ReasoningExperience;
  readonly caseKey: string;
}

/** A case of experiences in the ring. */
interface Case {
  /** Fixed by the first experience of the case that is scored, for all others. */
  scale: number | undefined;
  members: number;
}

type MutableStatistics = { -readonly [Field in keyof ArmStatistics]: ArmStatistics[Field] };

/** Records and resolves experiences, within bounds. */
export class ExperienceBank {
  readonly #capacity: number;
  readonly #armsMax: number;
  readonly #entries = new Map<string, Entry>();
  /** Ids in the order of recording; from #oldest on in a full ring. */
  readonly #ring: string[] = [];
  #oldest = 0;
  readonly #cases = new Map<string, Case>();
  readonly #statistics = new Map<string, MutableStatistics>();
  readonly #scales = new Map<string, UtilityScale>();
  readonly #counters: BankCounters = {
    recorded: 0,
    resolved: 0,
    expired: 0,
    duplicates: 0,
    unknown: 0,
    refused: 0,
    unscored: 0,
    untracked: 0,
  };

  /** @throws RangeError when a bound is not an integer of 1 or more */
  constructor(options: ExperienceBankOptions = {}) {
    this.#capacity = requireBound('capacity', options.capacity ?? 10_000);
    this.#armsMax = requireBound('armsMax', options.armsMax ?? 10_000);
  }

  /**
   * A bank that goes on where the other was when it was written down.
   *
   * @throws RangeError when the snapshot is of another version
   */
  static restore(snapshot: ExperienceBankSnapshot): ExperienceBank {
    // A snapshot comes from a disk: its type is a hope.
    const version: number = snapshot.version;
    if (version !== 1) throw new RangeError(`Snapshots of version ${version} cannot be read.`);
    const bank = new ExperienceBank(snapshot);
    for (const { experience, caseKey, caseScale } of snapshot.ring) {
      bank.#remember(experience, caseKey);
      bank.#caseOf(caseKey).scale ??= caseScale;
    }
    for (const statistics of snapshot.statistics) {
      bank.#statistics.set(armKey(statistics.taskType, statistics.armId), { ...statistics });
    }
    for (const { taskType, scale } of snapshot.scales) {
      bank.#scales.set(taskType, UtilityScale.restore(scale));
    }
    Object.assign(bank.#counters, snapshot.counters);
    return bank;
  }

  /** Experiences in the ring. */
  get size(): number {
    return this.#entries.size;
  }

  get counters(): Readonly<BankCounters> {
    return { ...this.#counters };
  }

  /**
   * First phase: the task is done, its outcome is not known. An experience that carries an outcome already is
   * refused, as is one whose context is longer than 16 numbers; a second one with the same id is ignored.
   */
  record(experience: ReasoningExperience): RecordResult {
    if (this.#entries.has(experience.experienceId)) {
      this.#counters.duplicates += 1;
      return 'duplicate';
    }
    if (knowsOutcome(experience) || experience.context.length > CONTEXT_LENGTH_MAX) {
      this.#counters.refused += 1;
      return 'refused';
    }
    this.#counters.recorded += 1;
    const statistics = this.#openStatistics(experience);
    if (statistics === undefined) this.#counters.untracked += 1;
    else {
      statistics.recorded += 1;
      statistics.latencyMsSum += experience.latencyMs;
      statistics.computeMsSum += experience.computeMs;
    }
    this.#remember(experience, this.#caseKeyOf(experience));
    return 'recorded';
  }

  /**
   * Second phase: the outcome is known. Only the first outcome of an experience counts. Refused when it comes from
   * before the experience or its numbers are impossible; the experience stays open then.
   */
  resolve(experienceId: string, outcome: Outcome): ResolveResult {
    const entry = this.#entries.get(experienceId);
    if (entry === undefined) {
      this.#counters.unknown += 1;
      return 'unknown';
    }
    if (entry.experience.resolvedAtStep !== undefined) {
      this.#counters.duplicates += 1;
      return 'duplicate';
    }
    if (!isPossible(outcome, entry.experience.issuedAtStep)) {
      this.#counters.refused += 1;
      return 'refused';
    }
    const { actual, loss, resolvedAtStep } = outcome;
    const utility = outcome.utility ?? this.#score(entry, loss);
    entry.experience = {
      ...entry.experience,
      resolvedAtStep,
      ...(actual === undefined ? {} : { actual }),
      ...(loss === undefined ? {} : { loss }),
      ...(utility === undefined ? {} : { utility }),
    };
    this.#counters.resolved += 1;
    if (utility === undefined) this.#counters.unscored += 1;
    this.#addToStatistics(entry.experience);
    return 'resolved';
  }

  /** The experience with this id while it is in the ring, with its outcome once it is resolved. */
  experience(experienceId: string): ReasoningExperience | undefined {
    return this.#entries.get(experienceId)?.experience;
  }

  /** The experiences in the ring in the order in which they were recorded, of one task type or of all. */
  experiences(taskType?: string): ReasoningExperience[] {
    return this.#entriesInOrder()
      .map(({ experience }) => experience)
      .filter((experience) => taskType === undefined || experience.taskType === taskType);
  }

  /** What is known for ever about each arm of a task type, in the order in which the arms were first seen. */
  armStatistics(taskType: string): ArmStatistics[] {
    return this.#allStatistics().filter((statistics) => statistics.taskType === taskType);
  }

  /** Forgets all experiences and statistics of a task type. */
  forget(taskType: string): void {
    const entries = this.#entriesInOrder();
    this.#ring.length = 0;
    this.#oldest = 0;
    for (const { experience } of entries) {
      if (experience.taskType === taskType) this.#forget(experience.experienceId);
      else this.#ring.push(experience.experienceId);
    }
    for (const [key, statistics] of this.#statistics) {
      if (statistics.taskType === taskType) this.#statistics.delete(key);
    }
    this.#scales.delete(taskType);
  }

  /**
   * Adds what another bank knows for ever of *other* experiences. Its raw experiences stay where they are; of a task type
   * without a scale its scale is taken over.
   */
  merge(snapshot: ExperienceBankSnapshot): void {
    const merged = mergeArmStatistics(this.#allStatistics(), snapshot.statistics);
    for (const statistics of merged.slice(0, this.#armsMax)) {
      this.#statistics.set(armKey(statistics.taskType, statistics.armId), { ...statistics });
    }
    for (const { taskType, scale } of snapshot.scales) {
      if (!this.#scales.has(taskType)) this.#scales.set(taskType, UtilityScale.restore(scale));
    }
  }

  /** Everything as plain data. The experiences in it are the bank's own: not to be changed. */
  snapshot(): ExperienceBankSnapshot {
    return {
      version: 1,
      capacity: this.#capacity,
      armsMax: this.#armsMax,
      counters: this.counters,
      statistics: this.#allStatistics(),
      scales: [...this.#scales].map(([taskType, scale]) => ({ taskType, scale: scale.snapshot() })),
      ring: this.#entriesInOrder().map(({ experience, caseKey }) => {
        const caseScale = this.#caseOf(caseKey).scale;
        return { experience, caseKey, ...(caseScale === undefined ? {} : { caseScale }) };
      }),
    };
  }

  #allStatistics(): ArmStatistics[] {
    return [...this.#statistics.values()].map((statistics) => ({ ...statistics }));
  }

  #entriesInOrder(): Entry[] {
    const ids = [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)];
    return ids.map((id) => this.#entries.get(id)).filter((entry) => entry !== undefined);
  }

  /** Puts an experience into the ring; the oldest leaves a full one. */
  #remember(experience: ReasoningExperience, caseKey: string): void {
    if (this.#ring.length < this.#capacity) {
      this.#ring.push(experience.experienceId);
    } else {
      this.#forget(this.#ring[this.#oldest]);
      this.#ring[this.#oldest] = experience.experienceId;
      this.#oldest = (this.#oldest + 1) % this.#capacity;
    }
    // A decoded typed array may be a window on a large receive buffer, which must not be kept alive for 16 numbers.
    const own = { ...experience, context: experience.context.slice() };
    this.#entries.set(own.experienceId, { experience: own, caseKey });
    const joined = this.#caseOf(caseKey);
    joined.members += 1;
    this.#cases.set(caseKey, joined);
  }

  #forget(experienceId: string | undefined): void {
    const entry = experienceId === undefined ? undefined : this.#entries.get(experienceId);
    if (entry === undefined) return;
    const { experience, caseKey } = entry;
    this.#entries.delete(experience.experienceId);
    const left = this.#caseOf(caseKey);
    left.members -= 1;
    if (left.members === 0) this.#cases.delete(caseKey);
    if (experience.resolvedAtStep !== undefined) return;
    this.#counters.expired += 1;
    const statistics = this.#statisticsOf(experience);
    if (statistics !== undefined) statistics.expired += 1;
  }

  /** A replay belongs to the case of its original; otherwise series and step name the case, where they are known. */
  #caseKeyOf(experience: ReasoningExperience): string {
    const { shadowOf, taskType } = experience;
    const original = shadowOf === undefined ? undefined : this.#entries.get(shadowOf);
    if (original?.experience.taskType === taskType) return original.caseKey;
    const keys = caseKeysOf(experience);
    return keys.at(-1) ?? keys[0];
  }

  #caseOf(caseKey: string): Case {
    return this.#cases.get(caseKey) ?? { scale: undefined, members: 0 };
  }

  /** The utility of a loss by the scale of its case. The loss itself counts for later scales only. */
  #score(entry: Entry, loss: number | undefined): number | undefined {
    if (loss === undefined) return undefined;
    const { taskType } = entry.experience;
    let scale = this.#scales.get(taskType);
    if (scale === undefined) {
      // A task type without statistics gets no scale either, so that `armsMax` bounds both.
      if (this.#statisticsOf(entry.experience) === undefined) return undefined;
      scale = new UtilityScale();
      this.#scales.set(taskType, scale);
    }
    const scored = this.#caseOf(entry.caseKey);
    scored.scale ??= scale.scale;
    scale.observe(loss);
    return scored.scale === undefined ? undefined : utilityOf(loss, scored.scale);
  }

  #statisticsOf(experience: ReasoningExperience): MutableStatistics | undefined {
    return this.#statistics.get(armKey(experience.taskType, experience.armId));
  }

  #openStatistics(experience: ReasoningExperience): MutableStatistics | undefined {
    const present = this.#statisticsOf(experience);
    if (present !== undefined || this.#statistics.size >= this.#armsMax) return present;
    const { taskType, armId, arm } = experience;
    const opened: MutableStatistics = emptyStatistics(taskType, armId, { ...arm });
    this.#statistics.set(armKey(taskType, armId), opened);
    return opened;
  }

  #addToStatistics(experience: ReasoningExperience): void {
    const statistics = this.#statisticsOf(experience);
    if (statistics === undefined) return;
    statistics.resolved += 1;
    const { utility } = experience;
    if (utility === undefined) return;
    statistics.scored += 1;
    statistics.utilitySum += utility;
    statistics.utilitySquaresSum += utility * utility;
    if (utility === 0) statistics.failures += 1;
  }
}

function knowsOutcome({ actual, loss, utility, resolvedAtStep }: ReasoningExperience): boolean {
  return [actual, loss, utility, resolvedAtStep].some((value) => value !== undefined);
}

function isPossible(outcome: Outcome, issuedAtStep: number): boolean {
  const { actual, loss, utility, resolvedAtStep } = outcome;
  return (
    (actual === undefined || Number.isFinite(actual)) &&
    (loss === undefined || isLoss(loss)) &&
    (utility === undefined || isUtility(utility)) &&
    Number.isSafeInteger(resolvedAtStep) &&
    resolvedAtStep >= issuedAtStep
  );
}

function requireBound(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(`${name} must be an integer of 1 or more, not ${value}.`);
}
