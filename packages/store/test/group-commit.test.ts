/** Many calls share one synchronisation, and what one group does not say the next cannot know. */
import { MemoryDisk, openMemoryStore, type DiskWrite } from '@quic-swarm/store';
import { deferred, numbered, textsOf, type Deferred } from '@quic-swarm/testkit';
import { expect, it } from 'vitest';

/** A disk whose writes are durable when the test says so. */
class SlowDisk {
  readonly disk: MemoryDisk;
  readonly writes: DiskWrite[] = [];
  isHeld = false;
  #gate: Deferred<void> = deferred();
  #arrived: Deferred<void> = deferred();

  constructor() {
    this.disk = new MemoryDisk({
      beforeSync: async (write) => {
        this.writes.push(write);
        this.#arrived.resolve();
        if (this.isHeld) await this.#gate.promise;
      },
    });
  }

  /** Resolves when a write has begun after this call. */
  async nextWrite(): Promise<void> {
    this.#arrived = deferred();
    await this.#arrived.promise;
  }

  /** Lets the write that is held be durable. */
  release(): void {
    this.#gate.resolve();
    this.#gate = deferred();
  }
}

it('makes durable together what came while a group was being written', async () => {
  const slow = new SlowDisk();
  await using store = await openMemoryStore({ disk: slow.disk });
  const epoch = await store.raiseEpoch();
  const before = slow.writes.length;
  slow.isHeld = true;
  const settled: string[] = [];
  const append = (name: string): void => {
    void store.append(epoch, numbered(name, 1)).then(() => settled.push(name));
  };
  const first = slow.nextWrite();
  append('first');
  await first;
  for (let index = 0; index < 100; index += 1) append(`later-${index}`);
  void store.put('key', Buffer.from('x')).then(() => settled.push('key'));
  expect(await textsOf(store.tail(1))).toEqual([]);
  const second = slow.nextWrite();
  slow.release();
  await second;
  // Two groups for 102 calls; the second is not durable yet, so nobody in it was told.
  expect(slow.writes.length - before).toBe(2);
  expect(settled).toEqual(['first']);
  expect(store.lastSequence).toBe(1);
  expect(await store.get('key')).toBeUndefined();
  slow.isHeld = false;
  slow.release();
  await store.put('after', undefined);
  expect(settled).toHaveLength(102);
  expect(store.lastSequence).toBe(101);
});

it('bounds a group in bytes, but never splits a call', async () => {
  const slow = new SlowDisk();
  await using store = await openMemoryStore({ disk: slow.disk });
  const epoch = await store.raiseEpoch();
  const before = slow.writes.length;
  const sizes = [400_000, 400_000, 400_000, 5_000_000, 10, 10];
  await Promise.all(sizes.map(async (size) => store.append(epoch, [Buffer.alloc(size)])));
  const written = slow.writes.slice(before).map(({ bytes }) => Math.floor(bytes / 100_000));
  expect(written).toEqual([8, 4, 50, 0]);
});

it('answers a failed comparison only when what it rests on is durable', async () => {
  const slow = new SlowDisk();
  await using store = await openMemoryStore({ disk: slow.disk });
  slow.isHeld = true;
  const began = slow.nextWrite();
  const putting = store.put('key', Buffer.from('mine'));
  await began;
  let answer: boolean | undefined;
  void store.compareAndSet('key', undefined, Buffer.from('yours')).then((is) => {
    answer = is;
  });
  const again = slow.nextWrite();
  slow.release();
  await putting;
  await again;
  expect(answer).toBeUndefined();
  slow.isHeld = false;
  slow.release();
  await store.close();
  expect(answer).toBe(false);
});
