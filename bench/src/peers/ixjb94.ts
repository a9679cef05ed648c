/** @ixjb94/indicators, in its synchronous form: the other one wraps each call into a promise. */
import { IndicatorsSync } from '@ixjb94/indicators';
import type { Peer } from './contract.ts';
import { indicatorLibrary, lastOf } from './indicator-library.ts';

const library = new IndicatorsSync();

export const peer: Peer = indicatorLibrary('@ixjb94/indicators', {
  sma20: ({ close }) => [lastOf(library.sma(close, 20))],
  ema20: ({ close }) => [lastOf(library.ema(close, 20))],
  wma20: ({ close }) => [lastOf(library.wma(close, 20))],
  rsi14: ({ close }) => [lastOf(library.rsi(close, 14))],
  'macd12-26-9': ({ close }) => library.macd(close, 12, 26, 9).map(lastOf),
  'bollinger20-2': ({ close }) => library.bbands(close, 20, 2).map(lastOf).toReversed(),
  atr14: ({ high, low, close }) => [lastOf(library.atr(high, low, close, 14))],
  'stochastic14-3': ({ high, low, close }) => library.stoch(high, low, close, 14, 1, 3).map(lastOf),
  obv: ({ close, volume }) => [lastOf(library.obv(close, volume))],
  vwap20: ({ high, low, close, volume }) => [lastOf(library.vwap(high, low, close, volume, 20))],
});
