/**
 * What is on disk and what waits for it. The core decides as if every record were written at once; whatever would let
 * somebody outside rely on a record is held back until it is (output commit: Strom and Yemini, "Optimistic Recovery in
 * Distributed Systems", ACM TOCS 3(3), 1985). So nothing that was acknowledged can be lost, and the disk works while
 * the agents compute.
 *
 * When the disk fails, submissions that wait are refused and everything else waits on, until the whole state has been
 * written to a store that works again.
 */
import type { Failure } from '@quic-swarm/protocol';
import type { CoordinatorEffect } from './effects.ts';
import { Fifo } from './fifo.ts';
import type { JournalRecord } from './journal-records.ts';
import type { Task } from './task.ts';

/** An effect that waits for the disk. */
export interface HeldEffect {
  readonly position: number;
  readonly effect: CoordinatorEffect;
  /** The durable task that it is about. */
  readonly task: Task;
}

/** See the head of this file. Positions number the records of this life from 1. */
export class Journal {
  #position = 0;
  #committed = 0;
  #held = new Fifo<HeldEffect>();
  #failure: Failure | undefined;
  #recordsSinceSnapshot = 0;

  /** Of the last record. */
  get position(): number {
    return this.#position;
  }

  /** Every record up to this position is on disk. */
  get committed(): number {
    return this.#committed;
  }

  /** Why nothing can be written at the moment; undefined when it can. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Effects that wait. */
  get heldEffects(): number {
    return this.#held.size;
  }

  /** Records that the next start would have to read beside the last snapshot. */
  get recordsSinceSnapshot(): number {
    return this.#recordsSinceSnapshot;
  }

  /** Numbers a record and says that it is to be written. While the disk fails it is only numbered: the snapshot will say it. */
  append(record: JournalRecord, effects: CoordinatorEffect[]): number {
    this.#position += 1;
    this.#recordsSinceSnapshot += 1;
    if (this.#failure === undefined) {
      effects.push({ type: 'AppendJournal', position: this.#position, record });
    }
    return this.#position;
  }

  /** True when a record at this position is not on disk yet. */
  isOpen(position: number): boolean {
    return position > this.#committed;
  }

  /** Holds an effect back until everything that was appended so far is on disk. */
  hold(effect: CoordinatorEffect, task: Task): void {
    this.#held.push({ position: this.#position, effect, task });
  }

  /** Everything up to the position is on disk: what waited for it may happen. */
  commit(position: number, effects: CoordinatorEffect[]): void {
    if (position > this.#committed) this.#committed = position;
    for (;;) {
      const first = this.#held.peek();
      if (first === undefined || first.position > this.#committed) return;
      this.#held.shift();
      effects.push(first.effect);
    }
  }

  /** Nothing can be written any more. Returns what waits about tasks of whose acceptance nobody was told: they are to be taken
   *  back. */
  fail(failure: Failure): readonly HeldEffect[] {
    this.#failure ??= failure;
    const held = this.#held;
    this.#held = new Fifo();
    const unaccepted: HeldEffect[] = [];
    for (let each = held.shift(); each !== undefined; each = held.shift()) {
      const acceptedAt = each.task.durability?.acceptedAt ?? 0;
      if (this.isOpen(acceptedAt)) unaccepted.push(each);
      else this.#held.push(each);
    }
    return unaccepted;
  }

  /** Records can be written again, behind a snapshot of everything up to the position that is returned. */
  reopen(): number {
    this.#failure = undefined;
    return this.noteSnapshot();
  }

  /** So many records of earlier lives lie behind the last snapshot. */
  noteRestored(recordsSinceSnapshot: number): void {
    this.#recordsSinceSnapshot = recordsSinceSnapshot;
  }

  /** A snapshot begins: of everything up to the position that is returned. */
  noteSnapshot(): number {
    this.#recordsSinceSnapshot = 0;
    return this.#position;
  }
}
