/**
 * RSI, EMA and MACD in one loop. Each of them is a chain in which a row waits for the row before; side
 * by side the processor works on all of them while it waits, which takes little more than half the
 * time. The arithmetic of each is that of its own file, so the bits are too (a test compares them).
 */
import { emaMachine } from './ema.ts';
import { macdMachine, type MacdPeriods } from './macd.ts';
import type { IndicatorMachine } from './machine.ts';
import { rsiMachine } from './rsi.ts';

/** Which RSI, EMA and MACD. */
interface TogetherPeriods extends MacdPeriods {
  readonly rsi: number;
  readonly ema: number;
}

/**
 * A machine with the lines rsi, ema, macd, signal, histogram. In its state: those of the three, one
 * after the other; it is so small that a restart clears all of it.
 */
export function togetherMachine(periods: TogetherPeriods): IndicatorMachine {
  const parts = [
    { machine: rsiMachine(periods.rsi), from: RSI, to: EMA, seen: periods.rsi + 1 },
    { machine: emaMachine(periods.ema), from: EMA, to: MACD, seen: periods.ema },
    {
      machine: macdMachine(periods.fast, periods.slow, periods.signal),
      from: MACD,
      to: STATE_LENGTH,
      seen: periods.slow + periods.signal - 1,
    },
  ] as const;
  return {
    name: 'together',
    parameters: [periods.rsi, periods.ema, periods.fast, periods.slow, periods.signal],
    inputs: ['close'],
    lines: 5,
    warmUp: Math.min(...parts.map(({ machine }) => machine.warmUp)),
    counters: STATE_LENGTH,
    stateLength: STATE_LENGTH,
    advance(state, inputs, start, end, lines) {
      if (parts.every(({ from, seen }) => state[from] === seen)) {
        advanceTogether(periods, state, inputs[0] as Float64Array, start, end, lines);
        return;
      }
      // Until all are warm each goes its own way; that is one block of a long run.
      let line = 0;
      for (const { machine, from, to } of parts) {
        const own = lines.slice(line, line + machine.lines);
        machine.advance(state.subarray(from, to), inputs, start, end, own);
        line += machine.lines;
      }
    },
  };
}

/** Where the state of each begins. */
const RSI = 0;
const EMA = 4;
const MACD = 6;
const STATE_LENGTH = 10;

function advanceTogether(
  periods: TogetherPeriods,
  state: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  lines: readonly Float64Array[],
): void {
  const [rsi, ema, line, signalLine, histogram] = lines as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const [keep, weight] = [(periods.rsi - 1) / periods.rsi, 1 / periods.rsi];
  const emaWeight = 2 / (periods.ema + 1);
  const fastWeight = 2 / (periods.fast + 1);
  const slowWeight = 2 / (periods.slow + 1);
  const signalWeight = 2 / (periods.signal + 1);
  let before = state[RSI + 1] as number;
  let gain = state[RSI + 2] as number;
  let loss = state[RSI + 3] as number;
  let average = state[EMA + 1] as number;
  let fast = state[MACD + 1] as number;
  let slow = state[MACD + 2] as number;
  let signal = state[MACD + 3] as number;
  for (let row = start; row < end; row += 1) {
    const value = values[row] as number;
    const change = value - before;
    const size = Math.abs(change);
    before = value;
    gain = gain * keep + (size + change) * weight;
    loss = loss * keep + (size - change) * weight;
    // Written out and not called: a call that is not inlined would box its numbers, row by row.
    const movement = gain + loss;
    rsi[row] = movement === 0 ? 50 : (100 * gain) / movement;
    average += emaWeight * (value - average);
    ema[row] = average;
    fast += fastWeight * (value - fast);
    slow += slowWeight * (value - slow);
    const difference = fast - slow;
    signal += signalWeight * (difference - signal);
    line[row] = difference;
    signalLine[row] = signal;
    histogram[row] = difference - signal;
  }
  state.set([before, gain, loss], RSI + 1);
  state[EMA + 1] = average;
  state.set([fast, slow, signal], MACD + 1);
}
