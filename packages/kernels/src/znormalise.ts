/**
 * Z-normalisation: bring a window to mean 0 and standard deviation 1, so that two windows are
 * compared by shape and not by level or size.
 *
 * Every reported value uses the two-pass formula below. Prices may sit at a level that is huge
 * against their movement (1e10 ± 1e-3), where the sum itself would eat the digits; therefore
 * all values are first shifted by the window's own first value:
 *
 *   u_i  = x_i − x_0
 *   mean = x_0 + Σu/m          sd = sqrt(Σ(u_i − Σu/m)² / m)     (population: divided by m)
 *   z_i  = (u_i − Σu/m) / sd
 *
 * A window with sd < 1e-12 × max(1, |mean|) is flat: its z is the zero vector, because its wiggle
 * is rounding noise that would otherwise be blown up to a full-size pattern.
 */
import { requireInteger, requireValues } from './check.ts';
import { KernelError } from './problem.ts';

/** A standard deviation below this, times max(1, |mean|), counts as flat. */
export const FLAT_TOLERANCE = 1e-12;

/** The first two moments of one window. */
export interface WindowMoments {
  /** Arithmetic mean, in the unit of the values. */
  readonly mean: number;
  /** Population standard deviation (divided by m), in the unit of the values. */
  readonly standardDeviation: number;
  /** True when the flat rule holds, in which case z is the zero vector. */
  readonly flat: boolean;
}

/** Says whether a window with these moments is flat (see the head of the file). */
export function isFlat(mean: number, standardDeviation: number): boolean {
  const level = mean < 0 ? -mean : mean;
  return standardDeviation < FLAT_TOLERANCE * (level > 1 ? level : 1);
}

/**
 * Two-pass moments of `values[start .. start+length)`.
 *
 * @throws KernelError EMPTY_SERIES, BAD_PARAMETER when the window does not lie in `values`.
 */
export function windowMoments(
  values: Float64Array,
  start: number = 0,
  length: number = values.length - start,
): WindowMoments {
  requireWindow(values, start, length);
  const first = values[start] as number;
  const shiftedMean = meanOfShifted(values, start, length, first);
  const standardDeviation = deviationOfShifted(values, start, length, first, shiftedMean);
  const mean = first + shiftedMean;
  return { mean, standardDeviation, flat: isFlat(mean, standardDeviation) };
}

/**
 * Z-normalises `values[start .. start+length)` into `target` (default: a new array) and returns it.
 * The window's values must be finite; a flat window gives zeros.
 *
 * @throws KernelError EMPTY_SERIES, BAD_PARAMETER, LENGTH_MISMATCH when `target` is shorter.
 */
export function zNormalise(
  values: Float64Array,
  start: number = 0,
  length: number = values.length - start,
  target: Float64Array = new Float64Array(length > 0 ? length : 0),
): Float64Array {
  requireWindow(values, start, length);
  if (target.length < length) {
    throw new KernelError(
      'LENGTH_MISMATCH',
      `The target holds ${target.length} values, but the window has ${length}.`,
      `Pass a target of at least ${length} values.`,
    );
  }
  normaliseWindow(values, start, length, target);
  return target;
}

/**
 * The unchecked form of {@link zNormalise} for inner loops: writes z into `target` and returns
 * false when the window is flat.
 */
export function normaliseWindow(
  values: Float64Array,
  start: number,
  length: number,
  target: Float64Array,
): boolean {
  const first = values[start] as number;
  const shiftedMean = meanOfShifted(values, start, length, first);
  const deviation = deviationOfShifted(values, start, length, first, shiftedMean);
  if (isFlat(first + shiftedMean, deviation)) {
    target.fill(0, 0, length);
    return false;
  }
  for (let i = 0; i < length; i += 1) {
    target[i] = ((values[start + i] as number) - first - shiftedMean) / deviation;
  }
  return true;
}

function meanOfShifted(values: Float64Array, start: number, length: number, first: number): number {
  let sum = 0;
  for (let i = start; i < start + length; i += 1) sum += (values[i] as number) - first;
  return sum / length;
}

function deviationOfShifted(
  values: Float64Array,
  start: number,
  length: number,
  first: number,
  shiftedMean: number,
): number {
  let sum = 0;
  for (let i = start; i < start + length; i += 1) {
    const deviation = (values[i] as number) - first - shiftedMean;
    sum += deviation * deviation;
  }
  return Math.sqrt(sum / length);
}

function requireWindow(values: Float64Array, start: number, length: number): void {
  requireValues('The series', values);
  requireInteger('start', start, 0, values.length - 1);
  requireInteger('length', length, 1, values.length - start);
}
