import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UtilityScale, utilityOf } from '../../src/index.ts';

const losses = fc.double({ min: 0, max: 1e300, noNaN: true });

describe('the utility of a loss', () => {
  it('falls from 1 at no loss to 0 at the scale and stays there', () => {
    expect([0, 0.5, 2, 3, 1e300].map((loss) => utilityOf(loss, 2))).toEqual([1, 0.75, 0, 0, 0]);
  });

  it('lies in [0, 1] and never rises with the loss, whatever the scale', () => {
    fc.assert(
      fc.property(losses, losses, losses, (left, right, scale) => {
        const [small, large] = [Math.min(left, right), Math.max(left, right)];
        const better = utilityOf(small, scale);
        const worse = utilityOf(large, scale);
        expect(better).toBeLessThanOrEqual(1);
        expect(worse).toBeGreaterThanOrEqual(0);
        expect(better).toBeGreaterThanOrEqual(worse);
      }),
    );
  });

  it('does not explode for losses near 0: the losses of daily returns spread over [0, 1]', () => {
    const scale = new UtilityScale();
    for (let index = 1; index <= 20; index += 1) scale.observe(index * 1e-12);
    const utility = utilityOf(9.5e-12, scale.scale ?? Number.NaN);
    expect(utility).toBeCloseTo(0.5, 10);
  });
});

describe('the scale', () => {
  it('is the 95th percentile of the epoch before and frozen during an epoch', () => {
    const scale = new UtilityScale();
    for (let loss = 20; loss >= 1; loss -= 1) {
      expect(scale.scale).toBeUndefined();
      scale.observe(loss);
    }
    for (let index = 0; index < 40; index += 1) {
      expect([scale.epoch, scale.scale]).toEqual([1, 19]);
      scale.observe(1000 + index);
    }
    // 95 % of 40 is the 38th.
    expect([scale.epoch, scale.scale]).toEqual([2, 1037]);
  });

  it('has epochs that double up to 1,280 losses, and keeps no more', () => {
    const scale = new UtilityScale();
    const lengths: number[] = [];
    for (let epoch = 0; epoch < 9; epoch += 1) {
      let length = 0;
      while (scale.epoch === epoch) {
        scale.observe(1);
        length += 1;
        expect(scale.snapshot().losses.length).toBeLessThan(1280);
      }
      lengths.push(length);
    }
    expect(lengths).toEqual([20, 40, 80, 160, 320, 640, 1280, 1280, 1280]);
  });

  it('depends on no loss of the running epoch', () => {
    fc.assert(
      fc.property(fc.array(losses, { minLength: 20, maxLength: 59 }), (observed) => {
        const scale = new UtilityScale();
        observed.slice(0, 20).forEach((loss) => scale.observe(loss));
        const frozen = scale.scale;
        for (const loss of observed.slice(20)) {
          scale.observe(loss);
          expect(scale.scale).toBe(frozen);
        }
      }),
    );
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a loss of %d', (loss) => {
    expect(() => new UtilityScale().observe(loss)).toThrow(RangeError);
  });
});
