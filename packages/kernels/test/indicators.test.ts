import { describe, expect, it } from 'vitest';
import {
  atr,
  bollinger,
  columnsNeededBy,
  computeIndicator,
  computeIndicators,
  ema,
  INDICATOR_NAMES,
  logReturns,
  macd,
  obv,
  realisedVolatility,
  rollingVolatility,
  rsi,
  simpleReturns,
  sma,
  stochastic,
  vwap,
  wma,
  zscore,
  type KernelError,
} from '../src/index.ts';
import { barsOf, problemOf } from './bars.ts';
import { at, repeat } from './reference.ts';
import { deviation, mean } from './reference-indicators.ts';

describe('windowed indicators', () => {
  it('a spike leaves no trace after it has left the window', () => {
    const values = Float64Array.from({ length: 100 }, (_, i) => (i === 20 ? 1e16 : i % 3));
    expect(sma(values, 3).slice(23)).toEqual(new Float64Array(77).fill(1));
    expect(bollinger(values, 3).upper[99]).toBeCloseTo(1 + 2 * Math.sqrt(2 / 3), 12);
    // Weights 1, 2, 3 on 0, 1, 2 in each of their three orders.
    const weighted = Array.from(wma(values, 3).slice(23, 26), (value) => 6 * value);
    expect(weighted.map((value) => value.toFixed(12))).toEqual([
      '8.000000000000',
      '5.000000000000',
      '5.000000000000',
    ]);
    const huge = Float64Array.from({ length: 100 }, (_, i) => (i === 20 ? 1e200 : i % 3));
    expect(zscore(huge, 3).slice(23)).toEqual(zscore(values, 3).slice(23));
  });

  it('give a constant back without a rounding error', () => {
    for (const constant of [0.1, 1e9 / 3, -7.7]) {
      const values = new Float64Array(100).fill(constant);
      for (const period of [1, 2, 3, 7, 49]) {
        const known = new Float64Array(101 - period).fill(constant);
        expect(sma(values, period).slice(period - 1)).toEqual(known);
        expect(wma(values, period).slice(period - 1)).toEqual(known);
        expect(bollinger(values, period).upper.slice(period - 1)).toEqual(known);
      }
      expect(zscore(values, 5).slice(4)).toEqual(new Float64Array(96));
    }
  });

  it('zscore is 0 over flat windows and the deviation elsewhere', () => {
    expect([...zscore(Float64Array.of(5, 5, 5, 8), 2)]).toEqual([NaN, 0, 0, 1]);
    const z = zscore(Float64Array.of(1, 2, 3, 4), 4);
    expect(z[3]).toBeCloseTo(1.5 / Math.sqrt(1.25), 14);
  });

  it('realised volatility keeps the mean that volatility takes away', () => {
    // Equal steps up: returns that never differ have no deviation, but they have squares.
    const prices = Float64Array.from({ length: 30 }, (_, i) => 2 ** (i / 8));
    expect(rollingVolatility(prices, 16)[29]).toBeCloseTo(0, 14);
    expect(realisedVolatility(prices, 16)[29]).toBeCloseTo(4 * (Math.LN2 / 8), 14);
    expect(realisedVolatility(prices, 16, 252)[29]).toBeCloseTo(
      Math.sqrt(252) * (Math.LN2 / 8),
      13,
    );
  });

  it('stochastic is neutral where there is no spread', () => {
    const flat = new Float64Array(6).fill(3);
    const { k, d } = stochastic({ high: flat, low: flat, close: flat }, 3, 2);
    expect([...k]).toEqual([NaN, NaN, 50, 50, 50, 50]);
    expect([...d]).toEqual([NaN, NaN, NaN, 50, 50, 50]);
  });
});

describe('over a million rows', () => {
  const rows = 1_000_000;
  const bars = barsOf(rows, 5);
  // A level far above the movement, and a spike at the start: what running sums never recover from.
  const values = bars.close.map((value, i) => (i === 100 ? 1e15 : 1e6 + value));
  const last = Array.from(values.slice(-20));

  it('windows lose no digits', () => {
    const centre = at(last, 0) + mean(last.map((value) => value - at(last, 0)));
    const spread = deviation(last, 20);
    expect(Math.abs(at(sma(values, 20), rows - 1) - centre)).toBeLessThan(3e-10);
    const bands = bollinger(values, 20);
    expect(Math.abs(at(bands.upper, rows - 1) - centre - 2 * spread)).toBeLessThan(1e-9);
    expect(Math.abs(at(bands.lower, rows - 1) - centre + 2 * spread)).toBeLessThan(1e-9);
    const weights = last.reduce((sum, value, i) => sum + (i + 1) * (value - centre), 0) / 210;
    expect(Math.abs(at(wma(values, 20), rows - 1) - centre - weights)).toBeLessThan(1e-9);
  });

  it('sums over everything lose no digits', () => {
    // Whole parts and fractions in steps of 2⁻²⁰ add up without rounding, each for itself.
    const volume = bars.volume.map((value) => Math.round(value * 2 ** 20) / 2 ** 20);
    // Beside the first volume every other one loses its fraction, unless the sum is compensated.
    volume[0] = 2 ** 51;
    const price = volume.map((_, i) => 2 + (i % 2));
    const sums = { balance: [0, 0], traded: [0, 0], paid: [0, 0] };
    for (let i = 0; i < rows; i += 1) {
      const whole = Math.floor(at(volume, i));
      const change = i === 0 ? 1 : Math.sign(at(bars.close, i) - at(bars.close, i - 1));
      for (const [part, value] of [whole, at(volume, i) - whole].entries()) {
        sums.balance[part] = at(sums.balance, part) + change * value;
        sums.traded[part] = at(sums.traded, part) + value;
        sums.paid[part] = at(sums.paid, part) + at(price, i) * value;
      }
    }
    const exact = (parts: readonly number[]): number => at(parts, 0) + at(parts, 1);
    expect(at(obv({ ...bars, volume }), rows - 1)).toBe(exact(sums.balance));
    const expected = exact(sums.paid) / exact(sums.traded);
    const found = at(vwap({ high: price, low: price, close: price, volume }), rows - 1);
    expect(Math.abs(found - expected)).toBeLessThanOrEqual(2 ** -50);
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

  const computeAll = (spec: string, values: readonly number[]): Record<string, Float64Array> => {
    const close = Float64Array.from(values);
    const others = { high: close.map((x) => x + 1), low: close.map((x) => x - 2), volume: close };
    return computeIndicator(spec, close, others);
  };

  it('computes each side of a gap like a series of its own', () => {
    const [left, right] = [longRun(50, 1.3), longRun(70, 0.7)];
    for (const spec of INDICATOR_NAMES) {
      const whole = computeAll(spec, [...left, NaN, ...right]);
      const before = computeAll(spec, left);
      const after = computeAll(spec, right);
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
      const full = computeAll(spec, values);
      const early = computeAll(spec, values.slice(0, 60));
      for (const [name, column] of Object.entries(early)) {
        expect(full[name]?.subarray(0, 60), name).toEqual(column);
      }
    }
  });

  it('is NaN throughout when the series is shorter than its warm-up, and empty for none', () => {
    for (const spec of INDICATOR_NAMES.filter((name) => name !== 'obv' && name !== 'vwap')) {
      for (const length of [0, 1]) {
        const found = computeAll(spec, repeat(3, length));
        for (const column of Object.values(found)) {
          expect([...column]).toEqual(repeat(NaN, length));
        }
      }
    }
  });
});

describe('bars', () => {
  it("atr equals Wilder's average of true ranges, worked by hand", () => {
    const bars = {
      high: Float64Array.of(10, 12, 11, 15),
      low: Float64Array.of(8, 11, 7, 14),
      close: Float64Array.of(9, 11, 8, 14),
    };
    // True ranges: 12 − 9, 11 − 7, 15 − 8; seed (3 + 4) / 2, then (3.5 + 7) / 2.
    expect([...atr(bars, 2)]).toEqual([NaN, NaN, 3.5, 5.25]);
  });

  it('obv begins with the first volume and stands still with the price', () => {
    const close = Float64Array.of(5, 6, 6, 4, NaN, 4, 5);
    const volume = Float64Array.of(10, 1, 100, 4, 9, 7, 2);
    expect([...obv({ close, volume })]).toEqual([10, 11, 11, 7, NaN, 7, 9]);
  });

  it('vwap weighs the typical price', () => {
    const bars = {
      high: Float64Array.of(3, 6, 9),
      low: Float64Array.of(0, 3, 6),
      close: Float64Array.of(3, 6, 9),
      volume: Float64Array.of(1, 3, 0),
    };
    expect([...vwap(bars)]).toEqual([2, 4.25, 4.25]);
    expect([...vwap(bars, 1)]).toEqual([2, 5, NaN]);
    expect([...vwap(bars, 2)]).toEqual([NaN, 4.25, 5]);
  });

  it('must be of equal length', () => {
    const [two, three] = [new Float64Array(2), new Float64Array(3)];
    expect(problemOf(() => atr({ high: two, low: three, close: two })).type).toBe(
      'LENGTH_MISMATCH',
    );
    expect(problemOf(() => computeIndicator('obv', two, { volume: three })).message).toBe(
      'volume has 3 rows, but the series has 2.',
    );
  });
});

describe('computeIndicators', () => {
  it('gives the bits of each indicator alone, however many blocks and gaps there are', () => {
    const { close, ...others } = barsOf(5000, 9);
    for (const row of [1500, 1501, 4000]) close[row] = NaN;
    const specs = [
      'sma20',
      'bollinger20',
      'ema20',
      'rsi14',
      'macd',
      'macd5-8-3',
      'obv',
      'lags2',
      'sma20',
    ];
    const together = computeIndicators(specs, close, others);
    const alone = specs.map((spec) => computeIndicator(spec, close, others));
    const expected = Object.assign({}, ...alone) as typeof together;
    expect(Object.keys(together)).toEqual(Object.keys(expected));
    for (const [name, column] of Object.entries(expected)) {
      expect(
        together[name]?.findIndex((value, i) => !Object.is(value, column[i])),
        name,
      ).toBe(-1);
    }
  });

  it('writes every row of the columns that it is given', () => {
    const { close, ...others } = barsOf(100, 11);
    close[50] = NaN;
    const specs = [...INDICATOR_NAMES, 'sma500'];
    const columnFor = (_name: string, rows: number): Float64Array =>
      new Float64Array(rows).fill(-777);
    const given = computeIndicators(specs, close, others, { columnFor });
    expect(given).toEqual(computeIndicators(specs, close, others));
  });

  it('tells how far it is and stops when it is told to', () => {
    const close = new Float64Array(200_000);
    const fractions: number[] = [];
    computeIndicators(['sma3'], close, {}, { onProgress: (fraction) => fractions.push(fraction) });
    expect(fractions).toEqual([0.32768, 0.65536, 0.98304, 1]);
    let looks = 0;
    const shouldStop = (): boolean => (looks += 1) === 3;
    const stopped = problemOf(() => computeIndicators(['sma3'], close, {}, { shouldStop }));
    expect(stopped.type).toBe('CANCELLED');
    expect(stopped.message).toContain('131072 of 200000 rows');
  });
});

describe('computeIndicator', () => {
  const values = Float64Array.from({ length: 50 }, (_, i) => 10 + Math.sin(i));
  const names = (spec: string): string[] => Object.keys(computeIndicator(spec, values));
  const problem = (spec: string): KernelError => problemOf(() => computeIndicator(spec, values));

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
    expect(names('volatility')).toEqual(['volatility20']);
    expect(names('realised')).toEqual(['realised20']);
    expect(names('realised10-252')).toEqual(['realised10-252']);
    expect(names('lags3')).toEqual(['lag1', 'lag2', 'lag3']);
    const bars = { high: values, low: values, volume: values };
    const barNames = (spec: string): string[] => Object.keys(computeIndicator(spec, values, bars));
    expect(barNames('stochastic')).toEqual(['stochasticK', 'stochasticD']);
    expect(barNames('stochastic14-3')).toEqual(['stochasticK', 'stochasticD']);
    expect(barNames('stochastic5')).toEqual(['stochastic5-3K', 'stochastic5-3D']);
    expect(['atr', 'obv', 'vwap', 'vwap20'].flatMap(barNames)).toEqual([
      'atr14',
      'obv',
      'vwap',
      'vwap20',
    ]);
  });

  it('computes what the function computes', () => {
    expect(computeIndicator('sma3', values)['sma3']).toEqual(sma(values, 3));
    expect(computeIndicator('volatility7', values)['volatility7']).toEqual(
      rollingVolatility(values, 7),
    );
    const bands = computeIndicator('bollinger5-3', values);
    expect(bands['bollinger5-3Lower']).toEqual(bollinger(values, 5, 3).lower);
    expect(computeIndicator('realised7', values)['realised7']).toEqual(
      realisedVolatility(values, 7),
    );
    expect(computeIndicator('realised7-252', values)['realised7-252']).toEqual(
      realisedVolatility(values, 7, 252),
    );
    const bars = barsOf(50, 4);
    expect(computeIndicator('vwap5', bars.close, bars)['vwap5']).toEqual(vwap(bars, 5));
    expect(computeIndicator('stochastic5', bars.close, bars)['stochastic5-3D']).toEqual(
      stochastic(bars, 5, 3).d,
    );
  });

  it('says which columns are missing', () => {
    expect(problem('atr14')).toMatchObject({
      type: 'MISSING_COLUMN',
      message: 'atr14 needs high and low beside the series.',
      hint: 'Give high and low of the same rows, or leave atr14 out.',
    });
    expect(columnsNeededBy('vwap')).toEqual(['high', 'low', 'volume']);
    expect(columnsNeededBy('sma5')).toEqual([]);
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
      'wma0',
      'lags0',
      'lags1025',
      'realised0',
      'realised5-252-1',
    ]) {
      expect(problem(spec).type, spec).toBe('BAD_PARAMETER');
    }
    expect(problem('macd1-2-3-4').hint).toBe('Write macd12-26-9.');
  });
});
