/** What the built-in handlers make of an arm, and what they say for the learner. */
import {
  decodeInput,
  decodeResult,
  encodeDocument,
  type Alternative,
  type Arm,
  type PatternMatchInput,
  type PatternMatchResult,
  type Prediction,
  type VolatilityForecast,
  type VolatilityForecastInput,
} from '@quic-swarm/protocol';
import { findVolatilityAnalogues, meanFollowed, searchPattern } from '@quic-swarm/kernels';
import { describe, expect, test } from 'vitest';
import { PATTERN_ARMS, VOLATILITY_ARMS, asArm } from '../../src/handlers/built-in-tunables.ts';
import matchPattern from '../../src/handlers/pattern.ts';
import forecastVolatility from '../../src/handlers/volatility.ts';
import type { TaskContext } from '../../src/task-handler.ts';
import { DATASET_ID, contextWith, pricesOf } from '../support/context.ts';

const prices = pricesOf(1200);
const series = { datasetId: DATASET_ID, column: 'DAX' };

/** What a handler was told and has said. */
class Listener {
  looks = 0;
  ranWith: Arm | undefined;
  prediction: Prediction | undefined;
  alternatives: readonly Alternative[] | undefined;
  readonly context: TaskContext;

  constructor(arm: Arm | undefined, more: Partial<TaskContext> = {}) {
    const look = (): void => {
      this.looks += 1;
    };
    this.context = Object.defineProperty(
      contextWith(
        { DAX: prices },
        {
          ranWith: (used) => {
            this.ranWith = { ...used };
          },
          predict: (prediction, alternatives) => {
            this.prediction = { ...prediction };
            this.alternatives = alternatives;
          },
          ...more,
        },
      ),
      'arm',
      {
        get: () => {
          look();
          return arm;
        },
      },
    );
  }
}

describe('PatternMatch', () => {
  const query = { ...series, start: 1100, end: 1160 };
  const open: PatternMatchInput = { series, query, excludeRows: { start: 1100, end: 1160 } };
  const values = prices.slice(1100, 1160);

  function search(input: PatternMatchInput, listener: Listener): PatternMatchResult {
    const read = decodeInput('PatternMatch', encodeDocument(input));
    const result = matchPattern(read, listener.context);
    return decodeResult('PatternMatch', encodeDocument(result));
  }

  test('does with its first arm what it does without one', () => {
    const [first] = PATTERN_ARMS.map(asArm);
    const without = new Listener(undefined);
    const told = new Listener(first);
    const { stats: _some, ...found } = search(open, without);
    const { stats: _others, ...same } = search(open, told);
    expect(same).toStrictEqual(found);
    expect(found.parameters).toMatchObject({ length: 60, band: 3, topK: 5, normalise: 'z' });
    expect([told.ranWith, without.ranWith]).toStrictEqual([undefined, undefined]);
    expect(told.looks).toBe(1);
  });

  test.each(PATTERN_ARMS.map((arm) => [JSON.stringify(arm), arm] as const))(
    'searches as it is told: %s',
    (_name, arm) => {
      const listener = new Listener(asArm(arm));
      const { matches, algorithm, parameters } = search(open, listener);
      const points = arm.windowShare * 60;
      const shift = Math.max(1, Math.round(arm.bandShare * points));
      const { algorithm: how, normalise, topK } = arm;
      const expected = searchPattern({
        series: prices,
        query: values.slice(-points),
        algorithm: how,
        band: shift,
        delta: shift,
        normalise,
        topK,
        excludeRange: { start: 1100, end: 1160 },
      });
      expect(matches).toStrictEqual(expected.matches);
      expect(algorithm).toBe(how);
      expect(parameters).toMatchObject({ length: points, normalise, topK, band: shift });
      expect(listener.ranWith).toBeUndefined();
    },
  );

  const other: Arm = {
    algorithm: 'lcss',
    windowShare: 0.5,
    normalise: 'none',
    bandShare: 0.2,
    topK: 10,
  };

  test.each<[string, Partial<PatternMatchInput>, object, Arm]>([
    [
      'an algorithm, and with it the query as it is',
      { algorithm: 'dtw' },
      { length: 60, band: 12, normalise: 'none', topK: 10 },
      { ...other, algorithm: 'dtw', windowShare: 1 },
    ],
    [
      'a band, which belongs to DTW',
      { band: 6 },
      { length: 60, band: 6, normalise: 'none', topK: 10 },
      { ...other, algorithm: 'dtw', windowShare: 1, bandShare: 0.1 },
    ],
    [
      'an epsilon, which is in units of the normalised series',
      { algorithm: 'lcss', epsilon: 0.4 },
      { length: 60, delta: 12, normalise: 'z', topK: 10 },
      { ...other, windowShare: 1, normalise: 'z' },
    ],
    [
      'a path, which only DTW has',
      { withPath: true },
      { length: 60, band: 12 },
      { ...other, algorithm: 'dtw', windowShare: 1 },
    ],
    [
      'a number of matches',
      { topK: 2 },
      { length: 30, delta: 6, normalise: 'none', topK: 2 },
      { ...other, topK: 2 },
    ],
  ])('keeps what the input fixes, and says so: %s', (_name, more, parameters, ranWith) => {
    const listener = new Listener(other);
    expect(search({ ...open, ...more }, listener).parameters).toMatchObject(parameters);
    expect(listener.ranWith).toStrictEqual(ranWith);
  });

  test.each<[string, Partial<PatternMatchInput>, Partial<TaskContext>]>([
    ['that fixes everything', { algorithm: 'dtw', band: 3, normalise: 'z', topK: 5 }, {}],
    ['for all within a distance', { maximumDistance: 1 }, {}],
    [
      'that is a part of one',
      { excludeRows: { start: 0, end: 0 } },
      { shard: { of: 'x', index: 0, count: 1, start: 0, end: 1141 } },
    ],
  ])('does not look at the arm in a search %s', (_name, more, context) => {
    const listener = new Listener(other, context);
    expect(search({ ...open, ...more }, listener).algorithm).toBe('dtw');
    expect(listener.looks).toBe(0);
  });

  test('is not misled by an arm that is none of its own', () => {
    const listener = new Listener({ algorithm: 'magic', windowShare: -1, bandShare: 'wide' });
    expect(search(open, listener).parameters).toMatchObject({ length: 60, band: 3, topK: 5 });
    expect(listener.ranWith).toStrictEqual(asArm(PATTERN_ARMS[0] as (typeof PATTERN_ARMS)[0]));
  });

  test('has at most 24 arms, and no two of them search alike', () => {
    expect(PATTERN_ARMS.length).toBeLessThanOrEqual(24);
    const found = PATTERN_ARMS.map((arm) => {
      const { algorithm, parameters } = search(open, new Listener(asArm(arm)));
      return JSON.stringify([algorithm, parameters]);
    });
    expect(new Set(found).size).toBe(PATTERN_ARMS.length);
  });
});

describe('VolatilityForecast', () => {
  const open: VolatilityForecastInput = { prices: series, at: 1000 };

  function forecast(input: VolatilityForecastInput, listener: Listener): VolatilityForecast {
    const read = decodeInput('VolatilityForecast', encodeDocument(input));
    const result = forecastVolatility(read, listener.context);
    return decodeResult('VolatilityForecast', encodeDocument(result));
  }

  const kernel = (arm: (typeof VOLATILITY_ARMS)[number], at = 1000) => {
    const { analogues } = findVolatilityAnalogues({
      prices,
      at,
      horizon: 5,
      history: 750,
      ...arm,
    });
    return { analogues, mean: meanFollowed(analogues) };
  };

  test.each(VOLATILITY_ARMS.map((arm) => [JSON.stringify(arm), arm] as const))(
    'forecasts with %s what the kernel does, and the arms that cost nothing with it',
    (_name, arm) => {
      const listener = new Listener(asArm(arm));
      const result = forecast(open, listener);
      const expected = kernel(arm);
      expect(result.logVolatility).toBeCloseTo(expected.mean, 12);
      expect(result.analogues).toStrictEqual(expected.analogues);
      expect(result.parameters).toStrictEqual({ horizon: 5, history: 750, ...arm });
      expect(result).not.toHaveProperty('byArm');
      expect(listener.prediction).toStrictEqual({ mean: result.logVolatility });
      const free = { ...arm, topK: arm.topK === 5 ? 30 : 5 };
      expect(listener.alternatives).toStrictEqual([
        { arm: free, predicted: { mean: expect.closeTo(kernel(free).mean, 12) as number } },
      ]);
      // It did what it was told.
      expect(listener.ranWith).toBeUndefined();
    },
  );

  test('says what it does when it is told nothing: its first arm', () => {
    const listener = new Listener(undefined);
    const { parameters } = forecast(open, listener);
    expect(parameters).toStrictEqual({ horizon: 5, history: 750, ...VOLATILITY_ARMS[0] });
    expect(listener.ranWith).toStrictEqual(VOLATILITY_ARMS[0]);
  });

  test('keeps what the input fixes and says so', () => {
    const listener = new Listener({ window: 40, normalise: 'none', topK: 30 });
    const { parameters, analogues } = forecast({ ...open, topK: 7 }, listener);
    expect(parameters).toMatchObject({ window: 40, normalise: 'none', topK: 7 });
    expect(analogues).toHaveLength(7);
    expect(listener.ranWith).toStrictEqual({ window: 40, normalise: 'none', topK: 7 });
    // Seven were looked for, so that only the five best of them cost nothing.
    expect(listener.alternatives?.map(({ arm }) => arm)).toStrictEqual([
      { window: 40, normalise: 'none', topK: 5 },
    ]);
  });

  test('does not look at the arm when the input leaves nothing open', () => {
    const listener = new Listener({ window: 40, normalise: 'none', topK: 30 });
    forecast({ ...open, window: 10, normalise: 'z', topK: 5 }, listener);
    expect(listener.looks).toBe(0);
    expect(listener.ranWith).toStrictEqual({ window: 10, normalise: 'z', topK: 5 });
  });

  test('tells the forecasts of all arms when they are wanted', () => {
    const { byArm } = forecast({ ...open, withAllArms: true }, new Listener(undefined));
    const expected = VOLATILITY_ARMS.map((arm) => [JSON.stringify(arm), kernel(arm).mean] as const);
    expect(byArm).toHaveLength(16);
    const told = new Map(
      byArm?.map(({ arm, logVolatility }) => [JSON.stringify(arm), logVolatility]),
    );
    for (const [arm, mean] of expected) expect(told.get(arm), arm).toBeCloseTo(mean, 12);
  });

  test('takes the longest window that fits when the one to try does not, and leaves such arms out', () => {
    const listener = new Listener({ window: 40, normalise: 'z', topK: 5 });
    const { parameters, byArm } = forecast({ ...open, at: 20, withAllArms: true }, listener);
    expect(parameters.window).toBe(10);
    expect(listener.ranWith).toStrictEqual({ window: 10, normalise: 'z', topK: 5 });
    expect(new Set(byArm?.map(({ arm }) => arm['window']))).toStrictEqual(new Set([5, 10]));
    const fixed = { ...open, at: 20, window: 40 };
    expect(() => forecast(fixed, new Listener(undefined))).toThrow(
      expect.objectContaining({ type: 'HISTORY_TOO_SHORT' }),
    );
    expect(() => forecast({ ...open, at: 9 }, new Listener(undefined))).toThrow(
      expect.objectContaining({ type: 'HISTORY_TOO_SHORT' }),
    );
  });

  test('does not look ahead, whatever it is asked for', () => {
    const later = prices.slice().fill(1, 1001);
    const input = { ...open, withAllArms: true };
    const told = new Listener(undefined);
    expect(forecast({ ...input, prices: { values: later } }, told)).toStrictEqual(
      forecast(input, new Listener(undefined)),
    );
  });
});
