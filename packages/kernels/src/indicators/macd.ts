import { requireInteger } from '../check.ts';
import { KernelError } from '../problem.ts';
import { fillEma } from './ema.ts';
import { forEachFiniteRun, unknownColumn } from './finite-runs.ts';

/** The three lines of {@link macd}, each as long as the input. */
export interface MacdColumns {
  /** Fast EMA − slow EMA; NaN in the first slow − 1 rows of each finite run. */
  readonly macd: Float64Array;
  /** EMA of `macd`; NaN in the first slow + signal − 2 rows. */
  readonly signal: Float64Array;
  /** macd − signal; NaN where the signal is. */
  readonly histogram: Float64Array;
}

/**
 * Moving average convergence/divergence (Appel 1979) in TA-Lib's alignment: the fast EMA is seeded
 * with the mean of rows slow − fast … slow − 1, so that both averages begin at the same row; the
 * signal is seeded with the mean of the first `signal` values of macd.
 *
 * @throws KernelError BAD_PARAMETER unless 1 ≤ fast < slow and signal ≥ 1, all integers
 */
export function macd(
  values: Float64Array,
  fast: number = 12,
  slow: number = 26,
  signal: number = 9,
): MacdColumns {
  requireInteger('fast', fast, 1);
  requireInteger('slow', slow, 1);
  requireInteger('signal', signal, 1);
  if (fast >= slow) {
    throw new KernelError(
      'BAD_PARAMETER',
      `The fast period ${fast} is not shorter than the slow period ${slow}.`,
      'Set fast to less than slow, for example 12 and 26.',
    );
  }
  const line = unknownColumn(values.length);
  const signalLine = unknownColumn(values.length);
  const histogram = unknownColumn(values.length);
  const fastLine = new Float64Array(values.length);
  const slowLine = new Float64Array(values.length);
  forEachFiniteRun(values, (start, end) => {
    const begin = start + slow - 1;
    fillEma(values, start, end, slow, slowLine);
    fillEma(values, start + slow - fast, end, fast, fastLine);
    for (let i = begin; i < end; i += 1)
      line[i] = (fastLine[i] as number) - (slowLine[i] as number);
    fillEma(line, begin, end, signal, signalLine);
    for (let i = begin + signal - 1; i < end; i += 1) {
      histogram[i] = (line[i] as number) - (signalLine[i] as number);
    }
  });
  return { macd: line, signal: signalLine, histogram };
}
