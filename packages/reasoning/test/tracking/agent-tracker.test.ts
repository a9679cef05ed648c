import { describe, expect, it } from 'vitest';
import { AgentTracker } from '../../src/index.ts';
import { answerOf, experienceOf } from '../experiences.ts';
import { Prng } from '../prng.ts';

describe('the tracker of agents', () => {
  it('reports latency, utility, calibration, coverage and skill of each agent and task type', () => {
    const tracker = new AgentTracker();
    const prng = new Prng(51);
    for (let step = 0; step < 400; step += 1) {
      const hasHappened = prng.next() < 0.7;
      const event = answerOf('a', step, step < 300 ? 0.9 : 0.5, {
        latencyMs: step + 1,
        actual: Number(hasHappened),
        predicted: { mean: 0.7, probability: 0.7 },
      });
      const value = answerOf('a', step, 0.5, {
        taskType: 'my.task',
        seriesId: `series-${step % 30}`,
        actual: prng.normal(),
        predicted: { mean: 0, q05: -1.645, q95: 1.645 },
        baseline: 1,
      });
      for (const experience of [event, value]) {
        tracker.complete(experience);
        expect(tracker.resolve(experience)).toBe('tracked');
      }
    }
    const report = tracker.report('agent-1', 'PatternMatch');
    expect(report).toMatchObject({ completions: 400, outcomes: 400, calibration: { count: 400 } });
    expect(report?.latencyMs?.p50).toBeCloseTo(200, -1);
    expect(report?.latencyMs?.p99).toBeGreaterThan(390);
    expect(report?.calibration?.calibrationError).toBeLessThan(0.07);
    expect(report).not.toHaveProperty('coverage');
    expect(report).not.toHaveProperty('skill');
    // After 100 outcomes of 0.5: 2^−5 of the recent average is still 0.9, and about half of the long one.
    expect(report?.utility?.recent).toBeCloseTo(0.5 + 0.4 / 32, 3);
    expect(report?.utility?.long).toBeGreaterThan(0.7);
    const values = tracker.report('agent-1', 'my.task');
    expect(values).not.toHaveProperty('calibration');
    // 0.9 ± 3 standard errors of 400 outcomes.
    expect(Math.abs((values?.coverage?.share ?? 0) - 0.9)).toBeLessThan(0.045);
    // Squared errors of 1 against those around 1, which are 2 on average.
    expect(values?.skill?.skill).toBeCloseTo(0.5, 1);
    expect(values?.skill?.interval?.lower).toBeGreaterThan(0.3);
    expect(tracker.reports()).toHaveLength(2);
  });

  it('goes on from a snapshot as if it had never been written down', () => {
    const run = (isRestarted: boolean) => {
      let tracker = new AgentTracker();
      const prng = new Prng(52);
      for (let step = 0; step < 200; step += 1) {
        const experience = answerOf('a', step, prng.next(), {
          agentId: `agent-${step % 3}`,
          latencyMs: 100 * prng.next(),
          actual: Math.round(prng.next()),
          predicted: { mean: prng.next(), q05: 0.2, q95: 0.8, probability: prng.next() },
          baseline: 0.5,
        });
        tracker.complete(experience);
        tracker.resolve(experience);
        if (isRestarted) tracker = AgentTracker.restore(structuredClone(tracker.snapshot()));
      }
      return tracker.reports();
    };
    expect(run(true)).toEqual(run(false));
    const snapshot = { ...new AgentTracker().snapshot(), version: 2 };
    expect(() => AgentTracker.restore(snapshot as never)).toThrow('version 2');
  });

  it('learns nothing from what is not resolved, and is not broken by forecasts that make no sense', () => {
    const tracker = new AgentTracker();
    expect(tracker.resolve(experienceOf('open', { utility: 1 }))).toBe('open');
    expect(tracker.reports()).toEqual([]);
    tracker.resolve(
      answerOf('a', 1, 0.5, {
        actual: 0.5,
        predicted: { mean: 1e300, q05: 2, q95: 1, probability: 0.5 },
        baseline: 0,
      }),
    );
    const report = tracker.report('agent-1', 'PatternMatch');
    expect(report).toMatchObject({ outcomes: 1, completions: 0 });
    for (const field of ['calibration', 'coverage', 'skill', 'latencyMs']) {
      expect(report).not.toHaveProperty(field);
    }
  });

  it('tracks as many agents as it may, and goes on with those', () => {
    const tracker = new AgentTracker({ recordsMax: 2 });
    const complete = (agentId: string) => tracker.complete(experienceOf('x', { agentId }));
    expect(['a', 'b', 'c', 'a'].map(complete)).toEqual([
      'tracked',
      'tracked',
      'untracked',
      'tracked',
    ]);
    expect(tracker.report('c', 'PatternMatch')).toBeUndefined();
    expect(() => new AgentTracker({ recordsMax: 0 })).toThrow(RangeError);
  });
});
