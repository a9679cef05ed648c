import { computeLine, type IndicatorMachine } from './machine.ts';
import { streamOfLine, type IndicatorStream } from './stream.ts';

/**
 * Simple returns x_t / x_(t−1) − 1, without unit. NaN in the first row, where either value is not
 * finite, and where the value before is 0.
 */
export function simpleReturns(values: Float64Array): Float64Array {
  return computeLine(simpleReturnMachine, values);
}

/** {@link simpleReturns} value by value. */
export function streamSimpleReturns(): IndicatorStream<[value: number], number> {
  return streamOfLine(simpleReturnMachine);
}

/**
 * Logarithmic returns ln(x_t / x_(t−1)), without unit, which add up over time. NaN in the first row,
 * where either value is not finite, and where either is 0 or less: a logarithm of prices needs
 * positive prices.
 */
export function logReturns(values: Float64Array): Float64Array {
  return computeLine(logReturnMachine, values);
}

/** {@link logReturns} value by value. */
export function streamLogReturns(): IndicatorStream<[value: number], number> {
  return streamOfLine(logReturnMachine);
}

/** {@link simpleReturns} as a state machine. In its state: whether there was a value before, and which. */
export const simpleReturnMachine: IndicatorMachine = returnMachine(
  'return',
  (state, values, start, end, result) => {
    let before = state[0] === 0 ? 0 : (state[1] as number);
    for (let row = start; row < end; row += 1) {
      const now = values[row] as number;
      result[row] = before === 0 ? NaN : now / before - 1;
      before = now;
    }
    state[0] = 1;
    state[1] = before;
  },
);

/** {@link logReturns} as a state machine. In its state: whether there was a value before, and which. */
export const logReturnMachine: IndicatorMachine = returnMachine('logreturn', fillLogReturns);

/** Writes the logarithmic returns of the rows [start, end); the state is that of {@link logReturnMachine}. */
export function fillLogReturns(
  state: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  result: Float64Array,
): void {
  let before = state[0] === 0 ? 0 : (state[1] as number);
  for (let row = start; row < end; row += 1) {
    const now = values[row] as number;
    result[row] = before > 0 && now > 0 ? Math.log(now / before) : NaN;
    before = now;
  }
  state[0] = 1;
  state[1] = before;
}

function returnMachine(name: string, fill: typeof fillLogReturns): IndicatorMachine {
  return {
    name,
    parameters: [],
    inputs: ['close'],
    lines: 1,
    warmUp: 1,
    counters: 1,
    stateLength: 2,
    advance(state, inputs, start, end, lines) {
      fill(state, inputs[0] as Float64Array, start, end, lines[0] as Float64Array);
    },
  };
}
