/**
 * Compiles assembly/ to wasm/kernels.wasm. Nothing is done when neither the sources nor the compiler changed since the last
 * time, because every `npm run build` comes through here.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** @param {string} path */
const inHere = (path) => join(import.meta.dirname, path);

const FLAGS = [
  '-O3',
  '--noAssert',
  // Functions that files of assembly/ share are no exports of the module.
  '--disableWarning',
  '112',
  // AssemblyScript's name for no memory management of its own: the kernels allocate nothing.
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '--importMemory',
  '--initialMemory',
  '1',
];
const TARGET = inHere('wasm/kernels.wasm');
const STAMP = inHere('wasm/.built-from');

const compiler = createRequire(import.meta.url).resolve('assemblyscript/package.json');
const hash = createHash('sha256').update(JSON.stringify(FLAGS)).update(readFileSync(compiler));
for (const name of readdirSync(inHere('assembly')).sort()) {
  hash.update(name).update(readFileSync(inHere(`assembly/${name}`)));
}
const builtFrom = hash.digest('hex');
const isCurrent =
  existsSync(TARGET) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === builtFrom;

if (!isCurrent) {
  const { default: asc } = await import('assemblyscript/asc');
  mkdirSync(inHere('wasm'), { recursive: true });
  const entry = inHere('assembly/index.ts');
  const { error } = await asc.main([entry, ...FLAGS, '--outFile', TARGET], {
    stderr: process.stderr,
  });
  if (error !== null) throw error;
  writeFileSync(STAMP, builtFrom);
}
