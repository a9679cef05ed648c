/**
 * The words of a bench. A bench lets *contestants* do *workloads* in turns, over several rounds, and compares the
 * figures with *targets*. A contestant is a peer (a file of `peers/`) in one variant; a workload (a file of
 * `workloads/`) says what is done and what is measured.
 */
import type { Abilities } from '../peers/contract.ts';

/** `ours` is judged, a `peer` is what people would pick instead, a `floor` is what no protocol can beat. */
export type ContestantKind = 'ours' | 'peer' | 'floor';

/** Numbers and words that one variant of a peer differs by, such as the size of datagrams. */
export type Variant = Readonly<Record<string, string | number | boolean>>;

/** How much is done; a workload has defaults, a bench, `--quick` and a contestant may say otherwise. */
export type Settings = Readonly<Record<string, number>>;

/** Who takes part. */
export interface Contestant {
  /** As printed, unique within the bench. */
  readonly name: string;
  readonly kind: ContestantKind;
  /** File name in `peers/`, without its ending. */
  readonly peer: string;
  readonly variant?: Variant;
  /** The workloads that say something about it. @default all that it is able to do */
  readonly workloads?: readonly string[];
  /** It takes so long that it has no turn in later rounds, and one only with `--quick`. @default all rounds */
  readonly roundsMax?: number;
  /** Its processes work even when nothing is asked of them, so they run at the end of each round, alone.
   *  @default false */
  readonly isRestless?: boolean;
  /** It takes too long for a look: `--quick` leaves it out. @default false */
  readonly isLong?: boolean;
  /** What a reader must know to compare it, such as settings of its own. */
  readonly note?: string;
  /** Settings by workload where this contestant would take too long or cannot hold as much. */
  readonly settings?: Readonly<Record<string, Settings>>;
}

/** One figure of a workload. */
export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly better: 'less' | 'more';
}

/** What one measurement gave. */
export interface Measured {
  /** By metric name; what could not be told (p999 of too few samples) is left out. */
  readonly values: Readonly<Record<string, number>>;
  /** Operations done, by which CPU time is divided. */
  readonly operations: number;
}

/** A workload that is warm and ready. */
export interface Prepared {
  /** Measures once. */
  run(): Promise<Measured>;
  /** Gives back what `prepare` took. */
  dispose(): Promise<void>;
}

/** What is done and measured; runs in the client process of each contestant. */
export interface Workload {
  readonly name: string;
  /** For people: what is done, with its sizes. */
  readonly title: string;
  /** Contestants without this ability do not take part. */
  readonly ability: keyof Abilities;
  /** The first one is what ratios are made of. */
  readonly metrics: readonly Metric[];
  /** What CPU time is divided by: 'message', 'request', 'MiB'. */
  readonly operation: string;
  readonly settings: Settings;
  prepare(abilities: Partial<Abilities>, settings: Settings): Promise<Prepared>;
}

/** One comparison of the table of targets. */
export interface Target {
  readonly name: string;
  readonly unit: string;
  readonly comparator: '<' | '<=' | '>=';
  readonly target: number;
  /** Reads the figure from the results; undefined when who it needs did not get to the end. */
  readonly measure: (results: ResultReader) => number | undefined;
}

/** What targets are read from. */
export interface ResultReader {
  /** Median over the rounds. */
  value(workload: string, contestant: string, metric: string): number | undefined;
  /** Median of the ratios within each round, which share the machine's mood. */
  ratio(workload: string, metric: string, contestant: string, other: string): number | undefined;
}

/** What is run for a workload of a bench. */
export interface Plan {
  readonly workload: Workload;
  readonly settings?: Settings;
  /** Settings with `--quick`. */
  readonly quick?: Settings;
}

/** A whole bench. */
export interface Bench {
  readonly name: string;
  readonly title: string;
  readonly contestants: readonly Contestant[];
  readonly plans: readonly Plan[];
  readonly targets: readonly Target[];
  readonly rounds: number;
  readonly quickRounds: number;
}
