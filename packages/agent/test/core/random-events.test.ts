/** Random lists of events: whatever happens in whatever order, the core stays consistent and keeps its promises. */
import fc from 'fast-check';
import { failure, type Lease } from '@quic-swarm/protocol';
import { expect, test } from 'vitest';
import type { Effect } from '../../src/core/effects.ts';
import { creditOf } from '../../src/core/leases.ts';
import { World, leaseOf, taskIdOf } from './world.ts';

const datasetId = `sha256:${'0'.repeat(64)}`;
const taskNumber = fc.integer({ min: 1, max: 8 });

const operation = fc.oneof(
  fc.record({ op: fc.constant('dispatch' as const), n: taskNumber, withData: fc.boolean() }),
  fc.record({ op: fc.constant('finish' as const), n: taskNumber, ok: fc.boolean() }),
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
);
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never;

function leaseKeyOf({ epoch, taskId, attempt }: Lease): string {
  return `${epoch}/${taskId}/${attempt}`;
}

/** What the shell and the coordinator would know: which handlers run, and how often each ended. */
class Observer {
  readonly running = new Set<string>();
  readonly data = new Set<string>();
  /** Whose start was told on this connection. */
  readonly said = new Set<string>();

  see(effects: readonly Effect[], world: World): void {
    for (const effect of effects) {
      if (effect.type === 'RunTask') {
        const key = leaseKeyOf(effect.lease);
        expect(this.running.has(key), `${key} started twice`).toBe(false);
        this.running.add(key);
        expect(this.running.size).toBeLessThanOrEqual(world.core.tasks.leases.slots);
      } else if (effect.type === 'AbortTask') {
        expect(this.running.has(leaseKeyOf(effect.lease))).toBe(true);
      } else if (effect.type === 'FetchDatasets') {
        expect(this.data.has(leaseKeyOf(effect.lease))).toBe(false);
        this.data.add(leaseKeyOf(effect.lease));
      } else if (effect.type === 'ReleaseDatasets') this.data.delete(leaseKeyOf(effect.lease));
      else if (effect.type === 'Send') {
        expect(world.core.session.state, effect.message.type).not.toBe('backingOff');
        const { type, body } = effect.message;
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
      if (!observer.running.delete(leaseKeyOf(lease))) return;
      attempts[operation.n] = lease.attempt + 1;
      const outcome = operation.ok ? 'succeeded' : 'cancelled';
      world.tell({
        type: 'TaskFinished',
        lease,
        result: { outcome, computeMs: 1, usedArm: false },
      });
      return;
    }
    case 'begin':
      world.tell({ type: 'TasksBegun', leases: [leaseFor(operation.n)] });
      return;
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
    case 'drain':
      world.tell({ type: 'DrainRequested', deadlineMs: operation.ms, reason: 'random' });
  }
}

test('random events never make the core contradict itself', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.array(operation, { maxLength: 120 }),
      (slots, operations) => {
        const world = new World({ slots }).join();
        const observer = new Observer();
        const attempts: number[] = [];
        world.take();
        for (const step of operations) {
          apply(world, observer, step, attempts);
          observer.see(world.take(), world);
          const { waiting, running } = world.core.tasks.leases;
          expect(waiting.size + running.size).toBeLessThanOrEqual(creditOf(slots));
          if (world.core.state === 'stopped') return;
        }
      },
    ),
    { numRuns: 300 },
  );
});
