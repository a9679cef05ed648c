import { requireInteger } from '../check.ts';
import { computeLines, type IndicatorMachine } from './machine.ts';
import { streamOf, type IndicatorStream } from './stream.ts';

/** Columns that a result may have: more would not fit into one FeatureSet. */
const LAGS_MAX = 1024;

/**
 * Lagged windows: the last `lags` values before each row, as one column per lag, the nearest first
 * (column 0 is the value one row before). Column k is NaN in the first k + 1 rows of each finite run.
 * `buildLaggedWindows` makes rows for supervised learning of them.
 *
 * @throws KernelError BAD_PARAMETER when lags is not an integer from 1 to 1,024
 */
export function laggedValues(values: Float64Array, lags: number): Float64Array[] {
  return computeLines(lagMachine(lags), [values]);
}

/** {@link laggedValues} value by value; each row gives a new array of `lags` numbers. */
export function streamLaggedValues(lags: number): IndicatorStream<[value: number], Float64Array> {
  return streamOf(lagMachine(lags), (lines) =>
    Float64Array.from(lines, (line) => line[0] as number),
  );
}

/** {@link laggedValues} as a state machine. In its state: values seen, and the last `lags` of them in a ring. */
export function lagMachine(lags: number): IndicatorMachine {
  requireInteger('lags', lags, 1, LAGS_MAX);
  return {
    name: 'lags',
    parameters: [lags],
    inputs: ['close'],
    lines: lags,
    warmUp: 1,
    counters: 1,
    stateLength: 1 + lags,
    advance(state, inputs, start, end, lines) {
      const values = inputs[0] as Float64Array;
      const seen = state[0] as number;
      lines.forEach((line, index) => {
        const lag = index + 1;
        for (let row = start; row < end; row += 1) {
          const back = row - lag;
          if (back >= start) line[row] = values[back] as number;
          else if (seen + row - start < lag) line[row] = NaN;
          else line[row] = state[1 + ((seen + back - start) % lags)] as number;
        }
      });
      for (let row = Math.max(start, end - lags); row < end; row += 1) {
        state[1 + ((seen + row - start) % lags)] = values[row] as number;
      }
      state[0] = seen + end - start;
    },
  };
}
