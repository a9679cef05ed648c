/**
 * Every indicator against its definition on the same 2,000 small cases: walks, steps, flat stretches,
 * high levels, spikes, gaps of NaN and infinities, tiny lengths, windows longer than the series. And
 * every indicator against itself, cut into pieces.
 */
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import * as kernels from '../src/index.ts';
import { readIndicator } from '../src/indicators/indicator-names.ts';
import {
  advanceOverGaps,
  computeLines,
  freshState,
  type IndicatorMachine,
} from '../src/indicators/machine.ts';
import { streamOf } from '../src/indicators/stream.ts';
import { togetherMachine } from '../src/indicators/together.ts';
import {
  deviation,
  mean,
  overWindows,
  referenceAtr,
  referenceEma,
  referenceLag,
  referenceLogReturns,
  referenceMacd,
  referenceObv,
  referenceRsi,
  referenceStochastic,
  referenceVwap,
  referenceWma,
  sum,
  type Bars,
} from './reference-indicators.ts';
import { at, gappySeries } from './reference.ts';

const CASES = 2000;
const ROWS_MAX = 40;

/** One case: bars with gaps of their own in each column, and three small periods. */
interface Case {
  readonly bars: Bars;
  /** The close, positive but for a few. */
  readonly prices: readonly number[];
  readonly p: number;
  readonly q: number;
  readonly r: number;
  /** Where a stream is cut. */
  readonly cuts: readonly number[];
}

const share = fc.double({ min: 0, max: 1, noNaN: true });
const period = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 9 }) },
  { weight: 1, arbitrary: fc.integer({ min: 10, max: 60 }) },
);

const cases: fc.Arbitrary<Case> = fc
  .record({
    close: gappySeries({ minLength: 0, maxLength: ROWS_MAX }),
    above: fc.array(share, { minLength: ROWS_MAX, maxLength: ROWS_MAX }),
    volumes: fc.array(fc.oneof(fc.nat(1000), share, fc.constant(0)), {
      minLength: ROWS_MAX,
      maxLength: ROWS_MAX,
    }),
    holes: fc.array(fc.tuple(fc.nat(ROWS_MAX - 1), fc.constantFrom('high', 'low', 'volume')), {
      maxLength: 2,
    }),
    p: period,
    q: period,
    r: period,
    cuts: fc.array(fc.nat(ROWS_MAX), { maxLength: 6 }),
  })
  .map(({ close: drawn, above, volumes, holes, ...rest }) => {
    const close = drawn.map((value) => (value === 1e200 ? NaN : value));
    const reach = (i: number): number => at(above, i) * (1 + Math.abs(at(close, i)) / 100);
    // An infinite close stays the only gap of its row; otherwise low ≤ close ≤ high.
    const known = close.map((value) => (Number.isFinite(value) ? value : 0));
    const high = known.map((value, i) => value + reach(i % 7 === 0 ? 0 : i) || value);
    const low = known.map((value, i) => value - at(above, ROWS_MAX - 1 - i));
    const volume = volumes.slice(0, close.length);
    const columns = { high, low, volume };
    for (const [row, name] of holes) if (row < close.length) columns[name][row] = Infinity;
    const prices = close.map((value) => (Math.abs(value) > 50 ? value : Math.exp(value)));
    const highs = high.map((value, i) => (Number.isNaN(value) ? at(known, i) : value));
    return { bars: { high: highs, low, close, volume }, prices, ...rest };
  });

let drawn: readonly Case[] = [];

beforeAll(() => {
  drawn = fc.sample(cases, CASES);
});

/** Runs all cases; the first that differs is shown with its input. */
function forAll(check: (each: Case) => string | undefined): void {
  expect(drawn).toHaveLength(CASES);
  for (const each of drawn) {
    const difference = check(each);
    if (difference === undefined) continue;
    const seed = fc.readConfigureGlobal().seed;
    expect.fail(`${difference}; seed ${seed}, case ${JSON.stringify(each, readable)}`);
  }
}

function readable(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** The first row where NaN stands differently or the values are further apart than `tolerance`. */
function difference(
  actual: Float64Array,
  expected: readonly number[],
  tolerance: number | ((row: number) => number),
): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} rows, not ${expected.length}`;
  for (const [row, wanted] of expected.entries()) {
    const found = at(actual, row);
    const allowed = typeof tolerance === 'number' ? tolerance : tolerance(row);
    const isNear = Object.is(found, wanted) || Math.abs(found - wanted) <= allowed;
    if (!isNear) return `row ${row} is ${found}, not ${wanted}`;
  }
  return undefined;
}

/** What rounding may cost: a few thousand units in the last place of the largest number of the case. */
function roundingOf(...columns: readonly (readonly number[])[]): number {
  const sizes = columns.flatMap((column) => column.filter(Number.isFinite).map(Math.abs));
  return 1e-12 * Math.max(1, ...sizes);
}

const f64 = (values: readonly number[]): Float64Array => Float64Array.from(values);

function columnsOf({ high, low, close, volume }: Bars): Record<keyof Bars, Float64Array> {
  return { high: f64(high), low: f64(low), close: f64(close), volume: f64(volume) };
}

describe('over 2,000 cases each, with gaps', () => {
  it('sma is the mean of the window', () => {
    forAll(({ bars: { close }, p }) =>
      difference(kernels.sma(f64(close), p), overWindows(close, p, mean), roundingOf(close)),
    );
  });

  it('ema is the weighted sum that its recursion stands for', () => {
    forAll(({ bars: { close }, p }) =>
      difference(kernels.ema(f64(close), p), referenceEma(close, p), roundingOf(close)),
    );
  });

  it('wma weighs the newest most', () => {
    forAll(({ bars: { close }, p }) =>
      difference(kernels.wma(f64(close), p), referenceWma(close, p), roundingOf(close)),
    );
  });

  it('rsi compares averaged gains with averaged losses', () => {
    forAll(({ bars: { close }, p }) =>
      difference(kernels.rsi(f64(close), p), referenceRsi(close, p), 1e-9),
    );
  });

  it('macd is the difference of two averages, with its own average', () => {
    forAll(({ bars: { close }, p, q, r }) => {
      const [fast, slow, signal] = [Math.min(p, q), Math.max(p, q) + 1, r];
      const lines = kernels.macd(f64(close), fast, slow, signal);
      const expected = referenceMacd(close, fast, slow, signal);
      const tolerance = roundingOf(close);
      return (
        difference(lines.macd, expected.macd, tolerance) ??
        difference(lines.signal, expected.signal, tolerance) ??
        difference(lines.histogram, expected.histogram, tolerance)
      );
    });
  });

  it('bollinger bands lie so many deviations around the mean', () => {
    forAll(({ bars: { close }, p, q }) => {
      const bands = kernels.bollinger(f64(close), p, q / 2);
      const band = (side: number): number[] =>
        overWindows(close, p, (w) => mean(w) + side * (q / 2) * deviation(w, p));
      // A deviation near 0 is the root of a rounding error.
      const tolerance = q * 1e3 * roundingOf(close);
      return (
        difference(bands.upper, band(1), tolerance) ??
        difference(bands.lower, band(-1), tolerance) ??
        difference(bands.middle, overWindows(close, p, mean), roundingOf(close))
      );
    });
  });

  it('zscore counts deviations from the mean', () => {
    forAll(({ bars: { close }, p }) => {
      const rows = p + 1;
      const expected = overWindows(close, rows, (w) => {
        const spread = deviation(w, rows);
        const isFlat = spread < 1e-12 * Math.max(1, Math.abs(mean(w)));
        const shifted = w.map((value) => value - at(w, 0));
        return isFlat ? 0 : (at(shifted, rows - 1) - mean(shifted)) / spread;
      });
      const spreads = overWindows(close, rows, (w) => deviation(w, rows));
      const tolerance = (row: number): number => {
        const window = close.slice(Math.max(0, row - p), row + 1);
        return 1e-9 + (4 * roundingOf(window)) / at(spreads, row);
      };
      return difference(kernels.zscore(f64(close), rows), expected, tolerance);
    });
  });

  it('returns compare with the row before', () => {
    forAll(({ bars: { close }, prices }) => {
      const simple = close.map((now, i) => {
        const before = i === 0 ? NaN : at(close, i - 1);
        return Number.isFinite(now) && Number.isFinite(before) && before !== 0
          ? now / before - 1
          : NaN;
      });
      return (
        difference(kernels.simpleReturns(f64(close)), simple, 0) ??
        difference(kernels.logReturns(f64(prices)), referenceLogReturns(prices), 0)
      );
    });
  });

  it('volatility is the sample deviation of log returns', () => {
    forAll(({ prices, p, q }) => {
      const expected = overWindows(
        referenceLogReturns(prices),
        p + 1,
        (w) => Math.sqrt(q) * deviation(w, p),
      );
      return difference(kernels.rollingVolatility(f64(prices), p + 1, q), expected, 1e-10);
    });
  });

  it('realised volatility is the root of the sum, or of the annualised mean, of squared log returns', () => {
    forAll(({ prices, p, q }) => {
      const squares = referenceLogReturns(prices).map((value) => value * value);
      const plain = overWindows(squares, p, (w) => Math.sqrt(sum(w)));
      const yearly = overWindows(squares, p, (w) => Math.sqrt(q * mean(w)));
      return (
        difference(kernels.realisedVolatility(f64(prices), p), plain, 1e-11) ??
        difference(kernels.realisedVolatility(f64(prices), p, q), yearly, 1e-11)
      );
    });
  });

  it('atr averages true ranges', () => {
    forAll(({ bars, p }) =>
      difference(
        kernels.atr(columnsOf(bars), p),
        referenceAtr(bars, p),
        roundingOf(bars.close, bars.high),
      ),
    );
  });

  it('stochastic places the close between the extremes', () => {
    forAll(({ bars, p, q }) => {
      const lines = kernels.stochastic(columnsOf(bars), p, q);
      const expected = referenceStochastic(bars, p, q);
      return difference(lines.k, expected.k, 1e-9) ?? difference(lines.d, expected.d, 1e-9);
    });
  });

  it('obv adds and takes away volumes', () => {
    forAll(({ bars }) => difference(kernels.obv(columnsOf(bars)), referenceObv(bars), 1e-8));
  });

  it('vwap weighs prices by volume, over all bars and over a window', () => {
    forAll(({ bars, p }) => {
      // Mixed signs and a tiny volume beside a large one: what cancels is as large as the prices.
      const tolerance = 10 * roundingOf(bars.close, bars.high, bars.low);
      const columns = columnsOf(bars);
      return (
        difference(kernels.vwap(columns), referenceVwap(bars), tolerance) ??
        difference(kernels.vwap(columns, p), referenceVwap(bars, p), tolerance)
      );
    });
  });

  it('lagged values are those of earlier rows', () => {
    forAll(({ bars: { close }, p }) => {
      const columns = kernels.laggedValues(f64(close), p);
      return columns
        .map((column, k) => difference(column, referenceLag(close, k + 1), 0))
        .find((each) => each !== undefined);
    });
  });
});

/** A name of every kind with the periods of a case. */
function specsOf({ p, q, r }: Case): readonly string[] {
  const [fast, slow] = [Math.min(p, q), Math.max(p, q) + 1];
  const windows = ['sma', 'ema', 'wma', 'rsi', 'realised', 'atr', 'vwap', 'lags'];
  return [
    ...windows.map((word) => word + String(p)),
    ...['zscore', 'volatility'].map((word) => word + String(p + 1)),
    `realised${p}-252`,
    `bollinger${p}-${q}`,
    `stochastic${p}-${q}`,
    `macd${fast}-${slow}-${r}`,
    'return',
    'logreturn',
    'obv',
    'vwap',
  ];
}

/** The first line and row where two sets of lines differ in a bit. */
function bitDifference(
  actual: readonly Float64Array[],
  expected: readonly Float64Array[],
): string | undefined {
  for (const [line, column] of expected.entries()) {
    const row = column.findIndex((value, i) => !Object.is(value, actual[line]?.[i]));
    if (row >= 0) return `line ${line}, row ${row}: ${actual[line]?.[row]}, not ${column[row]}`;
  }
  return undefined;
}

/** The lines of a machine that is fed the rows between each two cuts at once. */
function inPieces(
  machine: IndicatorMachine,
  inputs: readonly Float64Array[],
  cuts: readonly number[],
): Float64Array[] {
  const rows = inputs[0]?.length ?? 0;
  const lines = Array.from({ length: machine.lines }, () => new Float64Array(rows));
  const state = freshState(machine);
  let start = 0;
  for (const cut of [...cuts.filter((each) => each < rows), rows].sort((a, b) => a - b)) {
    advanceOverGaps(machine, state, inputs, start, cut, lines);
    start = cut;
  }
  return lines;
}

/** The lines of a stream that at row `pause` goes on as another, from a snapshot. */
function inRows(
  machine: IndicatorMachine,
  inputs: readonly Float64Array[],
  pause: number | undefined,
): Float64Array[] {
  const rows = inputs[0]?.length ?? 0;
  const lines = Array.from({ length: machine.lines }, () => new Float64Array(rows));
  const open = (): kernels.IndicatorStream<number[], number[]> =>
    streamOf(machine, (row) => row.map((line) => at(line, 0)));
  let stream = open();
  for (let row = 0; row < rows; row += 1) {
    if (row === pause) {
      const saved = structuredClone(stream.snapshot());
      stream = open();
      stream.restore(saved);
    }
    const values = stream.push(...inputs.map((column) => at(column, row)));
    lines.forEach((line, index) => (line[row] = at(values, index)));
  }
  return lines;
}

describe('every indicator gives the same bits', () => {
  it('at once, in pieces, row by row, and when it goes on from a snapshot', () => {
    forAll((each) => {
      const columns = columnsOf(each.bars);
      const prices = f64(each.prices);
      for (const spec of specsOf(each)) {
        const { machine } = readIndicator(spec);
        const isOfPrices = /^(?:log|vol|real)/.test(spec);
        const inputs = machine.inputs.map((name) => (isOfPrices ? prices : columns[name]));
        const whole = computeLines(machine, inputs);
        const difference =
          bitDifference(inPieces(machine, inputs, each.cuts), whole) ??
          bitDifference(inRows(machine, inputs, each.cuts[0]), whole);
        if (difference !== undefined) return `${spec}: ${difference}`;
      }
      return undefined;
    });
  });

  it('in one loop with two others, in pieces', () => {
    forAll(({ bars, p, q, r, cuts }) => {
      const close = f64(bars.close);
      const periods = { rsi: p, ema: q, fast: r, slow: r + (p % 5) + 1, signal: (q % 7) + 1 };
      const { macd, signal, histogram } = kernels.macd(
        close,
        periods.fast,
        periods.slow,
        periods.signal,
      );
      const alone = [kernels.rsi(close, p), kernels.ema(close, q), macd, signal, histogram];
      return bitDifference(inPieces(togetherMachine(periods), [close], cuts), alone);
    });
  });

  it('alone and in one pass with others', () => {
    forAll((each) => {
      const { close, ...others } = columnsOf(each.bars);
      const specs = specsOf(each).filter((_, index) => index % 4 === each.p % 4);
      const trio = [`ema${each.p}`, `rsi${each.q}`, `macd${each.p}-${each.p + each.r}-${each.q}`];
      const together = kernels.computeIndicators([...specs, ...trio], close, others);
      for (const spec of [...specs, ...trio]) {
        const alone = kernels.computeIndicator(spec, close, others);
        const names = Object.keys(alone);
        const difference = bitDifference(
          names.map((name) => together[name] ?? new Float64Array()),
          Object.values(alone),
        );
        if (difference !== undefined) return `${spec}: ${difference}`;
      }
      return undefined;
    });
  });
});
