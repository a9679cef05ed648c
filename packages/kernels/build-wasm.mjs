/**
 * Compiles assembly/ to wasm/kernels.wasm. Nothing is done when neither the sources nor the compiler changed since the last
 * time, because every `npm run build` comes through here.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const inHere = (path) => fileURLToPath(new URL(path, import.meta.url));
const FLAGS = [
  '-O3',
  '--noAssert',
  '--converge',
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '--importMemory',
  '--initialMemory',
  '1',
];
const TARGET = inHere('./wasm/kernels.wasm');
const STAMP = inHere('./wasm/.built-from');

const { version } = createRequire(import.meta.url)('assemblyscript/package.json');
const hash = createHash('sha256').update(JSON.stringify([version, FLAGS]));
for (const name of readdirSync(inHere('./assembly')).sort()) {
  hash.update(name).update(readFileSync(inHere(`./assembly/${name}`)));
}
const builtFrom = hash.digest('hex');
const isCurrent =
  existsSync(TARGET) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === builtFrom;

if (!isCurrent) {
  const { default: asc } = await import('assemblyscript/asc');
  mkdirSync(inHere('./wasm'), { recursive: true });
  const entry = inHere('./assembly/index.ts');
  const { error, stderr } = await asc.main([entry, ...FLAGS, '--outFile', TARGET]);
  if (error !== null) {
    process.stderr.write(`${stderr.toString()}${error.message}\n`);
    process.exit(1);
  }
  writeFileSync(STAMP, builtFrom);
}
