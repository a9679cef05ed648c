/**
 * Writes what the core wants to be written, and tells it when that is on disk. All records of one turn are appended to
 * the store together, and so are those of all turns that pass while the disk is busy.
 *
 * When the store fails the core is told, and the store is opened again from time to time: the core then wants a snapshot,
 * with which everything is on disk that happened meanwhile.
 */
import { setImmediate } from 'node:timers/promises';
import { SwarmError, toFailure, type Failure } from '@quic-swarm/protocol';
import type { Store } from '@quic-swarm/store';
import type { CoordinatorCore } from '../core/coordinator.ts';
import type { AppendJournal, TakeSnapshot } from '../core/effects.ts';
import type { JournalRecord } from '../core/journal-records.ts';
import { BytePool } from './byte-pool.ts';
import type { Driver } from './driver.ts';
import { decodeRecords, encodeRecords } from './journal-codec.ts';
import { JournalPace } from './journal-pace.ts';

/** Opened again after a failure so often. */
const REOPEN_INTERVAL_MS = 1000;

/** Records in one piece of a snapshot: a fraction of a millisecond to encode. */
const RECORDS_PER_PIECE = 64;

/** A record that nobody waits for may be so late: a sync of its own would keep others from theirs. */
const UNAWAITED_WITHIN_MS = 100;

/** Records of earlier lives that are taken in at once. */
const RECORDS_PER_REPLAY = 1024;

/** A longer entry is ended early. */
const ENTRY_BYTES_MAX = 8 * 1024 * 1024;

/** What the writer needs. */
export interface JournalWriterOptions {
  readonly store: Store;
  /** Of this life; the store was raised to it. */
  readonly epoch: number;
  /** Opens the store again after it has failed. */
  readonly reopen: () => Promise<Store>;
  /** Hears that the store failed, and (without a failure) that it works again. */
  readonly onChange: (failure: Failure | undefined) => void;
}

/** See the head of this file. */
export class JournalWriter {
  readonly #options: JournalWriterOptions;
  readonly #core: CoordinatorCore;
  readonly #driver: Driver;
  #store: Store;
  #records: JournalRecord[] = [];
  #recordBytes = 0;
  /** Somebody waits until one of these records is on disk. */
  #isAwaited = false;
  readonly #pace = new JournalPace();
  #paceTimer: NodeJS.Timeout | undefined;
  #soonTimer: NodeJS.Timeout | undefined;
  /** Of the last record. */
  #position = 0;
  /** Of the last one that was given to the store. */
  #given = 0;
  /** Of the last one that is in the journal on disk. */
  #written = 0;
  /** The store works again, but what happened meanwhile is not on disk before the snapshot is. */
  #isHealing = false;
  #snapshot: TakeSnapshot | undefined;
  #isTakingSnapshot = false;
  /** Those who wait until everything is on disk that was appended before. */
  #waiters: { readonly position: number; readonly resolve: () => void }[] = [];
  #reopenTimer: NodeJS.Timeout | undefined;
  #hasFailed = false;
  #isClosed = false;

  constructor(core: CoordinatorCore, driver: Driver, options: JournalWriterOptions) {
    this.#core = core;
    this.#driver = driver;
    this.#options = options;
    this.#store = options.store;
  }

  /** Tells the core what earlier lives have written. */
  async restore(): Promise<void> {
    const snapshot = await this.#store.latestSnapshot();
    const pool = new BytePool();
    let records: JournalRecord[] = [];
    let count = 0;
    const replay = (bytes: Uint8Array): void => {
      const decoded = decodeRecords(bytes, pool);
      count += decoded.length;
      records.push(...decoded);
      // An entry may hold a single record, and each event costs more than to take that in.
      if (records.length < RECORDS_PER_REPLAY) return;
      this.#driver.feed({ type: 'JournalReplayed', records });
      records = [];
    };
    if (snapshot !== undefined) for await (const piece of snapshot.pieces) replay(piece);
    const snapshotRecords = count;
    const from = (snapshot?.sequence ?? 0) + 1;
    for await (const { payload } of this.#store.tail(from)) replay(payload);
    this.#driver.feed({ type: 'JournalReplayed', records });
    this.#driver.feed({ type: 'JournalRestored', recordsSinceSnapshot: count - snapshotRecords });
  }

  append({ position, record }: AppendJournal): void {
    if (this.#hasFailed) return;
    this.#records.push(record);
    this.#position = position;
    this.#recordBytes += bytesOf(record);
    if (record.kind !== 'acknowledged') this.#isAwaited = true;
    this.#pace.note(record, this.#driver.now());
    if (this.#recordBytes > ENTRY_BYTES_MAX) this.#write();
  }

  /** A snapshot is wanted; it begins with the next {@link flush}. */
  takeSnapshot(effect: TakeSnapshot): void {
    this.#snapshot = effect;
  }

  /** The turn is over: what was appended in it is written. What nobody waits for goes with the next that somebody does. */
  flush(): void {
    if (this.#isAwaited) this.#writeNext();
    else if (this.#records.length > 0) this.#writeSoon();
    if (this.#snapshot !== undefined && !this.#isTakingSnapshot && !this.#hasFailed) {
      const { position } = this.#snapshot;
      this.#snapshot = undefined;
      void this.#writeSnapshot(this.#store, position);
    }
  }

  /** Resolves when everything that was appended so far is on disk, or cannot be. */
  async flushed(): Promise<void> {
    if (this.#records.length > 0) this.#write();
    if (this.#hasFailed || this.#written >= this.#position) return;
    await new Promise<void>((resolve) => {
      this.#waiters.push({ position: this.#position, resolve });
    });
  }

  /** Writes what is left and gives the store back. */
  async close(): Promise<void> {
    if (this.#records.length > 0) this.#write();
    this.#isClosed = true;
    clearTimeout(this.#reopenTimer);
    clearTimeout(this.#soonTimer);
    clearTimeout(this.#paceTimer);
    await this.#store.close();
  }

  /** While an entry is on its way to the disk those of the next turns become one behind it. */
  #writeNext(): void {
    if (this.#written < this.#given) return;
    const waitMs = this.#pace.waitMs(this.#driver.now());
    if (waitMs === 0) this.#write();
    else this.#writeIn(waitMs);
  }

  #writeIn(waitMs: number): void {
    // Mostly it goes off when what it was set for is written; setting one for each write would cost more.
    this.#paceTimer ??= setTimeout(() => {
      this.#paceTimer = undefined;
      if (this.#isAwaited) this.#writeNext();
    }, waitMs);
  }

  #writeSoon(): void {
    this.#soonTimer ??= setTimeout(() => {
      this.#soonTimer = undefined;
      if (this.#records.length > 0) this.#write();
    }, UNAWAITED_WITHIN_MS);
  }

  #write(): void {
    this.#isAwaited = false;
    this.#pace.written(this.#driver.now());
    const store = this.#store;
    const position = this.#position;
    this.#given = position;
    const entries = encodeRecords(this.#records);
    this.#records = [];
    this.#recordBytes = 0;
    store.append(this.#options.epoch, entries).then(
      () => {
        if (store !== this.#store) return;
        this.#written = position;
        this.#wake();
        this.#report(position);
        if (this.#isAwaited) this.#writeNext();
      },
      (error: unknown) => {
        this.#fail(store, error);
      },
    );
  }

  #report(position: number): void {
    if (!this.#isHealing) this.#driver.feed({ type: 'JournalCommitted', position });
  }

  #wake(): void {
    const done = this.#hasFailed ? Infinity : this.#written;
    const ready = this.#waiters.filter(({ position }) => position <= done);
    this.#waiters = this.#waiters.filter(({ position }) => position > done);
    for (const { resolve } of ready) resolve();
  }

  async #writeSnapshot(store: Store, position: number): Promise<void> {
    this.#isTakingSnapshot = true;
    try {
      // Of what is on disk now and will be replaced. An empty append says up to where that is.
      const sequence = await store.append(this.#options.epoch, []);
      await store.snapshot(sequence, this.#pieces());
      if (store !== this.#store) return;
      this.#isHealing = false;
      this.#report(Math.max(position, this.#written));
    } catch (error) {
      this.#fail(store, error);
    } finally {
      this.#isTakingSnapshot = false;
    }
  }

  async *#pieces(): AsyncGenerator<Uint8Array> {
    let records: JournalRecord[] = [];
    let bytes = 0;
    for (const record of this.#core.snapshot()) {
      records.push(record);
      bytes += bytesOf(record);
      if (records.length < RECORDS_PER_PIECE && bytes < ENTRY_BYTES_MAX) continue;
      yield* encodeRecords(records);
      records = [];
      bytes = 0;
      // Other work has its turn.
      await setImmediate();
    }
    if (records.length > 0) yield* encodeRecords(records);
    // What was read may know of records that are not on disk yet, and must not be there before them.
    await this.flushed();
    if (this.#hasFailed) throw new SwarmError('STORE_FAILED', 'The store failed under a snapshot.');
  }

  #fail(store: Store, error: unknown): void {
    if (this.#hasFailed || this.#isClosed || store !== this.#store) return;
    this.#hasFailed = true;
    this.#position = this.#written;
    this.#given = this.#written;
    this.#records = [];
    this.#recordBytes = 0;
    this.#isAwaited = false;
    this.#pace.written(this.#driver.now());
    this.#snapshot = undefined;
    const { stack: _local, ...failure } = toFailure(error, 'STORE_FAILED');
    this.#options.onChange(failure);
    this.#driver.feed({ type: 'JournalFailed', failure });
    this.#wake();
    this.#reopenLater();
  }

  #reopenLater(): void {
    if (this.#isClosed) return;
    this.#reopenTimer = setTimeout(() => {
      void this.#reopen();
    }, REOPEN_INTERVAL_MS);
  }

  async #reopen(): Promise<void> {
    try {
      await this.#store.close();
      const store = await this.#options.reopen();
      if (this.#isClosed) {
        await store.close();
        return;
      }
      this.#store = store;
    } catch {
      // It is tried again; the first failure was told, and says the same.
      this.#reopenLater();
      return;
    }
    this.#hasFailed = false;
    this.#isHealing = true;
    this.#options.onChange(undefined);
    this.#driver.feed({ type: 'JournalReopened' });
  }
}

/** About the length of a record when it is written. */
function bytesOf(record: JournalRecord): number {
  if (record.kind === 'ended') return 256 + (record.end.payload?.length ?? 0);
  if (record.kind !== 'task') return 128;
  return 512 + (record.submission.payload?.length ?? 0) + (record.end?.payload?.length ?? 0);
}
