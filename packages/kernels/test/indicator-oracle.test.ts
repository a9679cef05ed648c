/**
 * Every indicator on real data, as R's TTR 0.24.3 computed it once (`npm run test:oracle` asks it again, on more): weeks of
 * five closes of the DAX as bars; the closes of the FTSE stand in for volumes, which the data has none of.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as kernels from '../src/index.ts';
import { at } from './reference.ts';

const file = new URL('../../../examples/data/eu-stock-markets.csv', import.meta.url);

function weeks(): kernels.HighLowCloseVolume {
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const days = lines.map((line) => line.split(',').map(Number));
  const count = Math.floor(days.length / 5);
  const column = (define: (week: number[][]) => number): Float64Array =>
    Float64Array.from({ length: count }, (_, week) => define(days.slice(5 * week, 5 * week + 5)));
  const dax = (week: number[][]): number[] => week.map((day) => at(day, 1));
  return {
    high: column((week) => Math.max(...dax(week))),
    low: column((week) => Math.min(...dax(week))),
    close: column((week) => at(dax(week), 4)),
    volume: column((week) => at(week[4] ?? [], 4)),
  };
}

const TTR: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  200: {
    sma: 2038.3145,
    ema: 2025.946846769481,
    wma: 2017.1089523809526,
    rsi: 47.9319984642216,
    macd: -24.679809020915172,
    signal: -23.638542359068616,
    lower: 1916.502036684459,
    middle: 2038.3145,
    upper: 2160.1269633155407,
    atr: 44.735762702679374,
    k: 0.48938737208990624,
    d: 0.4345889747829074,
    obv: 49367.299999999996,
    vwap: 2037.2098038409838,
    vwapOfAll: 1858.4966405300686,
    zscore: -0.28066914558190365,
    volatility: 0.2778081309131714,
    realised: 0.2784833306112569,
    logreturn: 0.001619144880950607,
    simplereturn: 0.0016204564037760605,
  },
  371: {
    sma: 5601.055500000002,
    ema: 5541.2729831592715,
    wma: 5722.754619047619,
    rsi: 52.74110409291243,
    macd: 291.9107242905329,
    signal: 352.8077665796756,
    lower: 5010.907902615247,
    middle: 5601.055500000002,
    upper: 6191.203097384758,
    atr: 181.1342191458716,
    k: 0.20875031933445193,
    d: 0.45287660240459005,
    obv: 292013.1,
    vwap: 5586.2217341365285,
    vwapOfAll: 2819.4912143014058,
    zscore: -0.43153780703095396,
    volatility: 0.39138139039963393,
    realised: 0.3964022010893414,
    logreturn: -0.022508094317007732,
    simplereturn: -0.022256677003100855,
  },
};

it('indicators of the DAX equal those of R TTR', () => {
  const bars = weeks();
  const { close } = bars;
  const bands = kernels.bollinger(close, 20, 2);
  const lines = kernels.macd(close, 12, 26, 9);
  const oscillator = kernels.stochastic(bars, 14, 3);
  // TTR's stochastic is a fraction, and it divides Σ r² of 20 returns by 19.
  const scale = Math.sqrt(252 / 19);
  const columns: Readonly<Record<string, Float64Array>> = {
    sma: kernels.sma(close, 20),
    ema: kernels.ema(close, 20),
    wma: kernels.wma(close, 20),
    rsi: kernels.rsi(close, 14),
    macd: lines.macd,
    signal: lines.signal,
    ...bands,
    atr: kernels.atr(bars, 14),
    k: oscillator.k.map((value) => value / 100),
    d: oscillator.d.map((value) => value / 100),
    obv: kernels.obv(bars),
    vwap: kernels.vwap(bars, 20),
    vwapOfAll: kernels.vwap(bars),
    zscore: kernels.zscore(close, 20),
    volatility: kernels.rollingVolatility(close, 20, 252),
    realised: kernels.realisedVolatility(close, 20).map((value) => scale * value),
    logreturn: kernels.logReturns(close),
    simplereturn: kernels.simpleReturns(close),
  };
  for (const [row, expected] of Object.entries(TTR)) {
    for (const [name, value] of Object.entries(expected)) {
      // TTR seeds MACD's fast average with other rows; after 200 of them 1e-9 is left of that.
      const tolerance =
        name === 'macd' || name === 'signal' ? 1e-8 : 1e-11 * Math.max(1, Math.abs(value));
      const found = columns[name]?.[Number(row)] ?? NaN;
      expect(Math.abs(found - value), `${name} in week ${row}: ${found}`).toBeLessThan(tolerance);
    }
  }
});
