/** Snapshots: what they replace, and that a half one replaces nothing. */
import type { Store } from '@quic-swarm/store';
import { expect, it } from 'vitest';
import { deferred, rejectionOf } from '../streams.ts';
import { bytes, linesOf, numbered, snapshotOf, textOf, textsOf } from './workbench.ts';
import type { WorkbenchSource } from './workbench.ts';

/** Defines the tests. */
export function describeSnapshots(source: WorkbenchSource): void {
  describeSaving(source);
  describeInterruption(source);
}

function describeSaving(source: WorkbenchSource): void {
  it('replaces the entries up to it, across a reopening', async () => {
    {
      await using store = await source().open();
      const epoch = await store.raiseEpoch();
      await store.append(epoch, numbered('a', 5));
      await store.append(epoch, numbered('b', 5));
      // In the middle of what was made durable together.
      await store.snapshot(7, numbered('piece', 3));
      await expectAfterSnapshot(store);
    }
    await using store = await source().open();
    await expectAfterSnapshot(store);
    expect(await store.append(await store.raiseEpoch(), [bytes('c')])).toBe(11);
    await store.snapshot(
      11,
      (async function* () {
        yield bytes('newer');
      })(),
    );
    expect(await snapshotOf(store)).toEqual({ sequence: 11, pieces: ['newer'] });
    expect(await linesOf(store.tail(12))).toEqual([]);
  });

  it('goes on numbering after a snapshot of everything', async () => {
    {
      await using store = await source().open();
      const epoch = await store.raiseEpoch();
      await store.snapshot(0, []);
      await store.append(epoch, numbered('a', 3));
      await store.put('key', bytes('stays'));
      await store.snapshot(3, [bytes('one'), bytes(''), Buffer.alloc(2_000_000, 'x')]);
      await store.snapshot(3, [bytes('the same state again')]);
    }
    await using store = await source().open();
    expect(store.lastSequence).toBe(3);
    expect(await snapshotOf(store)).toEqual({ sequence: 3, pieces: ['the same state again'] });
    expect(await textOf(store.get('key'))).toBe('stays');
    expect(await store.append(1, [bytes('next')])).toBe(4);
    expect(await linesOf(store.tail(4))).toEqual(['4 1 next']);
  });

  it('lets appends go on while it is saved', async () => {
    await using store = await source().open();
    const epoch = await store.raiseEpoch();
    await store.append(epoch, numbered('before', 3));
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 5; index += 1) {
        expect(await store.append(epoch, [bytes(`meanwhile-${index}`)])).toBe(4 + index);
        yield bytes(`piece-${index}`);
      }
    };
    await store.snapshot(3, pieces());
    expect((await snapshotOf(store))?.pieces).toHaveLength(5);
    expect(await textsOf(store.tail(4))).toHaveLength(5);
  });

  it('carries out one after the other, and refuses to go back or ahead', async () => {
    await using store = await source().open();
    const epoch = await store.raiseEpoch();
    await store.append(epoch, numbered('a', 4));
    const saving = [2, 3, 1].map(async (sequence) =>
      store.snapshot(sequence, [bytes(`after ${sequence}`)]),
    );
    expect(await rejectionOf(saving[2] ?? Promise.resolve())).toMatchObject({ type: 'BAD_OPTION' });
    await Promise.all(saving.slice(0, 2));
    for (const sequence of [2, 5, 3.5, Number.NaN]) {
      const error = await rejectionOf(store.snapshot(sequence, []));
      expect(error).toMatchObject({ type: 'BAD_OPTION' });
    }
    expect(await snapshotOf(store)).toEqual({ sequence: 3, pieces: ['after 3'] });
  });

  it('tells a reader whose snapshot was replaced, and ends nothing', async () => {
    await using store = await source().open();
    const epoch = await store.raiseEpoch();
    await store.append(epoch, numbered('a', 2));
    await store.snapshot(1, numbered('old', 3));
    const old = await store.latestSnapshot();
    const entries = store.tail(2);
    await store.snapshot(2, numbered('new', 3));
    const read = async (): Promise<void> => {
      for await (const piece of old?.pieces ?? []) expect(String(piece)).toContain('old');
    };
    expect(await rejectionOf(read())).toMatchObject({ type: 'CLOSED' });
    expect(await rejectionOf(textsOf(entries))).toMatchObject({ type: 'BAD_OPTION' });
    expect(await snapshotOf(store)).toEqual({ sequence: 2, pieces: ['new-1', 'new-2', 'new-3'] });
  });
}

async function expectAfterSnapshot(store: Store): Promise<void> {
  expect(store.lastSequence).toBe(10);
  expect(await snapshotOf(store)).toEqual({
    sequence: 7,
    pieces: ['piece-1', 'piece-2', 'piece-3'],
  });
  expect(await linesOf(store.tail(8))).toEqual(['8 1 b-3', '9 1 b-4', '10 1 b-5']);
  for (const from of [1, 6, 7]) expect(() => store.tail(from)).toThrow(/no longer in the journal/);
}

function describeInterruption(source: WorkbenchSource): void {
  it('leaves the snapshot before in force when the pieces fail', async () => {
    await using store = await source().open();
    const epoch = await store.raiseEpoch();
    await store.append(epoch, numbered('a', 3));
    await store.snapshot(1, [bytes('first')]);
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes('half');
      throw new RangeError('no more');
    };
    expect(await rejectionOf(store.snapshot(2, pieces()))).toBeInstanceOf(RangeError);
    const large = rejectionOf(store.snapshot(2, [Buffer.alloc(16 * 1024 * 1024 + 1)]));
    expect(await large).toMatchObject({ type: 'PAYLOAD_TOO_LARGE' });
    expect(await snapshotOf(store)).toEqual({ sequence: 1, pieces: ['first'] });
    expect(await textsOf(store.tail(2))).toEqual(['a-2', 'a-3']);
    await store.snapshot(3, [bytes('third')]);
    expect(await snapshotOf(store)).toEqual({ sequence: 3, pieces: ['third'] });
  });

  it('leaves the snapshot before in force when a crash comes in the middle', async () => {
    const store = await source().open();
    const epoch = await store.raiseEpoch();
    await store.append(epoch, numbered('a', 4));
    await store.snapshot(1, numbered('first', 2));
    const halfWay = deferred();
    const never = deferred();
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes('half-1');
      yield bytes('half-2');
      halfWay.resolve();
      await never.promise;
    };
    void store.snapshot(3, pieces()).catch(() => undefined);
    await halfWay.promise;
    await source().crash();
    await using again = await source().open();
    expect(await snapshotOf(again)).toEqual({ sequence: 1, pieces: ['first-1', 'first-2'] });
    expect(await textsOf(again.tail(2))).toEqual(['a-2', 'a-3', 'a-4']);
    // Pieces of the half one must not get into the next, which has the same number.
    await again.snapshot(4, [bytes('second')]);
    expect(await snapshotOf(again)).toEqual({ sequence: 4, pieces: ['second'] });
  });
}
