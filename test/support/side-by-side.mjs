/**
 * Runs scripts of package.json side by side: `node test/support/side-by-side.mjs lint unused`. What each says is printed
 * in one piece when it has ended, so that the words of two do not mix; fails when one of them fails.
 */
import { spawn } from 'node:child_process';

const npm = process.env.npm_execpath;
if (npm === undefined) throw new Error('Run it from a script of package.json.');

/** Whether the script succeeded. */
function run(script) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [npm, 'run', '--silent', script]);
    const said = [];
    child.stdout.on('data', (bytes) => said.push(bytes));
    child.stderr.on('data', (bytes) => said.push(bytes));
    child.once('close', (code, signal) => {
      const isSuccess = code === 0;
      process.stdout.write(Buffer.concat(said));
      if (!isSuccess) console.error(`npm run ${script} failed (${signal ?? code}).`);
      resolve(isSuccess);
    });
  });
}

const successes = await Promise.all(process.argv.slice(2).map(run));
process.exitCode = successes.every(Boolean) ? 0 : 1;
