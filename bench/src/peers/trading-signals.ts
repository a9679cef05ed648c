/** trading-signals: objects that are fed row by row; each row's value is kept, as the others do. */
import {
  ATR,
  BollingerBands,
  EMA,
  MACD,
  OBV,
  RSI,
  SMA,
  StochasticOscillator,
  WMA,
  WSMA,
} from 'trading-signals';
import type { Peer } from './contract.ts';
import { indicatorLibrary, lastOf, type PlainBars } from './indicator-library.ts';

/** Feeds a stream with what `row` makes of each row and keeps what it gives. */
function feed<Row, Value>(
  { close }: PlainBars,
  stream: { add(row: Row): Value | null },
  row: (index: number) => Row,
): Value | undefined {
  const values: Value[] = [];
  for (let index = 0; index < close.length; index += 1) {
    const value = stream.add(row(index));
    if (value !== null) values.push(value);
  }
  return values.at(-1);
}

function feedCloses<Value>(
  bars: PlainBars,
  stream: { add(close: number): Value | null },
): Value | undefined {
  return feed(bars, stream, (index) => bars.close[index] ?? Number.NaN);
}

function barOf({ high, low, close, volume }: PlainBars, index: number): Bar {
  return {
    high: high[index] ?? Number.NaN,
    low: low[index] ?? Number.NaN,
    close: close[index] ?? Number.NaN,
    open: close[index] ?? Number.NaN,
    volume: volume[index] ?? Number.NaN,
  };
}

interface Bar {
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly open: number;
  readonly volume: number;
}

export const peer: Peer = indicatorLibrary('trading-signals', {
  sma20: (bars) => [lastOf([feedCloses(bars, new SMA(20))])],
  ema20: (bars) => [lastOf([feedCloses(bars, new EMA(20))])],
  wma20: (bars) => [lastOf([feedCloses(bars, new WMA(20))])],
  rsi14: (bars) => [lastOf([feedCloses(bars, new RSI(14, WSMA))])],
  'macd12-26-9': (bars) => {
    const last = feedCloses(bars, new MACD(new EMA(12), new EMA(26), new EMA(9)));
    return [last?.macd, last?.signal, last?.histogram].map((value) => lastOf([value]));
  },
  'bollinger20-2': (bars) => {
    const last = feedCloses(bars, new BollingerBands(20, 2));
    return [last?.upper, last?.middle, last?.lower].map((value) => lastOf([value]));
  },
  atr14: (bars) => [lastOf([feed(bars, new ATR(14), (index) => barOf(bars, index))])],
  'stochastic14-3': (bars) => {
    const stream = new StochasticOscillator({ kPeriod: 14, kSlowingPeriod: 1, dPeriod: 3 });
    const last = feed(bars, stream, (index) => barOf(bars, index));
    return [lastOf([last?.stochK]), lastOf([last?.stochD])];
  },
  obv: (bars) => [lastOf([feed(bars, new OBV(2), (index) => barOf(bars, index))])],
});
