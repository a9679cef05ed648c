/** Random lists of events: whatever happens in whatever order, the core stays consistent and keeps its promises. */
import fc from 'fast-check';
import { failure, type Arm, type Lease, type Verdict } from '@quic-swarm/protocol';
import { expect, test } from 'vitest';
import type { Effect, RunnableTask } from '../../src/core/effects.ts';
import { World, leaseOf, runnableOf, taskIdOf } from './world.ts';

const datasetId = `sha256:${'0'.repeat(64)}`;
const taskNumber = fc.integer({ min: 1, max: 8 });

const ARMS: readonly Arm[] = [{ n: 0 }, { n: 1 }, { n: 2 }];
const tunablesOf = (arms: readonly Arm[]) =>
  arms.length < 2 ? [] : [{ taskType: 'work', arms: [...arms], loss: 'squared' as const }];

const operation = fc.oneof(
  fc.record({ op: fc.constant('dispatch' as const), n: taskNumber, withData: fc.boolean() }),
  fc.record({
    op: fc.constant('finish' as const),
    n: taskNumber,
    ok: fc.boolean(),
    tookMs: fc.constantFrom(0.01, 0.01, 0.01, 0.3, 3, 50),
  }),
  // Enough of them to make the type known and the credit grow.
  fc.record({ op: fc.constant('spree' as const), tookMs: fc.constantFrom(0.01, 0.01, 0.2, 2) }),
  fc.record({ op: fc.constant('takeBack' as const), n: taskNumber }),
  fc.record({ op: fc.constant('begin' as const), n: taskNumber }),
  fc.record({ op: fc.constant('acknowledge' as const), n: taskNumber }),
  fc.record({ op: fc.constant('cancel' as const), n: taskNumber }),
  fc.record({ op: fc.constant('chunk' as const), n: taskNumber }),
  fc.record({ op: fc.constant('data' as const), n: taskNumber, ok: fc.boolean() }),
  fc.record({ op: fc.constant('recall' as const), n: taskNumber }),
  fc.record({
    op: fc.constant('lose' as const),
    jitter: fc.double({ min: 0, max: 0.99, noNaN: true }),
  }),
  fc.record({ op: fc.constant('join' as const), kept: fc.array(taskNumber, { maxLength: 4 }) }),
  fc.record({ op: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 2000 }) }),
  fc.record({ op: fc.constant('drain' as const), ms: fc.integer({ min: 0, max: 3000 }) }),
  fc.record({
    op: fc.constant('suggest' as const),
    // The last one is no arm of the agent.
    from: fc.integer({ min: 0, max: 3 }),
    to: fc.integer({ min: 0, max: 3 }),
    percent: fc.constantFrom(0, 10, 50, 100),
    expiresInMs: fc.constantFrom(0, 500, 1e9),
  }),
  fc.record({ op: fc.constant('retune' as const), arms: fc.subarray([...ARMS]) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never;

function leaseKeyOf({ epoch, taskId, attempt }: Lease): string {
  return `${epoch}/${taskId}/${attempt}`;
}

/** What the shell and the coordinator would know: which handlers run, and how often each ended. */
class Observer {
  /** By lease, with what runs one after the other in the same slot. The first of each slot has begun. */
  readonly running = new Map<string, RunnableTask[]>();
  /** What the agent offers. */
  arms: readonly Arm[] = ARMS;
  readonly data = new Set<string>();
  /** The most that was granted. */
  granted = 0;
  /** Whose start was told on this connection. */
  readonly said = new Set<string>();

  see(effects: readonly Effect[], world: World): void {
    for (const effect of effects) {
      const runnable = runnableOf(effect);
      if (runnable.length > 0) {
        const slot: RunnableTask[] = [];
        for (const each of runnable) {
          const key = leaseKeyOf(each.lease);
          expect(this.running.has(key), `${key} started twice`).toBe(false);
          if (each.arm !== undefined)
            expect(this.arms, 'an arm is on offer').toContainEqual(each.arm);
          this.running.set(key, slot);
          slot.push(each);
        }
        const slots = new Set(this.running.values());
        expect(slots.size).toBeLessThanOrEqual(world.core.tasks.leases.slots);
      } else if (effect.type === 'AbortTask') {
        expect(this.running.has(leaseKeyOf(effect.lease))).toBe(true);
      } else if (effect.type === 'FetchDatasets') {
        expect(this.data.has(leaseKeyOf(effect.lease))).toBe(false);
        this.data.add(leaseKeyOf(effect.lease));
      } else if (effect.type === 'ReleaseDatasets') this.data.delete(leaseKeyOf(effect.lease));
      else if (effect.type === 'Send') {
        expect(world.core.session.state, effect.message.type).not.toBe('backingOff');
        const { type, body } = effect.message;
        if (type === 'CreditGrant') this.granted = Math.max(this.granted, body.credit);
        else if (type === 'LeaseReturn') {
          for (const lease of body.leases) {
            expect(this.running.has(leaseKeyOf(lease)), 'what was begun is not returned').toBe(
              false,
            );
          }
        }
        if (type === 'AgentHandshake') this.said.clear();
        else if (type === 'TaskStarted') {
          expect(this.said.has(leaseKeyOf(body)), 'a start is told once').toBe(false);
          this.said.add(leaseKeyOf(body));
        } else if (type === 'ResultChunk' && world.core.tasks.leases.findIn('running', body)) {
          expect(this.said.has(leaseKeyOf(body)), 'a chunk comes after the start').toBe(true);
        }
      }
    }
  }

  /** The handler has ended. */
  end(key: string): boolean {
    const slot = this.running.get(key);
    // Those behind the first of a slot have not begun.
    if (slot === undefined || leaseKeyOf((slot[0] as RunnableTask).lease) !== key) return false;
    slot.shift();
    return this.running.delete(key);
  }

  /** What stands behind the first in the slot of a lease is taken back, as much of it as was not begun. */
  takeBack(key: string): { first: Lease; behind: RunnableTask[] } | undefined {
    const slot = this.running.get(key);
    const [first] = slot ?? [];
    if (slot === undefined || first === undefined) return undefined;
    const behind = slot.splice(1);
    for (const { lease } of behind) this.running.delete(leaseKeyOf(lease));
    return { first: first.lease, behind };
  }
}

function apply(world: World, observer: Observer, operation: Operation, attempts: number[]): void {
  const leaseFor = (n: number): Lease => leaseOf(n, attempts[n] ?? 1);
  switch (operation.op) {
    case 'dispatch': {
      const datasets = operation.withData ? [datasetId] : [];
      if (!world.core.session.isConnected) return;
      world.dispatch(operation.n, { ...leaseFor(operation.n), datasets });
      return;
    }
    case 'finish': {
      const lease = leaseFor(operation.n);
      if (!observer.end(leaseKeyOf(lease))) return;
      attempts[operation.n] = lease.attempt + 1;
      const outcome = operation.ok ? 'succeeded' : 'cancelled';
      world.tell({
        type: 'TaskFinished',
        lease,
        result: { outcome, computeMs: 1, usedArm: false, serviceMs: operation.tookMs },
      });
      return;
    }
    case 'spree':
      spree(world, observer, operation.tookMs);
      return;
    case 'takeBack': {
      const taken = observer.takeBack(leaseKeyOf(leaseFor(operation.n)));
      if (taken === undefined) return;
      world.tell({ type: 'TaskTurnedOutLong', lease: taken.first, tookMs: 3 });
      world.tell({ type: 'TasksTakenBack', tasks: taken.behind });
      return;
    }
    case 'begin': {
      const lease = leaseFor(operation.n);
      // Only the first of a slot can have begun.
      const slot = observer.running.get(leaseKeyOf(lease));
      if (slot !== undefined && leaseKeyOf((slot[0] as RunnableTask).lease) !== leaseKeyOf(lease)) {
        return;
      }
      world.tell({ type: 'TasksBegun', leases: [lease] });
      return;
    }
    case 'acknowledge': {
      const lease = leaseOf(operation.n, Math.max(1, (attempts[operation.n] ?? 1) - 1));
      world.hear('MessageAck', { lease, status: 'PROCESSED' });
      return;
    }
    case 'cancel':
      world.hear('CancelTask', { taskId: taskIdOf(operation.n), reason: '', graceMs: 10 });
      return;
    case 'chunk':
      world.tell({
        type: 'ChunkEmitted',
        lease: leaseFor(operation.n),
        payload: new Uint8Array(3),
      });
      return;
    case 'data': {
      const lease = leaseFor(operation.n);
      if (!observer.data.has(leaseKeyOf(lease))) return;
      if (operation.ok) world.tell({ type: 'DatasetsReady', lease });
      else if (world.core.tasks.leases.findIn('running', lease) === undefined) {
        observer.data.delete(leaseKeyOf(lease));
        world.tell({ type: 'DatasetsFailed', lease, failure: failure('CONNECTION_LOST', '') });
      }
      return;
    }
    case 'recall':
      world.hear('LeaseRecall', { leases: [leaseFor(operation.n)] });
      return;
    case 'lose':
      world.lose(failure('CONNECTION_LOST', ''), operation.jitter);
      return;
    case 'join':
      if (world.core.session.state !== 'connecting') return;
      world.join({ resumedLeases: operation.kept.map(leaseFor) });
      return;
    case 'pass':
      world.pass(operation.ms);
      return;
    case 'suggest': {
      if (!world.core.session.isConnected) return;
      const { from, to, percent: canaryPercent, expiresInMs } = operation;
      const arms = { from: { n: from }, to: { n: to } };
      world.hear('AdaptationSuggestion', {
        suggestionId: 's',
        agentType: 'compute',
        taskType: 'work',
        evidence: VERDICT,
        ...arms,
        canaryPercent,
        expiresInMs,
      });
      const fits = [arms.from, arms.to].every((arm) => observer.arms.some(({ n }) => n === arm.n));
      const [answer] = world.sent('AdaptationAck');
      expect(answer?.accepted).toBe(fits);
      return;
    }
    case 'retune': {
      const tunables = tunablesOf(operation.arms);
      observer.arms = tunables.length === 0 ? [] : operation.arms;
      world.tell({ type: 'CapabilitiesChanged', capabilities: ['work'], tunables });
      return;
    }
    case 'drain':
      world.tell({ type: 'DrainRequested', deadlineMs: operation.ms, reason: 'random' });
  }
}

const VERDICT: Verdict = {
  taskType: 'work',
  candidateArmId: 'b',
  incumbentArmId: 'a',
  decision: 'adopt',
  pairs: 0,
  meanDifference: 0,
  lower: -1,
  upper: 1,
  logEvidence: 0,
  logEvidenceAgainst: 0,
  alpha: 0.05,
  unpaired: 0,
  explanation: '',
};

/** More would only take longer to check. */
const SPREE_MAX = 24;

let lastSpreeTask = 1000;

/** Fills the credit with tasks and ends those that run, several times over. */
function spree(world: World, observer: Observer, tookMs: number): void {
  // An agent that drains takes nothing, so that its credit would never be full.
  for (let round = 0; round < 10 && world.core.state === 'connected'; round += 1) {
    while (world.core.tasks.leases.live < Math.min(SPREE_MAX, world.core.tasks.credit.granted)) {
      world.dispatch((lastSpreeTask += 1));
      observer.see(world.take(), world);
    }
    for (const slot of new Set(observer.running.values())) {
      const [first] = slot;
      if (first === undefined || Number(first.lease.taskId.slice(-12)) <= 1000) continue;
      if (!observer.end(leaseKeyOf(first.lease))) continue;
      const result = { outcome: 'succeeded', computeMs: tookMs, usedArm: false } as const;
      world.tell({
        type: 'TaskFinished',
        lease: first.lease,
        result: { ...result, serviceMs: tookMs },
      });
      world.hear('MessageAck', { lease: first.lease, status: 'PROCESSED' });
      observer.see(world.take(), world);
    }
  }
}

test('random events never make the core contradict itself', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.array(operation, { maxLength: 80 }),
      (slots, operations) => {
        const world = new World({ slots, tunables: tunablesOf(ARMS) }).join();
        const observer = new Observer();
        const attempts: number[] = [];
        observer.see(world.take(), world);
        for (const step of operations) {
          apply(world, observer, step, attempts);
          observer.see(world.take(), world);
          expect(world.core.tasks.leases.live).toBeLessThanOrEqual(observer.granted);
          if (world.core.state === 'stopped') return;
        }
      },
    ),
    { numRuns: 300 },
  );
});
