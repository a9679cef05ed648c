/** Disks that are full, fail, tear or lie: the store closes itself, says why, and opens again on what is there. */
import { MemoryDisk, openMemoryStore, type DiskFault } from '@quic-swarm/store';
import { deferred, numbered, rejectionOf, snapshotOf, textOf, textsOf } from '@quic-swarm/testkit';
import { describe, expect, it } from 'vitest';

/** A disk whose next write has a fault when the test says so. */
function faultyDisk(): { disk: MemoryDisk; next: (fault: DiskFault | undefined) => void } {
  let fault: DiskFault | undefined;
  const disk = new MemoryDisk({ onWrite: () => fault });
  return {
    disk,
    next: (next) => {
      fault = next;
    },
  };
}

describe.each([
  ['full', 'STORE_FULL', 'RESOURCE_EXHAUSTED'],
  ['failed', 'STORE_FAILED', 'UNAVAILABLE'],
  ['torn', 'STORE_FAILED', 'UNAVAILABLE'],
] as const)('a disk that is %s', (fault, type, code) => {
  it('closes the store, which rejects what is in flight and later', async () => {
    const { disk, next } = faultyDisk();
    const store = await openMemoryStore({ disk });
    const epoch = await store.raiseEpoch();
    await store.append(epoch, numbered('acknowledged', 2));
    next(fault);
    const calls = [
      store.append(epoch, numbered('a', 1)),
      store.put('key', Buffer.from('x')),
      store.compareAndSet('key', undefined, Buffer.from('y')),
      store.raiseEpoch(),
      store.snapshot(1, numbered('piece', 1)),
    ].map(async (call) => rejectionOf(call));
    for (const error of await Promise.all(calls)) expect(error).toMatchObject({ type, code });
    // The disk is well again, but this store has ended.
    next(undefined);
    expect(await rejectionOf(store.append(epoch, numbered('b', 1)))).toMatchObject({ type });
    expect(await rejectionOf(store.get('key'))).toMatchObject({ type });
    expect(() => store.tail(1)).toThrow();
    const closed = await store.closed;
    expect(closed).toMatchObject({ type, code, retryable: true });
    expect(closed?.hint).toContain('open the store again');
    await store.close();
    expect(store.lastSequence).toBe(2);
  });

  it('opens again on what is there', async () => {
    const { disk, next } = faultyDisk();
    const store = await openMemoryStore({ disk });
    const epoch = await store.raiseEpoch();
    await store.append(epoch, numbered('acknowledged', 2));
    next(fault);
    await rejectionOf(store.append(epoch, numbered('a', 1)));
    await store.closed;
    next(undefined);
    disk.crash();
    await using again = await openMemoryStore({ disk });
    expect((await textsOf(again.tail(1))).slice(0, 2)).toEqual([
      'acknowledged-1',
      'acknowledged-2',
    ]);
    const sequence = await again.append(epoch, numbered('next', 1));
    expect(await textsOf(again.tail(sequence))).toEqual(['next-1']);
  });
});

it('rejects with the error of the opening when the disk is full then', async () => {
  const disk = new MemoryDisk({ onWrite: () => 'full' });
  expect(await rejectionOf(openMemoryStore({ disk }))).toMatchObject({ type: 'STORE_FULL' });
  // The failed opening holds nothing.
  expect(await rejectionOf(openMemoryStore({ disk }))).toMatchObject({ type: 'STORE_FULL' });
});

it('keeps a write that failed only where the disk kept it', async () => {
  for (const isKept of [true, false]) {
    const { disk, next } = faultyDisk();
    const store = await openMemoryStore({ disk });
    const epoch = await store.raiseEpoch();
    next('failed');
    await rejectionOf(store.append(epoch, numbered('in doubt', 2)));
    next(undefined);
    disk.crash(() => isKept);
    await using again = await openMemoryStore({ disk });
    expect(again.lastSequence).toBe(isKept ? 2 : 0);
  }
});

it('cuts entries off whose group was torn, with a notice', async () => {
  const { disk, next } = faultyDisk();
  const store = await openMemoryStore({ disk });
  const epoch = await store.raiseEpoch();
  await store.append(epoch, numbered('whole', 2));
  next('torn');
  await rejectionOf(store.append(epoch, numbered('torn', 2)));
  next(undefined);
  const notices: string[] = [];
  await using again = await openMemoryStore({
    disk,
    onNotice: ({ type, lastSequence, message }) => {
      notices.push(`${type} ${lastSequence} ${message}`);
    },
  });
  expect(notices).toHaveLength(1);
  expect(notices[0]).toMatch(/^TAIL_CUT 2 .*no acknowledged entry was lost/);
  expect(await again.append(epoch, numbered('next', 1))).toBe(3);
});

it('loses what a disk forgets that lies, but notices a hole', async () => {
  const { disk, next } = faultyDisk();
  const store = await openMemoryStore({ disk });
  const epoch = await store.raiseEpoch();
  await store.append(epoch, numbered('a', 2));
  next('forgotten');
  expect(await store.append(epoch, numbered('b', 2))).toBe(4);
  expect(await store.append(epoch, numbered('c', 2))).toBe(6);
  const last = disk.writeCount;
  disk.crash(({ number }) => number === last);
  next(undefined);
  const error = await rejectionOf(openMemoryStore({ disk }));
  expect(error).toMatchObject({ type: 'STORE_CORRUPT' });
  expect(String(error)).toContain('entries from 3 to 4 are missing');
});

it('never answers a call that a crash cut off', async () => {
  const disk = new MemoryDisk();
  const store = await openMemoryStore({ disk });
  const epoch = await store.raiseEpoch();
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  void store.append(epoch, numbered('a', 1)).then(settle, settle);
  disk.crash();
  await using again = await openMemoryStore({ disk });
  await again.put('key', Buffer.from('x'));
  expect(isSettled).toBe(false);
  expect(await textOf(again.get('key'))).toBe('x');
  expect(again.lastSequence).toBe(0);
});

it('has one whole snapshot wherever a crash comes while one is saved', async () => {
  const found = new Set<string>();
  let isInterrupted = true;
  for (let crashAt = 1; isInterrupted; crashAt += 1) {
    let writesLeft = Infinity;
    const crashing = deferred();
    const disk = new MemoryDisk({
      beforeSync: async () => {
        writesLeft -= 1;
        if (writesLeft !== 0) return;
        crashing.resolve();
        await new Promise<never>(() => undefined);
      },
    });
    const store = await openMemoryStore({ disk });
    const epoch = await store.raiseEpoch();
    for (let group = 1; group <= 4; group += 1) await store.append(epoch, numbered('entry', 1));
    await store.snapshot(1, numbered('old', 2));
    writesLeft = crashAt;
    const saved = store.snapshot(3, numbered('new', 3)).then(() => 'saved');
    isInterrupted = (await Promise.race([saved, crashing.promise])) !== 'saved';
    disk.crash();
    writesLeft = Infinity;
    await using again = await openMemoryStore({ disk });
    const snapshot = await snapshotOf(again);
    found.add(`${snapshot?.sequence} ${snapshot?.pieces.join(' ')}`);
    expect(again.lastSequence).toBe(4);
    const tail = await textsOf(again.tail((snapshot?.sequence ?? 0) + 1));
    expect(tail).toHaveLength(4 - (snapshot?.sequence ?? 0));
  }
  expect([...found]).toEqual(['1 old-1 old-2', '3 new-1 new-2 new-3']);
});
