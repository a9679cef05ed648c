import { describe, expect, it } from 'vitest';
import {
  atr,
  bollinger,
  ema,
  laggedValues,
  logReturns,
  macd,
  obv,
  realisedVolatility,
  rollingVolatility,
  rsi,
  simpleReturns,
  sma,
  stochastic,
  streamAtr,
  streamBollinger,
  streamEma,
  streamLaggedValues,
  streamLogReturns,
  streamMacd,
  streamObv,
  streamRealisedVolatility,
  streamRollingVolatility,
  streamRsi,
  streamSimpleReturns,
  streamSma,
  streamStochastic,
  streamVwap,
  streamWma,
  streamZscore,
  vwap,
  wma,
  zscore,
} from '../src/index.ts';
import { barsOf, problemOf } from './bars.ts';
import { at } from './reference.ts';

describe('a stream', () => {
  const bars = barsOf(60, 3);
  const { high, low, close, volume } = bars;
  const row = (i: number): { h: number; l: number; c: number; v: number } => ({
    h: at(high, i),
    l: at(low, i),
    c: at(close, i),
    v: at(volume, i),
  });
  const pushAll = <Value>(push: (i: number) => Value): Value[] =>
    Array.from({ length: 60 }, (_, i) => push(i));

  it('gives what the function over the column gives', () => {
    const one = (stream: { push(value: number): number }): Float64Array =>
      Float64Array.from(pushAll((i) => stream.push(row(i).c)));
    expect(one(streamSma(7))).toEqual(sma(close, 7));
    expect(one(streamEma(7))).toEqual(ema(close, 7));
    expect(one(streamWma(7))).toEqual(wma(close, 7));
    expect(one(streamRsi())).toEqual(rsi(close));
    expect(one(streamZscore(9))).toEqual(zscore(close, 9));
    expect(one(streamSimpleReturns())).toEqual(simpleReturns(close));
    expect(one(streamLogReturns())).toEqual(logReturns(close));
    expect(one(streamRollingVolatility(5, 252))).toEqual(rollingVolatility(close, 5, 252));
    expect(one(streamRealisedVolatility(5))).toEqual(realisedVolatility(close, 5));
    const [atrs, obvs, vwaps] = [streamAtr(5), streamObv(), streamVwap(6)];
    expect(pushAll((i) => atrs.push(row(i).h, row(i).l, row(i).c))).toEqual([...atr(bars, 5)]);
    expect(pushAll((i) => obvs.push(row(i).c, row(i).v))).toEqual([...obv(bars)]);
    expect(pushAll((i) => vwaps.push(row(i).h, row(i).l, row(i).c, row(i).v))).toEqual([
      ...vwap(bars, 6),
    ]);
  });

  it('names the lines of indicators that have several', () => {
    const [bands, lines, oscillator, lags] = [
      streamBollinger(5, 3),
      streamMacd(3, 6, 4),
      streamStochastic(4, 2),
      streamLaggedValues(3),
    ];
    const wantedBands = bollinger(close, 5, 3);
    const wantedLines = macd(close, 3, 6, 4);
    const wantedOscillator = stochastic(bars, 4, 2);
    const wantedLags = laggedValues(close, 3);
    for (let i = 0; i < 60; i += 1) {
      const { h, l, c } = row(i);
      expect(bands.push(c)).toEqual(rowOf({ ...wantedBands }, i));
      expect(lines.push(c)).toEqual(rowOf({ ...wantedLines }, i));
      expect(oscillator.push(h, l, c)).toEqual(rowOf({ ...wantedOscillator }, i));
      expect([...lags.push(c)]).toEqual(wantedLags.map((column) => at(column, i)));
    }
  });

  it('goes on elsewhere from a snapshot that went through JSON', () => {
    const first = streamSma(4);
    for (let i = 0; i < 30; i += 1) first.push(row(i).c);
    const text = JSON.stringify(first.snapshot());
    const second = streamSma(4);
    second.restore(JSON.parse(text) as ReturnType<typeof first.snapshot>);
    for (let i = 30; i < 60; i += 1) expect(second.push(row(i).c)).toBe(first.push(row(i).c));
  });

  it('refuses the snapshot of another', () => {
    const snapshot = streamSma(4).snapshot();
    expect(problemOf(() => streamSma(5).restore(snapshot)).type).toBe('PARAMETERS_DIFFER');
    expect(problemOf(() => streamEma(4).restore(snapshot)).type).toBe('PARAMETERS_DIFFER');
    const torn = { ...snapshot, state: snapshot.state.slice(1) };
    expect(problemOf(() => streamSma(4).restore(torn)).message).toContain('6 numbers');
  });

  it('begins its warm-up anew after a gap, and refuses a window that no memory holds', () => {
    const stream = streamSma(2);
    const pushed = [1, 2, NaN, 4, Infinity, 5, 7].map((value) => stream.push(value));
    expect(pushed).toEqual([NaN, 1.5, NaN, NaN, NaN, NaN, 6]);
    expect(problemOf(() => streamSma(1e12)).type).toBe('TOO_LARGE');
    expect(sma(Float64Array.of(1, 2), 1e12)).toEqual(Float64Array.of(NaN, NaN));
  });
});

/** One row of several columns. */
function rowOf(columns: Readonly<Record<string, Float64Array>>, i: number): Record<string, number> {
  return Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, at(values, i)]));
}
