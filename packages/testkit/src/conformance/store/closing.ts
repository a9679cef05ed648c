/** How a store ends when it is asked to. */
import { expect, it } from 'vitest';
import { rejectionOf } from '../streams.ts';
import { bytes, numbered, textsOf, type WorkbenchSource } from './workbench.ts';

/** Defines the tests. */
export function describeClosing(source: WorkbenchSource): void {
  it('makes durable what was called before it is closed', async () => {
    const store = await source().open();
    const epoch = await store.raiseEpoch();
    const appends = numbered('x', 20).map(async (payload) => store.append(epoch, [payload]));
    await Promise.all([store.close(), store.close()]);
    expect(await Promise.all(appends)).toHaveLength(20);
    expect(await store.closed).toBeUndefined();
    await using again = await source().open();
    expect(await textsOf(again.tail(1))).toEqual(numbered('x', 20).map(String));
  });

  it('refuses everything once it is closed', async () => {
    const store = await source().open();
    const epoch = await store.raiseEpoch();
    await store.append(epoch, numbered('x', 3));
    const entries = store.tail(1);
    await store.snapshot(1, [bytes('state')]);
    const snapshot = await store.latestSnapshot();
    await store.close();
    const refused: (() => unknown)[] = [
      async () => store.append(epoch, [bytes('x')]),
      async () => store.raiseEpoch(),
      async () => store.get('key'),
      async () => store.put('key', bytes('x')),
      async () => store.compareAndSet('key', undefined, bytes('x')),
      async () => store.snapshot(1, []),
      async () => store.latestSnapshot(),
      async () => textsOf(entries),
      async () => snapshot?.pieces[Symbol.asyncIterator]().next(),
      () => store.tail(1),
      () => store.watch('', () => undefined),
    ];
    for (const [index, call] of refused.entries()) {
      const error = await rejectionOf(Promise.resolve().then(call));
      expect(error, `call ${index}`).toMatchObject({ type: 'CLOSED' });
    }
  });

  it('tells those who are reading', async () => {
    const store = await source().open();
    const epoch = await store.raiseEpoch();
    const large = Buffer.alloc(700_000);
    for (let count = 0; count < 6; count += 1) await store.append(epoch, [large]);
    const entries = store.tail(1)[Symbol.asyncIterator]();
    expect((await entries.next()).done).toBe(false);
    await store.close();
    const readOn = async (): Promise<void> => {
      while ((await entries.next()).done !== true);
    };
    expect(await rejectionOf(readOn())).toMatchObject({ type: 'CLOSED' });
  });

  it('may be opened by one owner at a time', async () => {
    const store = await source().open();
    const error = await rejectionOf(source().open());
    expect(error).toMatchObject({ type: 'STORE_LOCKED', retryable: false });
    expect(String(error)).toContain('open in another process');
    await store.close();
    await (await source().open()).close();
  });
}
