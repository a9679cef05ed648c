/** The first few of many. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bestOf } from '../src/core/best-of.ts';

it('the best are the beginning of all in order, equal ones as they came', () => {
  const item = fc.record({ rank: fc.nat(20), name: fc.nat() });
  fc.assert(
    fc.property(
      fc.array(item, { maxLength: 60 }),
      fc.integer({ min: 1, max: 70 }),
      (items, limit) => {
        const compare = (a: { rank: number }, b: { rank: number }): number => a.rank - b.rank;
        const { best, all } = bestOf(items, limit, compare);
        expect(all).toBe(items.length);
        expect(best).toEqual(items.toSorted(compare).slice(0, limit));
      },
    ),
  );
});
