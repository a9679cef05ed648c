import { unknownColumn } from './finite-runs.ts';

/**
 * Simple returns x_t / x_(t−1) − 1. NaN in the first row, where either value is not finite, and
 * where the value before is 0.
 */
export function simpleReturns(values: Float64Array): Float64Array {
  return mapPairs(values, (before, now) => (before === 0 ? NaN : now / before - 1));
}

/**
 * Logarithmic returns ln(x_t / x_(t−1)), which add up over time. NaN in the first row, where either
 * value is not finite, and where either is 0 or less: a logarithm of prices needs positive prices.
 */
export function logReturns(values: Float64Array): Float64Array {
  return mapPairs(values, (before, now) => (before > 0 && now > 0 ? Math.log(now / before) : NaN));
}

function mapPairs(
  values: Float64Array,
  change: (before: number, now: number) => number,
): Float64Array {
  const result = unknownColumn(values.length);
  for (let i = 1; i < values.length; i += 1) {
    const before = values[i - 1] as number;
    const now = values[i] as number;
    if (Number.isFinite(before) && Number.isFinite(now)) result[i] = change(before, now);
  }
  return result;
}
