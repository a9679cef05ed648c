/**
 * Indicators of a series that is still growing: a row in, a value out, with work that does not
 * depend on how long the series is (averaged over a window's length, where there is a window).
 */
import { KernelError } from '../problem.ts';
import { advanceOverGaps, freshState, type IndicatorMachine } from './machine.ts';

/** Everything that a stream remembers, as plain data; it survives `structuredClone` and CBOR. */
export interface IndicatorSnapshot {
  readonly indicator: string;
  readonly parameters: readonly number[];
  readonly state: readonly number[];
}

/**
 * An indicator that is fed row by row. It gives exactly the bits that the function over the whole
 * column gives, and keeps the same rule for gaps: a row with NaN or Infinity gives NaN and begins
 * the warm-up anew.
 */
export interface IndicatorStream<Row extends readonly number[], Value> {
  /** Takes the next row and returns its value; NaN in the warm-up. */
  push(...row: Row): Value;
  /** What it remembers, to go on from here later or elsewhere. */
  snapshot(): IndicatorSnapshot;
  /** Goes on from a snapshot. @throws KernelError PARAMETERS_DIFFER when it is of another indicator */
  restore(snapshot: IndicatorSnapshot): void;
}

/** A stream over `machine`; `read` turns the lines of the one row that they hold into its value. */
export function streamOf<Row extends readonly number[], Value>(
  machine: IndicatorMachine,
  read: (lines: readonly Float64Array[]) => Value,
): IndicatorStream<Row, Value> {
  const state = freshState(machine);
  const inputs = machine.inputs.map(() => new Float64Array(1));
  const lines = Array.from({ length: machine.lines }, () => new Float64Array(1));
  return {
    push(...row) {
      for (let each = 0; each < inputs.length; each += 1) {
        (inputs[each] as Float64Array)[0] = row[each] as number;
      }
      advanceOverGaps(machine, state, inputs, 0, 1, lines);
      return read(lines);
    },
    snapshot: () => ({
      indicator: machine.name,
      parameters: [...machine.parameters],
      state: Array.from(state),
    }),
    restore(snapshot) {
      requireSame(machine, snapshot);
      state.set(snapshot.state);
    },
  };
}

/** The value of a stream with one line. */
export function onlyLine(lines: readonly Float64Array[]): number {
  return lines[0]?.[0] as number;
}

/** A stream of one number per row over a machine that has one line. */
export function streamOfLine<Row extends readonly number[]>(
  machine: IndicatorMachine,
): IndicatorStream<Row, number> {
  return streamOf<Row, number>(machine, onlyLine);
}

function requireSame(machine: IndicatorMachine, snapshot: IndicatorSnapshot): void {
  const { name, parameters, stateLength } = machine;
  const wanted = [name, ...parameters].join(' ');
  const given = [snapshot.indicator, ...snapshot.parameters].join(' ');
  if (wanted === given && snapshot.state.length === stateLength) return;
  throw new KernelError(
    'PARAMETERS_DIFFER',
    `A snapshot of '${given}' with ${snapshot.state.length} numbers does not fit '${wanted}', which remembers ${stateLength}.`,
    'Restore it into a stream of the same indicator with the same parameters.',
  );
}
