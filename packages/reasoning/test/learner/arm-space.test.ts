import type { Arm } from '@quic-swarm/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armIdOf, ArmSpace } from '../../src/index.ts';
import { searchArms } from './search-arms.ts';

const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.string({ maxLength: 20, unit: 'binary' }),
  fc.constantFrom('true', '5', 'a,b=1', '"', '-', ''),
);
const arm = fc.dictionary(fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }), value, {
  maxKeys: 6,
  noNullPrototype: true,
});

describe('the id of an arm', () => {
  it('is readable, in the order of the names', () => {
    expect(armIdOf({ zNormalise: true, window: 20, k: 30 })).toBe('k=30,window=20,zNormalise=true');
    expect(armIdOf({ rate: 1e-7, measure: 'dtw' })).toBe('measure=dtw,rate=1e-7');
    expect(armIdOf({})).toBe('-');
  });

  it.each([
    [{ k: 5 }, { k: '5' }],
    [{ k: true }, { k: 'true' }],
    [{ a: 1, b: 2 }, { a: '1,b=2' }],
    [{ 'a=1,b': 2 }, { a: 1, b: 2 }],
    [{ a: '"1"' }, { a: '1' }],
    [{}, { '': '' }],
  ])('tells %j from %j', (left, right) => {
    expect(armIdOf(left)).not.toBe(armIdOf(right));
  });

  it('is the same for equal arms, another for others, and 1 to 128 characters that survive UTF-8', () => {
    const canonical = (some: Arm) =>
      JSON.stringify(Object.entries(some).sort(([a], [b]) => (a < b ? -1 : 1)));
    fc.assert(
      fc.property(arm, arm, (left, right) => {
        const id = armIdOf(left);
        expect(id.length).toBeGreaterThanOrEqual(1);
        expect(id.length).toBeLessThanOrEqual(128);
        expect(Buffer.from(id).toString()).toBe(id);
        expect(armIdOf(Object.fromEntries(Object.entries(left).reverse()))).toBe(id);
        expect(armIdOf(right) === id).toBe(canonical(left) === canonical(right));
      }),
    );
  });

  it('tells long arms apart that begin alike, and does not end in half a character', () => {
    const long = 'x'.repeat(200);
    expect(armIdOf({ a: `${long}1` })).not.toBe(armIdOf({ a: `${long}2` }));
    expect(armIdOf({ a: `${long}1` })).toMatch(/^a=x+~[0-9a-f]{14}$/);
    for (const shift of ['', 'x']) {
      const id = armIdOf({ [`k${shift}`]: '😀'.repeat(100) });
      expect(Buffer.from(id).toString()).toBe(id);
    }
  });

  it('refuses what is no number', () => {
    expect(() => armIdOf({ a: Number.NaN })).toThrow(RangeError);
  });
});

describe('a declaration', () => {
  const of = (arms: readonly Arm[], freeParameters: readonly string[] = []) =>
    new ArmSpace({ taskType: 'PatternMatch', arms, freeParameters });

  it.each([
    ['one arm', [{ k: 1 }], /2 to 64, not 1/],
    ['65 arms', Array.from({ length: 65 }, (_, k) => ({ k })), /2 to 64, not 65/],
    ['an arm that is there twice', [{ k: 1 }, { k: 2 }, { k: 1 }], /k=1 is there twice/],
    ['other parameters', [{ k: 1 }, { k: 2, w: 1 }], /\(k\), another \(k, w\)/],
    ['no number', [{ k: 1 }, { k: Number.POSITIVE_INFINITY }], /finite/],
  ] satisfies [string, Arm[], RegExp][])('with %s is refused', (_, arms, message) => {
    expect(() => of(arms)).toThrow(RangeError);
    expect(() => of(arms)).toThrow(message);
  });

  it('refuses a free parameter that the arms do not have, and contexts of impossible length', () => {
    expect(() => of([{ k: 1 }, { k: 2 }], ['w'])).toThrow(/no parameter w/);
    const tunable = { taskType: 'PatternMatch', arms: [{ k: 1 }, { k: 2 }] };
    for (const length of [-1, 17, 1.5, Number.NaN]) {
      expect(() => new ArmSpace(tunable, length)).toThrow(/0 to 16/);
    }
  });

  it('finds arms by value and by id', () => {
    const space = new ArmSpace(searchArms);
    expect(space.indexOf({ k: 30, zNormalise: false, window: 5 })).toBe(1);
    expect(space.indexOf({ k: 31, zNormalise: false, window: 5 })).toBeUndefined();
    expect(space.armIds.map((armId) => space.indexOfId(armId))).toEqual([...space.arms.keys()]);
  });

  it('knows which arms one search answers', () => {
    const space = new ArmSpace(searchArms);
    for (const [index, arm] of space.arms.entries()) {
      const others = space.freeWith(index).map((other) => space.arms[other]);
      expect(others).toEqual([{ ...arm, k: arm['k'] === 5 ? 30 : 5 }]);
    }
    expect(of([{ k: 1 }, { k: 2 }]).freeWith(0)).toEqual([]);
  });
});

describe('features', () => {
  const pointOf = (space: ArmSpace, armIndex: number, context: readonly number[] = []) => {
    const point = new Float64Array(space.features.dimension);
    space.features.write(armIndex, context, point);
    return Object.fromEntries(space.features.names.map((name, place) => [name, point[place]]));
  };

  it('are the values of the parameters, to scale', () => {
    const space = new ArmSpace(searchArms, 1);
    const { arms } = space;
    const first = arms.findIndex((arm) => armIdOf(arm) === 'k=5,window=10,zNormalise=true');
    const point = pointOf(space, first, [0.5]);
    // log 10 is a third of the way from log 5 to log 40.
    expect(point['window']).toBeCloseTo(-1 / 3, 12);
    expect(point['window²']).toBeCloseTo(1 / 9, 12);
    expect(point).toMatchObject({ 1: 1, k: -1, zNormalise: 1, 'context 0': 0.5 });
    expect(point['k × window']).toBeCloseTo(1 / 3, 12);
    expect(point['context 0 × window']).toBeCloseTo(-1 / 30, 12);
    expect(Object.keys(point)).toHaveLength(1 + 3 + 1 + 1 + 3 + 3);
    expect(space.features.omitted).toEqual([]);
  });

  it('are linear where values include 0 or lie close, and leave out what never changes', () => {
    const space = new ArmSpace({
      taskType: 'a',
      arms: [0, 10, 100].map((x) => ({
        x,
        y: 100 + x,
        same: 1,
        word: `w${x}`,
        pair: x === 0 ? 'p' : 'q',
      })),
    });
    const point = pointOf(space, 1);
    expect(point['x']).toBeCloseTo(-0.8, 12);
    expect(point['y']).toBeCloseTo(-0.8, 12);
    expect(point).toMatchObject({ 'word=w0': 0, 'word=w10': 1, 'word=w100': 0, 'pair=q': 1 });
    expect(Object.keys(point).filter((name) => name.includes('same'))).toEqual([]);
  });

  it('stay in [−1, 1] and at most 64, whatever the values, and say what is left out', () => {
    const numbers = fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(numbers, fc.integer({ min: 0, max: 16 }), (values, contextLength) => {
        // −0 and 0 are one value.
        const distinct = [...new Set(values.map((number) => number + 0))];
        fc.pre(distinct.length === values.length);
        const arms = distinct.map((x, index) => ({
          x,
          word: `w${index}`,
          other: index % 3,
          flag: index % 2 === 0,
        }));
        const space = new ArmSpace({ taskType: 'a', arms }, contextLength);
        const { dimension, names, omitted } = space.features;
        expect(dimension).toBeLessThanOrEqual(64);
        expect(new Set([...names, ...omitted]).size).toBe(names.length + omitted.length);
        const context = Array.from({ length: contextLength }, () => 1e9);
        const point = new Float64Array(dimension);
        for (const index of distinct.keys()) {
          space.features.write(index, context, point);
          const sizes = names.map(
            (name, place) => Math.abs(point[place] ?? 9) / (name.includes('context') ? 4 : 1),
          );
          expect(Math.max(...sizes)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('need a context of the declared length with finite numbers', () => {
    const space = new ArmSpace(searchArms, 2);
    const point = new Float64Array(space.features.dimension);
    expect(() => space.features.write(0, [1], point)).toThrow(/2 numbers, not 1/);
    expect(() => space.features.write(0, [1, Number.NaN], point)).toThrow(/finite/);
    expect(() => space.features.write(16, [1, 1], point)).toThrow(/no arm 16/);
  });
});
