/**
 * Pearson's coefficient of two columns over a moving window, in O(1) per row and without drift.
 *
 * Running sums would subtract what leaves the window, and the rounding error of a large value would stay for ever.
 * Instead windows are put together from moments that are only ever merged (Chan, Golub & LeVeque 1979, "Updating
 * formulae and a pairwise algorithm for computing sample variances"): the rows are cut into blocks of the window's
 * length, and a window is the end of one block and the beginning of the next (the scheme of van Herk 1992 and
 * Gil & Werman 1993 for sliding extremes). A value has no influence on a window that does not hold it. What is left is
 * the rounding of the window's own means: an error of about 2⁻⁵² × level / standard deviation, so for prices and
 * returns none to speak of, and none of the digits where a column moves by a billionth of its level.
 */
import { requireInteger } from './check.ts';
import { KernelError } from './problem.ts';

/** Options of {@link rollingCorrelation}. */
export interface RollingCorrelationOptions {
  /** Rows of the window, 2 or more. */
  readonly window: number;
  /** Rows of the window in which both columns must have a value, 2 to `window`. @default window */
  readonly minimumOverlap?: number | undefined;
}

/** Count, means, sums of squared deviations and of their products. */
interface Moments {
  count: number;
  meanX: number;
  meanY: number;
  xx: number;
  yy: number;
  xy: number;
}

/**
 * Entry i is the coefficient over rows i − window + 1 … i (from row 0 on, where there are not so many), in [−1, 1].
 * NaN where fewer than `minimumOverlap` rows have both values or where a column is constant over those. A value that
 * is not finite is a gap.
 *
 * @throws KernelError LENGTH_MISMATCH, BAD_PARAMETER
 */
export function rollingCorrelation(
  x: Float64Array,
  y: Float64Array,
  options: RollingCorrelationOptions,
): Float64Array {
  const window = requireInteger('window', options.window, 2);
  const least = requireInteger('minimumOverlap', options.minimumOverlap ?? window, 2, window);
  if (x.length !== y.length) {
    throw new KernelError(
      'LENGTH_MISMATCH',
      `The columns have ${x.length} and ${y.length} rows.`,
      'Pass columns of equal length and mark missing values as NaN.',
    );
  }
  const rolling = new Float64Array(x.length);
  // ends[p] holds row p of the previous block to that block's last row.
  let ends: Moments[] = [];
  for (let start = 0; start < x.length; start += window) {
    const stop = Math.min(x.length, start + window);
    const beginning = nothing();
    for (let row = start; row < stop; row += 1) {
      merge(beginning, single(x[row] as number, y[row] as number));
      const whole = { ...(ends[row - start + 1] ?? nothing()) };
      merge(whole, beginning);
      rolling[row] = whole.count < least ? NaN : coefficient(whole);
    }
    ends = endsOf(x, y, start, stop);
  }
  return rolling;
}

function endsOf(x: Float64Array, y: Float64Array, start: number, stop: number): Moments[] {
  const ends: Moments[] = [];
  const sum = nothing();
  for (let row = stop - 1; row >= start; row -= 1) {
    merge(sum, single(x[row] as number, y[row] as number));
    ends.push({ ...sum });
  }
  return ends.reverse();
}

function nothing(): Moments {
  return { count: 0, meanX: 0, meanY: 0, xx: 0, yy: 0, xy: 0 };
}

function single(x: number, y: number): Moments {
  const isPair = Number.isFinite(x) && Number.isFinite(y);
  return isPair ? { count: 1, meanX: x, meanY: y, xx: 0, yy: 0, xy: 0 } : nothing();
}

/** Adds the rows of `more` to `sum`. */
function merge(sum: Moments, more: Moments): void {
  if (more.count === 0) return;
  if (sum.count === 0) {
    Object.assign(sum, more);
    return;
  }
  const count = sum.count + more.count;
  const share = more.count / count;
  const stepX = more.meanX - sum.meanX;
  const stepY = more.meanY - sum.meanY;
  const weight = sum.count * share;
  sum.xx += more.xx + stepX * stepX * weight;
  sum.yy += more.yy + stepY * stepY * weight;
  sum.xy += more.xy + stepX * stepY * weight;
  sum.meanX += stepX * share;
  sum.meanY += stepY * share;
  sum.count = count;
}

function coefficient({ xx, yy, xy }: Moments): number {
  // Constant, or deviations under 1e-160, whose squares are 0.
  if (xx === 0 || yy === 0) return NaN;
  const value = xy / (Math.sqrt(xx) * Math.sqrt(yy));
  return value > 1 ? 1 : value < -1 ? -1 : value;
}
