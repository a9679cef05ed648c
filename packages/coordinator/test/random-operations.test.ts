/** Random lists of operations against the whole-state check: whatever happens in whatever order, nothing contradicts itself. */
import fc from 'fast-check';
import { isTerminal, failure } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import { CoreHarness, taskIdOf, type PlayedAgent, type PlayedClient } from './core-harness.ts';

type Operation = readonly [kind: number, a: number, b: number];

const TYPES = ['PatternMatch', 'FeatureEngineering', 'my.task'];

class RandomSwarm {
  readonly swarm = new CoreHarness({
    pendingTasksMax: 30,
    finishedTasksMax: 20,
    seed: 3,
    features: ['shards', 'hedging', 'fairness', 'dependencies'],
    mergedTaskTypes: TYPES,
  });
  readonly client: PlayedClient = this.swarm.client();
  readonly agents: {
    agent: PlayedAgent;
    id: string;
    held: ReturnType<PlayedAgent['takeTasks']>;
  }[] = [];
  submitted = 0;
  readonly ends = new Map<string, number>();
  #effectsSeen = 0;

  apply([kind, a, b]: Operation): void {
    const slot = this.agents.length === 0 ? undefined : this.agents[a % this.agents.length];
    switch (kind) {
      case 0:
      case 1:
      case 2:
        this.submit(a, b);
        break;
      case 3:
        this.join(`agent-${a % 4}`, b);
        break;
      case 4:
        if (slot !== undefined) {
          slot.agent.vanish();
          this.agents.splice(this.agents.indexOf(slot), 1);
        }
        break;
      case 5:
        this.swarm.advance(b * 40);
        this.mergeShards();
        break;
      case 6:
        this.client.say('CancelTask', {
          requestId: 0,
          taskId: this.anyTask(a),
          reason: 'x',
          graceMs: 1,
        });
        break;
      default:
        if (slot !== undefined) this.agentActs(slot, kind, b);
    }
    this.collect();
  }

  submit(a: number, b: number): void {
    this.submitted += 1;
    this.client.submit(this.submitted, {
      taskType: TYPES[a % 3] ?? 'x',
      priority: (b % 5) + 1,
      ...(b % 7 === 0 ? { delayMs: 100 } : {}),
      ...(b % 2 === 0 ? { hedge: true } : {}),
      ...(b % 17 === 0 ? { fairnessKey: `k${a % 2}` } : {}),
      ...(b % 10 === 0 && this.submitted > 1 ? { after: [taskIdOf(this.submitted - 1)] } : {}),
      ...(b % 5 === 0 ? { scheduleToCloseMs: 900 } : {}),
      ...(b % 11 === 0 ? { idempotent: false } : {}),
      ...(b % 6 === 0 ? { startToCloseMs: 50 } : {}),
      ...(b % 3 === 0 ? { shards: (b % 4) + 1, positions: (b % 8) * 3 } : {}),
      ...(b % 13 === 0 ? { shards: 'auto', positions: b * 1000 } : {}),
    });
  }

  join(id: string, b: number): void {
    const before = this.agents.find((slot) => slot.id === id);
    const agent = this.swarm.agent(id, {
      credit: (b % 3) + 1,
      capabilities: TYPES.slice(b % 2),
      agentType: b % 2 === 0 ? 'pattern' : 'feature',
      ...(before === undefined
        ? {}
        : { sessionToken: `token-${before.agent.connectionId}`, heldLeases: before.held }),
    });
    if (agent.closedWith !== undefined) return;
    if (before !== undefined) this.agents.splice(this.agents.indexOf(before), 1);
    this.agents.push({ agent, id, held: before === undefined ? [] : before.held });
  }

  agentActs({ agent, held }: (typeof this.agents)[number], kind: number, b: number): void {
    held.push(...agent.takeTasks());
    const task = held.length === 0 ? undefined : held[b % held.length];
    if (kind === 7) agent.heartbeat(b % 3 === 0 ? held.slice(1) : held);
    if (kind === 8) agent.say('CreditGrant', { credit: b % 4 });
    if (task === undefined) return;
    const { epoch, taskId, attempt } = task;
    if (kind === 9) agent.start(task);
    if (kind === 10) agent.complete(task);
    if (kind === 11) agent.fail(task, 'TASK_FAILED', b % 2 === 0);
    if (kind === 12)
      agent.say('LeaseReturn', { leases: [{ epoch, taskId, attempt }], reason: 'r' });
    if (kind === 13)
      agent.complete(task, { outcome: 'cancelled', failure: failure('TASK_CANCELLED', 'c') });
    // A completed task is sometimes still held, so that it is completed twice.
    if (kind >= 10 && b % 4 !== 0) held.splice(held.indexOf(task), 1);
  }

  anyTask(a: number): string {
    const ids = [...this.swarm.core.state.tasks.values()].map(({ taskId }) => taskId);
    return ids[a % Math.max(1, ids.length)] ?? '00000000-0000-7000-8000-000000000000';
  }

  /** Merges what is to be merged, now and then without success, and never at once. */
  mergeShards(): void {
    const { effects } = this.swarm;
    while (this.#effectsSeen < effects.length) {
      const effect = effects[this.#effectsSeen];
      this.#effectsSeen += 1;
      if (effect?.type !== 'MergeShards') continue;
      const merged =
        this.#effectsSeen % 5 === 0
          ? { failure: failure('TASK_FAILED', 'm') }
          : { payload: undefined, resultType: undefined };
      this.swarm.feed({ type: 'ShardsMerged', taskId: effect.taskId, merged });
    }
  }

  collect(): void {
    for (const taskId of this.client.ends().keys())
      this.ends.set(taskId, (this.ends.get(taskId) ?? 0) + 1);
  }
}

const operation = fc.tuple(fc.nat(13), fc.nat(1000), fc.nat(1000));

describe('random operations', () => {
  it('never contradict an invariant, and every accepted task ends exactly once', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120, size: 'max' }), (operations) => {
        const random = new RandomSwarm();
        const accepted = new Set<string>();
        for (const each of operations) {
          random.apply(each);
          for (const { taskId, existing } of random.client.take('SubmitAck'))
            if (!existing) accepted.add(taskId);
        }
        // In the end able agents come and answer everything.
        const workers = TYPES.map((_, n) =>
          random.swarm.agent(`w${n}`, {
            credit: 50,
            capabilities: TYPES,
            agentType: n === 0 ? 'pattern' : n === 1 ? 'feature' : 'compute',
          }),
        );
        for (let round = 0; round < 400 && !random.swarm.core.isIdle; round++) {
          for (const worker of workers) {
            for (const task of worker.takeTasks()) worker.complete(task);
            worker.heartbeat();
          }
          random.swarm.advance(500);
          random.mergeShards();
          random.collect();
        }
        random.collect();
        expect(random.swarm.core.isIdle).toBe(true);
        for (const taskId of accepted) expect(random.ends.get(taskId), taskId).toBe(1);
        expect(random.ends.size).toBe(accepted.size);
        for (const { state } of random.swarm.core.state.tasks.values())
          expect(isTerminal(state)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
