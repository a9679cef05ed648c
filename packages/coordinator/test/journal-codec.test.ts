/** Entries of the journal say the same when they are read, in fewer bytes. */
import { encodeDocument } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import { foldRecord } from '../src/core/journal-fold.ts';
import type { JournalRecord, TaskRecord } from '../src/core/journal-records.ts';
import { BytePool } from '../src/shell/byte-pool.ts';
import { decodeRecords, encodeRecords } from '../src/shell/journal-codec.ts';
import { CoreHarness, taskIdOf } from './core-harness.ts';

/** What is read of the entries that the records are written as. */
function reread(records: readonly JournalRecord[]): JournalRecord[] {
  const pool = new BytePool();
  return encodeRecords(records).flatMap((entry) => decodeRecords(entry, pool));
}

function bytesOf(records: readonly JournalRecord[]): number {
  return encodeRecords(records).reduce((sum, { length }) => sum + length, 0);
}

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
    const read = turns.flatMap(reread);
    expect(folded(read)).toEqual(folded(turns.flat()));
    expect(folded(read).size).toBe(4);
  });

  it('has a quarter of the bytes of records that say everything', () => {
    const [first = []] = someTurns();
    const plain = first.filter((record) => record.kind !== 'task' || record.order !== 2);
    const without = encodeDocument(plain).length - 300;
    expect(bytesOf(plain) - 300).toBeLessThan(without / 4);
  });

  it('of a later release is refused, and not misread', () => {
    expect(() => decodeRecords(encodeDocument([3]), new BytePool())).toThrow('format 3');
    const map = encodeDocument({ format: 3, records: [] });
    expect(() => decodeRecords(map, new BytePool())).toThrow('format 3');
  });

  it('is one of several when there are many records, which keep their order', () => {
    const many = Array.from({ length: 1000 }, (_, index): JournalRecord => ({
      kind: 'acknowledged',
      taskId: taskIdOf(index),
    }));
    expect(encodeRecords(many).length).toBeGreaterThan(1);
    expect(reread(many)).toEqual(many);
  });

  it('of the first format is still read', () => {
    const taskId = taskIdOf(1);
    const end = {
      state: 'succeeded',
      attempt: 1,
      agentId: 'a1',
      deadLettered: false,
      endedAtMs: 9,
    };
    const records = [
      {
        kind: 'task',
        submission: { taskId, taskType: 'test.work', payload: new Uint8Array([5]) },
        clientName: 'c',
        order: 1,
        acceptedAtMs: 7,
        lease: { epoch: 1, attempt: 1, agentId: 'a1' },
        attempt: 1,
      },
      { kind: 'ended', taskId, ...end, chunkCount: 0, payload: new Uint8Array([6]) },
      { kind: 'acknowledged', taskId },
    ];
    const read = decodeRecords(encodeDocument({ format: 1, records }), new BytePool());
    expect(read[0]).toMatchObject({
      submission: {
        taskType: 'test.work',
        priority: 3,
        durable: true,
        payload: new Uint8Array([5]),
      },
      lease: { epoch: 1, attempt: 1, agentId: 'a1' },
    });
    expect(folded(read).get(taskId)).toMatchObject({
      acceptedAtMs: 7,
      isAcknowledged: true,
      end: { ...end, payload: new Uint8Array([6]) },
    });
  });

  it('keeps no reference to the bytes that it was read from', () => {
    const [bytes = new Uint8Array()] = encodeRecords(someTurns()[0] ?? []);
    const [task] = decodeRecords(bytes, new BytePool());
    const input = task?.kind === 'task' ? task.submission.payload : undefined;
    bytes.fill(0);
    expect(input).toEqual(new Uint8Array(300).fill(7));
  });
});
