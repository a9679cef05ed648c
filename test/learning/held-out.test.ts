/**
 * The proof that the learner learns, on series that had no part in its making: features, λ, α and all else were chosen
 * on American stocks and indices. What it must reach was fixed before they were looked at.
 */
import { learningTable, volatilityTasks, type LearningRow } from '@quic-swarm/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { indexPrices } from './index-prices.ts';

describe('a search for analogues whose parameters are learnt, on held-out series', () => {
  let rows: LearningRow[] = [];
  let tasks = 0;

  beforeAll(() => {
    const all = volatilityTasks(indexPrices());
    tasks = all.length;
    rows = learningTable(all);
  });

  const row = (name: string): LearningRow => {
    const found = rows.find((each) => each.name === name);
    if (found === undefined) throw new Error(`There is no line "${name}".`);
    return found;
  };

  it('errs a tenth less than random parameters within 1,500 tasks, and surely less, in each series', () => {
    const learnt = row('shared + shadow + free');
    expect(tasks).toBeGreaterThan(1400);
    expect(tasks).toBeLessThanOrEqual(1500);
    expect(learnt.cut).toBeGreaterThanOrEqual(0.1);
    expect(learnt.interval.lower).toBeGreaterThan(0);
    expect(learnt.seriesBetter).toBe(4);
  });

  it('goes six tenths of the way to the parameters that are best in hindsight', () => {
    expect(row('shared + shadow + free').gapClosed).toBeGreaterThanOrEqual(0.6);
    expect(row('best fixed arm in hindsight').gapClosed).toBe(1);
  });

  it('beats a model per arm, whatever that gets to see', () => {
    const { error } = row('shared + shadow + free');
    for (const name of ['per arm', 'per arm + shadow', 'per arm + shadow + free']) {
      expect(error).toBeLessThan(row(name).error);
    }
  });
});
