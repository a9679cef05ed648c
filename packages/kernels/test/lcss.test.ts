import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lcssLength, lcssSimilarity } from '../src/index.ts';
import { finiteSeries, referenceLcss } from './reference.ts';

const short = finiteSeries({ minLength: 1, maxLength: 24 });

describe('lcssLength', () => {
  it('equals the full table', () => {
    const cases = fc.tuple(short, short, fc.constantFrom(0, 0.1, 0.5, 2), fc.nat());
    fc.assert(
      fc.property(cases, ([a, b, epsilon, draw]) => {
        const delta = draw % Math.max(a.length, b.length);
        const length = lcssLength(Float64Array.from(a), Float64Array.from(b), { epsilon, delta });
        expect(length).toBe(referenceLcss(a, b, epsilon, delta));
      }),
      { numRuns: 2000 },
    );
  });

  it('knows the common subsequence of words', () => {
    const letters = (word: string): Float64Array =>
      Float64Array.from(word, (letter) => letter.charCodeAt(0));
    const options = { epsilon: 0 };
    expect(lcssLength(letters('XMJYAUZ'), letters('MZJAWXU'), options)).toBe(4);
    expect(lcssSimilarity(letters('XMJYAUZ'), letters('MJAU'), options)).toBe(1);
    expect(lcssLength(letters('ab'), letters('ba'), { epsilon: 0, delta: 0 })).toBe(0);
    expect(lcssLength(letters('ac'), letters('bd'), { epsilon: 1 })).toBe(2);
  });

  it('raises typed problems', () => {
    const one = Float64Array.of(1);
    const type = (name: string): unknown => expect.objectContaining({ type: name });
    expect(() => lcssLength(one, one, { epsilon: -1 })).toThrow(type('BAD_PARAMETER'));
    expect(() => lcssLength(one, one, { epsilon: 0, delta: 1 })).toThrow(type('BAND_TOO_WIDE'));
    expect(() => lcssLength(one, Float64Array.of(Infinity), { epsilon: 0 })).toThrow(
      type('VALUE_NOT_FINITE'),
    );
    expect(() => lcssLength(new Float64Array(0), one, { epsilon: 0 })).toThrow(
      type('EMPTY_SERIES'),
    );
  });
});
