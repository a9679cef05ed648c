import type { ReasoningExperience } from '@quic-swarm/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armPriors, nearestExperiences, type RetrievalQuestion } from '../../src/index.ts';
import { experienceOf } from '../experiences.ts';
import { Prng } from '../prng.ts';

const question = (
  experiences: readonly ReasoningExperience[],
  fields: Partial<RetrievalQuestion> = {},
): RetrievalQuestion => ({
  experiences,
  taskType: 'PatternMatch',
  context: [0, 0],
  contextVersion: 1,
  askedAtStep: 100,
  ...fields,
});

const resolved = (
  id: string,
  context: readonly number[],
  fields: Partial<ReasoningExperience> = {},
) =>
  experienceOf(id, {
    context: Float64Array.from(context),
    resolvedAtStep: 100,
    utility: 0.5,
    ...fields,
  });

const ids = (asked: RetrievalQuestion) =>
  nearestExperiences(asked).map(({ experience }) => experience.experienceId);

/** Experiences with random contexts and resolutions before, at and after step 100, some without an outcome. */
function randomExperiences(seed: number, count: number, dimensions: number): ReasoningExperience[] {
  const prng = new Prng(seed);
  return Array.from({ length: count }, (_, index) => {
    const context = Array.from(
      { length: dimensions },
      (__, dimension) => 10 ** dimension * prng.normal(),
    );
    const experience = resolved(`e${index}`, context, {
      resolvedAtStep: Math.floor(200 * prng.next()),
      utility: prng.next(),
    });
    const { utility: _u, resolvedAtStep: _r, ...open } = experience;
    return prng.next() < 0.2 ? open : experience;
  });
}

describe('retrieval', () => {
  it.each([1, 2, 3])(
    'finds what ranking all experiences by the formula finds (seed %d)',
    (seed) => {
      const experiences = randomExperiences(seed, 300, 3);
      const context = [0.3, -2, 50];
      const known = experiences.filter(({ resolvedAtStep = 101 }) => resolvedAtStep <= 100);
      const column = (dimension: number) => known.map((each) => each.context[dimension] ?? 0);
      const deviations = context.map((_, dimension) => {
        const values = column(dimension);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        return Math.sqrt(
          values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length,
        );
      });
      const expected = known
        .map((experience) => {
          const squares = context.map(
            (value, index) =>
              ((value - (experience.context[index] ?? 0)) / (deviations[index] ?? 1)) ** 2,
          );
          const distance = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / 3);
          const age = 100 - (experience.resolvedAtStep ?? 0);
          return {
            id: experience.experienceId,
            distance,
            weight: Math.exp(-2 * distance ** 2) * 0.5 ** (age / 40),
          };
        })
        .sort((left, right) => right.weight - left.weight)
        .slice(0, 12);
      const nearest = nearestExperiences(
        question(experiences, { context, count: 12, recencyHalfLifeSteps: 40 }),
      );
      expect(nearest.map(({ experience }) => experience.experienceId)).toEqual(
        expected.map(({ id }) => id),
      );
      for (const [index, { distance, weight }] of nearest.entries()) {
        expect(distance).toBeCloseTo(expected[index]?.distance ?? Number.NaN, 9);
        expect(weight).toBeCloseTo(expected[index]?.weight ?? Number.NaN, 9);
      }
    },
  );

  it('says the same whatever becomes known later: changed, added or left out', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 0, max: 2 }),
        (seed, change) => {
          const experiences = randomExperiences(seed, 60, 2);
          const isLater = ({ resolvedAtStep = 101 }: ReasoningExperience) => resolvedAtStep > 100;
          const prng = new Prng(seed + 1);
          const changed = experiences.flatMap((experience) => {
            if (!isLater(experience) || change === 0) return [experience];
            if (change === 1) return [];
            const context = Float64Array.from([1000 * prng.normal(), prng.normal()]);
            return [{ ...experience, context, utility: prng.next(), actual: prng.normal() }];
          });
          if (change === 0)
            changed.push(resolved('new', [0, 0], { resolvedAtStep: 101, utility: 1 }));
          const asked = { context: [0.1, 2], count: 5 };
          const before = nearestExperiences(question(experiences, asked));
          expect(nearestExperiences(question(changed, asked))).toEqual(before);
          expect(before.some(({ experience }) => isLater(experience))).toBe(false);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('uses no experience of another task type, context version or length, and none without a utility', () => {
    const { utility: _, ...unscored } = resolved('unscored', [0, 0]);
    const experiences = [
      resolved('good', [0, 0]),
      resolved('other type', [0, 0], { taskType: 'my.task' }),
      resolved('other version', [0, 0], { contextVersion: 2 }),
      resolved('longer', [0, 0, 0]),
      resolved('impossible', [0, Number.NaN]),
      unscored,
    ];
    expect(ids(question(experiences))).toEqual(['good']);
  });

  it('lets no dimension speak louder for its unit, and leaves out one that never varies', () => {
    const experiences = [
      resolved('near', [1, 7, 1000]),
      resolved('far', [3, 7, 3000]),
      resolved('middle', [2, 7, 2000]),
    ];
    const asked = { context: [1, -100, 1000], count: 2 };
    expect(ids(question(experiences, asked))).toEqual(['near', 'middle']);
    expect(nearestExperiences(question(experiences, asked))[0]?.distance).toBe(0);
  });

  it('prefers what was resolved lately among equals, and ranks what is too far away to weigh anything', () => {
    const spread = Array.from({ length: 50 }, (_, index) => resolved(`s${index}`, [index % 2, 0]));
    const experiences = [
      ...spread,
      resolved('old', [1000, 0], { resolvedAtStep: 10 }),
      resolved('new', [1000, 0], { resolvedAtStep: 90 }),
    ];
    const nearest = nearestExperiences(question(experiences, { context: [1e6, 0], count: 2 }));
    expect(nearest.map(({ experience }) => experience.experienceId)).toEqual(['new', 'old']);
    expect(nearest[0]?.weight).toBe(0);
    expect(armPriors(nearest)).toEqual([]);
  });

  it('may be asked to forget nothing, and still lists the latest of equals first', () => {
    const experiences = [20, 90, 50].map((step) =>
      resolved(`at ${step}`, [0, 0], { resolvedAtStep: step }),
    );
    const asked = { recencyHalfLifeSteps: Number.POSITIVE_INFINITY, count: 2 };
    expect(ids(question(experiences, asked))).toEqual(['at 90', 'at 50']);
  });

  it('makes of the nearest a weighted mean for each arm, the best arm first', () => {
    const near = (armId: string, utility: number, weight: number) => ({
      experience: resolved(`${armId} ${weight}`, [0, 0], { armId, utility }),
      distance: 0,
      weight,
    });
    const priors = armPriors([near('a', 0.2, 1), near('b', 0.9, 0.5), near('a', 0.8, 0.5)]);
    expect(priors.map(({ armId }) => armId)).toEqual(['b', 'a']);
    expect(priors[1]?.meanUtility).toBeCloseTo((0.2 + 0.4) / 1.5, 12);
    expect(priors[1]?.weight).toBe(1.5);
  });

  it('finds nothing where there is nothing and refuses questions that make no sense', () => {
    expect(nearestExperiences(question([]))).toEqual([]);
    const refused = [
      { count: 0 },
      { count: 1.5 },
      { recencyHalfLifeSteps: 0 },
      { context: [0, Number.NaN] },
    ];
    for (const fields of refused) {
      expect(() => nearestExperiences(question([], fields))).toThrow(RangeError);
    }
  });
});
