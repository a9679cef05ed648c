/**
 * Disk chaos: `npm run chaos:disk [-- --rounds 20]`. Writers are killed, lose the power of their file system and fill their
 * disk; afterwards everything that was acknowledged must be there. Then the same happens to the disk of a coordinator that
 * takes durable tasks over QUIC. Prints a table; exits with 1 when something was lost, died or lied, or when the control (a
 * store that does not synchronise) lost nothing. The power cut and the full disk need Linux, root and python3.
 */
import { parseArgs } from 'node:util';
import { coordinatorFullDisks, coordinatorPowerCuts } from './coordinator-rounds.ts';
import { missingForLoopMounts } from './loop-mount.ts';
import { fullDiskRounds, killRounds, powerCutRounds, type Result } from './rounds.ts';
import { buildAgentFiles } from './support/agent-files.ts';

/** More rounds say little more, and a coordinator takes seconds to be back. */
const COORDINATOR_ROUNDS_MAX = 8;

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error('--rounds is a number from 1 on.');
  process.exit(2);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // What was started and mounted is ended when this process exits.
  process.once(signal, () => {
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });
}

const results: Result[] = [];
async function run(name: string, work: () => Promise<Result>): Promise<void> {
  const startMs = performance.now();
  const result = await work();
  console.error(`${name}: ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  results.push(result);
  for (const violation of result.violations) console.error(`  VIOLATION: ${violation}`);
}

await run('kill -9', async () => killRounds(rounds));
const missing = missingForLoopMounts();
if (missing === undefined) {
  await run('power cut', async () => powerCutRounds(rounds, false));
  await run('power cut of the control', async () => powerCutRounds(Math.min(rounds, 3), true));
  await run('full disk', async () => fullDiskRounds(Math.min(rounds, 8)));
  await buildAgentFiles();
  const coordinatorRounds = Math.min(rounds, COORDINATOR_ROUNDS_MAX);
  await run('power cut under a coordinator', async () => coordinatorPowerCuts(coordinatorRounds));
  await run('full disk under a coordinator', async () => coordinatorFullDisks(coordinatorRounds));
} else {
  console.error(`\n*** NOT TESTED: power cut and full disk, because ${missing}. ***\n`);
}

console.table(
  results.map(({ fault, rounds: done, acknowledged, lost, notices, violations }) => ({
    fault,
    rounds: done,
    acknowledged,
    lost,
    'tails cut': notices,
    violations: violations.length,
  })),
);
process.exitCode = results.every(({ violations }) => violations.length === 0) ? 0 : 1;
