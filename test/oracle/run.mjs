/**
 * What `npm run test:oracle` starts: brings the packages of this folder up to its lock file, builds kernels.wasm, and
 * runs the comparisons. Plain JavaScript without dependencies, because it runs before there are any. With `--all` a
 * missing oracle is a failure; other words are for vitest.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));

/**
 * Runs a command to its end, its output is progress; whether it succeeded.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 */
function run(command, args, cwd) {
  // npm is a script on Windows, which only a shell starts.
  const shell = process.platform === 'win32' && command === 'npm';
  return spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2], shell }).status === 0;
}

/** The packages, exactly as locked, without their install scripts; again only when the lock file changed. */
function install() {
  const lock = createHash('sha256').update(readFileSync(join(here, 'package-lock.json')));
  const wanted = lock.digest('hex');
  const stamp = join(here, 'node_modules', '.oracle-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write('oracle: installing the packages (once per lock file) …\n');
  if (run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], here)) {
    writeFileSync(stamp, wanted);
    return;
  }
  // The other oracles need no packages; those that do are named as missing, before and after the tests.
  process.stderr.write('oracle: npm ci in test/oracle/ failed.\n');
}

install();
if (!run(process.execPath, [join(root, 'packages/kernels/build-wasm.mjs')], root)) {
  process.stderr.write('oracle: kernels.wasm could not be built.\n');
  process.exit(1);
}
const words = process.argv.slice(2);
const tests = spawn(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    join(here, 'vitest.config.ts'),
    ...words.filter((word) => word !== '--all'),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...(words.includes('--all') ? { ORACLES: 'all' } : {}) },
  },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => tests.kill(signal));
tests.on('exit', (code) => process.exit(code ?? 1));
