/**
 * When what waits for the disk is written. At once, as a rule: whoever submitted a task waits until it is on disk. But a
 * task that its agent ends within a moment waits for the disk twice, since its end has to be there as well. So where
 * tasks have lately ended that fast, the record of a new one waits for its end, and one write says both.
 */
import type { JournalRecord } from '../core/journal-records.ts';

/** So long a record waits for others at most: more than a short task takes to go to its agent and come back. */
export const PATIENCE_MS = 2;

/** So many of the last tasks, by weight, must have ended within that time. */
const QUICKNESS_MIN = 0.5;
const WEIGHT_OF_LAST = 0.25;

/** See the head of this file. */
export class JournalPace {
  /** Tasks that are to be written down as accepted, and that no agent has. */
  readonly #waiting = new Set<string>();
  /** Those that an agent has, and that have not ended. */
  readonly #open = new Set<string>();
  /** Something is to be written that no end of a task has to do with. */
  #isUrgent = false;
  /** When the first record came that somebody waits for. */
  #sinceMs: number | undefined;
  /** The task by which it is seen how fast they end, and when it was given away. */
  #sample: { readonly taskId: string; readonly atMs: number } | undefined;
  /** The part of the last tasks that ended in time, from 0 to 1. */
  #quickness = 0;

  /** A record is to be written. */
  note(record: JournalRecord, nowMs: number): void {
    if (record.kind === 'acknowledged') return;
    this.#sinceMs ??= nowMs;
    switch (record.kind) {
      case 'task':
        // What must not be started twice is sent to its agent when it is on disk, and not before.
        if (record.submission.idempotent === false) this.#isUrgent = true;
        else this.#waiting.add(record.submission.taskId);
        return;
      case 'leased':
        if (!this.#waiting.delete(record.taskId)) return;
        this.#open.add(record.taskId);
        // The last one of many is the slowest.
        this.#sample = { taskId: record.taskId, atMs: nowMs };
        return;
      case 'ended':
        this.#waiting.delete(record.taskId);
        this.#open.delete(record.taskId);
        this.#noteEnd(record.taskId, nowMs);
        return;
      default:
        this.#isUrgent = true;
    }
  }

  /** In how long what was noted is to be written; 0 is now. */
  waitMs(nowMs: number): number {
    if (this.#isUrgent || this.#waiting.size > 0 || this.#open.size === 0) return 0;
    if (this.#quickness < QUICKNESS_MIN) return 0;
    return Math.max(0, PATIENCE_MS - (nowMs - (this.#sinceMs ?? nowMs)));
  }

  /** Everything that was noted is being written. */
  written(nowMs: number): void {
    const waitedMs = nowMs - (this.#sinceMs ?? nowMs);
    if (this.#open.size > 0 && waitedMs >= PATIENCE_MS) this.#learn(0);
    this.#waiting.clear();
    this.#open.clear();
    this.#isUrgent = false;
    this.#sinceMs = undefined;
  }

  #noteEnd(taskId: string, nowMs: number): void {
    if (this.#sample?.taskId !== taskId) return;
    this.#learn(nowMs - this.#sample.atMs <= PATIENCE_MS ? 1 : 0);
    this.#sample = undefined;
  }

  #learn(outcome: number): void {
    this.#quickness += WEIGHT_OF_LAST * (outcome - this.#quickness);
  }
}
