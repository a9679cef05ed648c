/** technicalindicators. Its RSI is rounded to two decimals. */
import {
  ATR,
  BollingerBands,
  EMA,
  MACD,
  OBV,
  RSI,
  SMA,
  Stochastic,
  WMA,
} from 'technicalindicators';
import type { Peer } from './contract.ts';
import { indicatorLibrary, lastOf } from './indicator-library.ts';

export const peer: Peer = indicatorLibrary('technicalindicators', {
  sma20: ({ close }) => [lastOf(SMA.calculate({ values: close, period: 20 }))],
  ema20: ({ close }) => [lastOf(EMA.calculate({ values: close, period: 20 }))],
  wma20: ({ close }) => [lastOf(WMA.calculate({ values: close, period: 20 }))],
  rsi14: ({ close }) => [lastOf(RSI.calculate({ values: close, period: 14 }))],
  'macd12-26-9': ({ close }) => {
    const last = MACD.calculate({
      values: close,
      fastPeriod: 12,
      slowPeriod: 26,
      signalPeriod: 9,
      SimpleMAOscillator: false,
      SimpleMASignal: false,
    }).at(-1);
    return [last?.MACD, last?.signal, last?.histogram].map((value) => lastOf([value]));
  },
  'bollinger20-2': ({ close }) => {
    const last = BollingerBands.calculate({ values: close, period: 20, stdDev: 2 }).at(-1);
    return [last?.upper, last?.middle, last?.lower].map((value) => lastOf([value]));
  },
  atr14: ({ high, low, close }) => [lastOf(ATR.calculate({ high, low, close, period: 14 }))],
  'stochastic14-3': ({ high, low, close }) => {
    const last = Stochastic.calculate({ high, low, close, period: 14, signalPeriod: 3 }).at(-1);
    return [lastOf([last?.k]), lastOf([last?.d])];
  },
  obv: ({ close, volume }) => [lastOf(OBV.calculate({ close, volume }))],
});
