/** What was measured, round by round, and what became of those who did not get to the end. */
import type { CrewMeasured } from './crew.ts';
import type { Bench, Contestant, ContestantKind, ResultReader, Workload } from './model.ts';
import { median, spreadOf, type Spread } from './statistics.ts';

/** One figure of one contestant, over all rounds. */
export interface MeasuredRow extends Spread {
  readonly workload: string;
  readonly contestant: string;
  readonly kind: ContestantKind;
  readonly outcome: 'measured';
  readonly metric: string;
  readonly unit: string;
  readonly better: 'less' | 'more';
  readonly median: number;
  /** Median over the rounds of this contestant's figure divided by that of the first of ours. */
  readonly ratioToOurs: number | undefined;
  /** In the order of the rounds. */
  readonly values: readonly number[];
}

/** A contestant without figures. */
export interface AbsentRow {
  /** Undefined: of all workloads. */
  readonly workload: string | undefined;
  readonly contestant: string;
  readonly kind: ContestantKind;
  readonly outcome: 'skipped' | 'timed out' | 'failed';
  readonly reason: string;
}

export type Row = MeasuredRow | AbsentRow;

/** The prefix of the metrics that say what a process used. */
export const CPU_METRIC = 'cpu ';

type Rounds = CrewMeasured[];

/** See the head of this file. */
export class Results implements ResultReader {
  readonly #bench: Bench;
  readonly #measured = new Map<string, Rounds>();
  readonly #absent: AbsentRow[] = [];

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  add(contestant: Contestant, workload: Workload, measured: CrewMeasured): void {
    const key = keyOf(workload.name, contestant.name);
    const rounds = this.#measured.get(key) ?? [];
    rounds.push(measured);
    this.#measured.set(key, rounds);
  }

  /** A contestant takes no part. */
  skip({ name, kind }: Contestant, reason: string): void {
    const row = { workload: undefined, contestant: name, kind, reason };
    this.#absent.push({ ...row, outcome: 'skipped' });
  }

  /** A contestant is out of a workload; what it measured before does not count either. */
  drop(
    { name, kind }: Contestant,
    { name: workload }: Workload,
    outcome: 'timed out' | 'failed',
    reason: string,
  ): void {
    this.#measured.delete(keyOf(workload, name));
    this.#absent.push({ workload, contestant: name, kind, outcome, reason });
  }

  isOut(contestant: Contestant, workload: Workload): boolean {
    return this.#absent.some(
      (row) => row.contestant === contestant.name && row.workload === workload.name,
    );
  }

  /** Whether one of ours did not do what it should. */
  get hasOurFailure(): boolean {
    return this.#absent.some(({ kind, outcome }) => kind === 'ours' && outcome !== 'skipped');
  }

  value(workload: string, contestant: string, metric: string): number | undefined {
    const values = this.#values(workload, contestant, metric);
    return values.length === 0 ? undefined : median(values);
  }

  ratio(workload: string, metric: string, contestant: string, other: string): number | undefined {
    const values = this.#values(workload, contestant, metric);
    const others = this.#values(workload, other, metric);
    const count = Math.min(values.length, others.length);
    if (count === 0) return undefined;
    const ratios = values.slice(0, count).map((value, round) => value / (others[round] ?? 0));
    return median(ratios);
  }

  /** All figures, workload by workload, in the order of the bench. */
  rows(): Row[] {
    const measured = this.#bench.plans.flatMap(({ workload }) =>
      this.#bench.contestants.flatMap((contestant) => this.#rowsOf(workload, contestant)),
    );
    return [...measured, ...this.#absent];
  }

  #rowsOf(workload: Workload, { name, kind }: Contestant): MeasuredRow[] {
    const rounds = this.#measured.get(keyOf(workload.name, name));
    if (rounds === undefined) return [];
    const cpu = Object.keys(rounds[0]?.cpuMicros ?? {}).map((process) => ({
      name: CPU_METRIC + process,
      unit: `µs/${workload.operation}`,
      better: 'less' as const,
    }));
    const ours = this.#firstOfOurs(workload);
    return [...workload.metrics, ...cpu].flatMap(({ name: metric, unit, better }) => {
      const values = this.#values(workload.name, name, metric);
      if (values.length === 0) return [];
      const middle = median(values);
      const ratioToOurs = this.ratio(workload.name, metric, name, ours);
      return {
        workload: workload.name,
        contestant: name,
        kind,
        outcome: 'measured' as const,
        metric,
        unit,
        better,
        median: middle,
        ...spreadOf(values),
        ratioToOurs,
        values,
      };
    });
  }

  /** Whom ratios are made with: the first of ours that has done the workload. */
  #firstOfOurs({ name: workload }: Workload): string {
    const found = this.#bench.contestants.find(
      ({ kind, name }) => kind === 'ours' && this.#measured.has(keyOf(workload, name)),
    );
    return found?.name ?? '';
  }

  #values(workload: string, contestant: string, metric: string): number[] {
    const rounds = this.#measured.get(keyOf(workload, contestant)) ?? [];
    return rounds.flatMap(({ values, cpuMicros }) => {
      const value = metric.startsWith(CPU_METRIC)
        ? cpuMicros[metric.slice(CPU_METRIC.length)]
        : values[metric];
      return value === undefined ? [] : [value];
    });
  }
}

function keyOf(workload: string, contestant: string): string {
  return `${workload}\n${contestant}`;
}
