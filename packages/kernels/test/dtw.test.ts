import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  computeEnvelope,
  dtwDistance,
  dtwDistanceWithin,
  dtwPath,
  lbKeogh,
  lbKim,
} from '../src/index.ts';
import { at, finiteSeries, referenceDtw } from './reference.ts';

const short = finiteSeries({ minLength: 1, maxLength: 24 });
/** Two series with a band that can join them. */
const pairs = fc.tuple(short, short, fc.nat()).map(([a, b, draw]) => {
  const widest = Math.max(a.length, b.length) - 1;
  const narrowest = Math.abs(a.length - b.length);
  const band = draw % 3 === 0 ? narrowest : narrowest + (draw % (widest - narrowest + 1));
  return { a, b, band };
});
const equalPairs = pairs.map(({ a, b, band }) => {
  const length = Math.min(a.length, b.length);
  return { a: a.slice(0, length), b: b.slice(0, length), band: Math.min(band, length - 1) };
});

describe('dtwDistance', () => {
  it('equals the full table to the last bit', () => {
    fc.assert(
      fc.property(pairs, ({ a, b, band }) => {
        const distance = dtwDistance(Float64Array.from(a), Float64Array.from(b), { band });
        expect(distance).toBe(referenceDtw(a, b, band));
      }),
      { numRuns: 2000 },
    );
  });

  it('knows the textbook values', () => {
    const a = Float64Array.of(0, 1, 2, 3);
    expect(dtwDistance(a, a)).toBe(0);
    // One step of waiting aligns the shifted ramp; only the two ends cost 1 each.
    const b = Float64Array.of(1, 2, 3, 4);
    expect(dtwDistance(a, b)).toBe(Math.SQRT2);
    expect(dtwDistance(a, b, { band: 0 })).toBe(2);
    expect(dtwDistance(Float64Array.of(5), Float64Array.of(1, 2, 5))).toBe(5);
  });

  it('raises typed problems', () => {
    const three = Float64Array.of(1, 2, 3);
    const one = Float64Array.of(1);
    const type = (name: string): unknown => expect.objectContaining({ type: name });
    expect(() => dtwDistance(three, one, { band: 1 })).toThrow(type('BAND_TOO_NARROW'));
    expect(() => dtwDistance(three, three, { band: 3 })).toThrow(type('BAND_TOO_WIDE'));
    expect(() => dtwDistance(three, new Float64Array(0))).toThrow(type('EMPTY_SERIES'));
    expect(() => dtwDistance(three, Float64Array.of(NaN))).toThrow(type('VALUE_NOT_FINITE'));
    expect(() => dtwDistanceWithin(three, three, { upperBound: NaN })).toThrow(
      type('BAD_PARAMETER'),
    );
    const cumulativeBound = new Float64Array(3);
    expect(() => dtwDistanceWithin(three, three, { upperBound: 1, cumulativeBound })).toThrow(
      type('LENGTH_MISMATCH'),
    );
    const long = new Float64Array(20_000);
    expect(() => dtwPath(long, long)).toThrow(type('TOO_LARGE'));
  });
});

describe('dtwDistanceWithin', () => {
  it('equals the plain distance exactly when that is within the bound, else Infinity', () => {
    const cases = fc.tuple(pairs, fc.double({ min: 0, max: 2, noNaN: true }));
    fc.assert(
      fc.property(cases, ([{ a, b, band }, factor]) => {
        const plain = referenceDtw(a, b, band);
        const [x, y] = [Float64Array.from(a), Float64Array.from(b)];
        for (const upperBound of [plain * factor, plain]) {
          const expected = plain <= upperBound ? plain : Infinity;
          expect(dtwDistanceWithin(x, y, { band, upperBound })).toBe(expected);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('stays exact with a cumulative bound from LB_Keogh', () => {
    const cases = fc.tuple(equalPairs, fc.constantFrom(0.5, 0.99, 1, 1.01, 3));
    fc.assert(
      fc.property(cases, ([{ a, b, band }, factor]) => {
        const { upper, lower } = computeEnvelope(Float64Array.from(b), band);
        const cumulativeBound = new Float64Array(a.length + 1);
        for (let i = a.length - 1; i >= 0; i -= 1) {
          const excess = Math.max(at(a, i) - at(upper, i), at(lower, i) - at(a, i), 0);
          cumulativeBound[i] = at(cumulativeBound, i + 1) + excess * excess;
        }
        const plain = referenceDtw(a, b, band);
        const upperBound = plain * factor;
        const options = { band, upperBound, cumulativeBound };
        const distance = dtwDistanceWithin(Float64Array.from(a), Float64Array.from(b), options);
        expect(distance).toBe(plain <= upperBound ? plain : Infinity);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('dtwPath', () => {
  it('is a legal path within the band whose cost is the distance', () => {
    fc.assert(
      fc.property(pairs, ({ a, b, band }) => {
        const [x, y] = [Float64Array.from(a), Float64Array.from(b)];
        const { distance, path } = dtwPath(x, y, { band });
        expect(distance).toBe(dtwDistance(x, y, { band }));
        expect([path[0], path[1]]).toEqual([0, 0]);
        expect([path.at(-2), path.at(-1)]).toEqual([a.length - 1, b.length - 1]);
        let cost = 0;
        for (let step = 0; step < path.length; step += 2) {
          const [i, j] = [at(path, step), at(path, step + 1)];
          expect(Math.abs(i - j)).toBeLessThanOrEqual(band);
          cost += (at(a, i) - at(b, j)) ** 2;
          if (step === 0) continue;
          const [di, dj] = [i - at(path, step - 2), j - at(path, step - 1)];
          expect([di, dj].every((move) => move === 0 || move === 1) && di + dj > 0).toBe(true);
        }
        expect(Math.sqrt(cost)).toBe(distance);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the lower bounds', () => {
  it('never exceed the distance, and the envelope is the sliding minimum and maximum', () => {
    fc.assert(
      fc.property(equalPairs, ({ a, b, band }) => {
        const [x, y] = [Float64Array.from(a), Float64Array.from(b)];
        const envelope = computeEnvelope(y, band);
        b.forEach((_value, i) => {
          const near = b.slice(Math.max(0, i - band), i + band + 1);
          expect([envelope.lower[i], envelope.upper[i]].map(Number)).toEqual([
            Math.min(...near),
            Math.max(...near),
          ]);
        });
        const most = referenceDtw(a, b, band) * (1 + 1e-12);
        expect(lbKim(x, y)).toBeLessThanOrEqual(most);
        expect(lbKeogh(x, envelope)).toBeLessThanOrEqual(most);
      }),
      { numRuns: 2000 },
    );
  });

  it('are tight where nothing can be warped', () => {
    const a = Float64Array.of(0, 0, 0, 0, 0, 0);
    const b = Float64Array.of(3, 3, 3, 3, 3, 3);
    expect(lbKim(a, b)).toBeCloseTo(dtwDistance(a, b), 12);
    expect(lbKeogh(a, computeEnvelope(b, 2))).toBeCloseTo(dtwDistance(a, b), 12);
    const type = expect.objectContaining({ type: 'LENGTH_MISMATCH' }) as unknown;
    expect(() => lbKim(a, b.subarray(1))).toThrow(type);
  });
});
