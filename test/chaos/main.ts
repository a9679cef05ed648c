/**
 * Chaos: `npm run chaos -- [--seed 1] [--only NAME]... [--quick] [--list]`. Real processes over real QUIC on the loopback
 * interface are killed, frozen and cut off while they work; each case compares what it counted and measured with what
 * must hold. Exits with 1 when a property of safety does not hold, a case hangs or breaks off. A goal that is not
 * reached, most often a time, is MISSED, printed with the load of the machine, and does not fail the run.
 */
import { parseArgs } from 'node:util';
import { mixedSeed, seededRandom } from '@quic-swarm/testkit';
import { CASES } from './cases.ts';
import { buildAgentFiles } from './support/agent-files.ts';
import { Skipped, type ChaosCase } from './support/chaos-case.ts';
import { killAll } from './support/child-program.ts';
import { Findings, machineLoad } from './support/findings.ts';
import { tableOf, type CaseResult, type Verdict } from './support/report.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const unknown = values.only.filter((name) => CASES.every((each) => each.name !== name));
if (!Number.isSafeInteger(seed) || unknown.length > 0) {
  console.error(
    unknown.length === 0
      ? '--seed is an integer.'
      : `There is no case ${unknown.join(', ')}; --list names them.`,
  );
  process.exit(2);
}
if (values.list) {
  for (const { name, about } of CASES) console.log(`${name.padEnd(18)} ${about}`);
  process.exit(0);
}

const results: CaseResult[] = [];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killAll();
    printTable();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });
}

await buildAgentFiles();
const chosen = CASES.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
for (const chaosCase of chosen) results.push(await tried(chaosCase));
printTable();
killAll();
process.exit(results.some(({ verdict }) => verdict === 'FAIL') ? 1 : 0);

/** What was found so far: at the end, or when the run is interrupted. */
function printTable(): void {
  const how = `seed ${seed}${values.quick ? ', quick' : ''}, load ${machineLoad()}`;
  console.log(`\n${how}\n${tableOf(results)}`);
}

/** Runs a case to its end, or to the end of its time. */
async function tried(chaosCase: ChaosCase): Promise<CaseResult> {
  const { name, about, minutesMax } = chaosCase;
  const startMs = performance.now();
  const say = (text: string): void => {
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    console.log(`[${name} ${seconds.padStart(5)} s] ${text}`);
  };
  say(`${about} (load ${machineLoad()})`);
  const findings = new Findings(say);
  const caseSeed = mixedSeed(seed, CASES.indexOf(chaosCase)) >>> 1;
  let verdict: Verdict | undefined;
  let why: string | undefined;
  try {
    const run = chaosCase.run({
      seed: caseSeed,
      random: seededRandom(caseSeed),
      isQuick: values.quick,
      findings,
      say,
    });
    await inTime(run, minutesMax);
  } catch (error) {
    verdict = error instanceof Skipped ? 'SKIPPED' : 'FAIL';
    why = error instanceof Error ? error.message : String(error);
    say(error instanceof Skipped ? why : String(error instanceof Error ? error.stack : error));
    // What a case that broke off has left behind would disturb the next one.
    killAll();
  }
  if (findings.hasFailed) verdict = 'FAIL';
  verdict ??= findings.hasMissed ? 'MISSED' : 'PASS';
  const seconds = (performance.now() - startMs) / 1000;
  say(verdict);
  return { name, verdict, seconds, findings: findings.all, why };
}

async function inTime(run: Promise<void>, minutesMax: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`It hangs: it was not over after ${minutesMax} minutes.`));
    }, minutesMax * 60_000);
  });
  try {
    await Promise.race([run, hang]);
  } finally {
    clearTimeout(timer);
  }
}
