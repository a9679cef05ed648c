import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bollinger,
  computeIndicator,
  ema,
  INDICATOR_NAMES,
  logReturns,
  macd,
  rollingVolatility,
  rsi,
  simpleReturns,
  sma,
  zscore,
  type KernelError,
} from '../src/index.ts';
import { at, repeat, gappySeries } from './reference.ts';

const columns = fc.tuple(
  gappySeries({ minLength: 1, maxLength: 60 }).map((values) =>
    values.map((value) => (value === 1e200 ? NaN : value)),
  ),
  fc.integer({ min: 1, max: 12 }),
);

/** Applies a definition over the last `period` values, NaN unless all of them are finite. */
function overWindows(
  values: readonly number[],
  period: number,
  define: (window: number[]) => number,
): number[] {
  return values.map((_value, i) => {
    const window = values.slice(i - period + 1, i + 1);
    return i + 1 >= period && window.every(Number.isFinite) ? define(window) : NaN;
  });
}

function mean(window: readonly number[]): number {
  return window.reduce((sum, value) => sum + value, 0) / window.length;
}

function deviation(window: readonly number[], divisor: number): number {
  const centre = at(window, 0) + mean(window.map((value) => value - at(window, 0)));
  return Math.sqrt(window.reduce((sum, value) => sum + (value - centre) ** 2, 0) / divisor);
}

/** Equal NaN positions and values within 1e-9 of the scale of the input. */
function expectColumn(actual: Float64Array, expected: readonly number[], scale: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(Number.isNaN(value), `row ${i}`).toBe(Number.isNaN(at(expected, i)));
    if (!Number.isNaN(value)) {
      expect(Math.abs(value - at(expected, i)), `row ${i}`).toBeLessThanOrEqual(1e-9 * scale);
    }
  });
}

function scaleOf(values: readonly number[]): number {
  return Math.max(1, ...values.filter(Number.isFinite).map(Math.abs));
}

describe('windowed indicators', () => {
  it('equal their definition over every window, with gaps', () => {
    fc.assert(
      fc.property(columns, ([values, period]) => {
        const input = Float64Array.from(values);
        const scale = scaleOf(values);
        expectColumn(sma(input, period), overWindows(values, period, mean), scale);
        const bands = bollinger(input, period, 2);
        const upper = overWindows(values, period, (w) => mean(w) + 2 * deviation(w, period));
        const lower = overWindows(values, period, (w) => mean(w) - 2 * deviation(w, period));
        expectColumn(bands.upper, upper, 4 * scale);
        expectColumn(bands.lower, lower, 4 * scale);
        expectColumn(bands.middle, overWindows(values, period, mean), scale);
      }),
      { numRuns: 500 },
    );
  });

  it('volatility is the sample deviation of log returns, of positive prices only', () => {
    fc.assert(
      fc.property(columns, ([values, draw]) => {
        const period = draw + 1;
        const prices = values.map((value) => (Math.abs(value) > 50 ? value : Math.exp(value)));
        const returns = prices.map((price, i) => {
          const before = i === 0 ? NaN : at(prices, i - 1);
          const usable = price > 0 && before > 0 && price < Infinity && before < Infinity;
          return usable ? Math.log(price / before) : NaN;
        });
        expectColumn(logReturns(Float64Array.from(prices)), returns, 1);
        const expected = overWindows(returns, period, (w) => 4 * deviation(w, period - 1));
        expectColumn(rollingVolatility(Float64Array.from(prices), period, 16), expected, 400);
      }),
      { numRuns: 500 },
    );
  });

  it('a spike leaves no trace after it has left the window', () => {
    const values = Float64Array.from({ length: 100 }, (_, i) => (i === 20 ? 1e16 : i % 3));
    expect(sma(values, 3).slice(23)).toEqual(new Float64Array(77).fill(1));
    expect(bollinger(values, 3).upper[99]).toBeCloseTo(1 + 2 * Math.sqrt(2 / 3), 12);
  });

  it('zscore is 0 over flat windows and the deviation elsewhere', () => {
    expect([...zscore(Float64Array.of(5, 5, 5, 8), 2)]).toEqual([NaN, 0, 0, 1]);
    const z = zscore(Float64Array.of(1, 2, 3, 4), 4);
    expect(z[3]).toBeCloseTo(1.5 / Math.sqrt(1.25), 14);
  });
});

describe('recursive indicators', () => {
  it('ema is seeded with the simple mean', () => {
    // Weight 1/2: 2, then (2+7)/2, then (4.5+0)/2.
    expect([...ema(Float64Array.of(1, 2, 3, 7, 0), 3)]).toEqual([NaN, NaN, 2, 4.5, 2.25]);
  });

  it("rsi equals Wilder's own worked example", () => {
    // The table of StockCharts' RSI school (14 periods), rounded there to two digits.
    const closes = Float64Array.from([
      44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826,
      45.8931, 46.0328, 45.614, 46.282, 46.282, 46.0028, 46.0328, 46.4116, 46.2222,
    ]);
    const result = rsi(closes, 14);
    expect(result.findIndex((value) => !Number.isNaN(value))).toBe(14);
    const rounded = Array.from(result.slice(14), (value) => value.toFixed(2));
    expect(rounded).toEqual(['70.53', '66.32', '66.55', '69.41', '66.36']);
  });

  it('rsi knows its ends and its middle', () => {
    expect(rsi(Float64Array.of(1, 2, 3), 2)[2]).toBe(100);
    expect(rsi(Float64Array.of(3, 2, 1), 2)[2]).toBe(0);
    expect(rsi(Float64Array.of(2, 2, 2), 2)[2]).toBe(50);
  });

  it("macd follows TA-Lib's alignment", () => {
    const values = Float64Array.from({ length: 60 }, (_, i) => 100 + i + 5 * Math.sin(i));
    const lines = macd(values);
    expect(lines.macd.findIndex((value) => !Number.isNaN(value))).toBe(25);
    expect(lines.signal.findIndex((value) => !Number.isNaN(value))).toBe(33);
    expect(lines.histogram.findIndex((value) => !Number.isNaN(value))).toBe(33);
    const firstFast = mean(Array.from(values.slice(14, 26)));
    expect(lines.macd[25]).toBeCloseTo(firstFast - mean(Array.from(values.slice(0, 26))), 12);
    expect(lines.signal[33]).toBeCloseTo(mean(Array.from(lines.macd.slice(25, 34))), 12);
    const next = at(lines.signal, 33) + 0.2 * (at(lines.macd, 34) - at(lines.signal, 33));
    expect(lines.signal[34]).toBeCloseTo(next, 12);
    expect(lines.histogram[40]).toBe(at(lines.macd, 40) - at(lines.signal, 40));
  });

  it('returns need two good neighbours', () => {
    const values = Float64Array.of(1, 2, 0, 4, NaN, 4, 5, -5);
    expect([...simpleReturns(values)]).toEqual([NaN, 1, -1, NaN, NaN, NaN, 0.25, -2]);
    const logs = logReturns(values);
    expect([...logs].map(Number.isNaN)).toEqual([
      true,
      false,
      ...[1, 1, 1, 1].map(() => true),
      false,
      true,
    ]);
    expect(logs[6]).toBeCloseTo(Math.log(1.25), 15);
  });
});

describe('every indicator', () => {
  const longRun = (length: number, seed: number): number[] =>
    Array.from({ length }, (_, i) => 100 + 10 * Math.sin(i * seed) + i / 10);

  it('computes each side of a gap like a series of its own', () => {
    const [left, right] = [longRun(50, 1.3), longRun(70, 0.7)];
    for (const spec of INDICATOR_NAMES) {
      const whole = computeIndicator(spec, Float64Array.from([...left, NaN, ...right]));
      const before = computeIndicator(spec, Float64Array.from(left));
      const after = computeIndicator(spec, Float64Array.from(right));
      for (const [name, column] of Object.entries(whole)) {
        expect(column.subarray(0, 50), name).toEqual(before[name]);
        expect(column[50], name).toBeNaN();
        expect(column.subarray(51), name).toEqual(after[name]);
        expect(column.length).toBe(121);
      }
    }
  });

  it('sees nothing of the future', () => {
    const values = longRun(80, 0.9);
    for (const spec of INDICATOR_NAMES) {
      const full = computeIndicator(spec, Float64Array.from(values));
      const early = computeIndicator(spec, Float64Array.from(values.slice(0, 60)));
      for (const [name, column] of Object.entries(early)) {
        expect(full[name]?.subarray(0, 60), name).toEqual(column);
      }
    }
  });

  it('is NaN throughout when the series is shorter than its warm-up, and empty for none', () => {
    for (const spec of INDICATOR_NAMES) {
      for (const length of [0, 1]) {
        const found = computeIndicator(spec, new Float64Array(length).fill(3));
        for (const column of Object.values(found)) {
          expect([...column]).toEqual(repeat(NaN, length));
        }
      }
    }
  });
});

describe('computeIndicator', () => {
  const values = Float64Array.from({ length: 50 }, (_, i) => 10 + Math.sin(i));
  const names = (spec: string): string[] => Object.keys(computeIndicator(spec, values));
  const problem = (spec: string): KernelError => {
    try {
      computeIndicator(spec, values);
    } catch (error) {
      return error as KernelError;
    }
    throw new Error('nothing was raised');
  };

  it('names its columns', () => {
    expect(names('sma20')).toEqual(['sma20']);
    expect(names('rsi')).toEqual(['rsi14']);
    expect(names(' EMA5 ')).toEqual(['ema5']);
    expect(names('return')).toEqual(['return']);
    expect(names('logreturn')).toEqual(['logreturn']);
    expect(names('macd')).toEqual(['macd', 'macdSignal', 'macdHistogram']);
    expect(names('macd12-26-9')).toEqual(names('macd'));
    expect(names('macd5-20')).toEqual(['macd5-20-9', 'macd5-20-9Signal', 'macd5-20-9Histogram']);
    expect(names('bollinger20')).toEqual(['bollingerUpper', 'bollingerMiddle', 'bollingerLower']);
    expect(names('bollinger10-2.5')[0]).toBe('bollinger10-2.5Upper');
  });

  it('computes what the function computes', () => {
    expect(computeIndicator('sma3', values)['sma3']).toEqual(sma(values, 3));
    expect(computeIndicator('volatility7', values)['volatility7']).toEqual(
      rollingVolatility(values, 7),
    );
    const bands = computeIndicator('bollinger5-3', values);
    expect(bands['bollinger5-3Lower']).toEqual(bollinger(values, 5, 3).lower);
  });

  it('suggests the nearest name for an unknown one', () => {
    expect(problem('bolinger20').type).toBe('UNKNOWN_INDICATOR');
    expect(problem('bolinger20').hint).toContain('Did you mean bollinger?');
    expect(problem('smaa20').hint).toContain('Did you mean sma?');
    expect(problem('quaternion').hint).not.toContain('Did you mean');
    expect(problem('').type).toBe('UNKNOWN_INDICATOR');
    expect(problem('constructor').type).toBe('UNKNOWN_INDICATOR');
  });

  it('refuses bad numbers', () => {
    expect(problem('sma0')).toMatchObject({ type: 'BAD_PARAMETER' });
    for (const spec of [
      'sma2.5',
      'sma20-3',
      'volatility1',
      'macd26-12',
      'return5',
      'macd1-2-3-4',
    ]) {
      expect(problem(spec).type, spec).toBe('BAD_PARAMETER');
    }
    expect(problem('macd1-2-3-4').hint).toBe('Write macd12-26-9.');
  });
});
