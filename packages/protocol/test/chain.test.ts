import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chain, type Link } from '../src/chain.ts';

interface Ring extends Link<Ring> {
  readonly name: number;
}

function ring(name: number): Ring {
  return { name, next: undefined, previous: undefined };
}

describe('a chain', () => {
  it('keeps the order of those that stay, whoever leaves and comes back', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 300 }), (names) => {
        const chain = new Chain<Ring>();
        const rings = Array.from({ length: 41 }, (_, name) => ring(name));
        let expected: number[] = [];
        for (const name of names) {
          const entry = rings[name] as Ring;
          // Whoever is in leaves, whoever is not comes.
          if (expected.includes(name)) {
            chain.remove(entry);
            expected = expected.filter((other) => other !== name);
            expect([entry.next, entry.previous]).toEqual([undefined, undefined]);
          } else if (name % 3 === 0) {
            chain.unshift(entry);
            expected.unshift(name);
          } else {
            chain.push(entry);
            expected.push(name);
          }
          expect(chain.size).toBe(expected.length);
          expect(chain.first?.name).toBe(expected[0]);
        }
        expect([...chain].map((entry) => entry.name)).toEqual(expected);
        const backwards: number[] = [];
        const last = expected.at(-1);
        let entry = last === undefined ? undefined : rings[last];
        for (; entry !== undefined; entry = entry.previous) backwards.unshift(entry.name);
        expect(backwards).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('may lose the entry that is looked at', () => {
    const chain = new Chain<Ring>();
    for (let name = 0; name < 5; name += 1) chain.push(ring(name));
    const seen: number[] = [];
    for (const entry of chain) {
      seen.push(entry.name);
      if (entry.name % 2 === 0) chain.remove(entry);
    }
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    expect([...chain].map(({ name }) => name)).toEqual([1, 3]);
  });

  it('can be emptied while it is walked through', () => {
    const chain = new Chain<Ring>();
    for (let name = 0; name < 5; name++) chain.push(ring(name));
    const seen: number[] = [];
    for (const entry of chain) {
      seen.push(entry.name);
      chain.remove(entry);
    }
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    expect(chain.size).toBe(0);
    expect(chain.first).toBeUndefined();
  });
});
