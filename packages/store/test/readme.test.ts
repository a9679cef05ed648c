import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { remember } from './readme-example.ts';

it('the example of the README is the one that runs here', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const example = await readFile(new URL('readme-example.ts', import.meta.url), 'utf8');
  expect(readme).toContain('```ts\n' + example + '```');
});

it('the example of the README remembers', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quic-swarm-store-'));
  try {
    const days = ['first', 'second', 'third', 'fourth', 'fifth'];
    for (const [index, day] of days.entries()) {
      expect(await remember(folder, day)).toEqual(days.slice(0, index + 1));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
