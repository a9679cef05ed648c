/**
 * The order in which a walk through series forecasts and learns how it turned out, as data. Time is the row, the same for
 * all series: they walk side by side.
 *
 * Rule: at each row, first the outcomes are told that have become known up to it, and none that comes later; then the
 * tasks of the row are submitted. So a task is forecast with all that could be known, and with nothing else.
 */

/** One forecast. */
export interface PlannedTask {
  /** Which of the series. */
  readonly series: number;
  /** The last row that is known. */
  readonly row: number;
}

/** What happens at one row. */
export interface WalkStep {
  readonly row: number;
  /** Tasks of earlier rows whose outcomes are known by now and were not at the step before. */
  readonly known: readonly PlannedTask[];
  /** Forecasts to be made when those are told, in any order. */
  readonly tasks: readonly PlannedTask[];
}

/** What is walked through. */
export interface WalkOptions {
  /** Rows of each series. */
  readonly rows: readonly number[];
  /** The first row at which there is past enough. */
  readonly firstRow: number;
  /** After so many rows the outcome of a task is known. */
  readonly horizon: number;
  /** Rows from one step to the next. */
  readonly stride: number;
  /** @default as many as there are */
  readonly stepsMax?: number | undefined;
}

/** The steps in their order. Every task is there once, and its outcome at exactly one later step. */
export function walkSteps(options: WalkOptions): WalkStep[] {
  const { rows, firstRow, horizon, stride, stepsMax = Infinity } = options;
  const steps: WalkStep[] = [];
  let unknown: PlannedTask[] = [];
  const add = (row: number, tasks: readonly PlannedTask[]): void => {
    const known = unknown.filter((task) => task.row + horizon <= row);
    unknown = [...unknown.filter((task) => task.row + horizon > row), ...tasks];
    steps.push({ row, known, tasks });
  };
  for (let row = firstRow; steps.length < stepsMax; row += stride) {
    const tasks = rows
      .map((length, series) => ({ series, row, length }))
      .filter(({ length }) => row + horizon < length)
      .map(({ series }) => ({ series, row }));
    if (tasks.length === 0) break;
    add(row, tasks);
  }
  // The outcomes of the last tasks are learnt from as well: others may go on with what was learnt.
  for (let next = unknown[0]; next !== undefined; next = unknown[0]) add(next.row + horizon, []);
  return steps;
}
