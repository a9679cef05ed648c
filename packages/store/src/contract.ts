/**
 * The contract between the swarm and whatever remembers things for it: a journal of entries and a small map of values,
 * both durable. Two implementations exist: `level/` (LevelDB in a folder) and `memory/` (inside one process, for tests and
 * simulations). Both pass the same conformance suite, so nothing above this file may depend on which one it got, nor on
 * the store being on this machine.
 *
 * The journal is what happened, in order. An entry gets the next sequence number: 1, 2, 3 and so on without gaps. Once in
 * a while the owner saves the state that the entries led to (a snapshot), and the entries up to there are forgotten. To
 * begin: open, `raiseEpoch`, read `latestSnapshot`, read `tail` from the entry after it, go on with `append`.
 *
 * What holds, whatever crashes:
 * 1. What was acknowledged (its promise was fulfilled) is there after any crash. What was not may be there or not.
 * 2. What is there is a beginning of what was called: if one append is there, so is every append that was called before
 *    it. An append is there as a whole or not at all.
 * 3. A store that could not write closes itself ({@link Store.closed}) and rejects everything in flight and later. After
 *    an error nothing is acknowledged; opening the store again shows what is really there.
 * 4. Bytes that are damaged are never returned.
 *
 * Every error is a `SwarmError`: STORE_LOCKED, STORE_FULL, STORE_FAILED, STORE_CORRUPT, STORE_FENCED, STORE_TOO_NEW,
 * CLOSED (used after `close`), BAD_OPTION (an argument that cannot be) or PAYLOAD_TOO_LARGE.
 */
import type { SwarmError } from '@quic-swarm/protocol';

/** One entry of the journal. */
export interface JournalEntry {
  /** Its place: 1 for the first ever appended, then one more each time. */
  readonly sequence: number;
  /** The epoch of the writer that appended it. */
  readonly epoch: number;
  /** May share its memory with other entries: copy it if you keep it long, and never change it. */
  readonly payload: Uint8Array;
}

/** A change of the key-value state. */
export interface KeyChange {
  readonly key: string;
  /** The new value; undefined: the key was removed. */
  readonly value: Uint8Array | undefined;
}

/** The state after an entry, as its owner saved it. */
export interface StoredSnapshot {
  /** The last entry whose effect is in the state. */
  readonly sequence: number;
  /** What was given to {@link Store.snapshot}, piece by piece. Iterating rejects with STORE_CORRUPT where a piece is
   *  damaged or missing, and with CLOSED when a newer snapshot took this one's place meanwhile. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** What came to light when a store was opened and did not keep it from opening. */
export interface StoreNotice {
  /** TAIL_CUT: the end of the journal was unreadable, with nothing readable behind it, and was removed. A write that a
   *  crash interrupted looks like this, and so does an acknowledged one whose bytes were damaged later. */
  readonly type: 'TAIL_CUT';
  /** For a person: what was found and what was done. */
  readonly message: string;
  /** The last entry that is left. */
  readonly lastSequence: number;
}

/** A durable journal and key-value state. */
export interface Store extends AsyncDisposable {
  /** The last entry that is known to be durable; 0 before the first. */
  readonly lastSequence: number;

  /** Settles once, when the store has released what it held: with undefined after {@link Store.close}, with the error
   *  when the store closed itself. Never rejects. */
  readonly closed: Promise<SwarmError | undefined>;

  /**
   * Appends entries, all or none, and resolves with the sequence number of the last one once they are durable. Any number
   * of calls may be in flight: their entries are stored in the order of the calls, and calls that come while others are
   * being written are made durable together. Do not change the payloads before it settles. No payloads: resolves with the
   * number of the entry before, once that is durable.
   *
   * @throws STORE_FENCED where `epoch` is lower than the highest one: somebody else took over, so stop.
   * @throws BAD_OPTION where nobody raised `epoch` yet.
   * @throws PAYLOAD_TOO_LARGE over 64 MiB in one call ({@link APPEND_BYTES_MAX}).
   */
  append(epoch: number, payloads: readonly Uint8Array[]): Promise<number>;

  /** Begins a new epoch and resolves with its number once it is durable: 1 at first, then one more each time, whoever
   *  asks. From then on appends of earlier epochs are refused. */
  raiseEpoch(): Promise<number>;

  /**
   * Reads the entries from `fromSequence` (at least 1) to the last that is durable at the time of the call, in order.
   *
   * @throws BAD_OPTION where a snapshot has taken the place of `fromSequence`: read {@link Store.latestSnapshot} first.
   */
  tail(fromSequence: number): AsyncIterable<JournalEntry>;

  /** The value of a key as far as it is durable; undefined where there is none. */
  get(key: string): Promise<Uint8Array | undefined>;

  /**
   * Sets a value, or removes the key where it is undefined; resolves once that is durable. Keys and values are for small
   * things (who leads, settings, cursors): all of them may be held in memory.
   *
   * @throws BAD_OPTION where the key is empty, over 512 bytes as UTF-8, or begins with U+0000.
   * @throws PAYLOAD_TOO_LARGE where the value is over 1 MiB ({@link VALUE_BYTES_MAX}).
   */
  put(key: string, value: Uint8Array | undefined): Promise<void>;

  /** Sets the value only if the key has the expected one (undefined: if there is no such key). Resolves with true once it
   *  is durable, with false where the value is another. Of several calls with one expectation one succeeds. Throws as
   *  {@link Store.put} does. */
  compareAndSet(
    key: string,
    expected: Uint8Array | undefined,
    value: Uint8Array | undefined,
  ): Promise<boolean>;

  /** Calls the listener for each durable change of a key that begins with the prefix, in order, from now on, until the
   *  returned function is called or the store is closed. */
  watch(prefix: string, listener: (change: KeyChange) => void): () => void;

  /**
   * Saves the state after the entry `sequence` (durable, and not before the latest snapshot) and forgets the entries up to
   * it. Until all pieces are durable the previous snapshot stays in force; a crash, or an error of `pieces`, leaves it
   * there. Appends go on meanwhile. Calls are carried out one after the other. Resolves when the entries are gone.
   *
   * @throws BAD_OPTION where `sequence` is none of those.
   * @throws PAYLOAD_TOO_LARGE where a piece is over 16 MiB ({@link PIECE_BYTES_MAX}). About 1 MiB is a good size.
   */
  snapshot(
    sequence: number,
    pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void>;

  /** The snapshot in force; undefined before the first. */
  latestSnapshot(): Promise<StoredSnapshot | undefined>;

  /** Makes durable what was called before, then releases everything. Idempotent; never rejects. */
  close(): Promise<void>;
}
