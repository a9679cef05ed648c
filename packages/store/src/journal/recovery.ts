/**
 * What the journal is after a crash or a damage. Entries must follow each other from the one after the snapshot to the last
 * one that the state record names. An end that cannot be read, with nothing readable behind it, is cut off; anything else
 * that is damaged or missing is an error, because later entries were built on it.
 */
import type { JournalEntry, StoreNotice } from '../contract.ts';
import type { Engine, KeyValue, Operation } from '../engine.ts';
import { corrupt } from '../failures.ts';
import { chunkRange, firstSequenceOf } from '../keys.ts';
import { chunkOf, entriesOf, remainsOf } from './chunk.ts';

/** What {@link recoverJournal} found. */
export interface RecoveredJournal {
  readonly lastSequence: number;
  /** Chunks that a snapshot has taken the place of, and what cuts the damaged end off. */
  readonly repairs: readonly Operation[];
  readonly notice?: StoreNotice;
}

/**
 * Reads the whole journal.
 *
 * @throws STORE_CORRUPT
 */
export async function recoverJournal(
  engine: Engine,
  snapshotSequence: number,
  lastSequence: number,
): Promise<RecoveredJournal> {
  const recovery = new JournalRecovery(snapshotSequence, lastSequence);
  let previous: KeyValue | undefined;
  for await (const page of engine.read(chunkRange(0))) {
    for (const pair of page) {
      if (previous !== undefined) recovery.add(previous, firstSequenceOf(pair[0]));
      previous = pair;
    }
  }
  if (previous !== undefined) recovery.add(previous, undefined);
  return recovery.finish();
}

class JournalRecovery {
  readonly #snapshotSequence: number;
  /** The last entry by the state record. */
  readonly #recordedSequence: number;
  readonly #repairs: Operation[] = [];
  /** The entry that must come next. */
  #expected: number;
  #hasBegun = false;
  /** The first entry that could not be read; everything from there on must be unreadable too. */
  #damagedSequence: number | undefined;

  constructor(snapshotSequence: number, recordedSequence: number) {
    this.#snapshotSequence = snapshotSequence;
    this.#recordedSequence = recordedSequence;
    this.#expected = snapshotSequence + 1;
  }

  add(pair: KeyValue, nextFirst: number | undefined): void {
    const [key] = pair;
    const first = firstSequenceOf(key);
    if (nextFirst !== undefined && nextFirst <= this.#snapshotSequence + 1) {
      // All of its entries are in the snapshot: a crash came before they were removed.
      this.#repairs.push({ key, value: undefined });
      return;
    }
    // A snapshot may end in the middle of the first chunk.
    if (!this.#hasBegun) this.#expected = Math.min(this.#expected, first);
    this.#hasBegun = true;
    const entries = entriesOf(pair);
    if (this.#damagedSequence !== undefined) {
      const remains = entries === undefined ? remainsOf(pair) : { entries, hasMore: false };
      if (remains.entries.length > 0 || remains.hasMore) throw this.#damageInTheMiddle();
      this.#repairs.push({ key, value: undefined });
    } else if (first !== this.#expected) {
      throw corrupt(`the entries from ${this.#expected} to ${first - 1} are missing`);
    } else if (entries === undefined) {
      this.#keepRemains(pair);
    } else {
      this.#keepRecorded(key, entries);
    }
  }

  finish(): RecoveredJournal {
    const readableSequence = Math.max(this.#expected - 1, this.#snapshotSequence);
    if (this.#damagedSequence === undefined) {
      if (readableSequence < this.#recordedSequence) {
        throw corrupt(
          `the entries from ${readableSequence + 1} to ${this.#recordedSequence} are missing`,
        );
      }
      return { lastSequence: readableSequence, repairs: this.#repairs };
    }
    const lost = this.#recordedSequence - readableSequence;
    const what = lost > 0 ? `${lost} entries were lost` : 'no acknowledged entry was lost';
    return {
      lastSequence: readableSequence,
      repairs: this.#repairs,
      notice: {
        type: 'TAIL_CUT',
        message: `The end of the journal was unreadable and was cut off after entry ${readableSequence}; ${what}.`,
        lastSequence: readableSequence,
      },
    };
  }

  /** Entries that the state record does not know were being written when the power went. */
  #keepRecorded(key: Buffer, entries: readonly JournalEntry[]): void {
    const recorded = entries.filter(({ sequence }) => sequence <= this.#recordedSequence);
    if (recorded.length < entries.length) this.#rewrite(key, recorded);
    this.#expected += recorded.length;
    if (recorded.length < entries.length) this.#damagedSequence = this.#expected;
  }

  #keepRemains(pair: KeyValue): void {
    const { entries, hasMore } = remainsOf(pair);
    this.#expected += entries.length;
    this.#damagedSequence = this.#expected;
    if (hasMore) throw this.#damageInTheMiddle();
    this.#rewrite(pair[0], entries);
  }

  #rewrite(key: Buffer, entries: readonly JournalEntry[]): void {
    const runs = entries.map(({ epoch, payload }) => ({ epoch, payloads: [payload] }));
    const first = firstSequenceOf(key);
    this.#repairs.push(entries.length === 0 ? { key, value: undefined } : chunkOf(first, runs));
  }

  #damageInTheMiddle(): Error {
    return corrupt(`entry ${this.#damagedSequence} cannot be read, and later ones can`);
  }
}
