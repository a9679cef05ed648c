/** indicatorts. */
import { atr, bb, ema, macd, obv, rsi, sma, stoch } from 'indicatorts';
import type { Peer } from './contract.ts';
import { indicatorLibrary, lastOf } from './indicator-library.ts';

export const peer: Peer = indicatorLibrary('indicatorts', {
  sma20: ({ close }) => [lastOf(sma(close, { period: 20 }))],
  ema20: ({ close }) => [lastOf(ema(close, { period: 20 }))],
  rsi14: ({ close }) => [lastOf(rsi(close, { period: 14 }))],
  'macd12-26-9': ({ close }) => {
    const { macdLine, signalLine } = macd(close, { fast: 12, slow: 26, signal: 9 });
    // It leaves the histogram to the caller, who is spared it here.
    const [line, signal] = [lastOf(macdLine), lastOf(signalLine)];
    return [line, signal, line - signal];
  },
  'bollinger20-2': ({ close }) => {
    const { upper, middle, lower } = bb(close, { period: 20 });
    return [upper, middle, lower].map(lastOf);
  },
  atr14: ({ high, low, close }) => [lastOf(atr(high, low, close, { period: 14 }).atrLine)],
  'stochastic14-3': ({ high, low, close }) => {
    const { k, d } = stoch(high, low, close, { kPeriod: 14, dPeriod: 3 });
    return [lastOf(k), lastOf(d)];
  },
  obv: ({ close, volume }) => [lastOf(obv(close, volume))],
});
