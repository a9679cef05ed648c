/**
 * Random lives: operations in any order, a disk that writes now and then, and power cuts between them. Whatever was
 * acknowledged is there in the next life, what was told of an end stays true, and in the end everything has ended.
 */
import fc from 'fast-check';
import { failure, isTerminal, type Lease, type SubmitTask } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import { CoreHarness, taskIdOf, type PlayedAgent, type PlayedClient } from './core-harness.ts';

type Operation = readonly [kind: number, a: number, b: number];

const OPTIONS = {
  pendingTasksMax: 40,
  finishedTasksMax: 15,
  snapshotRecordsMin: 40,
  mergedTaskTypes: ['PatternMatch'],
  features: ['durable', 'dependencies', 'fairness', 'shards', 'hedging'] as const,
};

interface Worker {
  readonly id: string;
  agent: PlayedAgent;
  readonly held: Lease[];
}

/** Lives of one coordinator, and what its clients were told in all of them. */
class RandomLives {
  swarm: CoreHarness = new CoreHarness(OPTIONS);
  client: PlayedClient = this.swarm.client();
  workers: Worker[] = [];
  submitted = 0;
  /** Durable tasks whose acceptance was told. */
  readonly accepted = new Set<string>();
  /** The final states that were told. */
  readonly ends = new Map<string, string>();
  /** Dead letters that were dropped or replayed, which nobody needs to know any more. */
  readonly dropped = new Set<string>();
  #effectsSeen = 0;

  apply([kind, a, b]: Operation): void {
    const worker = this.workers.length === 0 ? undefined : this.workers[a % this.workers.length];
    if (kind <= 3) this.submit(a, b);
    else if (kind === 4) this.join(`a${a % 3}`, b);
    else if (kind === 5) this.vanish(worker);
    else if (kind === 6) this.swarm.advance(b * 30);
    else if (kind <= 8) this.swarm.sync();
    else if (kind === 9) this.powerCut();
    else if (kind === 10) this.cancel(a);
    else if (kind === 11) this.breakDisk(b);
    else if (kind === 12) this.controlDeadLetter(a, b);
    else if (worker !== undefined) this.work(worker, kind, b);
    this.mergeShards();
    this.collect();
  }

  submit(a: number, b: number): void {
    this.submitted += 1;
    const options: Partial<SubmitTask> = { durable: a % 4 !== 0, watch: 'result' };
    if (b % 2 === 0) options.hedge = true;
    if (b % 5 === 0) options.fairnessKey = `k${a % 3}`;
    if (b % 7 === 0) options.delayMs = 200;
    if (b % 11 === 0) options.idempotent = false;
    if (b % 6 === 0) options.scheduleToCloseMs = 5000;
    if (b % 4 === 0) options.retry = { maximumAttempts: 2, initialIntervalMs: 100 };
    if (b % 9 === 0) Object.assign(options, { shards: 2, positions: 10 });
    if (b % 3 === 0) options.after = [taskIdOf((a % this.submitted) + 1)];
    this.client.submit(this.submitted, options);
  }

  join(id: string, b: number): void {
    const known = this.workers.find((worker) => worker.id === id);
    if (known !== undefined && b % 2 === 0) this.vanish(known);
    if (this.workers.some((worker) => worker.id === id)) return;
    this.connect({ id, held: [] }, b);
  }

  connect({ id, held }: { id: string; held: Lease[] }, b: number): void {
    const agent = this.swarm.agent(id, { credit: (b % 3) + 1, heldLeases: held });
    if (agent.closedWith !== undefined) return;
    const resumed = agent.take('AgentAck').flatMap(({ resumedLeases }) => resumedLeases);
    this.workers.push({ id, agent, held: resumed });
  }

  vanish(worker: Worker | undefined): void {
    if (worker === undefined) return;
    worker.agent.vanish();
    this.workers = this.workers.filter((other) => other !== worker);
  }

  powerCut(): void {
    this.collect();
    const before = this.workers;
    this.swarm = this.swarm.nextLife();
    this.client = this.swarm.client();
    this.workers = [];
    this.#effectsSeen = 0;
    for (const taskId of this.accepted) {
      const task = this.swarm.core.state.tasks.get(taskId);
      if (task === undefined) continue;
      this.client.say('WatchTask', { requestId: 0, taskId, watch: 'result' });
    }
    this.client.take('SubmitAck');
    for (const { id, held } of before) this.connect({ id, held }, 5);
  }

  cancel(a: number): void {
    const taskId = taskIdOf((a % Math.max(1, this.submitted)) + 1);
    this.client.say('CancelTask', { requestId: 0, taskId, reason: 'x', graceMs: 1 });
  }

  breakDisk(b: number): void {
    if (this.swarm.core.state.journal.failure === undefined) {
      this.swarm.disk.crash();
      this.swarm.feed({
        type: 'JournalFailed',
        failure: failure('STORE_FULL', 'The disk is full.'),
      });
    } else if (b % 2 === 0) {
      this.swarm.feed({ type: 'JournalReopened' });
    }
  }

  controlDeadLetter(a: number, b: number): void {
    const dead = [...this.swarm.core.state.deadLetters.keys()];
    const taskId = dead[a % Math.max(1, dead.length)];
    if (taskId === undefined) return;
    this.submitted += 1;
    this.dropped.add(taskId);
    this.client.say('ControlDeadLetter', {
      requestId: this.submitted,
      taskId,
      action: b % 2 === 0 ? 'drop' : 'replay',
      replayId: taskIdOf(this.submitted),
      watch: 'result',
    });
  }

  work({ agent, held }: Worker, kind: number, b: number): void {
    held.push(...agent.takeTasks());
    const lease = held[b % Math.max(1, held.length)];
    if (lease === undefined) return;
    if (kind === 13) agent.say('TaskStarted', leaseOf(lease));
    if (kind === 14 || kind === 17) agent.complete(lease, { payload: new Uint8Array([b % 9]) });
    if (kind === 15) agent.fail({ ...lease } as never, 'TASK_FAILED', b % 3 !== 0);
    if (kind === 16) agent.heartbeat(held);
    // A result is kept until it was acknowledged, so that it is still held and listed in the next life.
    const done = new Set(agent.take('MessageAck').map(({ lease }) => lease?.taskId));
    for (const each of [...held]) if (done.has(each.taskId)) held.splice(held.indexOf(each), 1);
  }

  mergeShards(): void {
    const { effects } = this.swarm;
    while (this.#effectsSeen < effects.length) {
      const effect = effects[this.#effectsSeen];
      this.#effectsSeen += 1;
      if (effect?.type !== 'MergeShards') continue;
      const merged = { payload: new Uint8Array([1]), resultType: undefined };
      this.swarm.feed({ type: 'ShardsMerged', taskId: effect.taskId, merged });
    }
  }

  collect(): void {
    for (const { taskId } of this.client.take('SubmitAck')) {
      const task = this.swarm.core.state.tasks.get(taskId);
      if (task?.durability !== undefined) this.accepted.add(taskId);
    }
    for (const [taskId, { state, durable }] of this.client.ends()) {
      const before = this.ends.get(taskId);
      expect(before ?? state, `task ${taskId} ended twice`).toBe(state);
      this.ends.set(taskId, state);
      if (durable === true) this.client.say('MessageAck', { taskId, status: 'RECEIVED' });
    }
  }

  /** The disk works, able agents come and answer everything. */
  heal(): void {
    if (this.swarm.core.state.journal.failure !== undefined) {
      this.swarm.feed({ type: 'JournalReopened' });
    }
    this.swarm.sync();
    const helpers = ['w0', 'w1'].map((id) => this.swarm.agent(id, { slots: 50, credit: 50 }));
    for (let round = 0; round < 400 && this.swarm.core.state.pendingTasks > 0; round++) {
      for (const agent of [...helpers, ...this.workers.map((worker) => worker.agent)]) {
        for (const task of agent.takeTasks()) agent.complete(task);
        agent.heartbeat();
      }
      this.swarm.sync();
      this.swarm.advance(500);
      this.mergeShards();
      this.collect();
    }
    this.swarm.sync();
    this.collect();
  }
}

function leaseOf({ epoch, taskId, attempt }: Lease): Lease {
  return { epoch, taskId, attempt };
}

const operation = fc.tuple(fc.nat(17), fc.nat(1000), fc.nat(1000));

describe('random lives', () => {
  it('lose nothing that was acknowledged, and change no end that was told', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 150, size: 'max' }), (operations) => {
        const lives = new RandomLives();
        for (const each of operations) lives.apply(each);
        lives.heal();
        expect(lives.swarm.core.state.pendingTasks).toBe(0);
        expect(lives.swarm.core.state.journal.heldEffects).toBe(0);
        for (const taskId of lives.accepted) {
          const task = lives.swarm.core.state.tasks.get(taskId);
          if (task === undefined && lives.dropped.has(taskId)) continue;
          // Forgotten is only what was told.
          const known = task === undefined ? lives.ends.get(taskId) : task.state;
          expect(known, `task ${taskId} was acknowledged and is lost`).toBeDefined();
          expect(isTerminal(known as never)).toBe(true);
          expect(lives.ends.get(taskId) ?? known).toBe(known);
        }
      }),
      { numRuns: 100 },
    );
  });
});
