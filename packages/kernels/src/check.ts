/** Checks of scalar parameters that several kernels share; all of them raise KernelError. */
import { KernelError } from './problem.ts';

/** Returns `value` when it is an integer in [minimum, maximum], else raises BAD_PARAMETER. */
export function requireInteger(
  name: string,
  value: number,
  minimum: number,
  maximum: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  const upper = maximum === Number.MAX_SAFE_INTEGER ? 'or more' : `to ${maximum}`;
  throw new KernelError(
    'BAD_PARAMETER',
    `${name} is ${value}, but it must be an integer of ${minimum} ${upper}.`,
    `Set ${name} to an integer of ${minimum} ${upper}.`,
  );
}

/** Returns `value` when it is a number of at least `minimum` (NaN is refused), else raises BAD_PARAMETER. */
export function requireAtLeast(name: string, value: number, minimum: number): number {
  if (value >= minimum) return value;
  throw new KernelError(
    'BAD_PARAMETER',
    `${name} is ${value}, but it must be a number of ${minimum} or more.`,
    `Set ${name} to a number of ${minimum} or more.`,
  );
}

/** Raises EMPTY_SERIES when there is nothing to compute on. */
export function requireValues(name: string, values: Float64Array): void {
  if (values.length > 0) return;
  throw new KernelError('EMPTY_SERIES', `${name} has no values.`, `Pass at least one value.`);
}

/** Raises VALUE_NOT_FINITE at the first NaN or Infinity. */
export function requireFiniteValues(name: string, values: Float64Array): void {
  for (let i = 0; i < values.length; i += 1) {
    if (!Number.isFinite(values[i])) {
      throw new KernelError(
        'VALUE_NOT_FINITE',
        `${name}[${i}] is ${values[i]}, but a distance needs finite numbers.`,
        'Drop or fill the gaps first.',
      );
    }
  }
}

/**
 * Returns the band, or raises BAND_TOO_WIDE when it exceeds longest − 1 (where it has no meaning
 * any more) and BAD_PARAMETER when it is not an integer of 0 or more.
 */
export function requireBand(name: string, band: number, longest: number): number {
  if (Number.isInteger(band) && band >= longest) {
    throw new KernelError(
      'BAND_TOO_WIDE',
      `${name} is ${band} points, but ${longest} points have a widest band of ${longest - 1}.`,
      `Set ${name} to an integer from 0 to ${longest - 1}.`,
    );
  }
  return requireInteger(name, band, 0, longest - 1);
}
