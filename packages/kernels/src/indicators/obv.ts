import { computeLine, type IndicatorMachine } from './machine.ts';
import { streamOfLine, type IndicatorStream } from './stream.ts';

/** Columns of equal length, one row per bar. */
export interface CloseVolume {
  readonly close: Float64Array;
  readonly volume: Float64Array;
}

/**
 * On-balance volume (Granville 1963), in the unit of the volume: the running sum of the volumes of
 * bars that closed higher than the bar before, less those of bars that closed lower. It begins with
 * the volume of the first bar of each finite run, as in TA-Lib and R's TTR; only its changes mean
 * anything. No warm-up.
 *
 * What the additions round off is added up beside the sum (Knuth's exact sum of two numbers), so it
 * keeps its digits over any number of bars. Whole volumes are exact anyhow up to 2⁵³.
 *
 * @throws KernelError LENGTH_MISMATCH
 */
export function obv({ close, volume }: CloseVolume): Float64Array {
  return computeLine(obvMachine, close, volume);
}

/** {@link obv} bar by bar. */
export function streamObv(): IndicatorStream<[close: number, volume: number], number> {
  return streamOfLine(obvMachine);
}

/** {@link obv} as a state machine. In its state: whether there was a bar before, its close, the sum, what it lacks. */
export const obvMachine: IndicatorMachine = {
  name: 'obv',
  parameters: [],
  inputs: ['close', 'volume'],
  lines: 1,
  warmUp: 0,
  counters: 1,
  stateLength: 4,
  advance(state, inputs, start, end, lines) {
    const [close, volume] = inputs as [Float64Array, Float64Array];
    const result = lines[0] as Float64Array;
    const isFirst = state[0] === 0;
    let before = isFirst ? -Infinity : (state[1] as number);
    let sum = isFirst ? 0 : (state[2] as number);
    let lacking = isFirst ? 0 : (state[3] as number);
    for (let row = start; row < end; row += 1) {
      const now = close[row] as number;
      // Multiplying by the sign of the change costs less than guessing wrongly where half go down.
      const sign = Number(now > before) - Number(now < before);
      const term = sign * (volume[row] as number);
      before = now;
      const next = sum + term;
      const added = next - sum;
      lacking += sum - (next - added) + (term - added);
      sum = next;
      result[row] = sum + lacking;
    }
    state[0] = 1;
    state[1] = before;
    state[2] = sum;
    state[3] = lacking;
  },
};
