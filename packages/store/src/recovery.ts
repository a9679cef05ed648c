/** Opening: what an engine holds is checked as a whole before anybody may use it. */
import { SwarmError } from '@quic-swarm/protocol';
import type { StoreNotice } from './contract.ts';
import type { Engine, KeyRange, Operation } from './engine.ts';
import { corrupt } from './failures.ts';
import { recoverJournal } from './journal/recovery.ts';
import { KeyValues } from './key-values.ts';
import { ALL_KEY_VALUES, ALL_PIECES, EVERYTHING, FORMAT_KEY, STATE_KEY } from './keys.ts';
import { keyOfValueKey, snapshotIdOf } from './keys.ts';
import { seal, unseal } from './sealed.ts';
import { snapshotRecordOf } from './snapshot-record.ts';
import { decodeState, EMPTY_STATE, encodeState } from './state-record.ts';

const FORMAT_VERSION = 1;
/** A crash may leave many pieces behind; one write removes so many. */
const REPAIRS_AT_ONCE = 1000;

/** A checked engine. */
export interface Recovered {
  readonly keyValues: KeyValues;
  readonly lastSequence: number;
  readonly notice?: StoreNotice;
}

/**
 * Checks an engine and repairs what a crash left behind.
 *
 * @throws STORE_CORRUPT, STORE_TOO_NEW, and what the engine throws
 */
export async function recover(engine: Engine): Promise<Recovered> {
  const formatValue = await valueOf(engine, FORMAT_KEY);
  if (formatValue === undefined) return begin(engine);
  checkFormat(formatValue);
  const stateValue = await valueOf(engine, STATE_KEY);
  const state = stateValue === undefined ? undefined : decodeState(stateValue);
  if (state === undefined) throw corrupt('its state record cannot be read');
  const keyValues = await loadKeyValues(engine);
  if (keyValues.keyCount !== state.keyCount || keyValues.checksumSum !== state.checksumSum) {
    throw corrupt(
      `its ${keyValues.keyCount} values do not add up to what was written (${state.keyCount} values)`,
    );
  }
  const snapshot = snapshotRecordOf(keyValues);
  const journal = await recoverJournal(engine, snapshot?.sequence ?? 0, state.lastSequence);
  const { lastSequence, notice } = journal;
  const strays = await strayPieces(engine, snapshot?.id);
  const newState = { key: STATE_KEY, value: encodeState({ ...state, lastSequence }) };
  const repairs = [...journal.repairs, ...strays];
  for (let index = 0; index < repairs.length; index += REPAIRS_AT_ONCE) {
    await engine.write([...repairs.slice(index, index + REPAIRS_AT_ONCE), newState]);
  }
  return { keyValues, lastSequence, ...(notice === undefined ? {} : { notice }) };
}

async function begin(engine: Engine): Promise<Recovered> {
  const last = await engine.last(EVERYTHING);
  if (last !== undefined) throw corrupt('it has content but does not say in which format');
  await engine.write([
    { key: FORMAT_KEY, value: formatRecord(FORMAT_VERSION) },
    { key: STATE_KEY, value: encodeState(EMPTY_STATE) },
  ]);
  return { keyValues: new KeyValues(), lastSequence: 0 };
}

function checkFormat(value: Buffer): void {
  const version = unseal(FORMAT_KEY, value)?.toString();
  if (version === undefined || !/^\d+$/.test(version)) {
    throw corrupt('the record of its format cannot be read');
  }
  if (Number(version) > FORMAT_VERSION) {
    throw new SwarmError(
      'STORE_TOO_NEW',
      `The store is written in format ${version}; this version reads formats up to ${FORMAT_VERSION}.`,
      { hint: 'Start the version that wrote it, or a later one, or name another folder.' },
    );
  }
}

async function loadKeyValues(engine: Engine): Promise<KeyValues> {
  const keyValues = new KeyValues();
  for await (const page of engine.read(ALL_KEY_VALUES)) {
    for (const pair of page) {
      if (keyValues.load(pair)) continue;
      throw corrupt(`the value of ${JSON.stringify(keyOfValueKey(pair[0]))} is not as written`);
    }
  }
  return keyValues;
}

/** Removes pieces of snapshots that never came into force, or were in force before. */
async function strayPieces(engine: Engine, snapshotId: number | undefined): Promise<Operation[]> {
  const strays: Operation[] = [];
  for await (const keys of engine.readKeys(ALL_PIECES)) {
    for (const key of keys) {
      if (snapshotIdOf(key) !== snapshotId) strays.push({ key, value: undefined });
    }
  }
  return strays;
}

/** The record of a format, for {@link FORMAT_KEY}. */
export function formatRecord(version: number): Buffer {
  return seal(FORMAT_KEY, Buffer.from(String(version)));
}

async function valueOf(engine: Engine, key: Buffer): Promise<Buffer | undefined> {
  const only: KeyRange = { from: key, to: Buffer.concat([key, Buffer.alloc(1)]) };
  return (await engine.last(only))?.[1];
}
