/** Records become tasks again, whenever a snapshot was begun and however long it took. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldRecord } from '../src/core/journal-fold.ts';
import type { JournalRecord, TaskEnd, TaskRecord } from '../src/core/journal-records.ts';
import { RestoredTasks } from '../src/core/restored-tasks.ts';
import { CoreHarness, taskIdOf, type PlayedAgent } from './core-harness.ts';

function folded(records: Iterable<JournalRecord>): Map<string, TaskRecord> {
  const tasks = new Map<string, TaskRecord>();
  for (const record of records) foldRecord(tasks, record);
  return tasks;
}

/** What must be the same; times that have passed may be told or not. */
function essenceOf({ attempt, errors, losses, lease, cancelRequested, end }: TaskRecord) {
  return end === undefined ? { attempt, errors, losses, lease, cancelRequested } : { end };
}

/** A record as the next snapshot has it: what became of a task that has ended is also said of the task. */
function inFull(record: TaskRecord): TaskRecord {
  const { end } = record;
  if (end === undefined) return record;
  const { attempt, firstStartedAtMs, failure } = end;
  return { ...record, attempt, firstStartedAtMs, failure };
}

/** A coordinator that writes down what happens to some tasks. */
class Busy {
  readonly swarm: CoreHarness = CoreHarness.durable();
  readonly client = this.swarm.client();
  readonly agent: PlayedAgent = this.swarm.agent('a1', { slots: 3, credit: 3 });
  readonly held: ReturnType<PlayedAgent['takeTasks']> = [];
  #submitted = 0;

  get records(): JournalRecord[] {
    this.swarm.sync();
    return this.swarm.disk.synced;
  }

  act(kind: number, a: number): void {
    this.held.push(...this.agent.takeTasks());
    const task = this.held[a % Math.max(1, this.held.length)];
    if (kind <= 1) {
      this.#submitted += 1;
      this.client.submit(this.#submitted, { durable: true, retry: { maximumAttempts: 3 } });
    } else if (kind === 2 && this.#submitted > 0) {
      const taskId = taskIdOf((a % this.#submitted) + 1);
      this.client.say('CancelTask', { requestId: 0, taskId, reason: 'x', graceMs: 1 });
    } else if (kind === 3) {
      this.swarm.advance(a * 10, () => this.agent.heartbeat(this.held));
    } else if (task !== undefined) {
      this.held.splice(this.held.indexOf(task), 1);
      if (kind === 4) this.agent.complete(task, { payload: new Uint8Array([a % 9]) });
      if (kind === 5) this.agent.fail(task, 'FLAKY', true);
      if (kind === 6) {
        const { epoch, taskId, attempt } = task;
        this.agent.say('LeaseReturn', { leases: [{ epoch, taskId, attempt }], reason: 'r' });
      }
    }
  }
}

describe('tasks of earlier lives', () => {
  it('say, while they are read, what their records say', () => {
    const action = fc.tuple(fc.nat(6), fc.nat(50));
    const actions = fc.array(action, { minLength: 5, maxLength: 80, size: 'max' });
    fc.assert(
      fc.property(actions, (list) => {
        const busy = new Busy();
        for (const [kind, a] of list) busy.act(kind, a);
        const { records } = busy;
        const restored = new RestoredTasks(CoreHarness.durable({ wallOffsetMs: 1e12 }).core.state);
        for (const record of records) foldRecord(restored, record);
        const whole = folded(records);
        for (const [taskId, record] of whole) {
          expect(restored.get(taskId), taskId).toEqual(inFull(record));
        }
        expect(restored.index.size).toBe(whole.size);
      }),
      { numRuns: 100 },
    );
  });

  it('go on in the order in which they were accepted, whatever that of their records is', () => {
    const swarm = CoreHarness.durable();
    const client = swarm.client();
    for (let n = 1; n <= 50; n++) client.submit(n, { durable: true });
    swarm.sync();
    const accepted = swarm.disk.synced;
    const shuffled = fc.shuffledSubarray(accepted, { minLength: 50 });
    fc.assert(
      fc.property(shuffled, fc.nat(49), (records, forgotten) => {
        const restored = new RestoredTasks(CoreHarness.durable().core.state);
        for (const record of records) foldRecord(restored, record);
        const taskId = taskIdOf(forgotten + 1);
        foldRecord(restored, { kind: 'forgotten', taskId });
        const ids = restored.takeInOrder().map((task) => task.taskId);
        const all = Array.from({ length: 50 }, (_, index) => taskIdOf(index + 1));
        expect(ids).toEqual(all.filter((id) => id !== taskId));
      }),
    );
  });
});

describe('a snapshot that is read while the journal goes on', () => {
  it('says with the journal behind it what the whole journal says', () => {
    const action = fc.tuple(fc.nat(6), fc.nat(50));
    const actions = fc.array(action, { minLength: 5, maxLength: 80, size: 'max' });
    fc.assert(
      fc.property(actions, fc.nat(60), fc.integer({ min: 1, max: 4 }), (list, begin, pulls) => {
        const busy = new Busy();
        const images: JournalRecord[] = [];
        let from = 0;
        let snapshot: Iterator<JournalRecord> | undefined;
        for (const [n, [kind, a]] of list.entries()) {
          busy.act(kind, a);
          if (n === begin) {
            from = busy.records.length;
            snapshot = busy.swarm.core.snapshot();
          }
          for (let i = 0; i < pulls && snapshot !== undefined; i++) {
            const next = snapshot.next();
            if (next.done === true) snapshot = undefined;
            else images.push(structuredClone(next.value));
          }
        }
        for (let next = snapshot?.next(); next?.done === false; next = snapshot?.next()) {
          images.push(next.value);
        }
        const whole = folded(busy.records);
        const again = folded([...images, ...busy.records.slice(from)]);
        for (const [taskId, record] of whole) {
          const other = again.get(taskId);
          expect(other && essenceOf(other), taskId).toEqual(essenceOf(record));
        }
        expect(again.size).toBe(whole.size);
      }),
      { numRuns: 200 },
    );
  });

  it('forgets what was forgotten, and lets an id be used again', () => {
    const swarm = CoreHarness.durable();
    swarm.client().submit(1, { durable: true });
    swarm.sync();
    const [task] = swarm.disk.synced as TaskRecord[];
    if (task === undefined) throw new Error('nothing was written');
    const { taskId } = task.submission;
    expect(folded([task, { kind: 'forgotten', taskId }]).size).toBe(0);
    const end = { state: 'failed', attempt: 1, deadLettered: false, endedAtMs: 1 } as TaskEnd;
    const ended: JournalRecord = { kind: 'ended', taskId, end };
    expect(folded([task, ended, task]).get(taskId)?.end).toBeDefined();
    expect(folded([task, ended, { ...task, order: 9 }]).get(taskId)?.end).toBeUndefined();
  });
});
