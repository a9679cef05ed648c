/**
 * Saving and reading snapshots. The pieces are written beside those of the snapshot in force, as part of the groups that
 * everybody's appends travel in; the record that names them comes last and puts them in force. Then the entries and the
 * older pieces go.
 */
import { SwarmError } from '@quic-swarm/protocol';
import type { StoredSnapshot } from './contract.ts';
import type { Engine, KeyRange, Operation } from './engine.ts';
import { badOption, corrupt, tooLarge } from './failures.ts';
import { SNAPSHOT_KEY, type KeyValues } from './key-values.ts';
import { chunkRange, firstSequenceOf, pieceKey, pieceRange } from './keys.ts';
import { PIECE_BYTES_MAX } from './limits.ts';
import { seal, unseal } from './sealed.ts';
import { encodeSnapshotRecord, snapshotRecordOf, type SnapshotRecord } from './snapshot-record.ts';

const REMOVALS_AT_ONCE = 1000;

/** What {@link Snapshots} needs of its store. */
export interface SnapshotHost {
  readonly engine: Engine;
  readonly keyValues: KeyValues;
  /** The last durable entry. */
  lastSequenceNow(): number;
  /** Makes operations durable together with what others write. */
  write(operations: readonly Operation[]): Promise<void>;
  /** Sets a value without asking whether its key is the store's own. */
  set(key: string, value: Uint8Array): Promise<void>;
}

/** See the head of this file. */
export class Snapshots {
  readonly #host: SnapshotHost;
  #lastId: number;
  #turn: Promise<void> = Promise.resolve();

  constructor(host: SnapshotHost) {
    this.#host = host;
    this.#lastId = this.current?.id ?? 0;
  }

  /** The snapshot in force. */
  get current(): SnapshotRecord | undefined {
    return snapshotRecordOf(this.#host.keyValues);
  }

  /** One after the other. */
  async save(
    sequence: number,
    pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const saving = this.#turn.then(async () => this.#save(sequence, pieces));
    this.#turn = saving.catch(() => undefined);
    return saving;
  }

  latest(): StoredSnapshot | undefined {
    const record = this.current;
    if (record === undefined) return undefined;
    return {
      sequence: record.sequence,
      pieces: { [Symbol.asyncIterator]: () => this.#read(record) },
    };
  }

  async #save(
    sequence: number,
    pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const before = this.current;
    const from = before?.sequence ?? 0;
    if (!Number.isInteger(sequence) || sequence < from || sequence > this.#host.lastSequenceNow()) {
      throw badOption(
        `No snapshot can be taken after entry ${sequence}: the latest one is after ${from}, the last durable entry is ${this.#host.lastSequenceNow()}.`,
      );
    }
    this.#lastId += 1;
    const id = this.#lastId;
    try {
      const pieceCount = await this.#writePieces(id, pieces);
      const record = encodeSnapshotRecord({ id, sequence, pieceCount });
      await this.#host.set(SNAPSHOT_KEY, record);
    } catch (error) {
      // Where the store itself failed this fails too; opening it again removes the pieces.
      await this.#remove(pieceRange(id)).catch(() => undefined);
      throw error;
    }
    if (before !== undefined) await this.#remove(pieceRange(before.id));
    await this.#forgetEntries(sequence);
  }

  async #writePieces(
    id: number,
    pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<number> {
    let pieceCount = 0;
    for await (const piece of pieces) {
      if (piece.length > PIECE_BYTES_MAX) {
        throw tooLarge('A piece of a snapshot', piece.length, PIECE_BYTES_MAX);
      }
      const key = pieceKey(id, pieceCount);
      await this.#host.write([{ key, value: seal(key, piece) }]);
      pieceCount += 1;
    }
    return pieceCount;
  }

  /** Removes the chunks whose last entry is not after `sequence`. */
  async #forgetEntries(sequence: number): Promise<void> {
    const last = await this.#host.engine.last(chunkRange(0, sequence + 2));
    if (last === undefined) return;
    // The chunk with the entry after the snapshot stays. Where there is no such entry, every chunk goes.
    const to = sequence >= this.#host.lastSequenceNow() ? sequence + 1 : firstSequenceOf(last[0]);
    await this.#remove(chunkRange(0, to));
  }

  async #remove(range: KeyRange): Promise<void> {
    const { engine } = this.#host;
    let removals: Operation[] = [];
    for await (const keys of engine.readKeys(range)) {
      for (const key of keys) removals.push({ key, value: undefined });
      if (removals.length < REMOVALS_AT_ONCE) continue;
      await this.#host.write(removals);
      removals = [];
    }
    if (removals.length > 0) await this.#host.write(removals);
    await engine.reclaim(range);
  }

  async *#read({ id, pieceCount }: SnapshotRecord): AsyncGenerator<Uint8Array> {
    let index = 0;
    for await (const page of this.#host.engine.read(pieceRange(id))) {
      for (const [key, value] of page) {
        const piece = unseal(key, value);
        if (!key.equals(pieceKey(id, index)) || piece === undefined) break;
        index += 1;
        yield piece;
      }
    }
    if (index === pieceCount) return;
    if (this.current?.id !== id) {
      throw new SwarmError('CLOSED', 'A newer snapshot took the place of the one that was read.', {
        hint: 'Ask for the latest snapshot again.',
      });
    }
    throw corrupt(`piece ${index + 1} of ${pieceCount} of the snapshot cannot be read`);
  }
}
