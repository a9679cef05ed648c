/** Random operations beside a model of a few lines, with closings and crashes between them. */
import type { Store } from '@quic-swarm/store';
import { bytes, snapshotOf, textOf, type StoreWorkbench } from '@quic-swarm/testkit';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LevelWorkbench, MemoryWorkbench } from './workbenches.ts';

type Step =
  | { readonly kind: 'append'; readonly texts: readonly string[]; readonly isAwaited: boolean }
  | { readonly kind: 'put'; readonly key: string; readonly value: string | undefined }
  | { readonly kind: 'compareAndSet'; readonly key: string; readonly expected: string | undefined }
  | { readonly kind: 'raise' | 'reopen' | 'crash' }
  | { readonly kind: 'snapshot'; readonly backBy: number };

const KEYS = ['a', 'b', 'ab'];
const text = fc.string({ maxLength: 12 });
const maybe = fc.option(fc.constantFrom('1', '2'), { nil: undefined });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      texts: fc.array(text, { maxLength: 4 }),
      isAwaited: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key: fc.constantFrom(...KEYS),
      value: maybe,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('compareAndSet' as const),
      key: fc.constantFrom(...KEYS),
      expected: maybe,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('raise' as const, 'reopen', 'crash') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('snapshot' as const), backBy: fc.nat(3) }),
  },
);

/** What a store must hold. */
class Model {
  /** All entries ever appended, as `epoch text`. */
  entries: string[] = [];
  /** How many of them were acknowledged. */
  acknowledged = 0;
  epoch = 0;
  readonly values = new Map<string, string>();
  snapshotSequence: number | undefined;
}

class Run {
  readonly #workbench: StoreWorkbench;
  readonly #model = new Model();
  #store: Store;
  readonly #unawaited: Promise<number>[] = [];

  private constructor(workbench: StoreWorkbench, store: Store) {
    this.#workbench = workbench;
    this.#store = store;
  }

  static async begin(workbench: StoreWorkbench): Promise<Run> {
    const run = new Run(workbench, await workbench.open());
    await run.#raise();
    return run;
  }

  async do(next: Step): Promise<void> {
    switch (next.kind) {
      case 'append':
        return this.#append(next.texts, next.isAwaited);
      case 'put':
        await this.#store.put(next.key, next.value === undefined ? undefined : bytes(next.value));
        this.#set(next.key, next.value);
        return this.#settle();
      case 'compareAndSet':
        return this.#compareAndSet(next.key, next.expected);
      case 'raise':
        return this.#raise();
      case 'snapshot':
        return this.#snapshot(next.backBy);
      case 'reopen':
        await this.#store.close();
        await this.#settle();
        return this.#open();
      case 'crash':
        return this.#crash();
    }
  }

  async check(): Promise<void> {
    await this.#settle();
    const { entries, epoch, values, snapshotSequence } = this.#model;
    expect(this.#store.lastSequence).toBe(entries.length);
    const from = snapshotSequence ?? 0;
    const found: string[] = [];
    for await (const entry of this.#store.tail(from + 1)) {
      expect(entry.sequence).toBe(from + found.length + 1);
      found.push(`${entry.epoch} ${Buffer.from(entry.payload).toString()}`);
    }
    expect(found).toEqual(entries.slice(from));
    for (const key of KEYS) expect(await textOf(this.#store.get(key))).toBe(values.get(key));
    expect(await snapshotOf(this.#store)).toEqual(
      snapshotSequence === undefined
        ? undefined
        : { sequence: snapshotSequence, pieces: entries.slice(0, snapshotSequence) },
    );
    expect(epoch).toBeGreaterThan(0);
  }

  async #open(): Promise<void> {
    this.#store = await this.#workbench.open((notice) => {
      throw new Error(notice.message);
    });
    await this.check();
  }

  async #append(texts: readonly string[], isAwaited: boolean): Promise<void> {
    const { epoch, entries } = this.#model;
    entries.push(...texts.map((each) => `${epoch} ${each}`));
    this.#unawaited.push(this.#store.append(epoch, texts.map(bytes)));
    if (isAwaited) await this.#settle();
  }

  async #settle(): Promise<void> {
    const last = (await Promise.all(this.#unawaited.splice(0))).at(-1);
    if (last !== undefined) expect(last).toBe(this.#model.entries.length);
    this.#model.acknowledged = this.#model.entries.length;
  }

  async #compareAndSet(key: string, expected: string | undefined): Promise<void> {
    const wanted = this.#model.values.get(key) === expected;
    const before = expected === undefined ? undefined : bytes(expected);
    expect(await this.#store.compareAndSet(key, before, bytes('new'))).toBe(wanted);
    if (wanted) this.#set(key, 'new');
    await this.#settle();
  }

  async #raise(): Promise<void> {
    this.#model.epoch += 1;
    expect(await this.#store.raiseEpoch()).toBe(this.#model.epoch);
    await this.#settle();
  }

  async #snapshot(backBy: number): Promise<void> {
    await this.#settle();
    const { entries, snapshotSequence } = this.#model;
    const sequence = Math.max(entries.length - backBy, snapshotSequence ?? 0);
    await this.#store.snapshot(sequence, entries.slice(0, sequence).map(bytes));
    this.#model.snapshotSequence = sequence;
  }

  /** Whole appends that were not acknowledged may be gone, the last ones first. */
  async #crash(): Promise<void> {
    const { acknowledged, entries } = this.#model;
    for (const append of this.#unawaited.splice(0)) append.catch(() => undefined);
    await this.#workbench.crash();
    this.#store = await this.#workbench.open();
    const { lastSequence } = this.#store;
    expect(lastSequence).toBeGreaterThanOrEqual(acknowledged);
    expect(lastSequence).toBeLessThanOrEqual(entries.length);
    entries.splice(lastSequence);
    await this.check();
  }

  #set(key: string, value: string | undefined): void {
    if (value === undefined) this.#model.values.delete(key);
    else this.#model.values.set(key, value);
  }
}

async function checkRuns(
  make: () => Promise<StoreWorkbench>,
  runs: number,
  stepsMax: number,
): Promise<void> {
  const steps = fc.array(step, { maxLength: stepsMax });
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      await using workbench = await make();
      const run = await Run.begin(workbench);
      for (const next of list) await run.do(next);
      await run.check();
      await run.do({ kind: 'reopen' });
    }),
    { numRuns: runs },
  );
}

it('the store in memory does what the model does', async () => {
  await checkRuns(async () => new MemoryWorkbench(), 300, 40);
});

it('the store on LevelDB does what the model does', async () => {
  await checkRuns(async () => LevelWorkbench.create(), 8, 25);
});
