import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { handlerNames, readHandlerFile } from '../src/handlers/handler-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'quic-swarm-handlers-'));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('readHandlerFile', () => {
  it('gives each function of the default export a module of its own', async () => {
    const path = file('a b.mjs', `export default { 'my.task': (x) => x + 1, other: () => 7 };`);
    const handlers = await readHandlerFile(path);
    // The module itself runs in test/cli/submit.test.ts, in a worker thread.
    const modules = handlers.map(({ taskType, module: { pathname, searchParams } }) => [
      taskType,
      pathname.endsWith('handler-thread.ts'),
      searchParams.get('task'),
      searchParams.get('file'),
    ]);
    const url = pathToFileURL(path).href;
    expect(modules).toEqual([
      ['my.task', true, 'my.task', url],
      ['other', true, 'other', url],
    ]);
  });

  it('takes named exports where there is no map', async () => {
    const path = file('named.mjs', 'export const double = (x) => 2 * x; export const limit = 3;');
    const handlers = await readHandlerFile(path);
    expect(handlers.map(({ taskType }) => taskType)).toEqual(['double']);
  });

  it('says what the file says that can be tuned, and not what a task of that name is', async () => {
    const arms = [{ n: 1 }, { n: 2 }];
    const tuned = file(
      'tuned.mjs',
      `export default { 'my.task': () => 1, other: () => 2 };
       export const tunable = { 'my.task': { arms: ${JSON.stringify(arms)} } };`,
    );
    expect((await readHandlerFile(tuned)).map(({ tunable }) => tunable)).toEqual([
      { arms },
      undefined,
    ]);
    const task = file('task.mjs', 'export const tunable = () => 1;');
    expect(await readHandlerFile(task)).toMatchObject([
      { taskType: 'tunable', tunable: undefined },
    ]);
  });

  it.each([
    ['stranger.mjs', 'export const a = () => 1; export const tunable = { b: {} };', 'names "b"'],
    ['nothing.mjs', 'export const x = 1;', 'exports no function'],
    ['broken.mjs', 'export default {', 'cannot be loaded'],
    ['name.mjs', `export default { 'my task': () => 1 };`, '"my task" is not a task name'],
  ])('refuses %s', async (name, text, message) => {
    await expect(readHandlerFile(file(name, text))).rejects.toThrow(message);
  });

  it('refuses a file that is not there', async () => {
    await expect(readHandlerFile(join(folder, 'no.mjs'))).rejects.toThrow('cannot be loaded');
  });
});

it('names functions only', () => {
  expect(handlerNames({ default: { a: () => 1, b: 2 }, c: () => 3 })).toEqual(['a']);
});
