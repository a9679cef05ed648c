/** The journal: numbers, order, groups, epochs. */
import { expect, it } from 'vitest';
import { rejectionOf } from '../streams.ts';
import { bytes, linesOf, numbered, textsOf, type WorkbenchSource } from './workbench.ts';

/** Defines the tests. */
export function describeJournal(source: WorkbenchSource): void {
  describeAppends(source);
  describeTail(source);
  describeEpochs(source);
}

function describeAppends(source: WorkbenchSource): void {
  it('begins empty', async () => {
    await using store = await source().open();
    expect(store.lastSequence).toBe(0);
    expect(await linesOf(store.tail(1))).toEqual([]);
    expect(await store.latestSnapshot()).toBeUndefined();
  });

  it('numbers entries from 1 in the order of the calls, groups included', async () => {
    await using store = await source().open();
    const epoch = await store.raiseEpoch();
    const sizes = [1, 3, 0, 2, 1];
    const calls = sizes.map(async (size, call) => store.append(epoch, numbered(`c${call}`, size)));
    expect(await Promise.all(calls)).toEqual([1, 4, 4, 6, 7]);
    expect(store.lastSequence).toBe(7);
    expect(await linesOf(store.tail(1))).toEqual([
      '1 1 c0-1',
      '2 1 c1-1',
      '3 1 c1-2',
      '4 1 c1-3',
      '5 1 c3-1',
      '6 1 c3-2',
      '7 1 c4-1',
    ]);
  });

  it('acknowledges in the order of the calls', async () => {
    await using store = await source().open();
    const epoch = await store.raiseEpoch();
    const order: number[] = [];
    const note = (sequence: number): void => {
      order.push(sequence);
      expect(store.lastSequence).toBeGreaterThanOrEqual(sequence);
    };
    const appends = numbered('x', 200).map(async (payload) => store.append(epoch, [payload]));
    await Promise.all(appends.map(async (append) => append.then(note)));
    expect(order).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  });

  it('leaves no gap and mixes nothing up under many writers, across a reopening', async () => {
    const acknowledged = new Map<number, string>();
    for (const life of [1, 2]) {
      await using store = await source().open();
      const epoch = await store.raiseEpoch();
      const write = async (writer: number): Promise<void> => {
        for (let round = 0; round < 20; round += 1) {
          const group = numbered(`${life}/${writer}/${round}`, 1 + ((writer + round) % 3));
          const last = await store.append(epoch, group);
          for (const [index, payload] of group.entries()) {
            acknowledged.set(last - group.length + 1 + index, `${epoch} ${payload.toString()}`);
          }
        }
      };
      await Promise.all(Array.from({ length: 32 }, async (_, writer) => write(writer)));
    }
    await using store = await source().open();
    const lines = await linesOf(store.tail(1));
    expect(lines.length).toBe(acknowledged.size);
    expect(lines).toEqual(lines.map((_, index) => `${index + 1} ${acknowledged.get(index + 1)}`));
  });

  it('keeps payloads of any length', async () => {
    const payloads = [0, 1, 7, 32_768, 70_000, 1_200_000].map((length) =>
      Buffer.alloc(length, `${length} `),
    );
    {
      await using store = await source().open();
      const epoch = await store.raiseEpoch();
      for (const payload of payloads) await store.append(epoch, [payload]);
      await store.append(epoch, payloads);
    }
    await using store = await source().open();
    const found: Buffer[] = [];
    for await (const { payload } of store.tail(1)) found.push(Buffer.from(payload));
    expect(found.map(({ length }) => length)).toEqual(
      [...payloads, ...payloads].map(({ length }) => length),
    );
    expect(found.every((payload, index) => payload.equals(payloads[index % 6] ?? bytes('?')))).toBe(
      true,
    );
  });

  it('refuses what is too large, and goes on with the next number', async () => {
    await using store = await source().open();
    const epoch = await store.raiseEpoch();
    const half = Buffer.alloc(33 * 1024 * 1024);
    const error = await rejectionOf(store.append(epoch, [half, half]));
    expect(error).toMatchObject({ type: 'PAYLOAD_TOO_LARGE' });
    expect(await store.append(epoch, [bytes('small')])).toBe(1);
  });

  it('has every acknowledged entry after a crash, and nothing that was not appended', async () => {
    const store = await source().open();
    const epoch = await store.raiseEpoch();
    await store.append(epoch, numbered('acknowledged', 50));
    void store.append(epoch, numbered('in flight', 3)).catch(() => undefined);
    await source().crash();
    await using again = await source().open();
    const texts = await textsOf(again.tail(1));
    expect(texts.slice(0, 50)).toEqual(numbered('acknowledged', 50).map(String));
    expect([[], numbered('in flight', 3).map(String)]).toContainEqual(texts.slice(50));
    expect(await again.append(await again.raiseEpoch(), [bytes('next')])).toBe(texts.length + 1);
  });
}

function describeTail(source: WorkbenchSource): void {
  it('reads from any entry on', async () => {
    await using store = await source().open();
    const epoch = await store.raiseEpoch();
    await store.append(epoch, numbered('a', 4));
    await store.put('between', bytes('groups'));
    await store.append(epoch, numbered('b', 3));
    await store.put('after', bytes('groups'));
    const all = ['a-1', 'a-2', 'a-3', 'a-4', 'b-1', 'b-2', 'b-3'];
    for (const from of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      expect(await textsOf(store.tail(from)), `from ${from}`).toEqual(all.slice(from - 1));
    }
    expect(() => store.tail(0)).toThrow(/first is 1/);
  });

  it('ends with what was durable when it was called', async () => {
    await using store = await source().open();
    const epoch = await store.raiseEpoch();
    await store.append(epoch, numbered('before', 2));
    const entries = store.tail(1);
    await store.append(epoch, numbered('after', 2));
    expect(await textsOf(entries)).toEqual(['before-1', 'before-2']);
    // An iterable can be read again, and says the same.
    expect(await textsOf(entries)).toEqual(['before-1', 'before-2']);
  });

  it('reads many small entries in order', async () => {
    await using store = await source().open();
    const epoch = await store.raiseEpoch();
    const groups = Array.from({ length: 20 }, (_, group) => numbered(String(group), 1000));
    await Promise.all(groups.map(async (group) => store.append(epoch, group)));
    const texts = await textsOf(store.tail(1));
    expect(texts).toEqual(groups.flat().map(String));
  });

  it('may be left early', async () => {
    await using store = await source().open();
    const epoch = await store.raiseEpoch();
    await store.append(epoch, numbered('x', 10));
    for await (const { sequence } of store.tail(1)) if (sequence === 3) break;
    expect(await store.append(epoch, [bytes('more')])).toBe(11);
  });
}

function describeEpochs(source: WorkbenchSource): void {
  it('raises the epoch by one each time, across reopenings and races', async () => {
    {
      await using store = await source().open();
      expect(await store.raiseEpoch()).toBe(1);
      expect(await Promise.all([store.raiseEpoch(), store.raiseEpoch()])).toEqual([2, 3]);
    }
    await using store = await source().open();
    expect(await store.raiseEpoch()).toBe(4);
  });

  it('fences appends of an earlier epoch from the moment a later one is raised', async () => {
    await using store = await source().open();
    const first = await store.raiseEpoch();
    const before = store.append(first, [bytes('in time')]);
    const raising = store.raiseEpoch();
    const after = rejectionOf(store.append(first, [bytes('too late')]));
    expect(await before).toBe(1);
    const second = await raising;
    expect(await after).toMatchObject({ type: 'STORE_FENCED', retryable: false });
    expect(await store.append(second, [bytes('of the second')])).toBe(2);
    expect(await linesOf(store.tail(1))).toEqual(['1 1 in time', '2 2 of the second']);
  });

  it('fences after a reopening too', async () => {
    {
      await using store = await source().open();
      await store.raiseEpoch();
      await store.raiseEpoch();
    }
    await using store = await source().open();
    expect(await rejectionOf(store.append(1, [bytes('old')]))).toMatchObject({
      type: 'STORE_FENCED',
    });
    expect(await store.append(2, [bytes('of the life before')])).toBe(1);
  });

  it('refuses an epoch that nobody raised', async () => {
    await using store = await source().open();
    for (const epoch of [0, 1, -1, 1.5, Number.NaN]) {
      const error = await rejectionOf(store.append(epoch, [bytes('x')]));
      expect(error).toMatchObject({ type: 'BAD_OPTION' });
    }
    await store.raiseEpoch();
    const error = await rejectionOf(store.append(2, [bytes('x')]));
    expect(error).toMatchObject({ type: 'BAD_OPTION' });
    expect(store.lastSequence).toBe(0);
  });
}
