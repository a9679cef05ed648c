/** Records wait for each other only where that has lately saved a write, and never long. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JournalRecord, KeptSubmission } from '../src/core/journal-records.ts';
import { JournalPace, PATIENCE_MS } from '../src/shell/journal-pace.ts';

let pace: JournalPace;
let nowMs: number;
let lastNumber: number;

beforeEach(() => {
  pace = new JournalPace();
  nowMs = 1000;
  lastNumber = 0;
});

const note = (record: object): void => pace.note(record as JournalRecord, nowMs);

function accept({ idempotent = true } = {}): string {
  lastNumber += 1;
  const taskId = `task-${lastNumber}`;
  const submission = { taskId, idempotent } as KeptSubmission;
  note({ kind: 'task', submission });
  return taskId;
}

function give(options = {}): string {
  const taskId = accept(options);
  note({ kind: 'leased', taskId });
  return taskId;
}

/** Tasks are given away, are written down, and end after so long. */
function run(count: number, tookMs: number): void {
  for (let i = 0; i < count; i += 1) {
    const taskId = give();
    const waitMs = Math.min(pace.waitMs(nowMs), tookMs);
    nowMs += waitMs;
    if (waitMs < tookMs) pace.written(nowMs);
    nowMs += tookMs - waitMs;
    note({ kind: 'ended', taskId });
    expect(pace.waitMs(nowMs)).toBe(0);
    pace.written(nowMs);
  }
}

describe('what waits for the disk', () => {
  it('is written at once as long as nobody knows how fast tasks end', () => {
    give();
    expect(pace.waitMs(nowMs)).toBe(0);
  });

  it('waits for the end of a task where tasks end at once, until it is there or would be late', () => {
    run(10, 0.5);
    const taskId = give();
    expect(pace.waitMs(nowMs)).toBe(PATIENCE_MS);
    nowMs += 0.5;
    expect(pace.waitMs(nowMs)).toBe(PATIENCE_MS - 0.5);
    note({ kind: 'ended', taskId });
    expect(pace.waitMs(nowMs)).toBe(0);
    pace.written(nowMs);
    give();
    nowMs += PATIENCE_MS;
    expect(pace.waitMs(nowMs)).toBe(0);
  });

  it('waits for the ends of all, counted from the first', () => {
    run(10, 0.5);
    const first = give();
    nowMs += 1;
    const second = give();
    note({ kind: 'ended', taskId: first });
    expect(pace.waitMs(nowMs)).toBe(PATIENCE_MS - 1);
    note({ kind: 'ended', taskId: second });
    expect(pace.waitMs(nowMs)).toBe(0);
  });

  it('does not wait when something else is to be written', () => {
    run(10, 0.5);
    for (const other of [
      // No agent has it.
      () => accept(),
      // Its agent is given it when it is on disk.
      () => give({ idempotent: false }),
      () => note({ kind: 'cancelRequested', taskId: give(), reason: 'x' }),
      () => note({ kind: 'requeued', taskId: give() }),
    ]) {
      give();
      other();
      expect(pace.waitMs(nowMs)).toBe(0);
      pace.written(nowMs);
      give();
      expect(pace.waitMs(nowMs)).toBe(PATIENCE_MS);
      pace.written(nowMs);
    }
  });

  it('stops waiting when tasks take longer, and begins again when they do not', () => {
    run(10, 0.5);
    run(10, 50);
    give();
    expect(pace.waitMs(nowMs)).toBe(0);
    pace.written(nowMs);
    run(10, 0.5);
    give();
    expect(pace.waitMs(nowMs)).toBe(PATIENCE_MS);
  });

  it('learns from waiting in vain, though no end is heard of', () => {
    run(10, 0.5);
    for (let i = 0; i < 10; i += 1) {
      give();
      nowMs += pace.waitMs(nowMs);
      pace.written(nowMs);
    }
    give();
    expect(pace.waitMs(nowMs)).toBe(0);
  });

  it('does not wait with what nobody waits for', () => {
    run(10, 0.5);
    note({ kind: 'acknowledged', taskId: 'task-1' });
    nowMs += 50;
    give();
    expect(pace.waitMs(nowMs)).toBe(PATIENCE_MS);
  });
});
