import { describe, expect, it } from 'vitest';
import {
  Adoption,
  LEGAL_TRANSITIONS,
  STANDINGS,
  type AdoptionAction,
  type Standing,
} from '../../src/index.ts';
import { Prng } from '../prng.ts';
import { caseOf, differenceOf } from './cases.ts';

const ARMS = ['incumbent', 'candidate', 'third'];

const newAdoption = (
  options: { alpha?: number; stagePairsMin?: number; stagePairsMax?: number } = {},
) =>
  new Adoption({ taskType: 'PatternMatch', armIds: ARMS, defaultArmId: 'incumbent', ...options });

/** Gives pairs of this difference from a step on until an action comes, and says how many it took. */
function pairsUntilAction(
  adoption: Adoption,
  difference: number,
  fromStep: number,
): { action: AdoptionAction; pairs: number } {
  for (let pairs = 1; pairs <= 5000; pairs += 1) {
    const action = adoption.add(differenceOf(fromStep + pairs, difference));
    if (action !== undefined) return { action, pairs };
  }
  throw new Error('There was no action within 5,000 pairs.');
}

/** The first count n at which the mean of the products Π (1 + λ·difference) reaches the threshold. */
function pairsToReach(threshold: number, difference: number): number {
  const bets = [0.02, 0.05, 0.1, 0.2, 0.4, 0.8];
  let pairs = 0;
  let purse = 1;
  while (purse < threshold) {
    pairs += 1;
    purse = bets.reduce((sum, bet) => sum + (1 + bet * difference) ** pairs, 0) / bets.length;
  }
  return pairs;
}

describe('an arm that is better', () => {
  it('is proposed when its evidence reaches K/α, passes each stage with new evidence and becomes the incumbent', () => {
    const adoption = newAdoption();
    // Two candidates: 2 / 0.05 = 40 decides, not 20.
    const proposed = pairsUntilAction(adoption, 0.3, 0);
    expect(proposed.pairs).toBe(pairsToReach(40, 0.3));
    expect(proposed.action).toMatchObject({
      type: 'suggest',
      from: 'incumbent',
      to: 'candidate',
      canaryPercent: 10,
      verdict: { decision: 'adopt', alpha: 0.025, pairs: proposed.pairs },
    });
    expect(proposed.action.verdict.explanation).toContain('enough to try it on 10 % of the tasks');
    // A stage asks one question and begins with no evidence at all.
    const second = pairsUntilAction(adoption, 0.3, 1000);
    expect(second.pairs).toBe(pairsToReach(20, 0.3));
    expect(second.action).toMatchObject({ canaryPercent: 50, verdict: { pairs: second.pairs } });
    const last = pairsUntilAction(adoption, 0.3, 2000);
    expect(last.pairs).toBe(pairsToReach(20, 0.3));
    expect(last.action).toMatchObject({ from: 'incumbent', to: 'candidate', canaryPercent: 100 });
    expect(adoption.incumbentArmId).toBe('candidate');
    expect(adoption.canary).toBeUndefined();
    // A new comparison: the former incumbent is a candidate without evidence.
    expect(adoption.verdicts().map(({ candidateArmId, pairs }) => [candidateArmId, pairs])).toEqual(
      [
        ['third', 0],
        ['incumbent', 0],
      ],
    );
  });

  it('passes a stage after 50 pairs with a mean above 0, without strong evidence, and not before', () => {
    const adoption = newAdoption();
    adoption.forceCanary('candidate');
    const { action, pairs } = pairsUntilAction(adoption, 0.01, 0);
    expect(pairs).toBe(50);
    expect(action).toMatchObject({ type: 'suggest', canaryPercent: 50 });
    expect(action.verdict.explanation).toContain('nothing speaks against it');
  });

  it('is chosen by its evidence when two are better at once', () => {
    const adoption = newAdoption();
    let action: AdoptionAction | undefined;
    for (let step = 0; action === undefined && step < 1000; step += 1) {
      action = adoption.add(
        caseOf(step, { incumbent: 0.4, candidate: 0.7, third: 0.7 + 0.001 * step }),
      );
    }
    expect(action).toMatchObject({ type: 'suggest', to: 'third' });
  });
});

describe('an arm that is worse', () => {
  it('is rolled back by the evidence of its stage, however good it was before', () => {
    const adoption = newAdoption();
    expect(pairsUntilAction(adoption, 0.9, 0).action.type).toBe('suggest');
    const { action, pairs } = pairsUntilAction(adoption, -0.3, 1000);
    expect(pairs).toBe(pairsToReach(20, 0.3));
    expect(action).toMatchObject({
      type: 'rollback',
      from: 'candidate',
      to: 'incumbent',
      verdict: { decision: 'rollback', candidateArmId: 'candidate', pairs, alpha: 0.05 },
    });
    expect(adoption.incumbentArmId).toBe('incumbent');
    expect(adoption.standingOf('candidate')).toBe('rolledBack');
  });

  it('needs ten times the evidence, collected anew, after each rollback', () => {
    const adoption = newAdoption();
    let step = 0;
    for (const threshold of [40, 400, 4000]) {
      const { action, pairs } = pairsUntilAction(adoption, 0.3, step);
      expect(action).toMatchObject({ type: 'suggest', canaryPercent: 10 });
      expect(pairs).toBe(pairsToReach(threshold, 0.3));
      expect(pairsUntilAction(adoption, -0.3, step + 1000).action.type).toBe('rollback');
      step += 2000;
    }
  });

  it('is taken back after 500 pairs that show nothing', () => {
    const adoption = newAdoption();
    adoption.forceCanary('candidate');
    const { action, pairs } = pairsUntilAction(adoption, 0, 0);
    expect(pairs).toBe(500);
    expect(action).toMatchObject({ type: 'rollback', verdict: { meanDifference: 0 } });
  });
});

describe('a detected change', () => {
  it('takes a canary back as drift and forgets all evidence and all rollbacks', () => {
    const adoption = newAdoption();
    pairsUntilAction(adoption, 0.3, 0);
    pairsUntilAction(adoption, -0.3, 1000);
    adoption.forceCanary('third');
    expect(adoption.changeDetected()).toMatchObject({
      type: 'rollback',
      from: 'third',
      to: 'incumbent',
      verdict: { decision: 'drift' },
    });
    expect(ARMS.map((armId) => adoption.standingOf(armId))).toEqual([
      'adopted',
      'watching',
      'watching',
    ]);
    expect(adoption.verdicts().map(({ pairs }) => pairs)).toEqual([0, 0]);
    expect(pairsUntilAction(adoption, 0.3, 2000).pairs).toBe(pairsToReach(40, 0.3));
  });

  it('asks for nothing while no arm is being tried, and old cases are no new evidence', () => {
    const adoption = newAdoption();
    for (let step = 0; step < 10; step += 1) adoption.add(differenceOf(step, 0.3));
    expect(adoption.changeDetected()).toBeUndefined();
    for (let step = 0; step < 10; step += 1) adoption.add(differenceOf(step, 0.3));
    expect(adoption.verdicts().map(({ pairs }) => pairs)).toEqual([0, 0]);
  });
});

describe('a person', () => {
  it('forces an arm into a canary, one at a time, and takes it back with a reason', () => {
    const adoption = newAdoption();
    const forced = adoption.forceCanary('candidate');
    expect(forced).toMatchObject({
      type: 'suggest',
      canaryPercent: 10,
      verdict: { decision: 'insufficient' },
    });
    expect(adoption.forceCanary('third')).toBeUndefined();
    expect(adoption.forceCanary('incumbent')).toBeUndefined();
    expect(() => adoption.forceCanary('nobody')).toThrow(RangeError);
    expect(adoption.withdraw('all agents refused it')?.verdict.explanation).toContain(
      'taken back: all agents refused it.',
    );
    expect(adoption.withdraw('again')).toBeUndefined();
    expect(adoption.standingOf('candidate')).toBe('rolledBack');
  });
});

describe('the machine', () => {
  it('goes where the table of transitions allows and nowhere else, with one incumbent and at most one canary', () => {
    const seen = new Set<string>();
    let broken = 0;
    for (let seed = 1; seed <= 20; seed += 1) {
      const prng = new Prng(seed);
      const adoption = newAdoption({ stagePairsMax: 80 });
      let standings: Standing[] = ARMS.map((armId) => adoption.standingOf(armId));
      const check = () => {
        const next = ARMS.map((armId) => adoption.standingOf(armId));
        for (const [index, standing] of next.entries()) {
          const before = standings[index];
          if (before !== undefined && before !== standing) seen.add(`${before} ${standing}`);
        }
        const adopted = next.filter((standing) => standing === 'adopted').length;
        const canaries = next.filter((standing) => standing.startsWith('canary')).length;
        if (adopted !== 1 || canaries !== (adoption.canary === undefined ? 0 : 1)) broken += 1;
        standings = next;
      };
      let step = 0;
      for (let block = 0; block < 60; block += 1) {
        const chance = prng.next();
        const arm = ARMS[Math.floor(3 * prng.next())] ?? '';
        if (chance < 0.08) adoption.changeDetected();
        else if (chance < 0.12) adoption.withdraw('test');
        else if (chance < 0.3) adoption.forceCanary(arm);
        const utilities = { incumbent: 0.5, candidate: 0.5, third: 0.5, [arm]: prng.next() };
        check();
        for (let pair = 0; pair < 30; pair += 1) {
          step += 1;
          adoption.add(caseOf(step, utilities));
          check();
        }
      }
    }
    const table = STANDINGS.flatMap((from) => LEGAL_TRANSITIONS[from].map((to) => `${from} ${to}`));
    expect([...seen].sort()).toEqual(table.sort());
    expect(broken).toBe(0);
  });

  it('says the same after a restart from its snapshot as without one', () => {
    const run = (isRestarted: boolean) => {
      const prng = new Prng(21);
      let adoption = newAdoption();
      const actions: (AdoptionAction | undefined)[] = [];
      for (let step = 0; step < 700; step += 1) {
        const mean = step < 300 ? 0.15 : -0.15;
        actions.push(adoption.add(differenceOf(step, mean + 0.2 * prng.normal())));
        if (isRestarted && step % 10 === 0) {
          adoption = Adoption.restore(structuredClone(adoption.snapshot()));
        }
      }
      return actions.filter((action) => action !== undefined);
    };
    const actions = run(false);
    // There and back: the former incumbent is proposed once it is the better one.
    expect(actions.map(({ type, to }) => [type, to].join(' '))).toEqual([
      ...Array<string>(3).fill('suggest candidate'),
      ...Array<string>(3).fill('suggest incumbent'),
    ]);
    expect(run(true)).toEqual(actions);
  });

  it('gives verdicts on all candidates in words, with what was not compared', () => {
    const adoption = newAdoption();
    adoption.add(caseOf(1, { incumbent: 0.5, candidate: 0.7 }));
    adoption.add({ ...caseOf(1, { incumbent: 0.5, candidate: 0.7 }), caseKey: 'overlapping' });
    const [candidate, third] = adoption.verdicts();
    expect(candidate).toMatchObject({ candidateArmId: 'candidate', pairs: 1, unpaired: 1 });
    expect(candidate?.explanation).toContain(
      'too little to tell. Not compared: 1 pairs overlapping',
    );
    expect(third?.explanation).toMatch(
      /^No case of PatternMatch has been answered .* by both third/,
    );
  });

  it.each([
    { alpha: 0 },
    { alpha: 1 },
    { alpha: Number.NaN },
    { stagePairsMin: 0 },
    { stagePairsMin: 501 },
  ])('refuses %o', (options) => {
    expect(() => newAdoption(options)).toThrow(RangeError);
  });

  it.each([['one'], ['a', 'a'], ['other', 'arms']])('refuses the arms %s', (...armIds) => {
    const options = {
      taskType: 'PatternMatch',
      armIds,
      defaultArmId: armIds.length > 1 && armIds[0] !== 'other' ? 'a' : 'one',
    };
    expect(() => new Adoption(options)).toThrow(RangeError);
  });

  it('refuses snapshots of another version', () => {
    const snapshot = { ...newAdoption().snapshot(), version: 2 };
    expect(() => Adoption.restore(snapshot as never)).toThrow('version 2');
  });
});
