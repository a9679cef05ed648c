/**
 * What an indicator is made of: a state machine that is fed rows and gives one value per line and
 * row. A whole column and a live stream run through the same `advance`, so both give the same bits
 * however the rows are cut into pieces.
 *
 * The state is one array of numbers, which makes a snapshot a copy. Its first `counters` entries
 * count rows; zero there means that nothing was seen yet, and then whatever else the array holds
 * means nothing. So a restart costs a few stores and not a pass over a long window.
 *
 * The rule for gaps that all indicators share lives here too: each longest run of rows in which
 * every input is finite is computed as if it were a series of its own. A gap (NaN or Infinity) is
 * NaN in the output, and after it the warm-up begins anew, because no indicator may pretend that
 * the days before and after a gap are neighbours.
 */
import { KernelError } from '../problem.ts';

/** The columns that an indicator can read. `close` is the series itself where there is only one. */
export type PriceColumn = 'close' | 'high' | 'low' | 'volume';

/** Columns by name, of equal length. */
export type PriceColumns = Readonly<Partial<Record<PriceColumn, Float64Array>>>;

/** One indicator with its parameters chosen; it holds no state of its own. */
export interface IndicatorMachine {
  readonly name: string;
  readonly parameters: readonly number[];
  /** What it reads, in this order. */
  readonly inputs: readonly PriceColumn[];
  /** How many values it gives for a row. */
  readonly lines: number;
  /** Rows at the beginning of each run in which every line is NaN. */
  readonly warmUp: number;
  readonly counters: number;
  readonly stateLength: number;
  /**
   * Goes on with the rows [start, end), in which all inputs are finite, and writes each of them in
   * each line: the value, or NaN in the warm-up. Lines are no inputs.
   */
  advance(
    state: Float64Array,
    inputs: readonly Float64Array[],
    start: number,
    end: number,
    lines: readonly Float64Array[],
  ): void;
}

/** Rows per call of a machine with several stages, so that the second finds them in the cache. */
const BLOCK_ROWS = 1024;

/** States beyond this many numbers (1 GiB) are refused before the platform does it less kindly. */
const STATE_LENGTH_MAX = 2 ** 27;

/** The state of a machine that has seen nothing. @throws KernelError TOO_LARGE */
export function freshState({ name, parameters, stateLength }: IndicatorMachine): Float64Array {
  if (stateLength <= STATE_LENGTH_MAX) return new Float64Array(stateLength);
  throw new KernelError(
    'TOO_LARGE',
    `${name} with ${parameters.join(', ')} would have to remember ${stateLength} numbers; ${STATE_LENGTH_MAX} is the most.`,
    'Choose a shorter window.',
  );
}

/** Goes on with the rows [start, end), whatever they hold. */
export function advanceOverGaps(
  machine: IndicatorMachine,
  state: Float64Array,
  inputs: readonly Float64Array[],
  start: number,
  end: number,
  lines: readonly Float64Array[],
): void {
  for (let row = start; row < end;) {
    const blockEnd = row + BLOCK_ROWS < end ? row + BLOCK_ROWS : end;
    const runEnd = endOfRun(inputs, row, blockEnd);
    if (runEnd > row) machine.advance(state, inputs, row, runEnd, lines);
    row = runEnd;
    if (row === blockEnd) continue;
    for (const line of lines) line[row] = NaN;
    state.fill(0, 0, machine.counters);
    row += 1;
  }
}

/**
 * All lines of a machine over whole columns, each as long as they are.
 *
 * @throws KernelError LENGTH_MISMATCH when the columns differ in length
 */
export function computeLines(
  machine: IndicatorMachine,
  inputs: readonly Float64Array[],
): Float64Array[] {
  const rows = inputs[0]?.length ?? 0;
  requireEqualLengths(machine, inputs, rows);
  const lines = Array.from({ length: machine.lines }, () => new Float64Array(rows));
  // A warm-up that never ends needs no state, however long a window somebody asks for.
  if (machine.warmUp >= rows) for (const line of lines) line.fill(NaN);
  else advanceOverGaps(machine, freshState(machine), inputs, 0, rows, lines);
  return lines;
}

/** The only line of a machine that has one; see {@link computeLines}. */
export function computeLine(
  machine: IndicatorMachine,
  ...inputs: readonly Float64Array[]
): Float64Array {
  return computeLines(machine, inputs)[0] as Float64Array;
}

function requireEqualLengths(
  { name, inputs: names }: IndicatorMachine,
  inputs: readonly Float64Array[],
  rows: number,
): void {
  const odd = inputs.findIndex(({ length }) => length !== rows);
  if (odd < 0) return;
  throw new KernelError(
    'LENGTH_MISMATCH',
    `${name} was given ${inputs[odd]?.length} rows of ${names[odd]}, but ${rows} rows of ${names[0]}.`,
    'Pass columns of equal length; mark what is missing by NaN.',
  );
}

/** The first row from `start` on in which an input is not finite, or `end`. */
function endOfRun(inputs: readonly Float64Array[], start: number, end: number): number {
  let runEnd = end;
  for (const input of inputs) runEnd = endOfFinite(input, start, runEnd);
  return runEnd;
}

function endOfFinite(values: Float64Array, start: number, end: number): number {
  let row = start;
  // Only a finite number minus itself is 0; this is cheaper than a call per row.
  while (row < end && (values[row] as number) - (values[row] as number) === 0) row += 1;
  return row;
}
