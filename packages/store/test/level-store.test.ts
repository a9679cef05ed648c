/** What only the store in a folder has: files that are damaged, a lock, the errors of a file system. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openLevelStore, type StoreNotice } from '@quic-swarm/store';
import { bytes, expectHonest, fill, readEverything, rejectionOf } from '@quic-swarm/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LevelWorkbench } from './workbenches.ts';

let workbench: LevelWorkbench;
beforeEach(async () => {
  workbench = await LevelWorkbench.create();
});
afterEach(async () => {
  await workbench[Symbol.asyncDispose]();
});

/** All files of the folder. */
async function filesOf(folder: string): Promise<Map<string, Buffer>> {
  const names = await readdir(folder);
  const files = names.map(async (name) => [name, await readFile(join(folder, name))] as const);
  return new Map(await Promise.all(files));
}

/** Makes the folder what it was. */
async function putBack(folder: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  for (const [name, content] of files) await writeFile(join(folder, name), content);
}

function nameOf(files: ReadonlyMap<string, Buffer>, pattern: RegExp): string {
  const name = [...files.keys()].find((each) => pattern.test(each));
  if (name === undefined) throw new Error(`No file is like ${pattern.source}.`);
  return name;
}

/** Changes a file at many places, one at a time, and expects honesty each time. Resolves with how often it opened with a
 *  shorter journal and how often it did not open. */
async function damageEverywhere(
  pattern: RegExp,
  expected: readonly string[],
  places: (length: number) => number[],
): Promise<{ cuts: number; errors: number }> {
  const { folder } = workbench;
  const files = await filesOf(folder);
  const name = nameOf(files, pattern);
  const original = files.get(name) ?? Buffer.alloc(0);
  let cuts = 0;
  let errors = 0;
  for (const at of places(original.length)) {
    const damaged = Buffer.from(original);
    damaged[at] = (original[at] ?? 0) ^ (1 << (at % 8));
    await putBack(folder, new Map(files).set(name, damaged));
    const reading = await readEverything(workbench, 5);
    expectHonest(reading, expected, `byte ${at} of ${name}`);
    if (reading.error !== undefined) errors += 1;
    else if (reading.texts.length < expected.length) cuts += 1;
  }
  return { cuts, errors };
}

const spread =
  (count: number) =>
  (length: number): number[] =>
    Array.from({ length: count }, (_, index) => Math.floor((index * length) / count));

describe('damaged files', () => {
  it('a changed byte in the log never makes a wrong answer', async () => {
    const expected = await fill(workbench);
    const { cuts, errors } = await damageEverywhere(/\.log$/, expected, (length) => [
      ...spread(200)(length),
      // The last write, byte by byte at its end.
      ...Array.from({ length: 10 }, (_, index) => length - 1 - index),
    ]);
    expect(cuts).toBeGreaterThanOrEqual(10);
    expect(errors).toBeGreaterThan(70);
    // Every byte of a log counts but those that fill a block up, and this log has one block.
    expect(cuts + errors).toBe(210);
  }, 60_000);

  it('a changed byte in a table never makes a wrong answer', async () => {
    const expected = await fill(workbench);
    // Opening moves the log into a table.
    expect((await readEverything(workbench, 5)).texts).toEqual(expected);
    const { errors } = await damageEverywhere(/\.ldb$/, expected, spread(200));
    expect(errors).toBeGreaterThan(150);
  });

  it('a changed byte in the MANIFEST never makes a wrong answer', async () => {
    const expected = await fill(workbench);
    expect((await readEverything(workbench, 5)).texts).toEqual(expected);
    const { errors } = await damageEverywhere(/^MANIFEST/, expected, spread(60));
    expect(errors).toBeGreaterThan(40);
  });

  it('a log that ends early is cut where its last whole write ends', async () => {
    const expected = await fill(workbench);
    const { folder } = workbench;
    const files = await filesOf(folder);
    const name = nameOf(files, /\.log$/);
    const original = files.get(name) ?? Buffer.alloc(0);
    for (const missing of [1, 5, 40, 120]) {
      const cut = original.subarray(0, original.length - missing);
      await putBack(folder, new Map(files).set(name, cut));
      const reading = await readEverything(workbench, 5);
      expect(reading.error, `without ${missing} bytes`).toBeUndefined();
      expect(reading.notices.length).toBeGreaterThan(0);
      expect(reading.notices[0]?.message).toContain(name);
      expect(reading.texts).toEqual(expected.slice(0, reading.texts.length));
      // The whole last group is gone, not a part of it.
      expect(reading.texts.length).toBe(expected.length - 3);
    }
  });

  it('a log of several blocks is damaged in the middle or at its end', async () => {
    const store = await workbench.open();
    const epoch = await store.raiseEpoch();
    for (let index = 0; index < 12; index += 1) {
      await store.append(epoch, [Buffer.alloc(20_000, index)]);
    }
    await store.close();
    const { folder } = workbench;
    const files = await filesOf(folder);
    const name = nameOf(files, /\.log$/);
    const original = files.get(name) ?? Buffer.alloc(0);
    const open = async (from: number, to: number): Promise<number | string> => {
      const damaged = Buffer.from(original).fill(0, from, to);
      await putBack(folder, new Map(files).set(name, damaged));
      try {
        await using opened = await workbench.open();
        return opened.lastSequence;
      } catch (error) {
        return String(error);
      }
    };
    expect(await open(0, 0)).toBe(12);
    // The beginning of the last write is lost and its end is not, as after a power cut.
    expect(await open(original.length - 20_000, original.length - 10_000)).toBe(11);
    expect(await open(original.length - 30_000, original.length - 25_000)).toMatch(/intact writes/);
    expect(await open(70_000, 70_001)).toMatch(/intact writes follow/);
  });

  it.each([
    ['CURRENT', /^CURRENT$/, /no CURRENT/],
    ['its log', /\.log$/, /no log/],
    ['a table', /\.ldb$/, /damaged/],
  ])('a folder without %s is not taken for an empty one', async (_, pattern, words) => {
    await fill(workbench);
    await readEverything(workbench, 5);
    const files = await filesOf(workbench.folder);
    files.delete(nameOf(files, pattern));
    await putBack(workbench.folder, files);
    const error = await rejectionOf(workbench.open());
    expect(error).toMatchObject({ type: 'STORE_CORRUPT' });
    expect(String(error)).toMatch(words);
    // Nothing was begun over the old one.
    expect(await rejectionOf(workbench.open())).toMatchObject({ type: 'STORE_CORRUPT' });
  });
});

describe('a folder', () => {
  it('is locked while another process has it', async () => {
    const program = `
      const { ClassicLevel } = require('classic-level');
      new ClassicLevel(process.argv[1]).open().then(() => console.log('open'));
      process.stdin.resume();`;
    const other = spawn(process.execPath, ['-e', program, workbench.folder], {
      cwd: import.meta.dirname,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      await once(other.stdout, 'data');
      const error = await rejectionOf(workbench.open());
      expect(error).toMatchObject({ type: 'STORE_LOCKED', code: 'FAILED_PRECONDITION' });
      expect(String(error)).toContain(workbench.folder);
      expect(error).toMatchObject({ hint: expect.stringContaining('Stop the other') as string });
    } finally {
      other.kill('SIGKILL');
    }
  });

  it('is made with the folders above it', async () => {
    const folder = join(workbench.folder, 'deep', 'down');
    await using store = await openLevelStore({ folder });
    expect(await store.raiseEpoch()).toBe(1);
  });

  it('that is a file fails with what the system says', async () => {
    await writeFile(workbench.folder, 'not a folder');
    const error = await rejectionOf(workbench.open());
    expect(error).toMatchObject({ type: 'STORE_FAILED' });
    expect(String(error)).toMatch(/EEXIST|ENOTDIR/);
  });

  it('can be copied while it is open and idle', async () => {
    await using store = await workbench.open();
    await store.append(await store.raiseEpoch(), [bytes('x')]);
    const folder = `${workbench.folder}-copy`;
    await cp(workbench.folder, folder, { recursive: true });
    const notices: StoreNotice[] = [];
    await using copy = await openLevelStore({ folder, onNotice: (each) => notices.push(each) });
    expect(copy.lastSequence).toBe(1);
    expect(notices).toEqual([]);
  });
});
