import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from '@quic-swarm/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nearestWindows, readCloses } from '../examples/brute-force.ts';
import { Program, ROOT } from '../support/program.ts';
import { commandsOf, documents, readDocument, snippetsOf } from './markdown.ts';
import { Workplace } from './swarm-programs.ts';

const ADDRESS = '127.0.0.1:5000';
/** Inside the repository, so that the snippets find the packages; ignored by git. */
const FOLDER = join(ROOT, '.build/snippets');

/** What the snippets of a document take for granted, where they do not say it themselves in a comment. */
const GRANTED: Readonly<Record<string, { notes: [string, string][]; before?: string }>> = {
  'packages/agent/README.md': { notes: [['until', 'my.task']] },
  'packages/client/README.md': {
    notes: [['needs', 'pattern, compute']],
    before:
      'const prices = Float64Array.from({ length: 1500 }, (_, day) => Math.sin(day / 9) + day);\nconst seeds = [1, 2, 3];\n',
  },
};
/** Handlers of the agent of type compute. */
const HANDLERS = "export default { 'my.simulation': ({ seed }) => seed * seed };\n";

const snippets = documents().flatMap(snippetsOf);
const programs = snippets
  .filter(({ language }) => language === 'ts')
  .map((snippet, index) => {
    const granted = GRANTED[snippet.where.split(':')[0] ?? ''];
    return {
      where: snippet.where,
      file: join(FOLDER, `snippet-${index}.ts`),
      code: (granted?.before ?? '') + snippet.code,
      notes: new Map([...(granted?.notes ?? []), ...snippet.notes]),
    };
  });
const commands = snippets
  .filter(({ language }) => language === 'sh')
  .flatMap(({ where, code }) => commandsOf(code).map((line) => ({ where, line })))
  .filter(({ line }) => /^npx (?:coordinator|agent|swarm) /.test(line));

let workplace: Workplace;
/** What the compiler has to say of the programs. */
let typeErrors: string;

beforeAll(async () => {
  workplace = await Workplace.create();
  for (const { notes, code } of snippets) {
    const name = notes.get('file');
    if (name !== undefined) writeFileSync(join(workplace.folder, name), code);
  }
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(
    join(FOLDER, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.base.json',
      compilerOptions: {
        composite: false,
        declaration: false,
        declarationMap: false,
        isolatedDeclarations: false,
        // What was checked is what runs, and Node need not load a compiler for each program.
        noEmitOnError: true,
      },
      include: ['*.ts'],
    }),
  );
  writeFileSync(join(workplace.folder, 'simulation.js'), HANDLERS);
  const worker = snippetsOf('packages/agent/README.md').find(({ language }) => language === 'js');
  writeFileSync(join(FOLDER, 'my-worker.js'), worker?.code ?? '');
  for (const { file, code } of programs) {
    writeFileSync(file, code.replaceAll(ADDRESS, workplace.address));
  }
  const tsc = createRequire(import.meta.url).resolve('typescript/package.json');
  const bin = join(tsc, '../bin/tsc');
  typeErrors = await promisify(execFile)(process.execPath, [bin, '-p', FOLDER]).then(
    () => '',
    ({ stdout, message }: Error & { stdout?: string }) => stdout ?? message,
  );
}, 60_000);

afterAll(async () => {
  await workplace[Symbol.asyncDispose]();
  rmSync(FOLDER, { recursive: true, force: true });
}, 60_000);

it('the README names exactly two commands for a fresh machine', () => {
  const [start] = snippetsOf('README.md');
  expect(start?.code).toBe('npm ci && npm run demo\nnpm ci && npm test\n');
  expect(readFileSync(join(ROOT, '.ci/run'), 'utf8')).toContain('\nnpm ci && npm test\n');
});

it('the program of the README has at most 15 lines of code', () => {
  const [, sdk = ''] =
    /## From TypeScript[\s\S]*?```ts\n([\s\S]*?)```/.exec(readDocument('README.md')) ?? [];
  const lines = sdk.split('\n').filter((line) => line.trim() !== '');
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.length).toBeLessThanOrEqual(15);
});

it('the programs in the documents are well typed', () => {
  expect(programs.length).toBeGreaterThan(3);
  expect(typeErrors).toBe('');
});

describe('the programs in the documents', () => {
  it.each(programs)('$where runs', async ({ file, notes }) => {
    const needs = notes.get('needs') ?? 'nothing';
    for (const type of needs.split(/,\s*/)) {
      const handlers = type === 'compute' ? ['--handlers', 'simulation.js'] : [];
      if (type !== 'nothing') await workplace.agent(`${type}-1`, type, ...handlers);
    }
    const program = new Program([file.replace(/\.ts$/, '.js')], { env: workplace.env });
    const until = notes.get('until');
    if (until !== undefined) {
      const stateDirectory = join(workplace.folder, 'state');
      await using swarm = await connect({
        address: workplace.address,
        security: { stateDirectory },
      });
      expect(await swarm.run(until, { rounds: 3 })).toEqual({ rounds: 3 });
      expect(await program.stop()).toMatchObject({ code: 0 });
      return;
    }
    const end = await program.ended;
    expect(end.code, end.stderr).toBe(0);
    if (file === programs.find(({ where }) => where.startsWith('README.md'))?.file) {
      // The sine repeats every 56.5 days: every match starts a multiple of it before the query.
      const starts = [...end.stdout.matchAll(/^(\d+) \d/gm)].map(([, start]) => Number(start));
      expect(starts).toHaveLength(3);
      for (const start of starts) {
        const periods = (4936 - start) / (18 * Math.PI);
        expect(Math.abs(periods - Math.round(periods))).toBeLessThan(0.02);
      }
    }
  });
});

describe('the commands in the documents', () => {
  it.each(commands)('$line', async ({ line }) => {
    const [, bin = '', ...words] = line.split(/\s+/);
    const args = words.map((word) => (word === ADDRESS ? workplace.address : word));
    if (bin === 'coordinator') {
      const program = workplace.command(bin, [`127.0.0.1:0`, ...words.slice(1), '--json']);
      await program.line('"ready"');
      expect(await program.stop()).toMatchObject({ code: 0 });
      return;
    }
    if (bin === 'agent') {
      const [, id = '', type = '', ...rest] = args;
      await workplace.agent(id, type, ...rest);
      return;
    }
    const end = await workplace.command(bin, [...args, '--json']).ended;
    expect(end.code, end.stderr).toBe(0);
    const answer = JSON.parse(end.stdout) as Record<string, unknown>;
    if (args.includes('pattern')) {
      const { matches } = answer['result'] as { matches: { start: number }[] };
      expect(matches.map(({ start }) => start)).toEqual(
        // The band of a query of 60 days is 3 where nobody says.
        nearestWindows(readCloses().DAX, { start: 1800, end: 1860, band: 3, top: 3 }).map(
          ({ start }) => start,
        ),
      );
    }
    if (args.includes('my.sum')) expect(answer['result']).toEqual({ sum: 6.5 });
  });
});
