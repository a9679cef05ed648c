/**
 * The coordinator's disk, which outlives it: a journal of records that are synced in groups, and snapshots.
 *
 * - What is not synced is lost in a crash, but for a prefix of it, which may have been written already (a torn write).
 * - The disk may be full or fail in an fsync: the journal closes, what was not synced is as uncertain as in a crash, and
 *   is opened again later, behind a snapshot of everything.
 * - A snapshot is read bit by bit while the journal goes on, and takes the place of what it stands for in one step.
 * - As a negative control only, it lies: in a crash it loses records that it said were synced.
 */
import type { JournalRecord } from '@quic-swarm/coordinator';
import type { RandomStream } from './random-stream.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What a disk is like. */
export interface DiskHabits {
  /** How long an fsync takes, at least and at most. */
  readonly syncMsMin: number;
  readonly syncMsMax: number;
  /** Loses what it said was synced: a control that the checkers must notice. */
  readonly isLying: boolean;
}

/** The life of the coordinator that has it open. */
export interface DiskUser {
  committed(position: number): void;
  failed(): void;
  reopened(): void;
}

interface Entry {
  readonly position: number;
  readonly record: JournalRecord;
}

interface Snapshot {
  readonly position: number;
  readonly records: JournalRecord[];
  readonly source: Iterator<JournalRecord>;
}

/** Records of a snapshot that are read at once. */
const SNAPSHOT_STEP = 4;

/** Synced records that a lying disk loses at most. */
const LIES_MAX = 8;

/** See the head of this file. */
export class SimulatedDisk {
  readonly #clock: VirtualClock;
  readonly #random: RandomStream;
  readonly #habits: DiskHabits;
  #user: DiskUser | undefined;
  /** What the last snapshot says, and what was synced behind it. */
  #base: JournalRecord[] = [];
  #log: Entry[] = [];
  #unsynced: Entry[] = [];
  #isSyncing = false;
  #isFailed = false;
  /** It was opened again, and nothing counts before the snapshot is complete. */
  #awaitsSnapshot = false;
  #snapshot: Snapshot | undefined;
  #onAppend: (() => void) | undefined;
  /** Those who wait until an entry is on disk. */
  #waiters: { readonly entry: Entry | undefined; readonly action: () => void }[] = [];

  constructor(clock: VirtualClock, random: RandomStream, habits: DiskHabits) {
    this.#clock = clock;
    this.#random = random;
    this.#habits = habits;
  }

  /** A life begins: returns what the earlier ones left, in order. */
  open(user: DiskUser): readonly JournalRecord[] {
    this.#user = user;
    const records = [...this.#base, ...this.#log.map(({ record }) => record)];
    // Positions begin anew with each life; what there is stands before all of them.
    this.#base = records;
    this.#log = [];
    return records;
  }

  append(position: number, record: JournalRecord): void {
    if (this.#isFailed) return;
    this.#unsynced.push({ position, record });
    this.#sync();
    const onAppend = this.#onAppend;
    this.#onAppend = undefined;
    if (onAppend !== undefined) {
      // While it is being synced, or just afterwards.
      this.#clock.after(this.#random.between(0, 2 * this.#habits.syncMsMin), onAppend);
    }
  }

  /** Does it soon after something was written the next time: the moment at which most can go wrong. */
  atNextAppend(action: () => void): void {
    this.#onAppend = action;
  }

  /** Begins a snapshot; one that is not complete yet is given up for it. */
  takeSnapshot(position: number, source: Iterable<JournalRecord>): void {
    // A process that was frozen may ask for it when the disk has failed anew, and will ask again when that works.
    if (this.#isFailed) return;
    this.#snapshot = { position, records: [], source: source[Symbol.iterator]() };
    this.#readSnapshot(this.#snapshot);
  }

  /** Calls back when all that was appended so far is on disk, or cannot be. */
  onFlushed(action: () => void): void {
    this.#waiters.push({ entry: this.#unsynced.at(-1), action });
    this.#wake();
  }

  /** The process that has it open writes what is left, and ends. */
  close(): void {
    if (!this.#isFailed && !this.#awaitsSnapshot) this.#log.push(...this.#unsynced.splice(0));
    this.crash();
  }

  /** The process that has it open is gone. */
  crash(): void {
    this.#user = undefined;
    this.#waiters = [];
    this.#tear();
    if (this.#habits.isLying)
      this.#log.length -= this.#random.below(Math.min(LIES_MAX, this.#log.length + 1));
  }

  /** It is full, or an fsync has failed; it works again after a while. */
  fail(forMs: number): void {
    const user = this.#user;
    if (this.#isFailed || user === undefined) return;
    this.#tear();
    this.#isFailed = true;
    user.failed();
    this.#clock.after(forMs, () => {
      if (this.#user !== user) return;
      this.#isFailed = false;
      this.#awaitsSnapshot = true;
      user.reopened();
    });
  }

  /** What was not synced: some of it was written nevertheless, from the front. */
  #tear(): void {
    const survivors = this.#awaitsSnapshot ? 0 : this.#random.below(this.#unsynced.length + 1);
    this.#log.push(...this.#unsynced.slice(0, survivors));
    this.#unsynced = [];
    this.#snapshot = undefined;
    this.#isSyncing = false;
    this.#isFailed = false;
    this.#awaitsSnapshot = false;
    this.#wake();
  }

  #wake(): void {
    const left = new Set(this.#unsynced);
    const isReady = ({ entry }: { entry: Entry | undefined }): boolean =>
      entry === undefined || !left.has(entry);
    const ready = this.#waiters.filter(isReady);
    this.#waiters = this.#waiters.filter((waiter) => !isReady(waiter));
    // Not from inside of what the disk is just doing.
    for (const { action } of ready) this.#clock.after(0, action);
  }

  #sync(): void {
    if (this.#isSyncing || this.#unsynced.length === 0 || this.#awaitsSnapshot) return;
    this.#isSyncing = true;
    const group = this.#unsynced.length;
    const first = this.#unsynced[0];
    this.#afterSync(() => {
      // Torn meanwhile: what this sync was for is gone.
      if (!this.#isSyncing || this.#unsynced[0] !== first) return;
      this.#isSyncing = false;
      const synced = this.#unsynced.splice(0, group);
      this.#log.push(...synced);
      this.#user?.committed(synced.at(-1)?.position ?? 0);
      this.#wake();
      this.#sync();
    });
  }

  #readSnapshot(snapshot: Snapshot): void {
    this.#afterSync(() => {
      if (this.#snapshot !== snapshot) return;
      for (let read = 0; read < SNAPSHOT_STEP; read += 1) {
        const next = snapshot.source.next();
        if (next.done === true) {
          this.#completeSnapshot(snapshot);
          return;
        }
        snapshot.records.push(next.value);
      }
      this.#readSnapshot(snapshot);
    });
  }

  /** Takes the place of what was before, together with all that was appended while it was read. */
  #completeSnapshot(snapshot: Snapshot): void {
    const synced = [...this.#log, ...this.#unsynced];
    this.#afterSync(() => {
      if (this.#snapshot !== snapshot) return;
      this.#snapshot = undefined;
      this.#awaitsSnapshot = false;
      this.#base = snapshot.records;
      const seen = new Set(synced);
      const all = [...this.#log, ...this.#unsynced];
      this.#log = all.filter(
        (entry) =>
          entry.position > snapshot.position && (seen.has(entry) || this.#log.includes(entry)),
      );
      this.#unsynced = this.#unsynced.filter((entry) => !seen.has(entry));
      this.#isSyncing = false;
      const last = synced.at(-1)?.position ?? 0;
      this.#user?.committed(Math.max(snapshot.position, last));
      this.#wake();
      this.#sync();
    });
  }

  #afterSync(action: () => void): void {
    const { syncMsMin, syncMsMax } = this.#habits;
    const user = this.#user;
    this.#clock.after(this.#random.between(syncMsMin, syncMsMax), () => {
      if (this.#user === user && user !== undefined) action();
    });
  }
}
