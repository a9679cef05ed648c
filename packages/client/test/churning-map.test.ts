import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ChurningMap } from '../src/core/churning-map.ts';

it('answers as a Map does, in the same order, through any number of removals', () => {
  // Mostly removals of what is there, so that the map is replaced many times.
  const step = fc.record({ key: fc.nat(40), isRemoval: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 300, maxLength: 1000 }), (steps) => {
      const map = new ChurningMap<number, number>();
      const model = new Map<number, number>();
      for (const [value, { key, isRemoval }] of steps.entries()) {
        if (isRemoval) {
          expect(map.delete(key)).toBe(model.delete(key));
        } else {
          map.set(key, value);
          model.set(key, value);
        }
        expect(map.size).toBe(model.size);
        expect(map.get(key)).toBe(model.get(key));
        expect(map.has(key)).toBe(model.has(key));
      }
      expect([...map.keys()]).toEqual([...model.keys()]);
      expect([...map.values()]).toEqual([...model.values()]);
      map.clear();
      expect([...map.values()]).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

it('gives all entries to a loop that removes each one', () => {
  const map = new ChurningMap<number, number>();
  for (let key = 0; key < 1000; key++) map.set(key, key);
  const seen: number[] = [];
  for (const key of map.values()) {
    seen.push(key);
    map.delete(key);
  }
  expect(seen).toEqual(Array.from({ length: 1000 }, (_, key) => key));
  expect(map.size).toBe(0);
});
