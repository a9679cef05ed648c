import { requireInteger } from '../check.ts';
import type { HighLowClose } from './atr.ts';
import { computeLines, type IndicatorMachine } from './machine.ts';
import { streamOf, type IndicatorStream } from './stream.ts';
import { advanceExtremes, extremesBodyLength } from './windows/extremes.ts';
import { advanceMean, meanBodyLength } from './windows/mean.ts';

/** The two lines of {@link stochastic}, each as long as the input. */
export interface StochasticColumns {
  /** NaN in the first period − 1 rows of each run. */
  readonly k: Float64Array;
  /** NaN in the first period + smoothing − 2 rows. */
  readonly d: Float64Array;
}

/** The two lines of {@link stochastic} at one bar; NaN in their warm-ups. */
export interface StochasticValue {
  readonly k: number;
  readonly d: number;
}

/**
 * Fast stochastic oscillator (Lane 1984): where the close lies between the lowest low and the highest
 * high of the last `period` bars, %K = 100 · (close − lowest) / (highest − lowest), and %D, the simple
 * mean of the last `smoothing` values of %K. 0 … 100 where each close lies between its low and its
 * high. Where highest equals lowest, %K is 50, the neutral value (as in R's TTR). A gap in any column
 * is a gap in both lines.
 *
 * @throws KernelError BAD_PARAMETER unless both are integers of 1 or more, LENGTH_MISMATCH
 */
export function stochastic(
  { high, low, close }: HighLowClose,
  period: number = 14,
  smoothing: number = 3,
): StochasticColumns {
  const [k, d] = computeLines(stochasticMachine(period, smoothing), [high, low, close]);
  return { k: k as Float64Array, d: d as Float64Array };
}

/** {@link stochastic} bar by bar. */
export function streamStochastic(
  period: number = 14,
  smoothing: number = 3,
): IndicatorStream<[high: number, low: number, close: number], StochasticValue> {
  return streamOf(stochasticMachine(period, smoothing), ([k, d]) => ({
    k: k?.[0] as number,
    d: d?.[0] as number,
  }));
}

/**
 * {@link stochastic} as a state machine with the lines %K, %D. In its state: the counters of both
 * windows, then their bodies.
 */
export function stochasticMachine(period: number, smoothing: number): IndicatorMachine {
  requireInteger('period', period, 1);
  requireInteger('smoothing', smoothing, 1);
  const extremes = { period, counter: 0, body: 2 };
  const mean = { period: smoothing, counter: 1, body: 2 + extremesBodyLength(period) };
  return {
    name: 'stochastic',
    parameters: [period, smoothing],
    inputs: ['high', 'low', 'close'],
    lines: 2,
    warmUp: period - 1,
    counters: 2,
    stateLength: mean.body + meanBodyLength(smoothing),
    advance(state, inputs, start, end, lines) {
      const [high, low, close] = inputs as [Float64Array, Float64Array, Float64Array];
      const [k, d] = lines as [Float64Array, Float64Array];
      const seen = state[0] as number;
      const known = seen < period ? Math.min(end, start + period - 1 - seen) : start;
      // Highest and lowest stand in the lines until the loop has read them.
      advanceExtremes(extremes, state, [high, low], [start, end], [k, d]);
      for (let row = known; row < end; row += 1) {
        const lowest = d[row] as number;
        const spread = (k[row] as number) - lowest;
        k[row] = spread === 0 ? 50 : (100 * ((close[row] as number) - lowest)) / spread;
      }
      advanceMean(mean, state, k, known, end, d);
    },
  };
}
