/** The index of leases does what a Map would, and arrivals are counted, whatever the order of things. */
import fc from 'fast-check';
import type { Lease } from '@quic-swarm/protocol';
import { expect, test } from 'vitest';
import { Arrivals } from '../../src/core/arrivals.ts';
import { LeaseIndex, type Indexed } from '../../src/core/lease-index.ts';

interface Entry extends Indexed<Entry> {
  readonly lease: Lease;
}

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
