/** The key-value state: values, compare and set, watching. */
import { expect, it } from 'vitest';
import { rejectionOf } from '../streams.ts';
import { bytes, textOf, type WorkbenchSource } from './workbench.ts';

/** Defines the tests. */
export function describeKeyValues(source: WorkbenchSource): void {
  describeValues(source);
  describeCompareAndSet(source);
  describeWatching(source);
}

function describeValues(source: WorkbenchSource): void {
  it('keeps values across a crash and forgets those that were removed', async () => {
    const store = await source().open();
    expect(await store.get('a')).toBeUndefined();
    await Promise.all([
      store.put('a', bytes('1')),
      store.put('empty', bytes('')),
      store.put('grün', bytes('2')),
      store.put('gone', bytes('3')),
      store.put('a', bytes('4')),
      store.put('gone', undefined),
    ]);
    await source().crash();
    await using again = await source().open();
    expect(await textOf(again.get('a'))).toBe('4');
    expect(await textOf(again.get('empty'))).toBe('');
    expect(await textOf(again.get('grün'))).toBe('2');
    expect(await again.get('gone')).toBeUndefined();
  });

  it('gives copies away', async () => {
    await using store = await source().open();
    const value = bytes('as it was');
    const putting = store.put('key', value);
    value.fill('?');
    await putting;
    (await store.get('key'))?.fill(0);
    expect(await textOf(store.get('key'))).toBe('as it was');
  });

  it('refuses keys and values that cannot be', async () => {
    await using store = await source().open();
    for (const key of ['', '\0epoch', 'x'.repeat(513), 'ü'.repeat(257), '\ud800']) {
      expect(await rejectionOf(store.put(key, bytes('x')))).toMatchObject({ type: 'BAD_OPTION' });
      expect(await rejectionOf(store.get(key))).toMatchObject({ type: 'BAD_OPTION' });
    }
    const large = await rejectionOf(store.put('key', Buffer.alloc(1024 * 1024 + 1)));
    expect(large).toMatchObject({ type: 'PAYLOAD_TOO_LARGE' });
    await store.put('x'.repeat(512), Buffer.alloc(1024 * 1024));
  });
}

function describeCompareAndSet(source: WorkbenchSource): void {
  it('sets only what is as expected', async () => {
    await using store = await source().open();
    expect(await store.compareAndSet('key', bytes('x'), bytes('1'))).toBe(false);
    expect(await store.compareAndSet('key', undefined, bytes('1'))).toBe(true);
    expect(await store.compareAndSet('key', undefined, bytes('2'))).toBe(false);
    expect(await store.compareAndSet('key', bytes('2'), bytes('3'))).toBe(false);
    expect(await store.compareAndSet('key', bytes('1'), bytes('3'))).toBe(true);
    expect(await textOf(store.get('key'))).toBe('3');
    expect(await store.compareAndSet('key', bytes('3'), undefined)).toBe(true);
    expect(await store.get('key')).toBeUndefined();
  });

  it('lets one of those win who race from the same value', async () => {
    await using store = await source().open();
    const racers = Array.from({ length: 20 }, (_, index) => bytes(`racer ${index}`));
    const results = await Promise.all(
      racers.map(async (racer) => store.compareAndSet('leader', undefined, racer)),
    );
    expect(results.filter(Boolean)).toHaveLength(1);
    expect(await textOf(store.get('leader'))).toBe(`racer ${results.indexOf(true)}`);
  });

  it('loses no increment of a counter that many change', async () => {
    await using store = await source().open();
    const increment = async (): Promise<void> => {
      for (;;) {
        const before = await store.get('counter');
        const next = bytes(String(Number(before === undefined ? 0 : Buffer.from(before)) + 1));
        if (await store.compareAndSet('counter', before, next)) return;
      }
    };
    await Promise.all(Array.from({ length: 12 }, increment));
    expect(await textOf(store.get('counter'))).toBe('12');
  });
}

function describeWatching(source: WorkbenchSource): void {
  it('tells of each durable change under the prefix, in order, until it is stopped', async () => {
    await using store = await source().open();
    const seen: string[] = [];
    await store.put('lease/0', bytes('before'));
    const stop = store.watch('lease/', ({ key, value }) => {
      seen.push(`${key}=${value === undefined ? 'removed' : Buffer.from(value).toString()}`);
    });
    await Promise.all([
      store.put('lease/1', bytes('a')),
      store.put('other', bytes('b')),
      store.compareAndSet('lease/1', bytes('a'), bytes('c')),
      store.compareAndSet('lease/1', bytes('a'), bytes('never')),
      store.put('lease/1', undefined),
    ]);
    // The next change is durable after them, so by its watcher everything before has been told.
    await new Promise<void>((resolve) => {
      store.watch('end', () => {
        resolve();
      });
      void store.put('end', bytes('.'));
    });
    stop();
    await store.put('lease/1', bytes('later'));
    expect(seen).toEqual(['lease/1=a', 'lease/1=c', 'lease/1=removed']);
  });

  it('shows no more than the caller’s own keys', async () => {
    await using store = await source().open();
    const seen: string[] = [];
    store.watch('', ({ key }) => {
      seen.push(key);
    });
    const epoch = await store.raiseEpoch();
    await store.append(epoch, [bytes('x')]);
    await store.snapshot(1, [bytes('state')]);
    await store.put('mine', bytes('1'));
    expect(seen).toEqual(['mine']);
  });
}
