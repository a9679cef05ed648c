/**
 * The program that is killed: `writer.ts FOLDER LIFE [--unsafe] [--fill]`. 32 appenders, a counter and a snapshot now and
 * then (with `--fill` none, and longer entries); every acknowledgement is a line on stdout. When the store closes itself it
 * says so, tries once more, and ends with 0.
 */
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openLevelStore } from '@quic-swarm/store';
import { payloadText } from './ledger.ts';

const APPENDERS = 32;
/** So many entries lie between two snapshots. */
const SNAPSHOT_INTERVAL = 2000;

const [folder = '', life = '', ...flags] = process.argv.slice(2);
const isFilling = flags.includes('--fill');
const payloadBytes = isFilling ? 3000 : 300;

/** Written at once: what a dying process still had in a buffer would be an acknowledgement that nobody heard. */
function say(line: string): void {
  let bytes = Buffer.from(`${line}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      // The pipe is full: whoever listens is slower, and will have read some when it is tried again.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}

function typeOf(error: unknown): string {
  return error instanceof Error && 'type' in error ? String(error.type) : String(error);
}

/** Bytes that do not compress, so that a disk fills as fast as it looks. */
function padding(text: string): string {
  let pad = '';
  while (pad.length < payloadBytes) {
    pad += createHash('sha256')
      .update(text + pad)
      .digest('base64');
  }
  return pad.slice(0, payloadBytes);
}

const store = await openLevelStore({ folder, unsafeNoSync: flags.includes('--unsafe') });
const epoch = await store.raiseEpoch();
let nextSnapshotAt = store.lastSequence + SNAPSHOT_INTERVAL;
let isSaving = false;

const failures = Array.from({ length: APPENDERS }, async (_, appender) => {
  for (let count = 0; ; count += 1) {
    const name = payloadText(life, appender, count);
    try {
      const sequence = await store.append(epoch, [Buffer.from(`${name} ${padding(name)}`)]);
      say(`entry ${sequence} ${name}`);
      if (sequence >= nextSnapshotAt && !isSaving && !isFilling) await save(sequence);
    } catch (error) {
      return typeOf(error);
    }
  }
});
const counting = async (): Promise<string> => {
  for (let count = 1; ; count += 1) {
    const value = Number(life) * 1_000_000_000 + count;
    try {
      await store.put('counter', Buffer.from(String(value)));
      say(`counter ${value}`);
    } catch (error) {
      return typeOf(error);
    }
  }
};

const types = new Set(await Promise.all([...failures, counting()]));
const closed = await store.closed;
say(`closed ${closed?.type} ${[...types].join(',')}`);
const late = await store.append(epoch, [Buffer.from('late')]).then(
  () => 'ACKNOWLEDGED',
  (error: unknown) => typeOf(error),
);
say(`late ${late}`);

async function save(sequence: number): Promise<void> {
  isSaving = true;
  await store.snapshot(sequence, [Buffer.from('state after'), Buffer.from(String(sequence))]);
  nextSnapshotAt = store.lastSequence + SNAPSHOT_INTERVAL;
  isSaving = false;
}
