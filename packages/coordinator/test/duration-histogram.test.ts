/** Percentiles against a list of all durations in their order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DurationHistogram } from '../src/shell/duration-histogram.ts';

const ERROR_MAX = 0.008;

describe('percentiles of durations', () => {
  it('are within 0.8 % of those of the sorted list, from a microsecond to days', () => {
    const duration = fc
      .tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -3, max: 8 }))
      .map(([digits, power]) => digits * 10 ** power);
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 300 }), (durations) => {
        const histogram = new DurationHistogram();
        for (const each of durations) histogram.record(each);
        const sorted = durations.toSorted((a, b) => a - b);
        expect(histogram.count).toBe(durations.length);
        expect(histogram.maxMs).toBeCloseTo(sorted.at(-1) ?? 0, 2);
        for (const percent of [50, 90, 99, 100]) {
          const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
          const truth = sorted[rank - 1] ?? 0;
          const error = Math.abs(histogram.percentileMs(percent) - truth);
          // Half a microsecond is lost by rounding.
          expect(error).toBeLessThanOrEqual(ERROR_MAX * truth + 0.000_501);
        }
      }),
    );
  });

  it('are zero without durations, and bounded for endless ones', () => {
    const histogram = new DurationHistogram();
    expect([histogram.count, histogram.maxMs, histogram.percentileMs(50)]).toEqual([0, 0, 0]);
    histogram.record(0);
    expect(histogram.percentileMs(50)).toBe(0.001);
    histogram.record(1e300);
    expect(histogram.maxMs).toBeGreaterThan(1e9);
    expect(histogram.percentileMs(100)).toBeGreaterThan(1e9);
  });
});
