import type { AdaptationSuggestion, AgentTask, Arm, Verdict } from '@quic-swarm/protocol';
import { describe, expect, test } from 'vitest';
import { Adoptions } from '../../src/core/adoptions.ts';
import { World, leaseOf, runnableOf, taskIdOf } from './world.ts';

const NARROW: Arm = { window: 20, normalise: true };
const WIDE: Arm = { window: 40, normalise: true };
const RAW: Arm = { window: 40, normalise: false };
const TUNABLE = { taskType: 'work', arms: [NARROW, WIDE, RAW], loss: 'squared' as const };

const evidence: Verdict = {
  taskType: 'work',
  candidateArmId: 'b',
  incumbentArmId: 'a',
  decision: 'adopt',
  pairs: 300,
  meanDifference: 0.1,
  lower: 0.01,
  upper: 0.2,
  logEvidence: 4,
  logEvidenceAgainst: -4,
  alpha: 0.05,
  unpaired: 0,
  explanation: 'It is better.',
};

function suggestion(more: Partial<AdaptationSuggestion> = {}): AdaptationSuggestion {
  return {
    suggestionId: 'suggestion-1',
    agentType: 'compute',
    taskType: 'work',
    from: NARROW,
    to: WIDE,
    evidence,
    canaryPercent: 100,
    expiresInMs: 60_000,
    ...more,
  };
}

function taskOf(n: number, more: Partial<AgentTask> = {}): AgentTask {
  return {
    ...leaseOf(n),
    dispatchSequence: n,
    taskType: 'work',
    datasets: [],
    startToCloseMs: 60_000,
    ...more,
  };
}

/** The arms that the handlers of the last tasks were started with. */
function armsOf(world: World): (Arm | undefined)[] {
  return world.take().flatMap((effect) => runnableOf(effect).map(({ arm }) => arm));
}

describe('a suggestion', () => {
  test('is in force for its share of the tasks, the same ones whenever they are asked for', () => {
    const adoptions = new Adoptions([TUNABLE]);
    const taken = (percent: number): Set<number> => {
      expect(adoptions.take(suggestion({ canaryPercent: percent }), 0)).toBeUndefined();
      const tasks = Array.from({ length: 4000 }, (_, n) => n);
      const arms = tasks.map((n) => adoptions.armOf(taskOf(n), 1));
      expect(new Set(arms)).toStrictEqual(
        new Set(percent === 0 ? [NARROW] : percent === 100 ? [WIDE] : [NARROW, WIDE]),
      );
      return new Set(tasks.filter((n) => arms[n] === WIDE));
    };
    const [none, tenth, half, all] = [taken(0), taken(10), taken(50), taken(100)];
    expect([none.size, all.size]).toStrictEqual([0, 4000]);
    // Four standard deviations of what chance alone would give.
    expect(Math.abs(tenth.size - 400)).toBeLessThan(76);
    expect(Math.abs(half.size - 2000)).toBeLessThan(127);
    // A larger share takes in the smaller one.
    for (const n of tenth) expect(half.has(n)).toBe(true);
  });

  test('is for no other task type, no part of a task, and no task whose arm was chosen', () => {
    const adoptions = new Adoptions([TUNABLE]);
    adoptions.take(suggestion(), 0);
    const shard = { of: taskIdOf(9), index: 0, count: 2, start: 0, end: 5 };
    expect(adoptions.armOf(taskOf(1), 1)).toStrictEqual(WIDE);
    expect(adoptions.armOf(taskOf(1, { taskType: 'other' }), 1)).toBeUndefined();
    expect(adoptions.armOf(taskOf(1, { shard }), 1)).toBeUndefined();
    expect(adoptions.armOf(taskOf(1, { arm: RAW }), 1)).toStrictEqual(RAW);
  });

  test('gives way to a later one, which is how a bad one is rolled back', () => {
    const adoptions = new Adoptions([TUNABLE]);
    adoptions.take(suggestion(), 0);
    adoptions.take(suggestion({ suggestionId: 'back', from: WIDE, to: NARROW }), 0);
    expect(adoptions.armOf(taskOf(1), 1)).toStrictEqual(NARROW);
  });

  test('ends when its time is over', () => {
    const adoptions = new Adoptions([TUNABLE]);
    adoptions.take(suggestion({ expiresInMs: 500 }), 1000);
    expect(adoptions.armOf(taskOf(1), 1499)).toStrictEqual(WIDE);
    expect(adoptions.armOf(taskOf(1), 1500)).toBeUndefined();
  });

  test.each([
    ['another type', { taskType: 'other' }, 'no handler of other'],
    ['an unknown arm to use', { to: { window: 41, normalise: true } }, '"window",41|41'],
    ['an unknown arm to leave', { from: { window: 20 } }, 'none of the 3 arms of work'],
  ])('of %s is not accepted, and the one before stays', (_name, more, reason) => {
    const adoptions = new Adoptions([TUNABLE]);
    adoptions.take(suggestion(), 0);
    expect(adoptions.take(suggestion(more), 0)).toMatch(new RegExp(reason, 'u'));
    expect(adoptions.armOf(taskOf(1), 1)).toStrictEqual(WIDE);
  });

  test('knows arms by their parameters, in whatever order they are named', () => {
    const adoptions = new Adoptions([TUNABLE]);
    const to = { normalise: true, window: 40 };
    expect(adoptions.take(suggestion({ to }), 0)).toBeUndefined();
  });

  test('ends when its arms are not offered any more, and only then', () => {
    const adoptions = new Adoptions([TUNABLE]);
    adoptions.take(suggestion(), 0);
    expect(adoptions.declare([{ ...TUNABLE, arms: [NARROW, WIDE] }])).toBe(true);
    expect(adoptions.armOf(taskOf(1), 1)).toStrictEqual(WIDE);
    expect(adoptions.declare([{ ...TUNABLE, arms: [NARROW, RAW] }])).toBe(true);
    expect(adoptions.armOf(taskOf(1), 1)).toBeUndefined();
    expect(adoptions.declare([{ ...TUNABLE, arms: [NARROW, RAW] }])).toBe(false);
  });

  test('outlives a connection and not the coordinator that made it', () => {
    const world = new World({ tunables: [TUNABLE] }).join();
    world.hear('AdaptationSuggestion', suggestion());
    world.lose().pass(100).join();
    world.take();
    expect(armsOf(world.dispatch(1))).toStrictEqual([WIDE]);
    world.lose().pass(1000).join({ epoch: 4 });
    world.take();
    expect(armsOf(world.dispatch(2))).toStrictEqual([undefined]);
  });
});

describe('an agent', () => {
  const learning = { features: ['learning'] };

  test('tells a coordinator that learns what can be tuned, on every connection, before it asks for tasks', () => {
    const world = new World({ tunables: [TUNABLE] }).join(learning);
    expect(world.story()).toStrictEqual([
      'Connect',
      'AgentHandshake',
      'OpenDispatchStream',
      'TunableOffer',
      'CreditGrant',
    ]);
    world.lose().pass(1000).join(learning);
    expect(world.sent('TunableOffer')).toStrictEqual([{ tunables: [TUNABLE] }]);
  });

  test('tells no other coordinator, and nothing where nothing can be tuned', () => {
    expect(new World({ tunables: [TUNABLE] }).join().sent('TunableOffer')).toStrictEqual([]);
    expect(new World().join(learning).sent('TunableOffer')).toStrictEqual([]);
  });

  test('tells it again when handlers have changed what can be tuned, and only then', () => {
    const world = new World({ tunables: [TUNABLE] }).join(learning);
    world.take();
    const capabilities = ['work'];
    world.tell({ type: 'CapabilitiesChanged', capabilities, tunables: [TUNABLE] });
    expect(world.story()).toStrictEqual(['CapabilityUpdate']);
    world.tell({ type: 'CapabilitiesChanged', capabilities });
    expect(world.sent('TunableOffer')).toStrictEqual([{ tunables: [] }]);
  });

  test('answers a suggestion, and tells those who listen what it will do', () => {
    const world = new World({ tunables: [TUNABLE] }).join(learning);
    world.take();
    world.hear('AdaptationSuggestion', suggestion({ canaryPercent: 10 }));
    expect(world.effects).toContainEqual({
      type: 'Notify',
      event: {
        type: 'adapted',
        suggestionId: 'suggestion-1',
        taskType: 'work',
        from: NARROW,
        to: WIDE,
        canaryPercent: 10,
      },
    });
    expect(world.sent('AdaptationAck')).toStrictEqual([
      { suggestionId: 'suggestion-1', accepted: true },
    ]);
    world.hear('AdaptationSuggestion', suggestion({ suggestionId: 'other', taskType: 'other' }));
    expect(world.effects.map(({ type }) => type)).toStrictEqual(['Send']);
    expect(world.sent('AdaptationAck')).toStrictEqual([
      {
        suggestionId: 'other',
        accepted: false,
        reason: 'This agent has no handler of other with parameters that can be tuned.',
      },
    ]);
  });

  test('starts what waited when a suggestion came with what it says', () => {
    const world = new World({ tunables: [TUNABLE], slots: 1 }).join(learning);
    world.hear('AdaptationSuggestion', suggestion());
    world.dispatch(1).dispatch(2);
    expect(armsOf(world)).toStrictEqual([WIDE]);
    world.hear('AdaptationSuggestion', suggestion({ from: WIDE, to: RAW }));
    expect(armsOf(world.finish(1, { usedArm: true }))).toStrictEqual([RAW]);
  });

  test('says with each result which arm was looked at, whoever chose it', () => {
    const world = new World({ tunables: [TUNABLE], slots: 3 }).join(learning);
    world.hear('AdaptationSuggestion', suggestion());
    world.dispatch(1).dispatch(2, { arm: RAW }).dispatch(3);
    world.take();
    world.finish(1, { usedArm: true }).finish(2, { usedArm: true }).finish(3, { usedArm: false });
    expect(world.sent('TaskCompletion').map(({ arm }) => arm)).toStrictEqual([
      WIDE,
      RAW,
      undefined,
    ]);
  });

  test('says with which other parameters a handler computed, and what it forecasts if it succeeds', () => {
    const world = new World({ tunables: [TUNABLE] }).join(learning);
    const findings = {
      ranWith: RAW,
      predicted: { mean: 1 },
      alternatives: [{ arm: WIDE, predicted: { mean: 2 } }],
    };
    world.dispatch(1, { arm: NARROW }).dispatch(2, { arm: NARROW });
    world.take();
    world.finish(1, { usedArm: true, findings });
    world.finish(2, { usedArm: true, findings, outcome: 'failed' });
    const { predicted, alternatives } = findings;
    const [succeeded, failed] = world.sent('TaskCompletion');
    expect(succeeded).toMatchObject({ arm: RAW, predicted, alternatives });
    expect(failed).toMatchObject({ arm: RAW });
    expect(failed).not.toHaveProperty('predicted');
    expect(failed).not.toHaveProperty('alternatives');
  });

  test('forecasts nothing with a result that turned out too long or whose parts were lost', () => {
    const world = new World({ tunables: [TUNABLE] }).join(learning);
    const findings = { predicted: { mean: 1 } };
    world.dispatch(1).dispatch(2);
    world.take();
    world.finish(1, { findings, payload: new Uint8Array(1001) });
    const [tooLong] = world.sent('TaskCompletion');
    expect(tooLong).toMatchObject({ outcome: 'failed' });
    expect(tooLong).not.toHaveProperty('predicted');
    world.core.tasks.payloadBytesMax = 2 ** 30;
    world.tell({ type: 'ChunkEmitted', lease: leaseOf(2), payload: new Uint8Array(2 ** 25) });
    world.finish(2, { findings });
    expect(world.sent('TaskCompletion')[0]).toHaveProperty('predicted');
    world
      .lose()
      .pass(1000)
      .join({ resumedLeases: [leaseOf(2)] });
    const [repeated] = world.sent('TaskCompletion');
    expect(repeated).toMatchObject({ outcome: 'failed' });
    expect(repeated).not.toHaveProperty('predicted');
  });
});
