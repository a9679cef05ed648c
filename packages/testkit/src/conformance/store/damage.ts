/**
 * Damaged places. Whatever byte is changed, a store returns what was stored or nothing: it opens with a beginning of the
 * journal and says so, or it does not open.
 */
import { crc32 } from 'node:zlib';
import type { Store, StoreNotice } from '@quic-swarm/store';
import { expect, it } from 'vitest';
import { rejectionOf } from '../streams.ts';
import { bytes, numbered, snapshotOf, textOf, textsOf } from './workbench.ts';
import type { StoreWorkbench, WorkbenchSource } from './workbench.ts';

/** What an attempt to open and read everything came to. */
export interface Reading {
  readonly error?: unknown;
  readonly notices: readonly StoreNotice[];
  readonly texts: readonly string[];
  readonly lastSequence: number;
}

/** Opens the store and reads everything. */
export async function readEverything(workbench: StoreWorkbench, from: number): Promise<Reading> {
  const notices: StoreNotice[] = [];
  const texts: string[] = [];
  try {
    await using store = await workbench.open((notice) => {
      notices.push(notice);
    });
    const snapshot = await snapshotOf(store);
    if (snapshot !== undefined) texts.push(...snapshot.pieces);
    for (const key of ['a', 'b']) texts.push(`${key}=${await textOf(store.get(key))}`);
    texts.push(...(await textsOf(store.tail(from))));
    return { notices, texts, lastSequence: store.lastSequence };
  } catch (error) {
    return { error, notices, texts, lastSequence: 0 };
  }
}

/** Fills a store with everything that a store can have, and closes it. Entries 1 to 4 are in the snapshot. */
export async function fill(workbench: StoreWorkbench): Promise<string[]> {
  await using store = await workbench.open();
  const epoch = await store.raiseEpoch();
  await store.append(epoch, numbered('old', 3));
  await store.append(epoch, numbered('group', 3));
  await store.put('a', bytes('1'));
  await store.snapshot(4, numbered('piece', 2));
  await store.append(epoch, numbered('single', 1));
  await store.put('b', bytes('2'));
  await store.append(epoch, numbered('last', 3));
  const texts = ['group-2', 'group-3', 'single-1', 'last-1', 'last-2', 'last-3'];
  return ['piece-1', 'piece-2', 'a=1', 'b=2', ...texts];
}

/** Expects what was read to be a beginning of what was stored, or an error that says that it is damaged. */
export function expectHonest(reading: Reading, expected: readonly string[], where: string): void {
  expect(reading.texts, where).toEqual(expected.slice(0, reading.texts.length));
  if (reading.error !== undefined) {
    expect(reading.error, where).toMatchObject({ type: 'STORE_CORRUPT' });
  } else if (reading.texts.length < expected.length) {
    expect(reading.notices, where).toMatchObject([
      { type: 'TAIL_CUT', lastSequence: reading.lastSequence },
    ]);
    expect(reading.lastSequence, where).toBe(reading.texts.length);
  }
}

/** The kinds that keys begin with. */
const CHUNK = 'j';
const PIECE = 's';
const FORMAT_KEY = 'mf';

const flip = (value: Buffer, at: number): Buffer => {
  value[at] = (value[at] ?? 0) ^ (1 << (at % 8));
  return value;
};

/** Defines the tests. Of every record each `stepBytes`th byte is changed. */
export function describeDamage(source: WorkbenchSource, stepBytes: number): void {
  describeAnyDamage(source, stepBytes);
  describeEnds(source);
  describeFormat(source);
}

function describeAnyDamage(source: WorkbenchSource, stepBytes: number): void {
  it('serves no wrong byte, whichever is changed', async () => {
    const expected = await fill(source());
    const originals = await source().contents();
    let cuts = 0;
    let errors = 0;
    for (const [name, original] of originals) {
      for (let at = 0; at < original.length; at += stepBytes) {
        await source().replace(new Map(originals).set(name, flip(Buffer.from(original), at)));
        const reading = await readEverything(source(), 5);
        expectHonest(reading, expected, `byte ${at} of ${JSON.stringify(name)}`);
        if (reading.error === undefined) cuts += 1;
        else errors += 1;
      }
    }
    expect(cuts).toBeGreaterThan(0);
    expect(errors).toBeGreaterThan(50 / stepBytes);
  });

  it('notices every record that is missing', async () => {
    const expected = await fill(source());
    const originals = await source().contents();
    for (const name of originals.keys()) {
      await source().replace(new Map([...originals].filter(([other]) => other !== name)));
      const reading = await readEverything(source(), 5);
      expectHonest(reading, expected, `without ${JSON.stringify(name)}`);
      expect(reading.error, JSON.stringify(name)).toMatchObject({ type: 'STORE_CORRUPT' });
    }
  });

  it('notices a value of before in the place of a later one', async () => {
    const before = await source().open();
    await before.put('a', bytes('1'));
    await before.close();
    const old = await source().contents();
    const later = await source().open();
    await later.put('a', bytes('2'));
    await later.close();
    const contents = await source().contents();
    const value = old.get('ka');
    if (value === undefined) throw new Error('The value of the key "a" lies elsewhere.');
    await source().replace(contents.set('ka', value));
    expect(await rejectionOf(source().open())).toMatchObject({ type: 'STORE_CORRUPT' });
  });
}

function describeEnds(source: WorkbenchSource): void {
  it('cuts a damaged end off, says so, and goes on with its numbers', async () => {
    const expected = await fill(source());
    // The last byte of the journal belongs to the payload of the last entry.
    await damageLastChunk(source(), (value) => flip(value, value.length - 1));
    const reading = await readEverything(source(), 5);
    expect(reading).toMatchObject({ texts: expected.slice(0, -1), lastSequence: 9 });
    expect(reading.notices).toMatchObject([{ type: 'TAIL_CUT', lastSequence: 9 }]);
    expect(reading.notices[0]?.message).toContain('1 entries were lost');
    await using store = await source().open((notice) => {
      throw new Error(`said twice: ${notice.message}`);
    });
    expect(await store.append(1, [bytes('instead')])).toBe(10);
    expect((await textsOf(store.tail(9))).slice(-1)).toEqual(['instead']);
  });

  it('keeps what stands before the damage in the last group', async () => {
    const expected = await fill(source());
    await damageLastChunk(source(), (value) => value.fill(0, value.length - 40));
    const reading = await readEverything(source(), 5);
    expect(reading.error).toBeUndefined();
    expect(reading.texts).toEqual(expected.slice(0, -2));
  });

  it('does not open where intact entries follow a damaged one', async () => {
    await fill(source());
    // The header of the first of three entries.
    await damageLastChunk(source(), (value) => flip(value, 10));
    const error = await rejectionOf(source().open());
    expect(error).toMatchObject({ type: 'STORE_CORRUPT', code: 'DATA_LOSS', retryable: false });
    expect(String(error)).toContain('entry 8 cannot be read, and later ones can');
    // The same again, so nothing was repaired away.
    expect(await rejectionOf(source().open())).toMatchObject({ type: 'STORE_CORRUPT' });
  });
}

function describeFormat(source: WorkbenchSource): void {
  it('says which version wrote a store of a newer format', async () => {
    await fill(source());
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32(`${FORMAT_KEY}2`));
    const contents = await source().contents();
    await source().replace(contents.set(FORMAT_KEY, Buffer.concat([checksum, bytes('2')])));
    const error = await rejectionOf(source().open());
    expect(error).toMatchObject({ type: 'STORE_TOO_NEW' });
    expect(String(error)).toContain('format 2');
  });

  it('takes nothing for a store that is none', async () => {
    await fill(source());
    const contents = await source().contents();
    contents.delete(FORMAT_KEY);
    await source().replace(contents);
    expect(await rejectionOf(source().open())).toMatchObject({ type: 'STORE_CORRUPT' });
  });

  it('closes itself where damage comes to light while it is open', async () => {
    const store = await openWithDamagedPiece(source());
    expect(await rejectionOf(snapshotOf(store))).toMatchObject({ type: 'STORE_CORRUPT' });
    expect(await store.closed).toMatchObject({ type: 'STORE_CORRUPT' });
    expect(await rejectionOf(store.put('a', bytes('2')))).toMatchObject({ type: 'STORE_CORRUPT' });
  });
}

async function openWithDamagedPiece(workbench: StoreWorkbench): Promise<Store> {
  await fill(workbench);
  await damageLast(workbench, PIECE, (value) => flip(value, 5));
  return workbench.open();
}

async function damageLastChunk(
  workbench: StoreWorkbench,
  change: (value: Buffer) => Buffer,
): Promise<void> {
  await damageLast(workbench, CHUNK, change);
}

/** Changes the last value of a kind. */
async function damageLast(
  workbench: StoreWorkbench,
  kind: string,
  change: (value: Buffer) => Buffer,
): Promise<void> {
  const contents = await workbench.contents();
  const names = [...contents.keys()].filter((name) => name.startsWith(kind));
  const last = names.sort().at(-1) ?? '';
  await workbench.replace(contents.set(last, change(Buffer.from(contents.get(last) ?? ''))));
}
