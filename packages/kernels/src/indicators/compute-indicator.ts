/**
 * Computes indicators by their names (see indicator-names.ts): one, or several in one pass over the
 * rows, in which each block of rows goes through all of them while it is in the cache.
 */
import { KernelError } from '../problem.ts';
import { readIndicator, type NamedIndicator } from './indicator-names.ts';
import {
  advanceOverGaps,
  freshState,
  type IndicatorMachine,
  type PriceColumn,
  type PriceColumns,
} from './machine.ts';
import { togetherMachine } from './together.ts';

/** Columns by name, each as long as the input. */
export type IndicatorColumns = Readonly<Record<string, Float64Array>>;

/** How a long computation tells and is told. */
export interface IndicatorOptions {
  /** Called with the fraction of the rows that is done, now and then and at the end. */
  readonly onProgress?: ((fractionDone: number) => void) | undefined;
  /** Asked every 65,536 rows; true ends the computation with KernelError CANCELLED. */
  readonly shouldStop?: (() => boolean) | undefined;
  /**
   * Gives the column of this name to write to, as long as the series; every row of it is written. For
   * callers that compute again and again: fresh memory costs more than most indicators.
   * @default a new array
   */
  readonly columnFor?: ((name: string, rows: number) => Float64Array) | undefined;
}

/** Rows that go through all machines before the next: 8 KiB of each column. */
const BLOCK_ROWS = 1024;
/** Rows between two looks at whether to go on. */
const LOOK_ROWS = 64 * BLOCK_ROWS;

/**
 * The columns that the indicator `spec` names. `close` is the series; `others` are the columns of the
 * same bars that some indicators need besides (`atr14`: high and low, `obv`: volume).
 *
 * @throws KernelError UNKNOWN_INDICATOR with the nearest name as hint, BAD_PARAMETER for its numbers,
 *   MISSING_COLUMN, LENGTH_MISMATCH
 */
export function computeIndicator(
  spec: string,
  close: Float64Array,
  others: Omit<PriceColumns, 'close'> = {},
): IndicatorColumns {
  return computeIndicators([spec], close, others);
}

/**
 * The columns of all indicators that `specs` names, in one pass; what is named twice is computed
 * once. The values are those of {@link computeIndicator}, bit for bit.
 *
 * @throws KernelError as {@link computeIndicator}, and CANCELLED
 */
export function computeIndicators(
  specs: readonly string[],
  close: Float64Array,
  others: Omit<PriceColumns, 'close'> = {},
  options: IndicatorOptions = {},
): IndicatorColumns {
  const columns = { ...others, close };
  const rows = close.length;
  const result: Record<string, Float64Array> = {};
  const passes: Pass[] = [];
  const columnFor = options.columnFor ?? ((_name, length) => new Float64Array(length));
  for (const spec of specs) {
    const named = readIndicator(spec);
    const inputs = inputsOf(spec, named.machine, columns);
    // Lags of several depths share their columns.
    if (named.columns.every((name) => name in result)) continue;
    const lines = named.columns.map((name) => columnFor(name, rows));
    named.columns.forEach((name, line) => (result[name] = lines[line] as Float64Array));
    // A warm-up that never ends needs no state, however long a window somebody asks for.
    if (named.machine.warmUp >= rows) for (const line of lines) line.fill(NaN);
    else passes.push({ machine: named.machine, inputs, lines });
  }
  runPasses(fuse(passes), rows, options);
  return result;
}

/** The columns besides the series that an indicator needs. @throws KernelError as {@link computeIndicator} */
export function columnsNeededBy(spec: string): Exclude<PriceColumn, 'close'>[] {
  return readIndicator(spec).machine.inputs.filter((name) => name !== 'close');
}

/** A machine with what it reads and where it writes. */
interface Pass {
  readonly machine: IndicatorMachine;
  readonly inputs: readonly Float64Array[];
  readonly lines: readonly Float64Array[];
}

function runPasses(
  passes: readonly Pass[],
  rows: number,
  { onProgress, shouldStop }: IndicatorOptions,
): void {
  const running = passes.map((pass) => ({ ...pass, state: freshState(pass.machine) }));
  for (let start = 0; start < rows; start += BLOCK_ROWS) {
    if (start % LOOK_ROWS === 0) {
      if (shouldStop?.() === true) {
        throw new KernelError(
          'CANCELLED',
          `The computation was stopped after ${start} of ${rows} rows.`,
          'Start it again if its result is still wanted.',
        );
      }
      if (start > 0) onProgress?.(start / rows);
    }
    // Not Math.min: with it the compiler may count the rows of an inlined machine in floating point, at half the speed.
    const end = start + BLOCK_ROWS < rows ? start + BLOCK_ROWS : rows;
    for (const { machine, inputs, lines, state } of running) {
      advanceOverGaps(machine, state, inputs, start, end, lines);
    }
  }
  onProgress?.(1);
}

/** Replaces an RSI, an EMA and a MACD by the one loop that does all three. */
function fuse(passes: readonly Pass[]): readonly Pass[] {
  const first = (name: string): Pass | undefined =>
    passes.find(({ machine }) => machine.name === name);
  const [rsi, ema, macd] = [first('rsi'), first('ema'), first('macd')];
  if (rsi === undefined || ema === undefined || macd === undefined) return passes;
  const [fast, slow, signal] = macd.machine.parameters as [number, number, number];
  const periods = {
    rsi: rsi.machine.parameters[0] as number,
    ema: ema.machine.parameters[0] as number,
    fast,
    slow,
    signal,
  };
  const together: Pass = {
    machine: togetherMachine(periods),
    inputs: rsi.inputs,
    lines: [...rsi.lines, ...ema.lines, ...macd.lines],
  };
  return [together, ...passes.filter((pass) => pass !== rsi && pass !== ema && pass !== macd)];
}

function inputsOf(
  spec: string,
  machine: NamedIndicator['machine'],
  columns: PriceColumns,
): Float64Array[] {
  const missing = machine.inputs.filter((name) => columns[name] === undefined);
  if (missing.length > 0) {
    throw new KernelError(
      'MISSING_COLUMN',
      `${spec} needs ${missing.join(' and ')} beside the series.`,
      `Give ${missing.join(' and ')} of the same rows, or leave ${spec} out.`,
    );
  }
  return machine.inputs.map((name) => {
    const column = columns[name] as Float64Array;
    const rows = columns.close?.length;
    if (column.length === rows) return column;
    throw new KernelError(
      'LENGTH_MISMATCH',
      `${name} has ${column.length} rows, but the series has ${rows}.`,
      'Give columns of the same rows; mark what is missing by NaN.',
    );
  });
}
