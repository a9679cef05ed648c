/** Which snapshot is in force: a value of the key-value state, so that it changes from one to the next in one step. */
import { SNAPSHOT_KEY, type KeyValues } from './key-values.ts';
import { readNumber, writeNumber } from './keys.ts';

/** See the head of this file. */
export interface SnapshotRecord {
  /** Names its pieces. */
  readonly id: number;
  readonly sequence: number;
  readonly pieceCount: number;
}

const RECORD_BYTES = 24;

/** As bytes. */
export function encodeSnapshotRecord({ id, sequence, pieceCount }: SnapshotRecord): Buffer {
  const bytes = Buffer.alloc(RECORD_BYTES);
  writeNumber(bytes, 0, id);
  writeNumber(bytes, 8, sequence);
  writeNumber(bytes, 16, pieceCount);
  return bytes;
}

/** The snapshot in force, as far as it is durable. */
export function snapshotRecordOf(keyValues: KeyValues): SnapshotRecord | undefined {
  const value = keyValues.durable(SNAPSHOT_KEY);
  if (value === undefined) return undefined;
  const bytes = Buffer.from(value.buffer);
  return {
    id: readNumber(bytes, 0),
    sequence: readNumber(bytes, 8),
    pieceCount: readNumber(bytes, 16),
  };
}
