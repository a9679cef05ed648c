/**
 * Numbers as symbols, for the longest common subsequence of {@link lcsLength}: by shape (SAX) or by size (rounded).
 */
import { requireFiniteValues, requireInteger } from './check.ts';
import { KernelError } from './problem.ts';
import { zNormalise } from './znormalise.ts';

/** Symbols that SAX may use; with more, neighbours hardly differ. */
const ALPHABET_MAX = 64;

/** The largest 32-bit integer. */
const SYMBOL_MAX = 2 ** 31 - 1;

/** How numbers become symbols. */
export type SymboliseOptions =
  | {
      /** Symbolic aggregate approximation (Lin, Keogh, Lonardi & Chiu 2003). */
      readonly method: 'sax';
      /** Number of symbols, 2 to 64: the areas of equal probability under the normal density. @default 8 */
      readonly alphabet?: number | undefined;
      /** Points that share a symbol, by their mean. A shorter last segment is one as well. @default 1 */
      readonly segment?: number | undefined;
    }
  | {
      /** Each value divided by the step and rounded, half away from 0: for returns, whose size means something. */
      readonly method: 'round';
      /** In the unit of the values, over 0. */
      readonly step: number;
    };

/**
 * Makes symbols of a finite series. `sax`: z-normalise (population standard deviation; a flat series becomes zeros),
 * take the mean of each segment, and count how many breakpoints lie at or below it, 0 … alphabet − 1. `round`:
 * round(value / step), which must be a 32-bit integer.
 *
 * @throws KernelError EMPTY_SERIES (sax), VALUE_NOT_FINITE, BAD_PARAMETER, TOO_LARGE when a rounded value is no 32-bit integer
 */
export function symbolise(values: Float64Array, options: SymboliseOptions): Int32Array {
  requireFiniteValues('values', values);
  return options.method === 'sax'
    ? saxSymbols(values, options.alphabet ?? 8, options.segment ?? 1)
    : roundedSymbols(values, options.step);
}

function saxSymbols(values: Float64Array, alphabet: number, segment: number): Int32Array {
  requireInteger('alphabet', alphabet, 2, ALPHABET_MAX);
  requireInteger('segment', segment, 1);
  const breakpoints = normalBreakpoints(alphabet);
  const z = zNormalise(values);
  const symbols = new Int32Array(Math.ceil(z.length / segment));
  for (let index = 0; index < symbols.length; index += 1) {
    const start = index * segment;
    const end = Math.min(z.length, start + segment);
    let sum = 0;
    for (let i = start; i < end; i += 1) sum += z[i] as number;
    const mean = sum / (end - start);
    let symbol = 0;
    while (symbol < breakpoints.length && (breakpoints[symbol] as number) <= mean) symbol += 1;
    symbols[index] = symbol;
  }
  return symbols;
}

function roundedSymbols(values: Float64Array, step: number): Int32Array {
  if (!(step > 0 && step < Infinity)) {
    throw new KernelError(
      'BAD_PARAMETER',
      `step is ${step}, but it must be a finite number over 0.`,
      'Set step to the smallest difference that matters, for returns 0.001 for example.',
    );
  }
  const symbols = new Int32Array(values.length);
  for (let i = 0; i < values.length; i += 1) {
    const ratio = (values[i] as number) / step;
    const symbol = Math.sign(ratio) * Math.round(Math.abs(ratio));
    if (Math.abs(symbol) > SYMBOL_MAX) {
      throw new KernelError(
        'TOO_LARGE',
        `values[${i}] / step is ${ratio}, but a symbol is an integer up to ${SYMBOL_MAX}.`,
        'Take a larger step.',
      );
    }
    symbols[i] = symbol;
  }
  return symbols;
}

/** The alphabet − 1 points that cut the standard normal distribution into equally likely areas, ascending. */
export function normalBreakpoints(alphabet: number): Float64Array {
  const breakpoints = new Float64Array(alphabet - 1);
  for (let cut = 1; 2 * cut <= alphabet; cut += 1) {
    // The upper half mirrors the lower one, so that the areas are exactly symmetric.
    const point = normalQuantile(1 - cut / alphabet);
    breakpoints[cut - 1] = -point;
    breakpoints[alphabet - 1 - cut] = point;
  }
  return breakpoints;
}

/** x with Φ(x) = p for 0.5 ≤ p < 1, by Newton's method from below, which is monotone where Φ is concave. */
function normalQuantile(p: number): number {
  let x = 0;
  for (let round = 0; round < 50; round += 1) {
    const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
    // Φ(x) = ½ + φ(x) · (x + x³/3 + x⁵/(3·5) + …) (Marsaglia 2004, "Evaluating the Normal Distribution").
    let term = x;
    let sum = x;
    for (let odd = 3; term > sum * 1e-17; odd += 2) {
      term *= (x * x) / odd;
      sum += term;
    }
    const step = (p - 0.5) / density - sum;
    if (!(step > 1e-15)) return x;
    x += step;
  }
  return x;
}
