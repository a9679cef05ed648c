/**
 * What `npm run bench` starts: brings the packages of this folder up to its lock file, builds quic-swarm and the
 * benches, and runs the bench that was asked for. Plain JavaScript without dependencies, because it runs before there
 * are any. Everything it says goes to stderr; stdout belongs to the bench.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);

/** Runs a command to its end; its output is progress. A failure ends this process. */
function run(what, command, args, cwd) {
  const isWindows = process.platform === 'win32';
  const { status, error } = spawnSync(command, args, {
    cwd,
    stdio: ['ignore', 2, 2],
    // npm is a script on Windows, which only a shell starts.
    shell: isWindows && command === 'npm',
  });
  if (status === 0) return;
  process.stderr.write(
    `bench: ${what} failed${error === undefined ? '' : ` (${error.message})`}.\n`,
  );
  process.exit(1);
}

/** The peers, exactly as locked, without their install scripts; again only when the lock file changed. */
function install() {
  const lock = createHash('sha256').update(readFileSync(join(here, 'package-lock.json')));
  const wanted = lock.digest('hex');
  const stamp = join(here, 'node_modules', '.bench-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write('bench: installing the peers (once per lock file) …\n');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  run('npm ci in bench/', 'npm', args, here);
  writeFileSync(stamp, wanted);
}

install();
// Both builds are incremental and take about a second together: a bench of yesterday's code would be worse.
run('npm run build', 'npm', ['run', '--silent', 'build'], root);
run('tsc', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', here], root);
const bench = spawn(
  process.execPath,
  ['--enable-source-maps', join(here, 'dist/main.js'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
// Whoever ends this process means the bench, which has processes of its own to end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => bench.kill(signal));
bench.on('exit', (code) => process.exit(code ?? 1));
