/**
 * Indicators beside R's TTR, called as a process: on the real closes of the DAX with bars made around them, on the real
 * bars of the S&P 500, and on a seeded random walk of bars. What differs by convention is said where it is compared.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  atr,
  bollinger,
  ema,
  logReturns,
  macd,
  obv,
  RandomSource,
  realisedVolatility,
  rollingVolatility,
  rsi,
  simpleReturns,
  sma,
  stochastic,
  vwap,
  wma,
  zscore,
  type HighLowCloseVolume,
} from '@quic-swarm/kernels';
import { describe, expect, inject, it } from 'vitest';
import { columnOf } from '../../packages/kernels/test/oracle-questions.ts';
import {
  DAX_INDICATORS,
  type RecordedIndicators,
} from '../../packages/kernels/test/recorded-results.ts';
import { Agreement } from './agreement.ts';
import { index } from './made-columns.ts';
import { SP500_FILE } from './oracles.ts';
import { runProgram } from './programs.ts';
import { SP500_INDICATORS } from './sp500-results.ts';

const SCRIPT = new URL('ttr.R', import.meta.url).pathname;

/** The largest relative difference that only rounding explains; prices and volumes are about 1e2 to 1e6. */
const TOLERANCE = 1e-11;

function barsAround(close: Float64Array, seed: number): HighLowCloseVolume {
  const random = new RandomSource(seed);
  return {
    close,
    high: close.map((value) => value * (1 + random.nextFloat() / 50)),
    low: close.map((value) => value * (1 - random.nextFloat() / 50)),
    volume: close.map(() => Math.floor(random.nextBetween(1, 1e6))),
  };
}

function daxBars(): HighLowCloseVolume {
  return barsAround(columnOf(index('DAX')), 1);
}

/** Real highs, lows and volumes, the volumes in thousands. */
function sp500Bars(): HighLowCloseVolume {
  const column = (name: string): Float64Array => columnOf({ csv: SP500_FILE, column: name });
  const volume = column('volume').map((value) => value / 1000);
  return { high: column('high'), low: column('low'), close: column('close'), volume };
}

function randomBars(): HighLowCloseVolume {
  const random = new RandomSource(77);
  let level = 50;
  const close = Float64Array.from({ length: 5000 }, (_, row) => {
    // Every hundredth stretch stands still, for changes and spreads of 0.
    if (row % 100 >= 5) level *= Math.exp(random.nextNormal() / 100);
    return level;
  });
  return barsAround(close, 2);
}

/** The columns of TTR, NaN where it has NA. */
function askTtr({ high, low, close, volume }: HighLowCloseVolume): Map<string, Float64Array> {
  const folder = mkdtempSync(join(tmpdir(), 'quic-swarm-oracle-'));
  try {
    const [given, answered] = [join(folder, 'bars.csv'), join(folder, 'ttr.csv')];
    const rows = Array.from(close, (value, i) => [high[i], low[i], value, volume[i]].join(','));
    writeFileSync(given, ['high,low,close,volume', ...rows].join('\n'));
    runProgram('Rscript', ['--vanilla', SCRIPT, given, answered]);
    const [header = '', ...lines] = readFileSync(answered, 'utf8').trim().split('\n');
    const cells = lines.map((line) => line.split(',').map(Number));
    return new Map(
      header
        .split(',')
        .map((name, column) => [name, Float64Array.from(cells, (row) => row[column] ?? NaN)]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const oracles = inject('oracles');

interface Series {
  readonly name: string;
  readonly barsOf: () => HighLowCloseVolume;
  /** Values that TTR gave before; both it and the kernels must give them again. */
  readonly recorded: readonly RecordedIndicators[];
}

const SERIES: Series[] = [
  { name: 'the DAX', barsOf: daxBars, recorded: DAX_INDICATORS },
  { name: 'a random walk with flat stretches', barsOf: randomBars, recorded: [] },
];
if (oracles.sp500.isThere) {
  SERIES.push({ name: 'the S&P 500', barsOf: sp500Bars, recorded: SP500_INDICATORS });
}

describe.runIf(oracles.ttr.isThere)('R TTR', () => {
  const agreement = new Agreement('TTR');

  /** How many rows were compared; fails at the first that differs. */
  function compare(actual: Float64Array, expected: Float64Array | undefined, fromRow = 0): number {
    expect(expected?.length).toBe(actual.length);
    let compared = 0;
    for (let row = fromRow; row < actual.length; row += 1) {
      const [found = NaN, wanted = NaN] = [actual[row], expected?.[row]];
      if (Number.isNaN(found) && Number.isNaN(wanted)) continue;
      agreement.value('all indicators', found, wanted, TOLERANCE);
      compared += 1;
    }
    return compared;
  }

  it.each(SERIES)('gives the same on $name', ({ barsOf, recorded }) => {
    const bars = barsOf();
    const { close } = bars;
    const ttr = askTtr(bars);
    const rows = close.length;
    // What is compared row by row below holds for the kernels as well.
    for (const { row, values } of recorded) {
      for (const [name, value] of Object.entries(values)) {
        agreement.value('recorded', ttr.get(name)?.[row] ?? NaN, value, TOLERANCE);
      }
    }
    // The warm-ups agree to the row, too: NaN stands where TTR has NA.
    expect(compare(sma(close, 20), ttr.get('sma'))).toBe(rows - 19);
    expect(compare(ema(close, 20), ttr.get('ema'))).toBe(rows - 19);
    expect(compare(wma(close, 20), ttr.get('wma'))).toBe(rows - 19);
    expect(compare(rsi(close, 14), ttr.get('rsi'))).toBe(rows - 14);
    expect(compare(atr(bars, 14), ttr.get('atr'))).toBe(rows - 14);
    expect(compare(obv(bars), ttr.get('obv'))).toBe(rows);
    expect(compare(vwap(bars, 20), ttr.get('vwap'))).toBe(rows - 19);
    expect(compare(vwap(bars), ttr.get('vwapOfAll'))).toBe(rows);
    expect(compare(zscore(close, 20), ttr.get('zscore'))).toBe(rows - 19);
    expect(compare(logReturns(close), ttr.get('logreturn'))).toBe(rows - 1);
    expect(compare(simpleReturns(close), ttr.get('simplereturn'))).toBe(rows - 1);
    const bands = bollinger(close, 20, 2);
    expect(compare(bands.lower, ttr.get('lower'))).toBe(rows - 19);
    expect(compare(bands.middle, ttr.get('middle'))).toBe(rows - 19);
    expect(compare(bands.upper, ttr.get('upper'))).toBe(rows - 19);
    // TTR's oscillator is a fraction.
    const { k, d } = stochastic(bars, 14, 3);
    const fraction = (value: number): number => value / 100;
    expect(compare(k.map(fraction), ttr.get('k'))).toBe(rows - 13);
    expect(compare(d.map(fraction), ttr.get('d'))).toBe(rows - 15);
    // TTR seeds the fast average with the first 12 rows, we (as TA-Lib) with rows 14 to 25: by row 300 a weight of
    // (11/13)^274, under 1e-19, is left of that.
    const lines = macd(close, 12, 26, 9);
    expect(compare(lines.macd, ttr.get('macd'), 300)).toBe(rows - 300);
    expect(compare(lines.signal, ttr.get('signal'), 300)).toBe(rows - 300);
    // TTR's n counts prices, ours returns.
    expect(compare(rollingVolatility(close, 20, 252), ttr.get('volatility'))).toBe(rows - 20);
    // With mean0 TTR divides Σ r² of 20 returns by 19 before it annualises; the plain sum is ours.
    const scale = Math.sqrt(252 / 19);
    const realised = realisedVolatility(close, 20).map((value) => scale * value);
    expect(compare(realised, ttr.get('realised'))).toBe(rows - 20);
  });
});
