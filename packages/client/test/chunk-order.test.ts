import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkOrder } from '../src/core/chunk-order.ts';

const bounds = { chunksMax: 1000, bytesMax: 1_000_000 };
const part = (sequence: number): Uint8Array => new Uint8Array([sequence]);

/** The numbers 0 to n − 1 in any order, some of them repeated anywhere. */
const arrivals = fc.integer({ min: 0, max: 30 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    sequences: fc
      .array(fc.integer({ min: 0, max: Math.max(0, count - 1) }), { maxLength: 20 })
      .chain((repeated) => {
        const all = [...Array.from({ length: count }, (_none, i) => i), ...repeated];
        const within = all.filter((sequence) => sequence < count);
        return fc.shuffledSubarray(within, { minLength: within.length });
      }),
    finishAfter: fc.nat({ max: 50 }),
  }),
);

describe('the order of parts', () => {
  it('gives out each part once and in order, whatever the order and repetition of arrivals', () => {
    fc.assert(
      fc.property(arrivals, ({ count, sequences, finishAfter }) => {
        const order = new ChunkOrder(bounds);
        const given: number[] = [];
        sequences.forEach((sequence, at) => {
          if (at === finishAfter) order.finish(count);
          for (const [value] of order.accept(sequence, part(sequence))) given.push(value ?? -1);
        });
        order.finish(count);
        expect(given).toEqual(Array.from({ length: count }, (_none, i) => i));
        expect(order.isComplete).toBe(true);
        expect(order.hasOverflowed).toBe(false);
      }),
    );
  });

  it('is not complete while a part is missing', () => {
    const order = new ChunkOrder(bounds);
    order.accept(0, part(0));
    expect(order.isComplete).toBe(false);
    order.finish(3);
    order.accept(2, part(2));
    expect(order.isComplete).toBe(false);
    expect(order.accept(1, part(1))).toHaveLength(2);
    expect(order.isComplete).toBe(true);
  });

  it('drops parts beyond the count, which a longer earlier attempt may have sent', () => {
    const order = new ChunkOrder(bounds);
    order.accept(1, part(1));
    order.finish(1);
    expect(order.accept(0, part(0))).toHaveLength(1);
    expect(order.isComplete).toBe(true);
  });

  it('overflows by count and by bytes rather than grow', () => {
    const few = new ChunkOrder({ chunksMax: 1, bytesMax: 100 });
    few.accept(1, part(1));
    few.accept(2, part(2));
    expect(few.hasOverflowed).toBe(true);
    const small = new ChunkOrder({ chunksMax: 100, bytesMax: 1 });
    small.accept(1, part(1));
    expect(small.hasOverflowed).toBe(false);
    small.accept(2, part(2));
    expect(small.hasOverflowed).toBe(true);
  });
});
