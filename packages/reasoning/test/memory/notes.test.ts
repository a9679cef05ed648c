import type { Verdict } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import {
  Adoption,
  ExperienceBank,
  explainChoice,
  explainSuggestion,
  memoryItems,
  type AdoptionAction,
  type ArmStatistics,
} from '../../src/index.ts';
import { caseOf } from '../adoption/cases.ts';
import { experienceOf } from '../experiences.ts';

const ARMS = new Map([
  ['a', { window: 20, zNormalise: true }],
  ['b', { window: 40, zNormalise: true }],
  ['c', { window: 5, threshold: 0.1 + 0.2 }],
  ['d', {}],
]);

/** A bank that knows some outcomes of each arm. */
function statisticsOf(utilities: Readonly<Record<string, readonly number[]>>): ArmStatistics[] {
  const bank = new ExperienceBank();
  for (const [armId, list] of Object.entries(utilities)) {
    for (const [index, utility] of list.entries()) {
      const experienceId = `${armId}${index}`;
      bank.record(experienceOf(experienceId, { armId, arm: ARMS.get(armId) ?? {} }));
      bank.resolve(experienceId, { actual: 0, utility, resolvedAtStep: 1 });
    }
  }
  return bank.armStatistics('PatternMatch');
}

const verdictOf = (candidateArmId: string, fields: Partial<Verdict>): Verdict => ({
  taskType: 'PatternMatch',
  candidateArmId,
  incumbentArmId: 'a',
  decision: 'insufficient',
  pairs: 0,
  meanDifference: 0,
  lower: -1,
  upper: 1,
  logEvidence: 0,
  logEvidenceAgainst: 0,
  alpha: 0.05,
  unpaired: 0,
  explanation: '',
  ...fields,
});

describe('notes', () => {
  const statistics = statisticsOf({ a: [0.5, 0.7, 0.6, 0], b: [0.8], c: [] });
  const sources = { taskType: 'PatternMatch', incumbentArmId: 'a', statistics };

  it('say what is in use, what does better, what to avoid, what makes no difference and what is open', () => {
    const notes = memoryItems({
      ...sources,
      verdicts: [
        verdictOf('c', { pairs: 90, meanDifference: -0.1234, lower: -0.2, upper: -0.01 }),
        verdictOf('b', {
          decision: 'adopt',
          pairs: 150,
          meanDifference: 0.1,
          lower: 0.05,
          upper: 0.15,
        }),
        verdictOf('d', { decision: 'keep', pairs: 2000, lower: -0.01, upper: 0.01 }),
        verdictOf('e', { pairs: 1, meanDifference: 0.3, logEvidence: 0.2 }),
        verdictOf('f', {}),
        verdictOf('b', { incumbentArmId: 'another', decision: 'rollback' }),
      ],
    });
    expect(notes.map(({ kind, armIds }) => [kind, ...armIds].join(' '))).toEqual([
      'works a',
      'better b',
      'avoid c',
      'equal d',
      'undecided e f',
    ]);
    const [works, better, avoid, equal, undecided] = notes;
    expect(works?.title).toBe('PatternMatch: window=20, zNormalise=true is in use');
    expect(works?.content).toBe(
      'In 4 cases with a known outcome its utility was 0.45 on average (standard deviation 0.31); 25 % of them ' +
        'failed altogether. It is compared with 5 others.',
    );
    expect(better?.description).toBe(
      'Prefer window=40, zNormalise=true to window=20, zNormalise=true.',
    );
    expect(better?.content).toContain(
      'In 1 case with a known outcome its utility was 0.80 on average; none of',
    );
    // An arm without statistics is called by its id.
    expect(avoid?.title).toBe('PatternMatch: avoid c');
    expect(avoid?.content).toBe(
      'Over 90 cases that both answered its utility was 0.12 lower on average than that of the arm in use (95 % ' +
        'sure: −0.200 to −0.010). No outcome of it is known yet.',
    );
    expect(equal?.description).toContain('by cost');
    expect(undecided?.title).toBe('PatternMatch: 2 arms are undecided');
    expect(undecided?.content).toBe(
      'Difference of utility so far: e (+0.300 over 1 case that both answered); f (not compared yet).',
    );
  });

  it('say so when there is nothing to compare, and count what they do not name', () => {
    const [works, ...others] = memoryItems({ ...sources, verdicts: [] });
    expect(works?.content).toContain('Nothing has been compared with it yet.');
    expect(others).toEqual([]);
    const verdicts = Array.from({ length: 15 }, (_, index) => verdictOf(`arm-${index}`, {}));
    const undecided = memoryItems({ ...sources, verdicts })[1];
    expect(undecided?.armIds).toHaveLength(15);
    expect(undecided?.content).toMatch(/; and 10 more\.$/);
  });
});

describe('the explanation of a choice', () => {
  const statistics = statisticsOf({ a: [0.6, 0.6], b: [0.8], c: [0.1] });
  const sources = { taskType: 'PatternMatch', statistics };
  const explain = (armIndex: number, means: readonly number[], bounds: readonly number[]) =>
    explainChoice({ armIndex, propensity: 0.95, means, bounds }, ['a', 'b', 'c'], sources);

  it('tells the best arm from one that is tried out of curiosity and one that was drawn', () => {
    expect(explain(1, [0.6, 0.8, 0.1], [0.7, 0.9, 0.3])).toMatchObject({
      reason: 'best',
      armId: 'b',
    });
    expect(explain(2, [0.6, 0.8, 0.1], [0.7, 0.9, 0.95]).reason).toBe('curiosity');
    expect(explain(0, [0.6, 0.8, 0.1], [0.7, 0.9, 0.3]).reason).toBe('draw');
  });

  it('says it in sentences with the numbers that decided', () => {
    expect(explain(1, [0.6, 0.8, 0.1], [0.7, 0.9, 0.3]).sentences).toEqual([
      'window=40, zNormalise=true was chosen because the most is expected of it: a utility of 0.80, and 0.60 of ' +
        'window=20, zNormalise=true, the next.',
      'window=40, zNormalise=true: In 1 case with a known outcome its utility was 0.80 on average; none of them ' +
        'failed altogether.',
    ]);
    expect(explain(2, [0.6, 0.8, 0.1], [0.7, 0.9, 0.95]).sentences[0]).toBe(
      'threshold=0.3, window=5 was chosen to learn about it: a utility of 0.10 is expected, less than 0.80 of ' +
        'window=40, zNormalise=true, but so little is known that it may be as much as 0.95, where window=40, ' +
        'zNormalise=true reaches 0.90 at most.',
    );
    expect(explain(0, [0.6, 0.8, 0.1], [0.7, 0.9, 0.3]).sentences[0]).toContain(
      'otherwise it would have been window=40',
    );
  });

  it('lists the arms by their bounds with what is known of each, and the nearest experiences', () => {
    const experience = experienceOf('near', { armId: 'b', utility: 0.9, resolvedAtStep: 1 });
    const explained = explainChoice(
      { armIndex: 0, propensity: 1, means: [0.5, 0.4], bounds: [0.6, 0.7] },
      ['a', 'nobody'],
      { ...sources, nearest: [{ experience, distance: 0.1, weight: 0.5 }] },
    );
    expect(explained.arms).toEqual([
      { armId: 'nobody', mean: 0.4, bound: 0.7, scored: 0 },
      { armId: 'a', arm: ARMS.get('a'), mean: 0.5, bound: 0.6, scored: 2, meanUtility: 0.6 },
    ]);
    expect(explained.nearest).toEqual([
      { experienceId: 'near', armId: 'b', utility: 0.9, distance: 0.1, weight: 0.5 },
    ]);
    expect(explained.sentences.at(-1)).toBe(
      'The most similar earlier case had a utility of 0.90 on average, weighted by similarity and age (together ' +
        'worth 0.5 cases just like this one).',
    );
  });

  it('refuses a choice between other arms', () => {
    expect(() => explain(3, [1, 1, 1], [1, 1, 1])).toThrow(RangeError);
    expect(() => explain(0, [1, 1], [1, 1, 1])).toThrow(RangeError);
  });
});

describe('the explanation of a suggestion', () => {
  it('says what changes, the verdict, and what is known of both arms', () => {
    const adoption = new Adoption({
      taskType: 'PatternMatch',
      armIds: ['a', 'b'],
      defaultArmId: 'a',
    });
    let action: AdoptionAction | undefined;
    for (let step = 0; action === undefined && step < 100; step += 1) {
      action = adoption.add(caseOf(step, { a: 0.2, b: 0.8 }));
    }
    if (action === undefined) throw new Error('There was no suggestion.');
    const sources = { taskType: 'PatternMatch', statistics: statisticsOf({ a: [0.2], b: [0.8] }) };
    const { sentences, verdict } = explainSuggestion(action, sources);
    expect(sentences[0]).toBe(
      'PatternMatch runs 10 % of its tasks with window=40, zNormalise=true instead of window=20, zNormalise=true.',
    );
    expect(sentences[1]).toBe(verdict.explanation);
    const rollback = adoption.withdraw('of a test');
    expect(rollback && explainSuggestion(rollback, sources).sentences[0]).toBe(
      'PatternMatch goes back from window=40, zNormalise=true to window=20, zNormalise=true.',
    );
  });
});
