/** What the coordinator learns: arms at dispatch, outcomes, shadows, and what agents are told to use. */
import {
  decodeInput,
  encodeDocument,
  type Arm,
  type BodyOf,
  type Tunable,
} from '@quic-swarm/protocol';
import { armIdOf, judge as judgeArms } from '@quic-swarm/reasoning';
import { describe, expect, it } from 'vitest';
import { CoreHarness, taskIdOf, type PlayedAgent, type PlayedClient } from './core-harness.ts';

const ARMS: Arm[] = [
  { window: 5, k: 30 },
  { window: 20, k: 30 },
  { window: 40, k: 30 },
  { window: 40, k: 5 },
];
const TUNABLE: Tunable = {
  taskType: 'PatternMatch',
  arms: ARMS,
  freeParameters: ['k'],
  loss: 'squared',
};

function learningSwarm(options: object = {}): CoreHarness {
  return new CoreHarness({ features: ['learning'], ...options });
}

function tunableAgent(swarm: CoreHarness, id = 'a1', options: object = {}): PlayedAgent {
  const { credit = 2, ...rest } = { ...options } as { credit?: number };
  const agent = swarm.agent(id, { ...rest, credit: 0 });
  // Before it takes tasks, or the first ones would come without an arm.
  agent.say('TunableOffer', { tunables: [TUNABLE] });
  agent.say('CreditGrant', { credit });
  return agent;
}

/** Forecasts 0.5 too much, more the further the window is from the good one. */
function forecastOf({ window }: Arm, good: number): { mean: number } {
  return { mean: 1 + 0.2 * Math.abs(Math.log2(Number(window) / good)) };
}

/** Computes all tasks that the agent was given, as a handler would whose good window is named. */
function work(agent: PlayedAgent, good: number): BodyOf<'AgentTask'>[] {
  const tasks = agent.takeTasks();
  for (const task of tasks) {
    if (task.arm === undefined) agent.complete(task);
    else {
      agent.complete(task, {
        arm: task.arm,
        predicted: forecastOf(task.arm, good),
        alternatives: ARMS.filter(({ window }) => window === task.arm?.['window']).map((arm) => ({
          arm,
          predicted: forecastOf(arm, good),
        })),
      });
    }
  }
  return tasks;
}

function tellOutcome(client: PlayedClient, taskId: string, actual = 1): void {
  client.say('TaskOutcome', { requestId: 99, taskId, actual });
}

describe('a task that is learnt from', () => {
  it('is given an arm of those that its agents have declared, and no other task is', () => {
    const swarm = learningSwarm();
    const agent = tunableAgent(swarm);
    const client = swarm.client();
    client.submit(1, { learn: {} });
    client.submit(2);
    const [first, second] = agent.takeTasks();
    expect(ARMS).toContainEqual(first?.arm);
    expect(second?.arm).toBeUndefined();
  });

  it('is computed without an arm where nobody has declared any, and is refused where nothing is learnt', () => {
    const swarm = learningSwarm();
    const agent = swarm.agent('a1');
    swarm.client().submit(1, { learn: {} });
    expect(agent.takeTasks()).toMatchObject([{ taskId: taskIdOf(1) }]);
    const deaf = new CoreHarness();
    const client = deaf.client();
    client.submit(1, { learn: {} });
    expect(client.take('ErrorReport')).toMatchObject([{ failure: { type: 'UNSUPPORTED_OPTION' } }]);
  });

  it('keeps its arm when it is tried again', () => {
    const swarm = learningSwarm();
    const agent = tunableAgent(swarm, 'a1', { credit: 1 });
    const client = swarm.client();
    client.submit(1, { learn: {}, retry: { initialIntervalMs: 0 } });
    const [first] = agent.takeTasks();
    if (first === undefined) throw new Error('no task came');
    agent.fail(first, 'Sorry', true);
    swarm.advance(10);
    expect(agent.takeTasks()).toMatchObject([{ arm: first.arm, attempt: 2 }]);
  });

  it('takes one outcome, of a task that it knows, with a number that can be', () => {
    const swarm = learningSwarm();
    const agent = tunableAgent(swarm);
    const client = swarm.client();
    const taskId = client.submit(1, { learn: { shadow: false } });
    tellOutcome(client, taskId);
    expect(client.take('ErrorReport')).toMatchObject([
      { failure: { type: 'EXPERIENCE_NOT_FOUND' } },
    ]);
    work(agent, 20);
    client.say('TaskOutcome', { requestId: 98, taskId });
    expect(client.take('ErrorReport')).toMatchObject([{ failure: { type: 'BAD_INPUT' } }]);
    tellOutcome(client, taskId);
    expect(client.take('MessageAck')).toMatchObject([{ requestId: 99, status: 'PROCESSED' }]);
    tellOutcome(client, taskId);
    expect(client.take('ErrorReport')).toMatchObject([{ failure: { type: 'OUTCOME_EXISTS' } }]);
  });

  it('teaches something about arms that were not used: those that came free', () => {
    const swarm = learningSwarm();
    const agent = tunableAgent(swarm);
    const client = swarm.client();
    const taskId = client.submit(1, { learn: { shadow: false } });
    const [task] = work(agent, 20);
    tellOutcome(client, taskId);
    const { experiences } = swarm.core.state.bank;
    const known = experiences.armStatistics('PatternMatch').map(({ resolved }) => resolved);
    // Windows of 40 are declared with two values of k.
    expect(known).toEqual(task?.arm?.['window'] === 40 ? [1, 1] : [1]);
  });
});

describe('a shadow', () => {
  /** A task is done, and a shadow of it has been given to somebody. */
  function shadowed(options: { withReasoning?: boolean; durable?: boolean } = {}) {
    const swarm = learningSwarm({ features: ['learning', 'durable'] });
    const agent = tunableAgent(swarm);
    const helper =
      options.withReasoning === true
        ? swarm.agent('r1', { agentType: 'reasoning', capabilities: ['PatternMatch'] })
        : undefined;
    const client = swarm.client();
    const taskId = client.submit(1, { learn: {}, durable: options.durable ?? false });
    const [task] = work(agent, 20);
    if (options.durable === true) swarm.sync();
    return { swarm, agent, helper, client, taskId, task };
  }

  it('repeats the task with another arm, and nobody hears of its end', () => {
    const { swarm, agent, client, task, taskId } = shadowed();
    expect(client.ends().size).toBe(1);
    const before = swarm.effects.length;
    const [shadow] = work(agent, 20);
    expect(shadow?.taskId).not.toBe(taskId);
    expect(shadow?.payload).toEqual(task?.payload);
    expect(shadow?.arm?.['window']).not.toBe(task?.arm?.['window']);
    expect(client.ends().size).toBe(0);
    expect(swarm.effects.slice(before).some(({ type }) => type === 'TaskEnded')).toBe(false);
    expect(swarm.core.state.tasks.get(shadow?.taskId ?? '')).toBeUndefined();
    expect(swarm.core.state.pendingTasks).toBe(0);
    // It has none of its own.
    expect(agent.takeTasks()).toEqual([]);
  });

  it('runs at a reasoning agent where there is one', () => {
    const { agent, helper } = shadowed({ withReasoning: true });
    expect(agent.takeTasks()).toEqual([]);
    expect(helper?.takeTasks()).toHaveLength(1);
  });

  it('is compared with the task, whether its answer comes before the outcome or after', () => {
    for (const isLate of [false, true]) {
      const { swarm, agent, client, taskId } = shadowed();
      if (isLate) tellOutcome(client, taskId);
      work(agent, 20);
      if (!isLate) tellOutcome(client, taskId);
      const { bank } = swarm.core.state;
      const arms = bank.experiences.experiences().filter(({ actual }) => actual === 1);
      expect(new Set(arms.map(({ arm }) => arm['window'])).size).toBe(2);
    }
  });

  it('is tried once, and keeps nobody from leaving', () => {
    const { swarm, agent } = shadowed();
    const [shadow] = agent.takeTasks();
    if (shadow === undefined) throw new Error('no shadow came');
    agent.fail(shadow, 'Sorry', true);
    swarm.advance(60_000);
    expect(agent.takeTasks()).toEqual([]);
    const { swarm: other, agent: worker } = shadowed();
    other.feed({ type: 'DrainRequested' });
    expect(other.core.isIdle).toBe(true);
    expect(worker.take('CancelTask')).toHaveLength(1);
  });

  it('is not made of a task that may be started only once, that wants none, or that is a shadow', () => {
    const swarm = learningSwarm();
    const agent = tunableAgent(swarm);
    const client = swarm.client();
    client.submit(1, { learn: {}, idempotent: false });
    client.submit(2, { learn: { shadow: false } });
    expect(work(agent, 20)).toHaveLength(2);
    expect(agent.takeTasks()).toEqual([]);
  });
});

describe('agents', () => {
  /** Submits tasks one after the other, and tells how each turned out. */
  function learn(
    swarm: CoreHarness,
    agent: PlayedAgent,
    client: PlayedClient,
    { tasks, good, from = 1 }: { tasks: number; good: number; from?: number },
  ): void {
    for (let n = from; n < from + tasks; n += 1) {
      const taskId = client.submit(n, { learn: { seriesId: 's', step: n } });
      while (work(agent, good).length > 0);
      tellOutcome(client, taskId);
      client.take('MessageAck');
      swarm.nowMs += 10;
    }
  }

  it('are told step by step to use an arm that is better than theirs', () => {
    const swarm = learningSwarm();
    const agent = tunableAgent(swarm);
    const client = swarm.client();
    learn(swarm, agent, client, { tasks: 900, good: 40 });
    const told = agent.take('AdaptationSuggestion');
    expect(told.map(({ canaryPercent }) => canaryPercent)).toEqual([10, 50, 100]);
    expect(told.map(({ from }) => from['window'])).toEqual([5, 5, 5]);
    for (const { to, evidence } of told) {
      expect(to['window']).toBe(40);
      expect(evidence.meanDifference).toBeGreaterThan(0);
    }
    expect(swarm.effects.filter(({ type }) => type === 'ArmSuggested')).toHaveLength(3);
    // Who comes later is told as well.
    const late = tunableAgent(swarm, 'a2');
    expect(late.take('AdaptationSuggestion')).toMatchObject([
      { canaryPercent: 100, to: told[2]?.to },
    ]);
    // And so is everybody by a coordinator that was started again.
    const next = learningSwarm();
    next.feed({
      type: 'BankRestored',
      snapshot: structuredClone(swarm.core.state.bank.snapshot()),
    });
    expect(tunableAgent(next).take('AdaptationSuggestion')).toMatchObject([
      { canaryPercent: 100, from: ARMS[0], to: told[2]?.to },
    ]);
  });

  it('are told to go back when things have changed while an arm was tried', () => {
    const swarm = learningSwarm();
    const agent = tunableAgent(swarm);
    const client = swarm.client();
    let n = 1;
    while (agent.take('AdaptationSuggestion').length === 0 && n < 900) {
      learn(swarm, agent, client, { tasks: 1, good: 40, from: n });
      n += 1;
    }
    expect(n).toBeLessThan(900);
    learn(swarm, agent, client, { tasks: 400, good: 5, from: n });
    const [next] = agent.take('AdaptationSuggestion');
    expect(next).toMatchObject({ canaryPercent: 100, to: ARMS[0] });
    expect(next?.evidence.decision).toMatch(/rollback|drift/);
  });

  it('that cannot do what is suggested end the trial', () => {
    const swarm = learningSwarm();
    const agent = tunableAgent(swarm);
    const client = swarm.client();
    let suggestion: BodyOf<'AdaptationSuggestion'> | undefined;
    for (let n = 1; suggestion === undefined && n < 900; n += 1) {
      learn(swarm, agent, client, { tasks: 1, good: 40, from: n });
      [suggestion] = agent.take('AdaptationSuggestion');
    }
    const { suggestionId = '' } = suggestion ?? {};
    agent.say('AdaptationAck', { suggestionId, accepted: false, reason: 'no memory' });
    const [next] = agent.take('AdaptationSuggestion');
    expect(next).toMatchObject({ canaryPercent: 100, to: suggestion?.from });
    expect(next?.evidence.explanation).toContain('no memory');
  });

  it('have an arm judged by one of them before it is theirs, and it is given up when that finds it worse', () => {
    for (const decision of ['adopt', 'rollback'] as const) {
      const swarm = learningSwarm();
      const agent = tunableAgent(swarm);
      const judge = swarm.agent('r1', {
        agentType: 'reasoning',
        capabilities: ['ReasoningJudge'],
      });
      const client = swarm.client();
      let task: BodyOf<'AgentTask'> | undefined;
      for (let n = 1; task === undefined && n < 900; n += 1) {
        learn(swarm, agent, client, { tasks: 1, good: 40, from: n });
        [task] = judge.takeTasks();
      }
      if (task?.payload === undefined) throw new Error('nothing was to be judged');
      const [suggestion] = agent.take('AdaptationSuggestion');
      const input = decodeInput('ReasoningJudge', task.payload);
      expect(input).toMatchObject({ incumbentArmId: 'k=30,window=5', taskType: 'PatternMatch' });
      expect(input.candidateArmId).toBe(armIdOf(suggestion?.to ?? {}));
      expect(input.experiences.length).toBeGreaterThan(20);
      const verdict = { ...judgeArms(input), decision };
      judge.complete(task, { payload: encodeDocument(verdict), resultType: 'Verdict' });
      const next = agent.take('AdaptationSuggestion');
      if (decision === 'adopt') expect(next).toEqual([]);
      else expect(next).toMatchObject([{ canaryPercent: 100, to: suggestion?.from }]);
    }
  });

  it('go back to their own arm when what was learnt is forgotten', () => {
    const swarm = learningSwarm();
    const agent = tunableAgent(swarm);
    const client = swarm.client();
    learn(swarm, agent, client, { tasks: 900, good: 40 });
    agent.take('AdaptationSuggestion');
    client.say('ControlReasoning', { requestId: 5, action: 'reset' });
    expect(agent.take('AdaptationSuggestion')).toMatchObject([{ canaryPercent: 100, to: ARMS[0] }]);
    expect(swarm.core.state.bank.experiences.size).toBe(0);
    expect(tunableAgent(swarm, 'a2').take('AdaptationSuggestion')).toEqual([]);
  });
});

it('what was learnt outlives the coordinator, and so does the wish to learn', () => {
  const swarm = CoreHarness.durable({ features: ['durable', 'learning'] });
  const client = swarm.client();
  client.submit(1, { durable: true, learn: { context: new Float64Array([1, 2]), step: 3 } });
  swarm.sync();
  const next = swarm.nextLife();
  const agent = tunableAgent(next);
  const [task] = work(agent, 20);
  expect(ARMS).toContainEqual(task?.arm);
  const [experience] = next.core.state.bank.experiences.experiences();
  expect(experience).toMatchObject({ context: new Float64Array([1, 2]), issuedAtStep: 3 });
  const snapshot = structuredClone(next.core.state.bank.snapshot());
  const last = learningSwarm();
  last.feed({ type: 'BankRestored', snapshot });
  expect(tunableAgent(last, 'other').take('AdaptationSuggestion')).toEqual([]);
  const other = last.client();
  tellOutcome(other, taskIdOf(1));
  expect(other.take('MessageAck')).toHaveLength(1);
});
