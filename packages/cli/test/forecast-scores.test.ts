import { RandomSource } from '@quic-swarm/kernels';
import { describe, expect, it } from 'vitest';
import { blockBootstrap, savedShare } from '../src/research/block-bootstrap.ts';
import { forecastJson, forecastLines, findings } from '../src/research/forecast-report.ts';
import { forecastScores, type JudgedTask } from '../src/research/forecast-scores.ts';
import { HarRegression } from '../src/research/har-regression.ts';
import { judgedTasks } from '../src/research/judged-tasks.ts';
import { outcomeAfter } from '../src/research/volatility.ts';

describe('the regression', () => {
  const inputsOf = (random: RandomSource): number[] => [
    random.nextNormal() - 4,
    random.nextNormal() - 4,
    random.nextNormal() - 4,
  ];

  it('finds a law that there is', () => {
    const random = new RandomSource(1);
    const law = ([a = 0, b = 0, c = 0]: number[]): number => 0.5 + 0.4 * a + 0.3 * b - 0.2 * c;
    const regression = new HarRegression(3);
    for (let index = 0; index < 50; index += 1) {
      const inputs = inputsOf(random);
      regression.learn(inputs, law(inputs));
    }
    const inputs = inputsOf(random);
    expect(regression.forecast(inputs)).toBeCloseTo(law(inputs), 5);
  });

  it('leaves errors that nothing it knows explains, also after more cases', () => {
    const random = new RandomSource(2);
    const regression = new HarRegression(3);
    const cases: { inputs: number[]; outcome: number }[] = [];
    for (const count of [40, 160]) {
      while (cases.length < count) {
        const inputs = inputsOf(random);
        const outcome = random.nextNormal();
        cases.push({ inputs, outcome });
        regression.learn(inputs, outcome);
      }
      for (const index of [-1, 0, 1, 2]) {
        const left = cases.reduce(
          (sum, { inputs, outcome }) =>
            sum + (index < 0 ? 1 : (inputs[index] ?? 0)) * (outcome - regression.forecast(inputs)),
          0,
        );
        expect(Math.abs(left)).toBeLessThan(1e-3);
      }
    }
  });

  it('forecasts something before it has enough cases, and learns nothing from gaps', () => {
    const regression = new HarRegression(1);
    expect(regression.forecast([3])).toBe(0);
    regression.learn([Number.NaN], 1);
    regression.learn([1], Number.NaN);
    expect(regression.forecast([3])).toBe(0);
    regression.learn([1], 2);
    expect(regression.forecast([1])).toBeCloseTo(2, 4);
  });
});

describe('the interval of a saving', () => {
  const random = new RandomSource(3);
  const other = Array.from({ length: 200 }, () => 1 + random.nextFloat());

  it('is a point when every step saves the same', () => {
    const own = other.map((loss) => 0.8 * loss);
    expect(savedShare(own, other)).toBeCloseTo(0.2, 12);
    const { lower, upper } = blockBootstrap(own, other, { blockLength: 10 });
    expect([lower, upper].map((value) => value.toFixed(9))).toEqual(['0.200000000', '0.200000000']);
  });

  it('holds the saving, repeats itself, and widens with what neighbours have in common', () => {
    // The advantage comes and goes for forty steps at a time.
    const own = other.map((loss, step) => loss - 0.3 * Math.sign(Math.sin(step / 12)) - 0.1);
    const narrow = blockBootstrap(own, other, { blockLength: 1 });
    const wide = blockBootstrap(own, other, { blockLength: 40 });
    const saved = savedShare(own, other);
    for (const { lower, upper } of [narrow, wide]) {
      expect(lower).toBeLessThan(saved);
      expect(upper).toBeGreaterThan(saved);
    }
    expect(wide.upper - wide.lower).toBeGreaterThan(1.5 * (narrow.upper - narrow.lower));
    expect(blockBootstrap(own, other, { blockLength: 40 })).toEqual(wide);
    expect(blockBootstrap(own, other, { blockLength: 40, seed: 2 })).not.toEqual(wide);
  });

  it('covers the truth about as often as it says', () => {
    // Own and other differ by chance alone: the true saving is 0.
    let covered = 0;
    for (let run = 0; run < 200; run += 1) {
      const [own, others] = [0, 1].map(() =>
        Array.from({ length: 150 }, () => random.nextNormal() ** 2),
      );
      const options = { blockLength: 5, draws: 300, seed: run };
      const { lower, upper } = blockBootstrap(own ?? [], others ?? [], options);
      if (lower <= 0 && upper >= 0) covered += 1;
    }
    expect(covered).toBeGreaterThan(175);
    expect(covered).toBeLessThan(200);
  });

  it('is unknown of fewer than five blocks', () => {
    const losses = (steps: number): number[] => Array.from({ length: steps }, (_, step) => step);
    expect(blockBootstrap([1], [2], { blockLength: 3 }).lower).toBeNaN();
    expect(blockBootstrap(losses(14), losses(14), { blockLength: 3 }).lower).toBeNaN();
    expect(blockBootstrap(losses(15), losses(15), { blockLength: 3 }).lower).toBe(0);
  });
});

const arms = [{ window: 20 }, { window: 5 }, { window: 40 }];

/** The true value is 0 in all of them, so that losses are squares of forecasts. */
const tasks: JudgedTask[] = [
  { step: 0, actual: 0, learned: 1, persistence: 2, har: 0.5, byArm: [1, 3, 2], used: 0 },
  { step: 0, actual: 0, learned: 2, persistence: 2, har: 0.5, byArm: [3, 3, 2], used: 2 },
  { step: 4, actual: 0, learned: 1, persistence: 1, har: 0.5, byArm: [3, 2, 1], used: 2 },
];

const walked = {
  series: ['DAX'],
  horizon: 5,
  history: 750,
  stride: 1,
  steps: 2,
  stepsPlanned: 2,
  outcomesBefore: 0,
};

const scored = (change: Partial<JudgedTask> = {}): ReturnType<typeof forecastScores> =>
  forecastScores(
    tasks.map((task) => ({ ...task, ...change })),
    arms,
    { blockLength: 1, defaultArm: { window: 20 } },
  );

describe('the scores of a walk', () => {
  it('are mean squared errors on the same tasks', () => {
    const { error, arms: rows, best, gapClosed } = scored();
    expect(error.learned).toBeCloseTo(6 / 3, 12);
    expect(error.fixed).toBeCloseTo(19 / 3, 12);
    expect(error.bestFixedInHindsight).toBeCloseTo(9 / 3, 12);
    expect(error.random).toBeCloseTo((19 + 22 + 9) / 3 / 3, 12);
    expect(error.persistence).toBeCloseTo(9 / 3, 12);
    expect(error.har).toBeCloseTo(0.25, 12);
    expect(best).toBe(2);
    expect(rows.map(({ used }) => used)).toEqual([1, 0, 2]);
    expect(rows.map((row) => row.error.toFixed(6))).toEqual(['6.333333', '7.333333', '3.000000']);
    expect(gapClosed).toBeCloseTo((50 / 9 - 2) / (50 / 9 - 3), 12);
  });

  it('add up what is lost beyond the best arm, step by step', () => {
    const { regret } = scored();
    expect(regret.learned).toEqual([5 - 8, 6 - 9]);
    expect(regret.fixed).toEqual([10 - 8, 19 - 9]);
    expect(regret.bestFixedInHindsight).toEqual([0, 0]);
  });

  it('compare the learnt choice with each of the others', () => {
    const { learnedAgainst, againstRandom } = scored();
    expect(learnedAgainst.fixed.share).toBeCloseTo(1 - 6 / 19, 12);
    expect(learnedAgainst.har.share).toBeCloseTo(1 - 6 / 0.75, 12);
    expect(againstRandom.learned.share).toBeCloseTo(1 - 6 / (50 / 3), 12);
    expect(againstRandom.random.share).toBe(0);
  });
});

describe('the arms of a walk', () => {
  const options = { blockLength: 1, defaultArm: { window: 40 } };

  it('have a default wherever it stands', () => {
    const { error, fixed } = forecastScores(tasks, arms, options);
    expect([fixed, error.fixed]).toEqual([2, 3]);
  });

  it('have no default that nobody has computed', () => {
    const lost = { ...options, defaultArm: { window: 40, topK: 5 } };
    expect(() => forecastScores(tasks, arms, lost)).toThrow('none of those that forecast');
  });
});

describe('the report of a walk', () => {
  it('says in words that a baseline is better, and whether that may be chance', () => {
    // The same again and again, so that there are enough steps to tell.
    const longer = Array.from({ length: 6 }, (_, time) =>
      tasks.map((task) => ({ ...task, step: task.step + 10 * time })),
    ).flat();
    const options = { blockLength: 1, defaultArm: { window: 20 } };
    expect(findings(forecastScores(longer, arms, options), walked)).toContain(
      'HAR forecasts better than the learnt analogues: 0.2500 against 2.0000.',
    );
    const sentences = findings(scored(), walked);
    expect(sentences).toContain(
      'HAR forecasts better than the learnt analogues: 0.2500 against 2.0000, which may be chance.',
    );
    expect(sentences).toContain(
      'The learnt analogues forecast better than persistence: 2.0000 against 3.0000, which may be chance.',
    );
    expect(sentences.join('\n')).toContain('Not even the best arm in hindsight');
    expect(forecastLines(scored(), walked)).toEqual(expect.arrayContaining(sentences));
  });

  it('says that learning did not pay when it did not', () => {
    const [random, fixed] = findings(scored({ learned: 5 }), walked);
    expect(random).toMatch(/^Learning costs another 350\.0 % of the error of choosing at random/);
    expect(fixed).toMatch(/^It costs another 294\.7 % of the error of the default arm/);
  });

  it('says how little it is based on, when it ended early, and what was known before', () => {
    const early = { ...walked, stepsPlanned: 90, outcomesBefore: 12 };
    const text = findings(scored(), early).join('\n');
    expect(text).toContain('after 2 of 90 steps');
    expect(text).toContain('These are 3 tasks');
    expect(text).toContain('learnt from 12 outcomes before');
    expect(findings(scored(), walked).join('\n')).not.toMatch(/early|before,/);
  });

  it('lists the best forecast first, and how often each arm was used', () => {
    const lines = forecastLines(scored(), walked);
    const names = lines.slice(2, 8).map((line) => line.split(/ {2,}/)[0]);
    expect(names).toEqual(['HAR', 'learnt', 'persistence', 'best in hindsight', 'random', 'fixed']);
    expect(lines.find((line) => line.startsWith('window=40'))).toMatch(
      / 2 +67 % +3\.0000 +best in hin/,
    );
    expect(lines.find((line) => line.startsWith('window=20'))).toMatch(
      / 1 +33 % +6\.3333 +default/,
    );
  });

  it('is the same as JSON', () => {
    expect(forecastJson(scored(), walked)).toMatchObject({
      error: { learned: 2, har: 0.25, bestFixedInHindsight: 3 },
      tasks: 3,
      bestArm: { window: 40 },
      defaultArm: { window: 20 },
      isComplete: true,
      horizon: 5,
    });
  });
});

describe('tasks are judged', () => {
  const prices = Float64Array.from({ length: 40 }, (_, row) => 100 + Math.sin(row * row));
  const series = [{ prices, history: 50 }];
  const baselines = (): { persistence: number; har: number } => ({ persistence: -3, har: -2 });
  const byArm = arms.map((arm, index) => ({ arm, logVolatility: -index }));
  const forecast = { taskId: 't', arm: { window: 5 }, logVolatility: -1, byArm };

  it('by what came, whatever the order of the parameters in an arm', () => {
    const judged = judgedTasks([{ series: 0, row: 20, step: 1, forecast }], {
      series,
      horizon: 5,
      baselines,
    });
    expect(judged.arms).toEqual(arms);
    expect(judged.tasks).toEqual([
      {
        step: 1,
        actual: outcomeAfter({ prices, history: 50 }, 20, 5),
        learned: -1,
        persistence: -3,
        har: -2,
        byArm: [-0, -1, -2],
        used: 1,
      },
    ]);
  });

  it('only where all agents have the same arms', () => {
    const other = { ...forecast, byArm: byArm.toReversed() };
    const both = [forecast, other].map((each, step) => ({
      series: 0,
      row: 20 + step,
      step,
      forecast: each,
    }));
    expect(() => judgedTasks(both, { series, horizon: 5, baselines })).toThrow('different arms');
  });
});
