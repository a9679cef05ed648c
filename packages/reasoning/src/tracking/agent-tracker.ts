/**
 * How well each agent does each type of task: how good its answers are lately and in the long run, how long it takes,
 * and whether its forecasts mean what they say. Constant memory per agent and task type.
 *
 * It tells agents apart that are given different cases, so that its numbers describe; they do not judge. Whether one
 * *arm* is better than another is for evidence.ts to say.
 */
import type { ReasoningExperience } from '@quic-swarm/protocol';
import { IntervalCoverage, type CoverageCounts } from './interval-coverage.ts';
import { LogHistogram, type LogHistogramSnapshot } from './log-histogram.ts';
import { MovingAverage, type MovingAverageSnapshot } from './moving-average.ts';
import {
  ProbabilityCalibration,
  type CalibrationReport,
  type ProbabilityCalibrationSnapshot,
} from './probability-calibration.ts';
import { Skill, type SkillGroup, type SkillReport } from './skill.ts';

/** Half-lives of the two averages of utility, in outcomes. */
export const RECENT_HALF_LIFE = 20;
export const LONG_HALF_LIFE = 200;

/** What is known about one agent and one task type. What cannot be said yet is left out. */
export interface AgentReport {
  readonly agentId: string;
  readonly taskType: string;
  /** Tasks done. */
  readonly completions: number;
  /** Quantiles of the latency, ±1 %. */
  readonly latencyMs?: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** Outcomes with a utility. */
  readonly outcomes: number;
  /** Averages of the utility that forget half in 20 and in 200 outcomes. */
  readonly utility?: { readonly recent: number; readonly long: number };
  /** Of forecasts of a probability. */
  readonly calibration?: CalibrationReport;
  /** Share of the outcomes within [q05, q95]; 0.9 is right. */
  readonly coverage?: CoverageCounts & { readonly share: number };
  /** Of the squared error of the mean forecast against that of the baseline. */
  readonly skill?: SkillReport;
}

/** Bounds of a tracker. */
export interface AgentTrackerOptions {
  /** Pairs of agent and task type that are tracked; further ones are not. @default 1,000 */
  readonly recordsMax?: number;
}

/** `open`: it has no outcome yet. `untracked`: there are `recordsMax` others already. */
export type TrackResult = 'tracked' | 'open' | 'untracked';

/** An {@link AgentTracker} as plain data. */
export interface AgentTrackerSnapshot {
  readonly version: 1;
  readonly recordsMax: number;
  readonly records: readonly {
    readonly agentId: string;
    readonly taskType: string;
    readonly latency: LogHistogramSnapshot;
    readonly outcomes: number;
    readonly recent: MovingAverageSnapshot;
    readonly long: MovingAverageSnapshot;
    readonly calibration: ProbabilityCalibrationSnapshot;
    readonly coverage: CoverageCounts;
    readonly skill: readonly SkillGroup[];
  }[];
}

interface AgentRecord {
  readonly agentId: string;
  readonly taskType: string;
  readonly latency: LogHistogram;
  outcomes: number;
  readonly recent: MovingAverage;
  readonly long: MovingAverage;
  readonly calibration: ProbabilityCalibration;
  readonly coverage: IntervalCoverage;
  readonly skill: Skill;
}

/** Follows every agent. */
export class AgentTracker {
  readonly #recordsMax: number;
  readonly #records = new Map<string, AgentRecord>();

  /** @throws RangeError when the bound is not an integer of 1 or more */
  constructor({ recordsMax = 1000 }: AgentTrackerOptions = {}) {
    if (!(Number.isSafeInteger(recordsMax) && recordsMax >= 1)) {
      throw new RangeError(`recordsMax must be an integer of 1 or more, not ${recordsMax}.`);
    }
    this.#recordsMax = recordsMax;
  }

  /**
   * A tracker that goes on where the other was when it was written down.
   *
   * @throws RangeError when the snapshot is of another version
   */
  static restore(snapshot: AgentTrackerSnapshot): AgentTracker {
    // A snapshot comes from a disk: its type is a hope.
    const version: number = snapshot.version;
    if (version !== 1) throw new RangeError(`Snapshots of version ${version} cannot be read.`);
    const tracker = new AgentTracker(snapshot);
    for (const record of snapshot.records) {
      tracker.#records.set(keyOf(record), {
        agentId: record.agentId,
        taskType: record.taskType,
        latency: LogHistogram.restore(record.latency),
        outcomes: record.outcomes,
        recent: MovingAverage.restore(record.recent),
        long: MovingAverage.restore(record.long),
        calibration: ProbabilityCalibration.restore(record.calibration),
        coverage: IntervalCoverage.restore(record.coverage),
        skill: Skill.restore(record.skill),
      });
    }
    return tracker;
  }

  /** First phase: the task is done. Only its latency counts. Once per experience. */
  complete(experience: ReasoningExperience): TrackResult {
    const record = this.#open(experience);
    if (record === undefined) return 'untracked';
    record.latency.add(experience.latencyMs);
    return 'tracked';
  }

  /**
   * Second phase: the outcome is known, in the order in which outcomes become known. Once per experience. A
   * probability is compared with an `actual` of 0 or 1, an interval and a mean with any.
   */
  resolve(experience: ReasoningExperience): TrackResult {
    const { actual, utility, predicted, baseline, seriesId } = experience;
    if (experience.resolvedAtStep === undefined) return 'open';
    const record = this.#open(experience);
    if (record === undefined) return 'untracked';
    if (utility !== undefined) {
      record.outcomes += 1;
      record.recent.add(utility);
      record.long.add(utility);
    }
    if (actual === undefined || predicted === undefined) return 'tracked';
    const { mean, q05, q95, probability } = predicted;
    if (probability !== undefined && (actual === 0 || actual === 1)) {
      record.calibration.add(probability, actual === 1);
    }
    // Quantiles the wrong way round are no interval; what an agent says is not to be trusted with an exception.
    if (q05 !== undefined && q95 !== undefined && q05 <= q95) {
      record.coverage.add({ q05, q95 }, actual);
    }
    if (baseline !== undefined) {
      const losses = [(mean - actual) ** 2, (baseline - actual) ** 2] as const;
      if (losses.every((loss) => Number.isFinite(loss))) record.skill.add(...losses, seriesId);
    }
    return 'tracked';
  }

  /** What is known about an agent and a task type; undefined when it is not tracked. */
  report(agentId: string, taskType: string): AgentReport | undefined {
    const record = this.#records.get(keyOf({ agentId, taskType }));
    return record && reportOf(record);
  }

  /** What is known about all, in the order in which they were first seen. */
  reports(): AgentReport[] {
    return [...this.#records.values()].map((record) => reportOf(record));
  }

  /** Forgets what agents have shown of a task type. */
  forget(taskType: string): void {
    for (const [key, record] of this.#records) {
      if (record.taskType === taskType) this.#records.delete(key);
    }
  }

  snapshot(): AgentTrackerSnapshot {
    return {
      version: 1,
      recordsMax: this.#recordsMax,
      records: [...this.#records.values()].map((record) => ({
        agentId: record.agentId,
        taskType: record.taskType,
        latency: record.latency.snapshot(),
        outcomes: record.outcomes,
        recent: record.recent.snapshot(),
        long: record.long.snapshot(),
        calibration: record.calibration.snapshot(),
        coverage: record.coverage.snapshot(),
        skill: record.skill.snapshot(),
      })),
    };
  }

  #open({ agentId, taskType }: ReasoningExperience): AgentRecord | undefined {
    const key = keyOf({ agentId, taskType });
    const present = this.#records.get(key);
    if (present !== undefined || this.#records.size >= this.#recordsMax) return present;
    const record: AgentRecord = {
      agentId,
      taskType,
      latency: new LogHistogram(),
      outcomes: 0,
      recent: new MovingAverage(RECENT_HALF_LIFE),
      long: new MovingAverage(LONG_HALF_LIFE),
      calibration: new ProbabilityCalibration(),
      coverage: new IntervalCoverage(),
      skill: new Skill(),
    };
    this.#records.set(key, record);
    return record;
  }
}

function keyOf({ agentId, taskType }: { agentId: string; taskType: string }): string {
  return JSON.stringify([agentId, taskType]);
}

function reportOf(record: AgentRecord): AgentReport {
  const { agentId, taskType, latency, outcomes } = record;
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((fraction) => latency.quantile(fraction));
  const recent = record.recent.value;
  const long = record.long.value;
  const calibration = record.calibration.report();
  const share = record.coverage.coverage;
  const skill = record.skill.report();
  return {
    agentId,
    taskType,
    completions: latency.count,
    ...(p50 !== undefined &&
      p95 !== undefined &&
      p99 !== undefined && { latencyMs: { p50, p95, p99 } }),
    outcomes,
    ...(recent !== undefined && long !== undefined && { utility: { recent, long } }),
    ...(calibration && { calibration }),
    ...(share !== undefined && { coverage: { ...record.coverage.snapshot(), share } }),
    ...(skill && { skill }),
  };
}
