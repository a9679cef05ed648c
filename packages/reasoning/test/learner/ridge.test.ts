import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ridge, type RidgePrior } from '../../src/index.ts';
import { Prng } from '../prng.ts';

interface Sample {
  readonly point: Float64Array;
  readonly utility: number;
  readonly weight: number;
}

function samplesOf(prng: Prng, count: number, dimension: number): Sample[] {
  return Array.from({ length: count }, () => ({
    point: Float64Array.from({ length: dimension }, () => prng.normal()),
    utility: prng.next(),
    weight: prng.next(),
  }));
}

const priorOf = (dimension: number, lambda = 0.7): RidgePrior => ({
  lambda,
  mean: Float64Array.from({ length: dimension }, (_, index) => 0.5 / (index + 1)),
});

function learnt(prior: RidgePrior, samples: readonly Sample[]): Ridge {
  const ridge = new Ridge(prior);
  for (const { point, utility, weight } of samples) ridge.learn(point, utility, weight);
  return ridge;
}

/** Solves the normal equations by Gaussian elimination with pivots, in one go: no sums kept, no triangle. */
function solved(
  { lambda, mean }: RidgePrior,
  samples: readonly Sample[],
  right?: Float64Array,
): number[] {
  const d = mean.length;
  const rows = Array.from({ length: d }, (_, i) => {
    const row = Array.from({ length: d }, (_unused, j) =>
      samples.reduce(
        (sum, { point, weight }) => sum + weight * (point[i] ?? 0) * (point[j] ?? 0),
        i === j ? lambda : 0,
      ),
    );
    const b = samples.reduce(
      (sum, { point, utility, weight }) => sum + weight * utility * (point[i] ?? 0),
      lambda * (mean[i] ?? 0),
    );
    return [...row, right?.[i] ?? b];
  });
  for (let column = 0; column < d; column += 1) {
    const rest = rows
      .splice(column)
      .sort((a, b) => Math.abs(b[column] ?? 0) - Math.abs(a[column] ?? 0));
    rows.push(...rest);
    const pivot = rows[column] ?? [];
    for (const row of rows) {
      if (row === pivot) continue;
      const factor = (row[column] ?? 0) / (pivot[column] ?? 0);
      for (let each = 0; each <= d; each += 1)
        row[each] = (row[each] ?? 0) - factor * (pivot[each] ?? 0);
    }
  }
  return rows.map((row, index) => (row[d] ?? 0) / (row[index] ?? 0));
}

const dot = (left: ArrayLike<number>, right: ArrayLike<number>) =>
  Array.from(left).reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);

describe('a ridge regression', () => {
  it('believes its prior before the first point', () => {
    const ridge = new Ridge(priorOf(2, 4));
    expect(ridge.mean(Float64Array.of(1, 2))).toBeCloseTo(1, 12);
    expect(ridge.width(Float64Array.of(3, 4))).toBeCloseTo(2.5, 12);
  });

  it('is the solution of the normal equations, also after thousands of points', () => {
    const prng = new Prng(1);
    for (const [dimension, count] of [
      [1, 5],
      [3, 40],
      [8, 200],
      [32, 4090],
    ] as const) {
      const samples = samplesOf(prng, count, dimension);
      const ridge = learnt(priorOf(dimension), samples);
      const point = Float64Array.from({ length: dimension }, () => prng.normal());
      const prior = priorOf(dimension);
      expect(ridge.mean(point)).toBeCloseTo(dot(solved(prior, samples), point), 9);
      const direction = solved(prior, samples, point);
      expect(ridge.width(point)).toBeCloseTo(Math.sqrt(dot(direction, point)), 9);
      expect(ridge.points).toBe(count);
    }
  });

  it('does not build up errors when the points are nearly the same ten thousand times', () => {
    const prng = new Prng(2);
    const samples = Array.from({ length: 10_000 }, () => ({
      point: Float64Array.of(1, 1 + 1e-7 * prng.normal(), prng.normal()),
      utility: prng.next(),
      weight: 1,
    }));
    const prior = priorOf(3);
    const ridge = learnt(prior, samples);
    const [first = 0, second = 0] = solved(prior, samples);
    expect(ridge.coefficients()[0]).toBeCloseTo(first, 7);
    expect(ridge.coefficients()[1]).toBeCloseTo(second, 7);
  });

  it('merges to what one would be that had seen both logs, in any order', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 12 }),
        fc.nat({ max: 60 }),
        fc.nat({ max: 60 }),
        (seed, d, m, n) => {
          const prng = new Prng(seed);
          const [left, right] = [samplesOf(prng, m, d), samplesOf(prng, n, d)];
          const merged = learnt(priorOf(d), left);
          merged.merge(learnt(priorOf(d), right).snapshot());
          const point = Float64Array.from({ length: d }, () => prng.normal());
          for (const log of [[...left, ...right], [...right, ...left].reverse()]) {
            const whole = learnt(priorOf(d), log);
            expect(Math.abs(merged.mean(point) - whole.mean(point))).toBeLessThan(1e-9);
            expect(Math.abs(merged.width(point) - whole.width(point))).toBeLessThan(1e-9);
            expect(merged.points).toBe(whole.points);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('continues from a snapshot to the last bit, which has been through a structured clone', () => {
    const prng = new Prng(3);
    const ridge = learnt(priorOf(6), samplesOf(prng, 500, 6));
    const restored = new Ridge(priorOf(6));
    restored.restore(structuredClone(ridge.snapshot()));
    for (const { point, utility, weight } of samplesOf(prng, 4000, 6)) {
      const opinion = [ridge.mean(point), ridge.width(point)];
      expect([restored.mean(point), restored.width(point)]).toEqual(opinion);
      ridge.learn(point, utility, weight);
      restored.learn(point, utility, weight);
    }
  });

  it('keeps its own copy of a snapshot', () => {
    const prng = new Prng(4);
    const ridge = learnt(priorOf(2), samplesOf(prng, 5, 2));
    const snapshot = ridge.snapshot();
    const before = structuredClone(snapshot);
    ridge.learn(Float64Array.of(1, 1), 1);
    expect(snapshot).toEqual(before);
  });

  it('forgets a share: half of it is what half the weight would have taught', () => {
    const prng = new Prng(5);
    const samples = samplesOf(prng, 100, 4);
    const ridge = learnt(priorOf(4), samples);
    ridge.forget(0.5);
    const light = learnt(
      priorOf(4),
      samples.map((sample) => ({ ...sample, weight: sample.weight / 2 })),
    );
    const point = Float64Array.of(1, -1, 0.5, 2);
    expect(ridge.mean(point)).toBeCloseTo(light.mean(point), 10);
    expect(ridge.width(point)).toBeCloseTo(light.width(point), 10);
    expect(ridge.points).toBe(50);
    ridge.forget(0);
    const fresh = new Ridge(priorOf(4));
    expect(ridge.mean(point)).toBe(fresh.mean(point));
    expect(ridge.width(point)).toBe(fresh.width(point));
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a λ of %d', (lambda) => {
    expect(() => new Ridge({ lambda, mean: new Float64Array(1) })).toThrow(RangeError);
  });

  it('refuses to keep more than everything, and the snapshot of another space', () => {
    const ridge = new Ridge(priorOf(2));
    for (const keep of [-0.1, 1.1, Number.NaN])
      expect(() => ridge.forget(keep)).toThrow(RangeError);
    const other = new Ridge(priorOf(3)).snapshot();
    expect(() => ridge.merge(other)).toThrow(/3 features/);
    expect(() => ridge.restore(other)).toThrow(/3 features/);
  });
});
