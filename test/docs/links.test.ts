import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../support/program.ts';
import { documents, readDocument } from './markdown.ts';

/** GitHub's name for a heading. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
}

it.each(documents())('the relative links of %s lead somewhere', (path) => {
  const text = readDocument(path).replaceAll(/^```[\s\S]*?^```$/gm, '');
  const broken: string[] = [];
  for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [file = '', anchor] = target.split('#');
    const document = file === '' ? path : join(dirname(path), file);
    if (!existsSync(join(ROOT, document))) broken.push(target);
    else if (anchor !== undefined) {
      const headings = [...readDocument(document).matchAll(/^#+ (.*)$/gm)];
      if (!headings.some(([, heading = '']) => anchorOf(heading) === anchor)) broken.push(target);
    }
  }
  expect(broken).toEqual([]);
});

it('the documents name every example and the map every package', () => {
  const readme = readDocument('README.md');
  for (const name of readdirSync(join(ROOT, 'examples'))) {
    if (/^\d\d-[a-z-]+\.ts$/.test(name)) expect(readme).toContain(`(examples/${name})`);
  }
  for (const name of readdirSync(join(ROOT, 'packages'))) {
    if (!existsSync(join(ROOT, 'packages', name, 'package.json'))) continue;
    expect(readme).toContain(`[${name}](packages/${name}/`);
    expect(readDocument('ARCHITECTURE.md')).toContain(`\`${name}\``);
  }
});

it('the scripts that CONTRIBUTING.md names exist', () => {
  const manifest = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> };
  const text =
    readDocument('CONTRIBUTING.md') + readDocument('README.md') + readDocument('STYLE.md');
  const named = [...text.matchAll(/npm run ([a-z:]+)/g)].map(([, name = '']) => name);
  expect(named.filter((name) => manifest.scripts[name] === undefined)).toEqual([]);
});
