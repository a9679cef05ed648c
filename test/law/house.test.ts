/**
 * The law of the house (ARCHITECTURE.md): floors, public doors, purity of every core, no cycles. Read from the import
 * statements of the sources, so that it holds whatever a build or a linter is configured to overlook.
 */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** What each package may import of ours; a package that is not listed may not exist. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  kernels: [],
  transport: ['protocol'],
  store: ['protocol'],
  reasoning: ['protocol'],
  coordinator: ['transport', 'store', 'kernels', 'reasoning', 'protocol'],
  agent: ['transport', 'kernels', 'reasoning', 'protocol'],
  client: ['transport', 'protocol'],
  testkit: [
    'coordinator',
    'agent',
    'client',
    'transport',
    'store',
    'protocol',
    'kernels',
    'reasoning',
  ],
  cli: ['coordinator', 'agent', 'client', 'transport', 'protocol', 'kernels', 'reasoning'],
};

/** Folders whose code decides and must not act: no clock, no randomness, no I/O, no promises. */
const PURE = ['packages/kernels/src', 'packages/reasoning/src', 'packages/protocol/src'];

const IMPURE = [
  /\bDate\.now\b|\bnew Date\b/,
  /\bperformance\b/,
  /\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/,
  /\bMath\.random\b/,
  /\bprocess\./,
  /\bcrypto\b/,
  /\basync\b|\bawait\b|\bPromise\b/,
  /\bconsole\./,
  /\bfetch\(/,
];

interface Import {
  readonly file: string;
  readonly specifier: string;
}

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name === 'node_modules' || name === 'dist') return [];
    if (statSync(path).isDirectory()) return filesUnder(path);
    return path.endsWith('.ts') && !path.endsWith('.d.ts') ? [path] : [];
  });
}

/** The code without comments and strings' contents left in place: enough to look for words. */
function codeOf(file: string): string {
  return readFileSync(file, 'utf8')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/(?<![:'"`\w])\/\/[^\n]*/g, '');
}

function importsOf(file: string): Import[] {
  const pattern = /\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;
  return [...codeOf(file).matchAll(pattern)].map(([, specifier = '']) => ({ file, specifier }));
}

const packages = readdirSync(join(ROOT, 'packages')).filter((name) =>
  existsSync(join(ROOT, 'packages', name, 'package.json')),
);
const sources = packages.flatMap((name) => filesUnder(join(ROOT, 'packages', name, 'src')));

describe('the floors', () => {
  it('have a rule for every package', () => {
    expect(packages.sort()).toEqual(Object.keys(MAY_IMPORT).sort());
  });

  it.each(packages)('let %s import only what lies below it, by its public door', (name) => {
    const allowed = MAY_IMPORT[name] ?? [];
    const broken: string[] = [];
    for (const file of filesUnder(join(ROOT, 'packages', name, 'src'))) {
      for (const { specifier } of importsOf(file)) {
        const ours = /^@quic-swarm\/([^/]+)(\/.*)?$/.exec(specifier);
        if (ours === null) continue;
        const [, target = '', deep] = ours;
        if (!allowed.includes(target) || deep !== undefined) {
          broken.push(`${relative(ROOT, file)} imports ${specifier}`);
        }
      }
    }
    expect(broken).toEqual([]);
  });

  it.each(packages)('are what package.json and tsconfig.json of %s declare', (name) => {
    const folder = join(ROOT, 'packages', name);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    const project = JSON.parse(readFileSync(join(folder, 'tsconfig.json'), 'utf8')) as {
      references?: { path: string }[];
    };
    const declared = Object.keys(manifest.dependencies ?? {})
      .filter((dependency) => dependency.startsWith('@quic-swarm/'))
      .map((dependency) => dependency.slice('@quic-swarm/'.length));
    const referenced = (project.references ?? []).map(({ path }) => path.replace('../', ''));
    expect(declared.filter((other) => !(MAY_IMPORT[name] ?? []).includes(other))).toEqual([]);
    expect(referenced.sort()).toEqual(declared.sort());
  });

  it('keep relative imports inside their package', () => {
    const broken = sources.flatMap(importsOf).filter(({ file, specifier }) => {
      if (!specifier.startsWith('.')) return false;
      const home = file.slice(0, file.indexOf('/src/') + 4);
      return !resolve(dirname(file), specifier).startsWith(home);
    });
    // Reading the own package.json is the one exception: the version is written there.
    expect(broken.filter(({ specifier }) => !specifier.endsWith('package.json'))).toEqual([]);
  });

  it('have no cycles between files', () => {
    const edges = new Map(
      sources.map((file) => [
        file,
        importsOf(file)
          .filter(({ specifier }) => specifier.startsWith('.') && specifier.endsWith('.ts'))
          .map(({ specifier }) => resolve(dirname(file), specifier)),
      ]),
    );
    expect(cyclesIn(edges)).toEqual([]);
  });
});

describe('every core', () => {
  const cores = [
    ...PURE,
    ...packages
      .map((name) => join('packages', name, 'src/core'))
      .filter((folder) => existsSync(join(ROOT, folder))),
  ];

  it.each(cores)('%s is pure', (folder) => {
    const broken: string[] = [];
    for (const file of filesUnder(join(ROOT, folder))) {
      const code = codeOf(file).replaceAll(/(['"`])(?:\\.|(?!\1)[^\\])*\1/g, "''");
      for (const word of IMPURE) {
        const found = word.exec(code)?.[0];
        if (found !== undefined) broken.push(`${relative(ROOT, file)} uses ${found}`);
      }
      for (const { specifier } of importsOf(file)) {
        if (specifier.startsWith('node:'))
          broken.push(`${relative(ROOT, file)} imports ${specifier}`);
        if (specifier.includes('/shell/'))
          broken.push(`${relative(ROOT, file)} imports ${specifier}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('exists in the coordinator, the agent and the client', () => {
    for (const name of ['coordinator', 'agent', 'client']) {
      expect(filesUnder(join(ROOT, 'packages', name, 'src/core')).length, name).toBeGreaterThan(2);
    }
  });
});

describe('the sources', () => {
  const everything = [
    ...sources,
    ...filesUnder(join(ROOT, 'test')),
    ...filesUnder(join(ROOT, 'examples')),
    ...packages.flatMap((name) => filesUnder(join(ROOT, 'packages', name, 'test'))),
  ];

  const filesWith = (banned: RegExp, files: readonly string[]): string[] =>
    files.filter(
      (file) => file !== import.meta.filename && banned.test(readFileSync(file, 'utf8')),
    );

  it('leave nothing for later and silence no check', () => {
    const banned =
      /\b(?:TODO|FIXME|XXX|HACK)\b|@ts-(?:ignore|nocheck)|oxlint-disable|eslint-disable|\bas any\b/;
    expect(filesWith(banned, everything)).toEqual([]);
    // In a test it asserts that something does not compile; elsewhere it hides that it does not.
    expect(filesWith(/@ts-expect-error/, sources)).toEqual([]);
  });

  it('skip and focus no test', () => {
    expect(filesWith(/\b(?:it|test|describe)\.(?:skip|only|todo)\b/, everything)).toEqual([]);
  });

  it('keep a file readable: at most 500 lines, and half of them at most 200', () => {
    const lengths = sources.map((file) => ({
      file: relative(ROOT, file),
      lines: readFileSync(file, 'utf8').split('\n').length,
    }));
    expect(lengths.filter(({ lines }) => lines > 500)).toEqual([]);
    const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(200);
  });

  it('begin each public door with a word on what the package is', () => {
    for (const name of packages) {
      const door = readFileSync(join(ROOT, 'packages', name, 'src/index.ts'), 'utf8');
      expect(door.startsWith('/**'), `packages/${name}/src/index.ts`).toBe(true);
    }
  });
});

function cyclesIn(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const cycles: string[] = [];
  const visit = (file: string): void => {
    if (path.includes(file)) {
      cycles.push(
        [...path.slice(path.indexOf(file)), file].map((each) => relative(ROOT, each)).join(' → '),
      );
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const next of edges.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of edges.keys()) visit(file);
  return cycles;
}
