/** `npm run bench -- NAME`: reads the command line, runs the bench, prints its report. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createAuthority, issueCertificate } from '@quic-swarm/transport';
import { benches } from './benches/index.ts';
import { describeEnvironment } from './harness/environment.ts';
import { conditionsNow } from './harness/floors.ts';
import type { Bench } from './harness/model.ts';
import { textOf, type Report } from './harness/report.ts';
import { loadPeer, runBench } from './harness/run-bench.ts';
import { judge } from './harness/targets.ts';
import type { TlsIdentity } from './peers/contract.ts';

const USAGE = `npm run bench -- NAME [options]

${benches.map(({ name, title }) => `  ${name.padEnd(12)}${title}`).join('\n')}

  --json          print one JSON object instead of tables (npm run --silent bench -- …)
  --rounds N      how often every contestant has its turn
  --quick         fewer and shorter rounds: a look, not a result
  --only A,B      only contestants whose name contains one of these
  --workloads A,B only these workloads
  --seed N        decides the order of the contestants
`;

interface Command {
  readonly bench: Bench;
  readonly rounds: number;
  readonly isQuick: boolean;
  readonly isJson: boolean;
  readonly seed: number;
}

/** What cannot be understood ends the program with 2 and the usage. */
class UsageError extends Error {}

function readCommand(args: readonly string[]): Command {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      workloads: { type: 'string' },
    },
  });
  const [name, ...rest] = positionals;
  const bench = benches.find((each) => each.name === name);
  if (bench === undefined || rest.length > 0) {
    throw new UsageError(
      name === undefined ? 'Which bench?' : `There is no bench "${positionals.join(' ')}".`,
    );
  }
  const chosen = narrowed(bench, wordsOf(values.only), wordsOf(values.workloads));
  const rounds = values.quick ? bench.quickRounds : bench.rounds;
  return {
    bench: chosen,
    rounds: values.rounds === undefined ? rounds : count('--rounds', values.rounds),
    isQuick: values.quick,
    isJson: values.json,
    seed: count('--seed', values.seed),
  };
}

function wordsOf(list: string | undefined): string[] {
  return (list ?? '').split(',').filter((word) => word !== '');
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`${option} is a whole number of 1 or more, not "${text}".`);
}

/** The bench with the contestants and workloads that were asked for. */
function narrowed(bench: Bench, only: readonly string[], workloads: readonly string[]): Bench {
  const contestants = bench.contestants.filter(
    ({ name }) =>
      only.length === 0 || only.some((word) => name.toLowerCase().includes(word.toLowerCase())),
  );
  const plans = bench.plans.filter(
    ({ workload }) => workloads.length === 0 || workloads.includes(workload.name),
  );
  if (contestants.length === 0) {
    throw new UsageError(`Contestants: ${bench.contestants.map(({ name }) => name).join(', ')}.`);
  }
  if (plans.length === 0) {
    throw new UsageError(
      `Workloads: ${bench.plans.map(({ workload }) => workload.name).join(', ')}.`,
    );
  }
  return { ...bench, contestants, plans };
}

/** Servers of every protocol want a certificate, and most clients an authority that issued it. */
function newIdentity(): TlsIdentity {
  const authority = createAuthority({ commonName: 'quic-swarm bench', days: 1 });
  const { certificate, privateKey } = issueCertificate(authority, {
    commonName: 'localhost',
    hosts: ['localhost', '127.0.0.1'],
    days: 1,
  });
  return { authority: authority.certificate, certificate, privateKey };
}

async function run({ bench, rounds, isQuick, isJson, seed }: Command): Promise<number> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'quic-swarm-bench-'));
  process.once('exit', () => {
    rmSync(stateDirectory, { recursive: true, force: true });
  });
  const startMs = performance.now();
  const progress = (line: string): void => {
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
    process.stderr.write(`${seconds.padStart(4)} s  ${line}\n`);
  };
  const surroundings = { identity: newIdentity(), stateDirectory };
  const before = await conditionsNow(surroundings);
  const results = await runBench(bench, {
    rounds,
    isQuick,
    seed,
    surroundings,
    onProgress: progress,
  });
  const after = await conditionsNow(surroundings);
  progress('done');
  const names = [...new Set(bench.contestants.map(({ peer }) => peer))];
  const peers = await Promise.all(names.map(loadPeer));
  const report: Report = {
    bench: bench.name,
    environment: describeEnvironment({ before, after, peers, rounds, seed, isQuick }),
    rows: results.rows(),
    targets: judge(bench.targets, results),
  };
  process.stdout.write(isJson ? `${JSON.stringify(report, null, 2)}\n` : textOf(report, bench));
  return results.hasOurFailure ? 1 : 0;
}

/** Ends with what a shell expects; the child processes notice that nobody is there any more. */
function endOnSignals(): void {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => process.exit(code));
  }
}

async function main(): Promise<number> {
  endOnSignals();
  try {
    return await run(readCommand(process.argv.slice(2)));
  } catch (error) {
    const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
    if (!isUsage) throw error;
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    return 2;
  }
}

process.exitCode = await main();
