import { requireInteger } from '../check.ts';
import type { HighLowClose } from './atr.ts';
import { computeLine, type IndicatorMachine } from './machine.ts';
import { streamOfLine, type IndicatorStream } from './stream.ts';
import { advanceSum, sumBodyLength } from './windows/sum.ts';

/** Columns of equal length, one row per bar. */
export interface HighLowCloseVolume extends HighLowClose {
  readonly volume: Float64Array;
}

/** A bar as a stream takes it. */
type Bar = [high: number, low: number, close: number, volume: number];

/**
 * Volume-weighted average price, in the unit of the prices: Σ price · volume / Σ volume, where price is
 * the typical price (high + low + close) / 3 of a bar. Over the last `period` bars (NaN in the first
 * period − 1 rows of each run of finite bars), or without a period over all bars since the run began.
 * NaN while Σ volume is 0. For single trades pass the price as high, low and close.
 *
 * The sums over all bars are compensated as in `obv`; those over a window begin anew with every chunk
 * (see windows/sum.ts): no digits are lost over any number of bars.
 *
 * @throws KernelError BAD_PARAMETER when period is given and no integer of 1 or more, LENGTH_MISMATCH
 */
export function vwap(
  { high, low, close, volume }: HighLowCloseVolume,
  period?: number,
): Float64Array {
  return computeLine(vwapMachine(period), high, low, close, volume);
}

/** {@link vwap} bar by bar. */
export function streamVwap(period?: number): IndicatorStream<Bar, number> {
  return streamOfLine(vwapMachine(period));
}

/** {@link vwap} as a state machine. */
export function vwapMachine(period?: number): IndicatorMachine {
  return period === undefined ? cumulativeMachine : rollingMachine(period);
}

/** In its state: whether there was a bar, Σ price · volume and what it lacks, Σ volume and what it lacks. */
const cumulativeMachine: IndicatorMachine = {
  name: 'vwap',
  parameters: [],
  inputs: ['high', 'low', 'close', 'volume'],
  lines: 1,
  warmUp: 0,
  counters: 1,
  stateLength: 5,
  advance(state, inputs, start, end, lines) {
    const [high, low, close, volume] = inputs as Columns;
    const result = lines[0] as Float64Array;
    if (state[0] === 0) state.fill(0);
    let money = state[1] as number;
    let moneyLacking = state[2] as number;
    let traded = state[3] as number;
    let tradedLacking = state[4] as number;
    for (let row = start; row < end; row += 1) {
      const size = volume[row] as number;
      // Written out here and not called: a call that is not inlined would box its numbers, row by row.
      const price = ((high[row] as number) + (low[row] as number) + (close[row] as number)) / 3;
      const paid = price * size;
      const nextMoney = money + paid;
      const addedMoney = nextMoney - money;
      moneyLacking += money - (nextMoney - addedMoney) + (paid - addedMoney);
      money = nextMoney;
      const nextTraded = traded + size;
      const addedTraded = nextTraded - traded;
      tradedLacking += traded - (nextTraded - addedTraded) + (size - addedTraded);
      traded = nextTraded;
      const total = traded + tradedLacking;
      result[row] = total === 0 ? NaN : (money + moneyLacking) / total;
    }
    state.set([1, money, moneyLacking, traded, tradedLacking]);
  },
};

type Columns = [Float64Array, Float64Array, Float64Array, Float64Array];

/** Rows whose sums are computed before their quotients: they stay in the fastest cache. */
const STRETCH_ROWS = 256;

/** In its state: the counters of the windows over price · volume and over volume, then their bodies. */
function rollingMachine(period: number): IndicatorMachine {
  requireInteger('period', period, 1);
  const moneyPlace = { period, counter: 0, body: 2 };
  const tradedPlace = { period, counter: 1, body: 2 + sumBodyLength(period) };
  const money = new Float64Array(STRETCH_ROWS);
  const traded = new Float64Array(STRETCH_ROWS);
  return {
    name: 'vwap',
    parameters: [period],
    inputs: ['high', 'low', 'close', 'volume'],
    lines: 1,
    warmUp: period - 1,
    counters: 2,
    stateLength: 2 + 2 * sumBodyLength(period),
    advance(state, inputs, start, end, lines) {
      const [high, low, close, volume] = inputs as Columns;
      const result = lines[0] as Float64Array;
      for (let first = start; first < end; first += STRETCH_ROWS) {
        const rows = Math.min(STRETCH_ROWS, end - first);
        for (let each = 0, row = first; each < rows; each += 1, row += 1) {
          const size = volume[row] as number;
          const price = ((high[row] as number) + (low[row] as number) + (close[row] as number)) / 3;
          money[each] = price * size;
          traded[each] = size;
        }
        advanceSum(moneyPlace, state, money, rows);
        advanceSum(tradedPlace, state, traded, rows);
        for (let each = 0; each < rows; each += 1) {
          const total = traded[each] as number;
          result[first + each] = total === 0 ? NaN : (money[each] as number) / total;
        }
      }
    },
  };
}
