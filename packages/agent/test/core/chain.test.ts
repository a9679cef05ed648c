/** The list and the index of leases do what an array and a Map would, whatever the order of things. */
import fc from 'fast-check';
import type { Lease } from '@quic-swarm/protocol';
import { expect, test } from 'vitest';
import { Arrivals } from '../../src/core/arrivals.ts';
import { Chain, type Link } from '../../src/core/chain.ts';
import { LeaseIndex, type Indexed } from '../../src/core/lease-index.ts';

class Member implements Link<Member> {
  before: Member | undefined;
  after: Member | undefined;
  readonly name: number;

  constructor(name: number) {
    this.name = name;
  }
}

interface Entry extends Indexed<Entry> {
  readonly lease: Lease;
}

const steps = fc.array(fc.nat(15), { maxLength: 200 });

test('a chain keeps the order of an array, wherever members are taken out', () => {
  fc.assert(
    fc.property(steps, (names) => {
      const chain = new Chain<Member>();
      let expected: Member[] = [];
      for (const name of names) {
        const known = expected.find((member) => member.name === name);
        if (known === undefined) {
          const member = new Member(name);
          // Some come in front.
          if (name % 3 === 0) {
            chain.addFirst(member);
            expected.unshift(member);
          } else {
            chain.add(member);
            expected.push(member);
          }
        } else {
          chain.delete(known);
          expected = expected.filter((member) => member !== known);
          expect([known.before, known.after]).toEqual([undefined, undefined]);
        }
        expect([...chain].map((member) => member.name)).toEqual(expected.map((m) => m.name));
        expect(chain.size).toBe(expected.length);
        expect(chain.first).toBe(expected[0]);
      }
    }),
  );
});

test('the member that is looked at may be taken out', () => {
  const chain = new Chain<Member>();
  for (let name = 0; name < 5; name += 1) chain.add(new Member(name));
  const seen: number[] = [];
  for (const member of chain) {
    seen.push(member.name);
    if (member.name % 2 === 0) chain.delete(member);
  }
  expect(seen).toEqual([0, 1, 2, 3, 4]);
  expect([...chain].map(({ name }) => name)).toEqual([1, 3]);
});

test('an index finds each lease by its whole name, also among many of one row', () => {
  const lease = fc.record({
    epoch: fc.nat(1),
    // The short ones alone would rarely share a row.
    taskId: fc.oneof(fc.constantFrom('a', 'b'), fc.nat(5000).map(String)),
    attempt: fc.integer({ min: 1, max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(lease, { minLength: 100, maxLength: 3000, size: 'max' }), (leases) => {
      const entries = new LeaseIndex<Entry>();
      const expected = new Map<string, Entry>();
      for (const each of leases) {
        const name = JSON.stringify(each);
        const known = expected.get(name);
        expect(entries.find(each)).toBe(known);
        if (known === undefined) {
          const entry: Entry = { lease: each, nextInRow: undefined };
          entries.add(entry);
          expected.set(name, entry);
        } else {
          entries.delete(known);
          expected.delete(name);
        }
      }
      for (const entry of expected.values()) expect(entries.find(entry.lease)).toBe(entry);
    }),
    { numRuns: 20 },
  );
});

test('arrivals out of order count when the gap is closed', () => {
  const arrivals = new Arrivals();
  const seen = [1, 3, 4, 2, 2, 6, 5].map((sequence) => {
    arrivals.note(sequence);
    return arrivals.through;
  });
  expect(seen).toEqual([1, 1, 1, 4, 4, 4, 6]);
});
