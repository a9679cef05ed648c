import type { ReasoningExperience } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import { judge } from '../../src/index.ts';
import { RecentWindows, SERIES_MAX } from '../../src/adoption/recent-windows.ts';
import { RunningEvidence } from '../../src/adoption/running-evidence.ts';
import { OutcomeWindows } from '../../src/evidence/outcome-windows.ts';
import { answerOf } from '../experiences.ts';
import { Prng } from '../prng.ts';
import { caseOf } from './cases.ts';

const ARMS = ['incumbent', 'candidate', 'third'];

/** Answers of some arms to each step of three series, with outcomes 1 … 4 steps later, in the order of resolution. */
function answers(seed: number, steps: number): ReasoningExperience[] {
  const prng = new Prng(seed);
  const experiences: ReasoningExperience[] = [];
  for (let step = 0; step < steps; step += 1) {
    for (const seriesId of ['spx', 'dax', 'ftse']) {
      const resolvedAtStep = step + 1 + Math.floor(4 * prng.next());
      for (const armId of ARMS) {
        const experienceId = `${String(step).padStart(5, '0')} ${seriesId} ${armId}`;
        const fields = { experienceId, seriesId, resolvedAtStep };
        if (prng.next() < 0.7) experiences.push(answerOf(armId, step, prng.next(), fields));
      }
    }
  }
  return experiences.sort(
    (left, right) =>
      (left.resolvedAtStep ?? 0) - (right.resolvedAtStep ?? 0) ||
      (left.experienceId < right.experienceId ? -1 : 1),
  );
}

/** Gives each case once per answer, with all answers so far: the way in which replays come in. */
function addAll(running: RunningEvidence, experiences: readonly ReasoningExperience[]): void {
  const known = new Map<string, Map<string, number>>();
  for (const {
    seriesId = '',
    issuedAtStep,
    resolvedAtStep = 0,
    armId,
    utility = 0,
  } of experiences) {
    const caseKey = `${seriesId} ${issuedAtStep}`;
    const utilities = known.get(caseKey) ?? new Map<string, number>();
    known.set(caseKey, utilities.set(armId, utility));
    running.add({ caseKey, seriesId, issuedAtStep, resolvedAtStep, utilities });
  }
}

describe('running evidence', () => {
  it.each([1, 2, 3])('is what judging the whole list of experiences gives (seed %d)', (seed) => {
    const experiences = answers(seed, 150);
    const running = new RunningEvidence(ARMS, 'incumbent');
    addAll(running, experiences);
    for (const candidateArmId of ['candidate', 'third']) {
      const question = { taskType: 'PatternMatch', candidateArmId, incumbentArmId: 'incumbent' };
      const verdict = judge({ ...question, experiences });
      const { evidence, uncounted } = running.candidate(candidateArmId) ?? {};
      expect(verdict.pairs).toBeGreaterThan(80);
      expect(evidence?.count).toBe(verdict.pairs);
      expect(evidence?.mean).toBe(verdict.meanDifference);
      expect(evidence?.logEvidence).toBe(verdict.logEvidence);
      expect(evidence?.interval(0.05)).toEqual({ lower: verdict.lower, upper: verdict.upper });
      expect(verdict.explanation).toContain(`${2 * (uncounted?.overlapping ?? 0)} overlapping`);
      expect(uncounted).toMatchObject({ beyondMemory: 0, impossible: 0 });
    }
  });

  it('goes on from a snapshot in the middle as if it had never been written down', () => {
    const experiences = answers(4, 150);
    const unbroken = new RunningEvidence(ARMS, 'incumbent');
    addAll(unbroken, experiences);
    const first = new RunningEvidence(ARMS, 'incumbent');
    addAll(first, experiences.slice(0, 500));
    const second = RunningEvidence.restore(structuredClone(first.snapshot()));
    // The second life hears of the first one's cases again, as after a crash before the acknowledgement.
    addAll(second, experiences);
    expect(second.snapshot()).toEqual(unbroken.snapshot());
  });

  it('takes one pair of a candidate from a case, when both utilities are known', () => {
    const running = new RunningEvidence(ARMS, 'incumbent');
    expect(running.add(caseOf(1, { candidate: 0.7 }))).toEqual([]);
    expect(running.add(caseOf(1, { candidate: 0.7, incumbent: 0.5 }))).toEqual([
      { candidateArmId: 'candidate', difference: 0.7 - 0.5 },
    ]);
    expect(running.add(caseOf(1, { candidate: 1, incumbent: 0, third: 0.4 }))).toEqual([
      { candidateArmId: 'third', difference: 0.4 },
    ]);
    expect(running.add(caseOf(1, { candidate: 1, incumbent: 0, third: 0.4 }))).toEqual([]);
  });

  it('counts what cannot be, and ignores arms that were never named', () => {
    const running = new RunningEvidence(ARMS, 'incumbent');
    running.add(caseOf(1, { candidate: Number.NaN, incumbent: 0.5, nobody: 1 }));
    running.add(caseOf(2, { candidate: 0.5, incumbent: 1.5 }));
    running.add({ ...caseOf(5, { candidate: 0.5, incumbent: 0.5 }), resolvedAtStep: 4 });
    expect(running.candidate('candidate')).toMatchObject({ uncounted: { impossible: 3 } });
    expect(running.candidate('candidate')?.evidence.count).toBe(0);
    expect(running.candidate('nobody')).toBeUndefined();
  });

  it('closes old cases and keeps their windows claimed when another arm becomes the incumbent', () => {
    const running = new RunningEvidence(ARMS, 'incumbent');
    const early = caseOf(1, { incumbent: 0.1, candidate: 0.9, third: 0.5 });
    const { seriesId: _, ...alone } = { ...early, caseKey: 'of no series' };
    running.add(early);
    running.add(alone);
    running.restart('candidate');
    expect(running.add(early)).toEqual([]);
    expect(running.add(alone)).toEqual([]);
    expect(running.add({ ...early, caseKey: 'same window' })).toEqual([]);
    expect(running.add(caseOf(2, { incumbent: 0.1, candidate: 0.9 }))).toEqual([
      { candidateArmId: 'incumbent', difference: 0.1 - 0.9 },
    ]);
    expect(() => running.restart('nobody')).toThrow(RangeError);
  });

  it('does not grow with the number of cases', () => {
    const running = new RunningEvidence(ARMS, 'incumbent');
    const size = () => JSON.stringify(running.snapshot()).length;
    const add = (from: number, to: number) => {
      for (let step = from; step < to; step += 1) {
        running.add(caseOf(step, { incumbent: 0.25, candidate: 0.5, third: 0.75 }));
      }
    };
    add(10_000, 12_000);
    const before = size();
    add(12_000, 20_000);
    expect(size()).toBeLessThan(1.01 * before);
  });
});

describe('recent windows', () => {
  it('claim what windows without a bound claim, or less', () => {
    const prng = new Prng(5);
    const recent = new RecentWindows();
    const all = new OutcomeWindows();
    let claimed = 0;
    let refused = 0;
    for (let index = 0; index < 3000; index += 1) {
      // Mostly in order, now and then far too late.
      const lateness = prng.next() < 0.1 ? 200 * prng.next() : 6 * prng.next();
      const begin = Math.max(0, Math.floor(index / 3 - lateness));
      const end = begin + Math.floor(5 * prng.next());
      const claim = recent.claim('spx', begin, end);
      if (claim === 'claimed') {
        claimed += 1;
        expect(all.claim('spx', begin, end)).toBe(true);
      } else if (claim === 'beyondMemory') refused += 1;
      else expect(all.claim('spx', begin, end)).toBe(false);
    }
    expect(claimed).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(50);
  });

  it('refuse series beyond the bound and keep those that they know', () => {
    const windows = new RecentWindows();
    for (let index = 0; index < SERIES_MAX; index += 1) windows.claim(`series-${index}`, 0, 1);
    expect(windows.claim('one too many', 0, 1)).toBe('beyondMemory');
    expect(windows.claim('series-0', 1, 2)).toBe('claimed');
    expect(windows.claim('series-0', 1, 2)).toBe('overlapping');
    const restored = RecentWindows.restore(structuredClone(windows.snapshot()));
    expect(restored.claim('series-0', 1, 2)).toBe('overlapping');
  });
});
