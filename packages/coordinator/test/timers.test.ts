import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimerHeap, type Scheduled } from '../src/core/timers.ts';

describe('TimerHeap', () => {
  it('fires in order exactly what was scheduled and not cancelled', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean())), (operations) => {
        const heap = new TimerHeap<Scheduled>();
        const set: Scheduled[] = [];
        const expected: number[] = [];
        operations.forEach(([atMs, cancelOne], n) => {
          set.push(heap.schedule({ atMs, index: -1 }));
          if (cancelOne) heap.cancel(set[(n * 7) % set.length]);
        });
        for (const entry of set) if (entry.index >= 0) expected.push(entry.atMs);
        expected.sort((a, b) => a - b);
        expect(heap.size).toBe(expected.length);
        const fired: number[] = [];
        for (let due = heap.takeDue(60); due !== undefined; due = heap.takeDue(60))
          fired.push(due.atMs);
        expect(fired).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps what is not due and says when it will be', () => {
    const heap = new TimerHeap<Scheduled>();
    const timer = { atMs: 10, index: -1 };
    heap.schedule(timer);
    expect(heap.takeDue(9)).toBeUndefined();
    expect(heap.nextMs).toBe(10);
    expect(heap.takeDue(10)).toBe(timer);
    expect(heap.nextMs).toBeUndefined();
  });
});
