/** Entries of the journal say the same when they are read, in fewer bytes. */
import { encodeDocument } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import { foldRecord } from '../src/core/journal-fold.ts';
import type { JournalRecord, TaskRecord } from '../src/core/journal-records.ts';
import { BytePool } from '../src/shell/byte-pool.ts';
import { decodeRecords, encodeRecords } from '../src/shell/journal-codec.ts';
import { CoreHarness, taskIdOf } from './core-harness.ts';

function folded(records: readonly JournalRecord[]): Map<string, TaskRecord> {
  const tasks = new Map<string, TaskRecord>();
  for (const record of records) foldRecord(tasks, record);
  return tasks;
}

/** What is written of some tasks, turn by turn. */
function someTurns(): JournalRecord[][] {
  const features = ['durable', 'dependencies', 'fairness', 'hedging'] as const;
  const swarm = new CoreHarness({ features });
  const client = swarm.client();
  const agent = swarm.agent('a1', { slots: 2, credit: 2 });
  const turns: JournalRecord[][] = [];
  const turn = (): void => {
    const before = turns.flat().length;
    swarm.sync();
    turns.push(swarm.disk.synced.slice(before));
  };
  client.submit(1, { durable: true, payload: new Uint8Array(300).fill(7) });
  client.submit(2, {
    durable: true,
    idempotencyKey: 'k',
    priority: 1,
    idempotent: false,
    labels: { zone: 'a' },
    retry: { maximumAttempts: 9, nonRetryableErrorTypes: ['X'] },
    scheduleToCloseMs: 60_000,
    fairnessKey: 'f',
    onClientLoss: 'cancel',
    hedge: true,
    startToCloseMs: 5,
  });
  client.submit(3, { durable: true, delayMs: 500, after: [taskIdOf(1)] });
  turn();
  const [task] = agent.takeTasks();
  if (task !== undefined) agent.fail(task, 'FLAKY', true);
  client.submit(4, { durable: true });
  client.say('CancelTask', { requestId: 1, taskId: taskIdOf(2), reason: 'enough', graceMs: 1 });
  turn();
  swarm.advance(1000, () => agent.heartbeat());
  for (const each of agent.takeTasks())
    agent.complete(each, { payload: new Uint8Array([1, 2, 3]) });
  turn();
  client.say('MessageAck', { taskId: taskIdOf(1), status: 'RECEIVED' });
  turn();
  return turns;
}

describe('an entry', () => {
  it('says what its records say', () => {
    const turns = someTurns();
    const pool = new BytePool();
    const read = turns.flatMap((records) => decodeRecords(encodeRecords(records), pool));
    expect(folded(read)).toEqual(folded(turns.flat()));
    expect(folded(read).size).toBe(4);
  });

  it('has half the bytes of records that say everything', () => {
    const [first = []] = someTurns();
    const plain = first.filter((record) => record.kind !== 'task' || record.order !== 2);
    const without = encodeDocument(plain).length - 300;
    expect(encodeRecords(plain).length - 300).toBeLessThan(without / 2);
  });

  it('of a later release is refused, and not misread', () => {
    expect(() => decodeRecords(encodeDocument({ format: 2, records: [] }), new BytePool())).toThrow(
      'format 2',
    );
  });

  it('keeps no reference to the bytes that it was read from', () => {
    const bytes = encodeRecords(someTurns()[0] ?? []);
    const [task] = decodeRecords(bytes, new BytePool());
    const input = task?.kind === 'task' ? task.submission.payload : undefined;
    bytes.fill(0);
    expect(input).toEqual(new Uint8Array(300).fill(7));
  });
});
