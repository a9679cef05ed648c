/**
 * What a group of writes leaves behind, written with each of them: how far the journal goes and what the key-value state
 * adds up to. An engine that lost a write in the middle (LevelDB drops damaged blocks of its log without a word) betrays
 * itself by it: the journal is not as long as it should be, or the values do not add up.
 */
import { readNumber, STATE_KEY, writeNumber } from './keys.ts';
import { seal, unseal } from './sealed.ts';

/** See the head of this file. */
export interface StateRecord {
  /** The last entry of the journal; 0 where none was ever appended. */
  readonly lastSequence: number;
  /** How many keys have a value. */
  readonly keyCount: number;
  /** The sum of the checksums of all values, modulo 2^48. */
  readonly checksumSum: number;
}

/** The state of a new store. */
export const EMPTY_STATE: StateRecord = { lastSequence: 0, keyCount: 0, checksumSum: 0 };

const BODY_BYTES = 24;

/** As bytes. */
export function encodeState({ lastSequence, keyCount, checksumSum }: StateRecord): Buffer {
  const body = Buffer.alloc(BODY_BYTES);
  writeNumber(body, 0, lastSequence);
  writeNumber(body, 8, keyCount);
  writeNumber(body, 16, checksumSum);
  return seal(STATE_KEY, body);
}

/** From bytes; undefined where they are damaged. */
export function decodeState(value: Buffer): StateRecord | undefined {
  const body = unseal(STATE_KEY, value);
  if (body?.length !== BODY_BYTES) return undefined;
  return {
    lastSequence: readNumber(body, 0),
    keyCount: readNumber(body, 8),
    checksumSum: readNumber(body, 16),
  };
}
